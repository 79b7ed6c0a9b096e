package sweep

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		p := plan(t, "192.0.2.0/23", func(p *Plan) { p.Rate, p.Burst = 1000, 10 })
		l.sweep(t.Context(), p, nil)
		for i, at := range l.network.sent {
			if want := l.network.sent[0] + int64(i/10)*int64(10*time.Millisecond); at != want {
				t.Fatalf("request %d left at %d, want %d", i, at, want)
			}
		}
	})
}

func TestPacerMakesUpForAThirdOfABurst(t *testing.T) {
	p := newPacer(1000, 10, 0)
	p.take(0, 10)
	const stall = int64(time.Second)
	var waits []time.Duration
	for _, late := range []int64{0, 0, 6_666_667, 6_666_667} {
		waits = append(waits, p.take(stall+late, 10))
	}
	if want := []time.Duration{0, 6_666_667, 0, 10 * time.Millisecond}; !reflect.DeepEqual(waits, want) {
		t.Errorf("waits after a stall: %v, want %v", waits, want)
	}
}

// TestPacerFillsNoWindow: however late bursts leave, no window holds more than the rate's share and four thirds of a burst.
func TestPacerFillsNoWindow(t *testing.T) {
	const rate, burst, window = 20_000, 128, int64(100 * time.Millisecond)
	random := rand.New(rand.NewPCG(1, 2))
	p := newPacer(rate, burst, 0)
	var left []int64
	for now := int64(0); len(left) < 10_000; {
		if wait := p.take(now, burst); wait > 0 {
			now += int64(wait) + random.Int64N(100_000)
			if random.IntN(20) == 0 {
				now += random.Int64N(30_000_000)
			}
			continue
		}
		left = append(left, now)
	}
	for first, last := 0, 0; last < len(left); last++ {
		for left[last]-left[first] >= window {
			first++
		}
		if n := (last - first + 1) * burst; n > rate/10+burst*4/3 {
			t.Fatalf("%d requests within %v", n, time.Duration(left[last]-left[first]))
		}
	}
}
