package prober

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// clock is the machine's clocks: those that the kernel stamps frames with.
type clock struct{}

func (clock) Real() int64 { return read(unix.CLOCK_REALTIME) }
func (clock) Mono() int64 { return read(unix.CLOCK_MONOTONIC) }

func read(id int32) int64 {
	var t unix.Timespec
	unix.ClockGettime(id, &t) // fails for unknown clocks only
	return t.Nano()
}

func (clock) Sleep(ctx context.Context, d time.Duration) { sleep(ctx, d) }
