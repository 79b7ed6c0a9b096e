package main

import (
	"errors"
	"testing"
	"time"
)

// TestEachStretch: every moment is read once, little at a time, whether rows are few, many, or begin behind a gap.
func TestEachStretch(t *testing.T) {
	const day, second = int64(24 * time.Hour), int64(time.Second)
	for name, c := range map[string]struct {
		rate  func(at int64) int64 // rows a second
		calls int                  // at most
	}{
		"none":        {func(int64) int64 { return 0 }, 20},
		"few":         {func(int64) int64 { return 1 }, 40},
		"many":        {func(int64) int64 { return 1000 }, 4 * 86400 / 8},
		"behind none": {func(at int64) int64 { return 100 * (at / (day / 2)) }, 1000},
		"far too many": {func(at int64) int64 {
			if at == day/2 {
				return 1 << 20
			}
			return 0
		}, 60},
	} {
		var taken, want int64
		for at := int64(0); at < day; at += second {
			want += c.rate(at)
		}
		calls, next := 0, int64(0)
		err := eachStretch(0, day, func(start, stop int64, most int) (int, bool, error) {
			calls++
			var n int64
			for at := (start + second - 1) / second * second; at < stop; at += second {
				n += c.rate(at)
			}
			if start != next || stop > day {
				t.Fatalf("%s: from %d to %d, want from %d", name, start, stop, next)
			}
			if most > 0 && n > int64(most) {
				return int(n), false, nil
			}
			taken, next = taken+n, stop
			return int(n), true, nil
		})
		if err != nil || taken != want || next != day || calls > c.calls {
			t.Errorf("%s: %d of %d rows by %d reads, up to %d, %v", name, taken, want, calls, next, err)
		}
	}
	broken := errors.New("broken")
	if err := eachStretch(0, day, func(int64, int64, int) (int, bool, error) { return 0, false, broken }); err != broken {
		t.Error(err)
	}
}
