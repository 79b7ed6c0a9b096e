package netlab

import (
	"math"
	"net/netip"
	"testing"
	"time"
)

func TestLossyTakesItsShare(t *testing.T) {
	b := Lossy(3, 0.03, Delayed(3, 0, 300*time.Millisecond))
	for _, first := range []string{"198.18.0.0", "2001:2:0:1::"} {
		lost, held, target := 0, time.Duration(0), netip.MustParseAddr(first)
		const targets, rounds = 20_000, 5
		for range targets {
			for n := range rounds {
				f := b(Probe{target, n})
				if f.Lose {
					lost++
				}
				if f.Delay < 0 || f.Delay >= 300*time.Millisecond {
					t.Fatalf("%v: delay %v", target, f.Delay)
				}
				held += f.Delay
			}
			target = target.Next()
		}
		const all = targets * rounds
		if sigma := math.Sqrt(all * .03 * .97); math.Abs(float64(lost)-all*.03) > 4*sigma {
			t.Errorf("%s: %d of %d lost", first, lost, all)
		}
		if mean := held / all; mean < 149*time.Millisecond || mean > 151*time.Millisecond {
			t.Errorf("%s: mean delay %v", first, mean)
		}
	}
}

// The draw is part of what a test's books promise: it must not change between runs and systems.
func TestDrawIsFixed(t *testing.T) {
	if got := draw(7, Probe{netip.MustParseAddr("198.18.0.1"), 2}); got != 0.7460590939990884 {
		t.Errorf("draw %v", got)
	}
	if draw(7, Probe{netip.MustParseAddr("198.18.0.1"), 3}) == draw(7, Probe{netip.MustParseAddr("198.18.0.1"), 2}) {
		t.Error("the probe number does not matter")
	}
}

func TestSwapped(t *testing.T) {
	b := Swapped(time.Second)
	if b(Probe{N: 4}).Delay != time.Second || b(Probe{N: 5}).Delay != 0 {
		t.Error("even replies must be held back, odd ones not")
	}
}

func TestZonedTakesTheFirst(t *testing.T) {
	b := Zoned(Always(Fate{Copies: 9}),
		Zone{netip.MustParsePrefix("198.18.1.0/25"), Always(Fate{Copies: 1})},
		Zone{netip.MustParsePrefix("198.18.1.0/24"), Always(Fate{Copies: 2})},
		Zone{netip.MustParsePrefix("2001:2::/48"), Always(Fate{Copies: 3})})
	for target, want := range map[string]int{"198.18.1.1": 1, "198.18.1.129": 2, "2001:2::5": 3, "198.18.2.1": 9} {
		if got := b(Probe{Target: netip.MustParseAddr(target)}).Copies; got != want {
			t.Errorf("%s: %d; want %d", target, got, want)
		}
	}
}
