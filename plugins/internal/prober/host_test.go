package prober

import (
	"testing"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/sweep"
)

type fakeLoser sweep.Losses

func (f fakeLoser) losses() sweep.Losses { return sweep.Losses(f) }

func TestLossesAreThoseOfTheSourcesAlone(t *testing.T) {
	h := &host{losing: map[int]loser{
		0: fakeLoser{Down: 7}, // another stanza's interface, which has no carrier
		2: fakeLoser{Stats: capture.Stats{Drops: 1}, NICDrops: 2},
	}}
	end := h.watch(5, fakeLoser{Stats: capture.Stats{Drops: 10}, QdiscDrops: 3})
	want := sweep.Losses{Stats: capture.Stats{Drops: 11}, NICDrops: 2, QdiscDrops: 3}
	if got := h.losses([]int{2, 5}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if end(); h.losses([]int{5}) != (sweep.Losses{}) {
		t.Error("a source that has ended is still asked")
	}
}
