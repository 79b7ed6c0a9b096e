package replay

import (
	"fmt"
	"testing"
)

// TestOutstandingIsBounded: what is given up early is counted, and its memory used again.
func TestOutstandingIsBounded(t *testing.T) {
	r := New(Config{Outstanding: 100})
	for i := range 1000 {
		r.Observe(request(int64(i)*us, "198.51.100.1", uint16(i), "payload"))
	}
	if r.probes.n != 100 || len(r.probes.byKey) != 100 || r.probes.room != keptPayload-100*7 {
		t.Errorf("%d probes, %d keys, room %d", r.probes.n, len(r.probes.byKey), r.probes.room)
	}
	r.Observe(request(70*sec, "198.51.100.1", 1, "payload"))
	if r.probes.n != 1 {
		t.Errorf("%d probes after the late window", r.probes.n)
	}
	got := finish(r)
	if got.Forgotten != 900 || got.Stats.Trust != trustMemory || got.Stats.Sent != 1001 {
		t.Errorf("%+v", got.Summary)
	}
}

// TestHeldIsBounded: a capture of replies alone takes no memory for each.
func TestHeldIsBounded(t *testing.T) {
	r := New(Config{})
	for i := range holdMost + 500 {
		r.Observe(reply(int64(i), fmt.Sprintf("198.51.%d.%d", i>>8&3, i&0xff), uint16(i>>10), "payload"))
	}
	if r.held.n > holdMost+1 || r.counts.unmatched < 499 {
		t.Errorf("%d held, %d given up", r.held.n, r.counts.unmatched)
	}
	r.Observe(request(10*sec, "198.51.100.1", 9, "x"))
	if r.held.n != 0 || len(r.held.queue) != 0 {
		t.Errorf("%d held, %d queued", r.held.n, len(r.held.queue))
	}
	if got := finish(r); got.Unmatched != holdMost+500 {
		t.Errorf("%+v", got.Summary)
	}
}
