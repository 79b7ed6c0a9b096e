package targets

import (
	"container/heap"
	"slices"
)

// cover walks the line of addresses upwards and tells at each place the smallest range that holds it.
type cover struct {
	ahead  []Range // not begun yet, by start
	active bySize  // begun; those that have ended leave when they come to the top
}

func newCover(list []Range) *cover {
	ahead := slices.Clone(list)
	slices.SortStableFunc(ahead, func(a, b Range) int { return compare(fromAddr(a.First), fromAddr(b.First)) })
	return &cover{ahead: ahead}
}

// at returns the text of the smallest range that holds the address. Calls must not go down.
func (c *cover) at(u u128) (text string, ok bool) {
	for len(c.ahead) > 0 && compare(fromAddr(c.ahead[0].First), u) <= 0 {
		heap.Push(&c.active, c.ahead[0])
		c.ahead = c.ahead[1:]
	}
	for len(c.active) > 0 && compare(fromAddr(c.active[0].Last), u) < 0 {
		heap.Pop(&c.active)
	}
	if len(c.active) == 0 {
		return "", false
	}
	return c.active[0].Text, true
}

// bySize is a heap of ranges, the smallest on top; of equal ones the first by text, so that the order of the
// configuration does not matter.
type bySize []Range

func (h bySize) Len() int      { return len(h) }
func (h bySize) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *bySize) Push(x any)   { *h = append(*h, x.(Range)) }
func (h *bySize) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (h bySize) Less(i, j int) bool {
	if d := compare(size(h[i]), size(h[j])); d != 0 {
		return d < 0
	}
	return h[i].Text < h[j].Text
}

// size is the number of addresses in r, less one.
func size(r Range) u128 {
	first, last := fromAddr(r.First), fromAddr(r.Last)
	d := u128{hi: last.hi - first.hi, lo: last.lo - first.lo}
	if last.lo < first.lo {
		d.hi--
	}
	return d
}
