package prober

import (
	"context"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// clock is the machine's clocks: those that the kernel stamps frames with.
type clock struct{}

func (clock) Mono() int64 { return read(unix.CLOCK_MONOTONIC) }

// Offset reads one clock between two readings of the other. Of several tries, for this thread may be held up
// between them, it takes the one with the least time between.
func (clock) Offset() int64 {
	offset, least := int64(0), int64(math.MaxInt64)
	for range 5 {
		before := read(unix.CLOCK_MONOTONIC)
		real := read(unix.CLOCK_REALTIME)
		if d := read(unix.CLOCK_MONOTONIC) - before; d < least {
			offset, least = real-before-d/2, d
		}
	}
	return offset
}

func read(id int32) int64 {
	var t unix.Timespec
	unix.ClockGettime(id, &t) // fails for unknown clocks only
	return t.Nano()
}

// timerGrain is by how much one of Go's timers can be late on an idle machine: they wait in epoll_wait, in whole
// milliseconds.
const timerGrain = 1500 * time.Microsecond

// Sleep is exact to the kernel's timers: the last of the time passes in nanosleep, which ctx does not end.
func (c clock) Sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	due := c.Mono() + int64(d)
	sleep(ctx, d-timerGrain)
	for rest := due - c.Mono(); rest > 0 && ctx.Err() == nil; rest = due - c.Mono() {
		t := unix.NsecToTimespec(rest)
		unix.Nanosleep(&t, nil) // a signal ends it early
	}
}
