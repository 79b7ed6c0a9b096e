package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// run has r read a file, with as much parallelism as one core gives. What it writes is thrown away.
func (r bfdReader) run(ctx context.Context, f bfdFile) (*bfdRun, error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	path, packets := f.path, f.packets
	if r.slice {
		path, packets = f.slicePath, f.slicePackets
	}
	cmd := command(ctx, r.program, r.args(path, f.streams())...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	c, err := watchChild(cmd)
	if err != nil {
		return nil, err
	}
	return &bfdRun{Packets: packets, Seconds: c.seconds, Rate: float64(packets) / c.seconds, CPU: c.cpu, Peak: c.peak}, nil
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
