// Package targets turns networks, ranges and exclusions into an indexable set of addresses: target i has an
// address, a network that names it and a block, and an address has an index. It is pure, and takes a few dozen
// bytes a configured range, however many targets that holds.
//
// Layers: parse.go and entry.go (text -> Range or host name), addr.go (addresses as numbers), cover.go and set.go
// (ranges -> Set), shard.go (a part of a Set), order.go (the order of probing), table.go and labels.go (address ->
// tags), file.go (files of targets, exclusions and labels). It opens no file and resolves no name.
package targets

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
)

// Set holds targets in the order of their addresses: IPv4, IPv6, then link-local IPv6 zone by zone. It does not
// change once made.
type Set struct {
	spans  []span
	blocks []Block
	n      int
}

// span is a run of targets that the same network names.
type span struct {
	first   netip.Addr
	network string // empty: each target is its own network
	index   int    // of its first target in the set
	n       int
}

func (sp *span) at(i int) netip.Addr {
	return fromAddr(sp.first).add(uint64(i)).on(lineOf(sp.first))
}

// Block is the run of a set's targets that share a block, and the zone.
type Block struct {
	Prefix netip.Prefix
	First  int // index of its first target
	N      int // targets in it
}

// NewSet makes the set of all addresses that networks hold and exclude does not. Where networks overlap, the
// smallest names the target (of CIDRs: the longest prefix), and each address is one target all the same.
// Exclusions without a zone hold in every zone. More than MaxTargets are refused with their count.
func NewSet(networks, exclude []Range) (*Set, error) {
	s := &Set{}
	var total u128
	for _, l := range linesOf(networks) {
		if err := s.addLine(l, choose(networks, l.own), choose(exclude, l.concerns), &total); err != nil {
			return nil, err
		}
	}
	if !total.within(MaxTargets) {
		return nil, tooMany(networks, total)
	}
	s.findBlocks()
	return s, nil
}

// tooMany names the widest network when that alone is too wide, else the count of all.
func tooMany(networks []Range, total u128) error {
	widest := &networks[0]
	for i := range networks {
		if smaller(widest, &networks[i]) {
			widest = &networks[i]
		}
	}
	n := widest.size().add(1)
	if n.within(MaxTargets) {
		return fmt.Errorf("there are %s targets in all; a sweep takes at most %d (2^24): give fewer or narrower networks, or exclude more", total, MaxTargets)
	}
	remedy := "give narrower networks, or exclude more"
	if widest.First.Is6() {
		remedy = "give narrower prefixes or list the hosts"
	}
	return fmt.Errorf("%s holds %s addresses; a sweep takes at most %d (2^24): %s", widest, n, MaxTargets, remedy)
}

// Without returns the set less the addresses of exclude, with the networks' names as they are.
func (s *Set) Without(exclude []Range) (*Set, error) {
	networks := make([]Range, len(s.spans))
	for i := range s.spans {
		sp := &s.spans[i]
		networks[i] = Range{Text: sp.network, First: sp.first, Last: sp.at(sp.n - 1)}
	}
	return NewSet(networks, exclude)
}

// addLine walks a line of addresses from cut to cut, where a range begins or has ended, and gives each piece to the
// smallest range that covers it. It counts into total, and adds nothing once that is too much.
func (s *Set) addLine(l line, networks, exclude []Range, total *u128) error {
	for _, r := range networks {
		if !l.v4 && fromAddr(r.Last).add(1) == (u128{}) { // no cut can stand behind it
			return fmt.Errorf("%s reaches the last address of IPv6, which is not swept", r)
		}
	}
	cuts := cutPoints(networks, exclude)
	named, excluded := newCover(networks), newCover(exclude)
	for i := 0; i+1 < len(cuts); i++ {
		k, isTarget := named.at(cuts[i])
		if _, out := excluded.at(cuts[i]); out || !isTarget {
			continue
		}
		n := cuts[i+1].minus(cuts[i])
		if *total = total.plus(n); !total.within(MaxTargets) {
			continue
		}
		sp := span{first: cuts[i].on(l), network: networks[k].Text, index: s.n, n: int(n.lo)}
		if last := sp.at(sp.n - 1); !Probeable(sp.first) || !Probeable(last) {
			return fmt.Errorf("%s holds multicast, broadcast or unspecified addresses (%s to %s), which are not swept: exclude them", networks[k], sp.first, last)
		}
		s.add(sp)
	}
	return nil
}

