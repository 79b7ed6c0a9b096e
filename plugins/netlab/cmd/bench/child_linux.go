package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"echogram/plugins/netlab/process"
)

// memoryEvery is short beside what the programs take.
const memoryEvery = 5 * time.Millisecond

// child is what a program came to.
type child struct {
	seconds float64 // from its start to its end
	cpu     float64 // user and system time, s
	peak    int64   // the most resident memory, bytes
	said    string  // on STDERR
}

// command is a program that ends with ctx: asked first, killed later.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = graceTime
	return cmd
}

// watchChild runs cmd to its end. What it says is part of the error.
func watchChild(cmd *exec.Cmd) (c child, err error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	p, err := process.Start(cmd)
	if err != nil {
		return c, err
	}
	c.peak = peakUntil(p)
	c.seconds = time.Since(begin).Seconds()
	c.said = string(bytes.TrimSpace(said.Bytes()))
	if err := p.Wait(); err != nil {
		return c, fmt.Errorf("%w: %s", err, c.said)
	}
	c.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return c, nil
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
