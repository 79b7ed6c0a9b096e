package targets

import (
	"cmp"
	"encoding/binary"
	"math/big"
	"math/bits"
	"net/netip"
	"slices"
)

// MaxTargets is the most that one set can hold: 2^24, a /8.
const MaxTargets = 1 << 24

// u128 is an address as a number: what ranges are counted with, in both families.
type u128 struct {
	hi, lo uint64
}

func fromAddr(a netip.Addr) u128 {
	if a.Is4() {
		b := a.As4()
		return u128{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// on returns the address that the number is on a line.
func (u u128) on(l line) netip.Addr {
	if l.v4 {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(u.lo))))
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.hi)
	binary.BigEndian.PutUint64(b[8:], u.lo)
	a := netip.AddrFrom16(b)
	if l.zone != "" {
		a = a.WithZone(l.zone)
	}
	return a
}

func (u u128) add(n uint64) u128 {
	lo, carry := bits.Add64(u.lo, n, 0)
	return u128{u.hi + carry, lo}
}

func (u u128) plus(v u128) u128 {
	u.hi += v.hi
	return u.add(v.lo)
}

func (u u128) minus(v u128) u128 {
	lo, borrow := bits.Sub64(u.lo, v.lo, 0)
	hi, _ := bits.Sub64(u.hi, v.hi, borrow)
	return u128{hi, lo}
}

// within tells whether u is n at most.
func (u u128) within(n uint64) bool { return u.hi == 0 && u.lo <= n }

func (u u128) String() string {
	n := new(big.Int).SetUint64(u.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(u.lo)).String()
}

func compare(a, b u128) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
}

// line is a space of addresses that are counted one after another: IPv4, IPv6, or the link-local addresses of
// one zone. The same address in two zones is two places.
type line struct {
	v4   bool
	zone string
}

func lineOf(a netip.Addr) line { return line{a.Is4(), a.Zone()} }

// compareLines puts IPv4 first, then IPv6, then the zones.
func compareLines(a, b line) int {
	if a.v4 != b.v4 {
		if a.v4 {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.zone, b.zone)
}

// compareAddrs orders addresses by line and number: as a Set holds them.
func compareAddrs(a, b netip.Addr) int {
	return cmp.Or(compareLines(lineOf(a), lineOf(b)), a.Compare(b))
}

// linesOf returns the lines that ranges lie on, in order.
func linesOf(list []Range) []line {
	var out []line
	for i := range list {
		if l := lineOf(list[i].First); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, compareLines)
	return out
}

// own tells whether r lies on the line.
func (l line) own(r *Range) bool { return lineOf(r.First) == l }

// concerns tells whether r speaks of the line: what has no zone speaks of all zones.
func (l line) concerns(r *Range) bool { return l.own(r) || lineOf(r.First) == line{v4: l.v4} }

// choose returns the ranges of list that are wanted; list itself if all are.
func choose(list []Range, wanted func(*Range) bool) []Range {
	n := 0
	for i := range list {
		if wanted(&list[i]) {
			n++
		}
	}
	if n == len(list) {
		return list
	}
	out := make([]Range, 0, n)
	for i := range list {
		if wanted(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

// lastOf returns the highest address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	p = p.Masked()
	u := fromAddr(p.Addr())
	host := p.Addr().BitLen() - p.Bits()
	u.lo |= 1<<min(host, 64) - 1
	u.hi |= 1<<max(host-64, 0) - 1
	return u.on(lineOf(p.Addr()))
}

// Lengths of a block's prefix in IPv4 and IPv6.
const (
	BlockBits4 = 24
	BlockBits6 = 64
)

// BlockOf returns the block of an address.
func BlockOf(a netip.Addr) netip.Prefix {
	n := BlockBits4
	if a.Is6() {
		n = BlockBits6
	}
	p, _ := a.Prefix(n) // n fits the family: no error
	return p
}
