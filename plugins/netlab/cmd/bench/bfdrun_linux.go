package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"echogram/plugins/netlab/process"
)

// memoryEvery is short beside what the readers take.
const memoryEvery = 5 * time.Millisecond

// run has r read a file, with as much parallelism as one core gives. What it writes is thrown away.
func (r bfdReader) run(ctx context.Context, f bfdFile) (*bfdRun, error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	path, packets := f.path, f.packets
	if r.slice {
		path, packets = f.slicePath, f.slicePackets
	}
	cmd := exec.CommandContext(ctx, r.program, r.args(path, f.streams())...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = graceTime
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	peak := peakUntil(p)
	seconds := time.Since(begin).Seconds()
	if err := p.Wait(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	cpu := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return &bfdRun{Packets: packets, Seconds: seconds, Rate: float64(packets) / seconds, CPU: cpu, Peak: peak}, nil
}

// peakUntil waits for the end of p and returns the peak of its memory.
func peakUntil(p *process.Process) (peak int64) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.Done():
			return peak
		case <-tick.C:
			peak = max(peak, peakMemory(p.Pid()))
		}
	}
}

// loopMain runs a loop of bfdloop.go as this process, and returns its exit code.
func loopMain(args []string) int {
	streams, err := strconv.Atoi(args[2])
	if err == nil {
		_, err = loop(args[0], args[1], streams)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}
