package bfdwatch

import (
	"slices"
	"testing"
	"time"
)

// TestTimeBefore: time that had come before the first packet, as with a live capture that sees other frames, changes no
// row of a session.
func TestTimeBefore(t *testing.T) {
	a, b := pair4()
	a.c, b.c = up(300*ms, 300*ms), up(300*ms, 300*ms)
	w := newWire()
	w.both(10500*ms, a, b, 20, 300*ms)
	w.sort()
	want := run(t, Config{Period: 2 * time.Second}, w.packets)
	got, live := listen(t, Config{Period: 2 * time.Second})
	for _, at := range []time.Duration{5 * ms, 7 * time.Second, 9999 * ms} {
		live.Expire(epoch + int64(at))
	}
	for i := range w.packets {
		live.Observe(&w.packets[i])
		live.Expire(w.packets[i].Stamp)
	}
	live.Finish()
	if !slices.Equal(got.lines, want.lines) {
		t.Errorf("got  %q\nwant %q", got.lines, want.lines)
	}
	if first := want.sessions[0]; !first.Partial || want.sessions[len(want.sessions)/2].Partial {
		t.Errorf("%+v", first)
	}
}
