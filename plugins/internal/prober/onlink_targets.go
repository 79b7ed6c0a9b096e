package prober

import (
	"net/netip"
	"slices"

	"echogram/plugins/internal/targets"
)

// linkTargets are those targets of a set that its pieces hold, numbered from 0.
type linkTargets struct {
	set    *targets.Set
	pieces []piece
	before []int // targets in the pieces before each
	n      int
	zones  []string // of the targets
}

func newLinkTargets(set *targets.Set, pieces []piece) *linkTargets {
	t := &linkTargets{set: set, pieces: pieces}
	for _, p := range pieces {
		t.before = append(t.before, t.n)
		t.n += p.n
		if zone := set.At(p.first).Zone(); !slices.Contains(t.zones, zone) {
			t.zones = append(t.zones, zone)
		}
	}
	return t
}

func (t *linkTargets) Len() int { return t.n }

func (t *linkTargets) At(i int) netip.Addr {
	k, found := slices.BinarySearch(t.before, i)
	if !found {
		k--
	}
	return t.set.At(t.pieces[k].first + i - t.before[k])
}

// Index finds an address as it stands in a frame, without its zone.
func (t *linkTargets) Index(a netip.Addr) (i int, ok bool) {
	for _, zone := range t.zones {
		if target, found := t.set.Index(a.WithZone(zone)); found {
			if i, ok = t.place(target); ok {
				return i, true
			}
		}
	}
	return 0, false
}

// place returns the number that a target of the set has here.
func (t *linkTargets) place(target int) (i int, ok bool) {
	k, found := slices.BinarySearchFunc(t.pieces, target, piece.compare)
	if !found {
		return 0, false
	}
	return t.before[k] + target - t.pieces[k].first, true
}