// Probeable tells whether an address can be a target: not multicast, unspecified, or the broadcast to all.
func Probeable(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// add appends a span, or lengthens the last one when it goes on in the same network.
func (s *Set) add(next span) {
	s.n += next.n
	if len(s.spans) > 0 {
		last := &s.spans[len(s.spans)-1]
		if last.network == next.network && last.at(last.n) == next.first {
			last.n += next.n
			return
		}
	}
	s.spans = append(s.spans, next)
}

// findBlocks walks the set block by block.
func (s *Set) findBlocks() {
	for k := range s.spans {
		sp := &s.spans[k]
		if sp.first.Is4() {
			s.blocks = slices.Grow(s.blocks, sp.n>>(32-BlockBits4)+1)
		}
		for i := 0; i < sp.n; {
			first := sp.at(i)
			prefix := BlockOf(first)
			n := sp.n - i
			if left := fromAddr(lastOf(prefix)).minus(fromAddr(first)); left.within(uint64(n - 1)) {
				n = int(left.lo) + 1
			}
			s.addToBlock(prefix, sp, sp.index+i, n)
			i += n
		}
	}
}

// addToBlock adds n targets of a span to the last block if they belong to it, else to a block of their own.
func (s *Set) addToBlock(prefix netip.Prefix, sp *span, first, n int) {
	if k := len(s.blocks) - 1; k >= 0 && s.blocks[k].Prefix == prefix && s.At(s.blocks[k].First).Zone() == sp.first.Zone() {
		s.blocks[k].N += n
		return
	}
	s.blocks = append(s.blocks, Block{Prefix: prefix, First: first, N: n})
}

// Len returns the number of targets.
func (s *Set) Len() int { return s.n }

// Blocks returns the set's blocks in order. The slice belongs to the set.
func (s *Set) Blocks() []Block { return s.blocks }

// BlockName returns block k as tag block has it: its prefix, with the zone where its targets have one.
func (s *Set) BlockName(k int) string {
	return prefixName(s.blocks[k].Prefix, s.At(s.blocks[k].First).Zone())
}

// At returns target i, 0 <= i < Len.
func (s *Set) At(i int) netip.Addr {
	sp := &s.spans[s.spanOf(i)]
	return sp.at(i - sp.index)
}

// Network returns the network that names target i.
func (s *Set) Network(i int) string {
	sp := &s.spans[s.spanOf(i)]
	if sp.network == "" {
		return selfName(sp.at(i - sp.index))
	}
	return sp.network
}

func (s *Set) spanOf(i int) int {
	if len(s.spans) == 1 {
		return 0
	}
	return sort.Search(len(s.spans), func(k int) bool { return s.spans[k].index > i }) - 1
}

// Index returns the index of an address; ok is false if it is no target. A link-local address without a zone is the
// target of that address in the one zone that has it, and none if several have it.
func (s *Set) Index(a netip.Addr) (i int, ok bool) {
	if i, ok = s.search(a); ok {
		return i, true
	}
	if !a.Is6() || !a.IsLinkLocalUnicast() || a.Zone() != "" {
		return 0, false
	}
	i = 0
	for _, zone := range s.zones() {
		in, found := s.search(a.WithZone(zone))
		if found && ok {
			return 0, false
		}
		if found {
			i, ok = in, true
		}
	}
	return i, ok
}

// zones returns the zones of the set's targets, in order.
func (s *Set) zones() []string {
	var out []string
	for k := len(s.spans) - 1; k >= 0 && s.spans[k].first.Zone() != ""; {
		zone := s.spans[k].first.Zone()
		out = append(out, zone)
		k = sort.Search(k, func(k int) bool { return compareLines(lineOf(s.spans[k].first), line{zone: zone}) >= 0 }) - 1
	}
	return out
}

// Within returns the targets that a prefix holds, as first <= i < end. Those with a zone are in none.
func (s *Set) Within(p netip.Prefix) (first, end int) {
	first, _ = s.search(p.Masked().Addr())
	end, found := s.search(lastOf(p))
	if found {
		end++
	}
	return first, end
}

// search returns the index of the first target that does not lie before a, and whether it is a itself.
func (s *Set) search(a netip.Addr) (i int, found bool) {
	k := sort.Search(len(s.spans), func(k int) bool { return compareAddrs(s.spans[k].first, a) > 0 }) - 1
	if k < 0 {
		return 0, false
	}
	sp := &s.spans[k]
	off := fromAddr(a).minus(fromAddr(sp.first))
	if lineOf(sp.first) != lineOf(a) || !off.within(uint64(sp.n-1)) {
		return sp.index + sp.n, false
	}
	return sp.index + int(off.lo), true
}
