package targets

import (
	"container/heap"
	"slices"
)

// cover walks a line of addresses upwards and tells at each place the smallest range that holds it.
type cover struct {
	ahead  []int32 // places in the list of ranges that have not begun, by start
	active bySize  // begun; those that have ended leave when they come to the top
}

func newCover(list []Range) *cover {
	c := &cover{ahead: make([]int32, len(list)), active: bySize{list: list}}
	for i := range c.ahead {
		c.ahead[i] = int32(i)
	}
	slices.SortFunc(c.ahead, func(a, b int32) int { return list[a].First.Compare(list[b].First) })
	return c
}

// at returns the place in the list of the smallest range that holds the address. Calls must not go down.
func (c *cover) at(u u128) (i int, ok bool) {
	h := &c.active
	for len(c.ahead) > 0 && compare(fromAddr(h.list[c.ahead[0]].First), u) <= 0 {
		heap.Push(h, c.ahead[0])
		c.ahead = c.ahead[1:]
	}
	for len(h.heap) > 0 && compare(fromAddr(h.list[h.heap[0]].Last), u) < 0 {
		heap.Pop(h)
	}
	if len(h.heap) == 0 {
		return 0, false
	}
	return int(h.heap[0]), true
}

// bySize is a heap of ranges, the smallest on top.
type bySize struct {
	list []Range
	heap []int32
}

func (h *bySize) Len() int      { return len(h.heap) }
func (h *bySize) Swap(i, j int) { h.heap[i], h.heap[j] = h.heap[j], h.heap[i] }
func (h *bySize) Push(x any)    { h.heap = append(h.heap, x.(int32)) }
func (h *bySize) Pop() any {
	last := h.heap[len(h.heap)-1]
	h.heap = h.heap[:len(h.heap)-1]
	return last
}

func (h *bySize) Less(i, j int) bool {
	a, b := h.heap[i], h.heap[j]
	if smaller(&h.list[a], &h.list[b]) {
		return true
	}
	return a < b && !smaller(&h.list[b], &h.list[a])
}

// smaller orders ranges by size, and equal ones by text, so that the order of the configuration does not matter.
func smaller(a, b *Range) bool {
	if d := compare(a.size(), b.size()); d != 0 {
		return d < 0
	}
	return a.Text < b.Text
}

// cutPoints returns the starts of all ranges and the addresses after their ends, sorted, each once: between two of
// them nothing changes. The address after the last of IPv6 wraps to zero.
func cutPoints(lists ...[]Range) []u128 {
	var cuts []u128
	for _, list := range lists {
		cuts = slices.Grow(cuts, 2*len(list))
		for i := range list {
			cuts = append(cuts, fromAddr(list[i].First), fromAddr(list[i].Last).add(1))
		}
	}
	slices.SortFunc(cuts, compare)
	return slices.Compact(cuts)
}
