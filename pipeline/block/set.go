package block

import "math/bits"

// Set is a set of places in a block. Places beyond its end are not in it.
type Set []uint64

// Has tells whether place is in s.
func (s Set) Has(place int) bool { return place>>6 < len(s) && s[place>>6]>>(place&63)&1 == 1 }

// Add puts place into s, which grows.
func (s *Set) Add(place int) {
	for place>>6 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[place>>6] |= 1 << (place & 63)
}

// Len is how many places s holds.
func (s Set) Len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// All lists the places in s, ascending.
func (s Set) All(yield func(place int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i<<6 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// at is word i of s.
func (s Set) at(i int) uint64 {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// And returns what is in both.
func (s Set) And(o Set) Set {
	out := make(Set, min(len(s), len(o)))
	for i := range out {
		out[i] = s[i] & o[i]
	}
	return out
}

// Without returns what is in s and not in o.
func (s Set) Without(o Set) Set {
	out := make(Set, len(s))
	for i := range out {
		out[i] = s[i] &^ o.at(i)
	}
	return out
}

// Join puts all of o into s.
func (s *Set) Join(o Set) {
	for len(*s) < len(o) {
		*s = append(*s, 0)
	}
	for i, w := range o {
		(*s)[i] |= w
	}
}
