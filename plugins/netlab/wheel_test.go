package netlab

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestWheel turns a wheel in uneven steps, over several of its rounds, and looks when each reply leaves.
func TestWheel(t *testing.T) {
	var w wheel
	rnd := rand.New(rand.NewPCG(1, 2))
	added, left := 0, 0
	var before, now time.Duration
	send := func(h held) {
		left++
		if h.due > now || now-h.due > now-before+tick {
			t.Fatalf("due %v, left at %v, the fire before was at %v", h.due, now, before)
		}
	}
	for now < 30*time.Second {
		for range rnd.IntN(4) {
			w.add(held{due: now + time.Duration(rnd.Int64N(int64(MaxDelay)+1))})
			added++
		}
		d, ok := w.wait(now)
		if ok != (added > left) {
			t.Fatalf("wait says %v with %d held", ok, added-left)
		}
		before, now = now, now+time.Duration(rnd.Int64N(int64(20*time.Millisecond)))
		old := left
		w.fire(now, send)
		if (left > old) != (ok && before+d <= now) {
			t.Fatalf("wait said %v at %v, but at %v %d left", d, before, now, left-old)
		}
	}
	before, now = now, now+MaxDelay+tick
	w.fire(now, send)
	if left != added || w.n != 0 {
		t.Errorf("%d added, %d left", added, left)
	}
}

// An empty wheel that was not turned for longer than it spans does not fire early.
func TestWheelAfterAPause(t *testing.T) {
	var w wheel
	w.fire(time.Minute, func(held) { t.Fatal("fired from an empty wheel") })
	w.add(held{due: time.Minute + MaxDelay})
	w.fire(time.Minute+MaxDelay-tick, func(held) { t.Fatal("fired early") })
	fired := false
	w.fire(time.Minute+MaxDelay+tick, func(held) { fired = true })
	if !fired {
		t.Error("not fired")
	}
}
