// Package targets turns networks, ranges and exclusions into an indexable set of addresses: target i has an
// address, a network that names it and a block, and an address has an index. It is pure, and takes a few dozen
// bytes a configured range, however many targets that holds.
//
// Layers: parse.go (text -> Range), set.go (ranges -> Set), addr.go (addresses as numbers). Order of probing,
// files and host names are not here yet.
package targets

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
)

// Set holds targets in the order of their addresses, IPv4 first. It does not change once made.
type Set struct {
	spans  []span
	blocks []Block
	n      int
}

// span is a run of targets that the same network names.
type span struct {
	first   netip.Addr
	network string
	index   int // of its first target in the set
	n       int
}

// Block is the run of a set's targets that share a block.
type Block struct {
	Prefix netip.Prefix
	First  int // index of its first target
	N      int // targets in it
}

// NewSet makes the set of all addresses that networks hold and exclude does not. Where networks overlap, the
// smallest names the target (of CIDRs: the longest prefix), and each address is one target all the same.
// More than MaxTargets are refused.
func NewSet(networks, exclude []Range) (*Set, error) {
	s := &Set{}
	for _, v4 := range []bool{true, false} {
		if err := s.addFamily(family(networks, v4), family(exclude, v4), v4); err != nil {
			return nil, err
		}
	}
	s.findBlocks()
	return s, nil
}

// Without returns the set less the addresses of exclude, with the networks' names as they are.
func (s *Set) Without(exclude []Range) (*Set, error) {
	networks := make([]Range, len(s.spans))
	for i, sp := range s.spans {
		last := fromAddr(sp.first).add(uint64(sp.n - 1)).addr(sp.first.Is4())
		networks[i] = Range{Text: sp.network, First: sp.first, Last: last}
	}
	return NewSet(networks, exclude)
}

func family(list []Range, v4 bool) []Range {
	var out []Range
	for _, r := range list {
		if r.First.Is4() == v4 {
			out = append(out, r)
		}
	}
	return out
}

// addFamily walks the line of addresses from cut to cut, where a range begins or has ended, and gives each
// piece to the smallest range that covers it.
func (s *Set) addFamily(networks, exclude []Range, v4 bool) error {
	for _, r := range networks {
		if !v4 && fromAddr(r.Last).add(1) == (u128{}) { // no cut can stand behind it
			return fmt.Errorf("%s reaches the last address of IPv6, which is not swept", r.Text)
		}
	}
	cuts := cutPoints(networks, exclude)
	named, excluded := newCover(networks), newCover(exclude)
	for i := 0; i+1 < len(cuts); i++ {
		network, isTarget := named.at(cuts[i])
		if _, out := excluded.at(cuts[i]); out || !isTarget {
			continue
		}
		n, ok := cuts[i+1].sub(cuts[i])
		if !ok || n > MaxTargets || s.n+int(n) > MaxTargets {
			return fmt.Errorf("%s brings the targets over %d (2^24), the most that one sweep takes", network, MaxTargets)
		}
		sp := span{first: cuts[i].addr(v4), network: network, index: s.n, n: int(n)}
		if last := cuts[i].add(n - 1).addr(v4); !probeable(sp.first) || !probeable(last) {
			return fmt.Errorf("%s holds multicast, broadcast or unspecified addresses (%s to %s), which are not swept: exclude them", network, sp.first, last)
		}
		s.add(sp)
	}
	return nil
}

func probeable(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// add appends a span, or lengthens the last one when it goes on in the same network.
func (s *Set) add(next span) {
	s.n += next.n
	if len(s.spans) > 0 {
		last := &s.spans[len(s.spans)-1]
		end := fromAddr(last.first).add(uint64(last.n)).addr(last.first.Is4())
		if last.network == next.network && end == next.first {
			last.n += next.n
			return
		}
	}
	s.spans = append(s.spans, next)
}

// cutPoints returns the starts of all ranges and the addresses after their ends, sorted, each once. The address
// after the last of IPv6 wraps to zero, where it does no harm: only an exclusion reaches it.
func cutPoints(lists ...[]Range) []u128 {
	var cuts []u128
	for _, list := range lists {
		for _, r := range list {
			cuts = append(cuts, fromAddr(r.First), fromAddr(r.Last).add(1))
		}
	}
	slices.SortFunc(cuts, compare)
	return slices.Compact(cuts)
}

func compare(a, b u128) int {
	switch {
	case a.hi != b.hi && a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// findBlocks walks the set block by block.
func (s *Set) findBlocks() {
	for _, sp := range s.spans {
		for i := 0; i < sp.n; {
			first := s.At(sp.index + i)
			prefix := BlockOf(first)
			n := sp.n - i
			if left, ok := fromAddr(lastOf(prefix)).sub(fromAddr(first)); ok && left < uint64(n) {
				n = int(left) + 1
			}
			if k := len(s.blocks) - 1; k >= 0 && s.blocks[k].Prefix == prefix {
				s.blocks[k].N += n
			} else {
				s.blocks = append(s.blocks, Block{Prefix: prefix, First: sp.index + i, N: n})
			}
			i += n
		}
	}
}

// Len returns the number of targets.
func (s *Set) Len() int { return s.n }

// Blocks returns the set's blocks in order. The slice belongs to the set.
func (s *Set) Blocks() []Block { return s.blocks }

// At returns target i, 0 <= i < Len.
func (s *Set) At(i int) netip.Addr {
	sp := &s.spans[s.spanOf(i)]
	return fromAddr(sp.first).add(uint64(i - sp.index)).addr(sp.first.Is4())
}

// Network returns the network that names target i.
func (s *Set) Network(i int) string { return s.spans[s.spanOf(i)].network }

func (s *Set) spanOf(i int) int {
	if len(s.spans) == 1 {
		return 0
	}
	return sort.Search(len(s.spans), func(k int) bool { return s.spans[k].index > i }) - 1
}

// Index returns the index of an address; ok is false if it is no target.
func (s *Set) Index(a netip.Addr) (i int, ok bool) {
	k := sort.Search(len(s.spans), func(k int) bool { return a.Less(s.spans[k].first) }) - 1
	if k < 0 || s.spans[k].first.Is4() != a.Is4() {
		return 0, false
	}
	off, fits := fromAddr(a).sub(fromAddr(s.spans[k].first))
	if !fits || off >= uint64(s.spans[k].n) {
		return 0, false
	}
	return s.spans[k].index + int(off), true
}

// Within returns the targets that a prefix holds, as first <= i < end.
func (s *Set) Within(p netip.Prefix) (first, end int) {
	last := lastOf(p)
	end = s.search(last)
	if i, ok := s.Index(last); ok {
		end = i + 1
	}
	return s.search(p.Masked().Addr()), end
}

// search returns the index of the first target that is not below a.
func (s *Set) search(a netip.Addr) int {
	k := sort.Search(len(s.spans), func(k int) bool { return a.Less(s.spans[k].first) }) - 1
	if k < 0 {
		return 0
	}
	sp := &s.spans[k]
	off, fits := fromAddr(a).sub(fromAddr(sp.first))
	if sp.first.Is4() != a.Is4() || !fits || off > uint64(sp.n) {
		return sp.index + sp.n
	}
	return sp.index + int(off)
}
