package rollup

import (
	"math/bits"
	"slices"
)

// times is a sorted set of times: the sweeps of a window.
type times struct {
	at   []int64
	next int // where the next time is looked for first
}

func (s *times) add(t int64) {
	if s.next < len(s.at) && s.at[s.next] == t {
		s.next++
		return
	}
	i, found := slices.BinarySearch(s.at, t)
	if !found {
		s.at = slices.Insert(s.at, i, t)
	}
	s.next = i + 1
}

func (s *times) merge(o *times) {
	switch {
	case len(o.at) == 0 || slices.Equal(s.at, o.at):
	case len(s.at) == 0 || s.at[len(s.at)-1] < o.at[0]:
		s.at = append(s.at, o.at...)
	default:
		s.at = append(s.at, o.at...)
		slices.Sort(s.at)
		s.at = slices.Compact(s.at)
	}
}

func (s *times) reset() { s.at, s.next = s.at[:0], 0 }

// members is a set of a block's targets by their numbers.
type members []uint64

func (m *members) add(n uint32) {
	word := int(n / 64)
	for word >= len(*m) {
		*m = append(*m, 0)
	}
	(*m)[word] |= 1 << (n % 64)
}

func (m *members) merge(o members) {
	for i, word := range o {
		if i >= len(*m) {
			*m = append(*m, 0)
		}
		(*m)[i] |= word
	}
}

func (m members) count() (n int64) {
	for _, word := range m {
		n += int64(bits.OnesCount64(word))
	}
	return n
}
