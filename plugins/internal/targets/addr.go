package targets

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
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

func (u u128) addr(v4 bool) netip.Addr {
	if v4 {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(u.lo))))
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.hi)
	binary.BigEndian.PutUint64(b[8:], u.lo)
	return netip.AddrFrom16(b)
}

func (u u128) add(n uint64) u128 {
	lo, carry := bits.Add64(u.lo, n, 0)
	return u128{u.hi + carry, lo}
}

// sub returns u - v for u >= v, and whether it fits 64 bits.
func (u u128) sub(v u128) (uint64, bool) {
	lo, borrow := bits.Sub64(u.lo, v.lo, 0)
	hi, _ := bits.Sub64(u.hi, v.hi, borrow)
	return lo, hi == 0
}

// lastOf returns the highest address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	p = p.Masked()
	u, v4 := fromAddr(p.Addr()), p.Addr().Is4()
	host := p.Addr().BitLen() - p.Bits()
	for i := range host {
		if i < 64 {
			u.lo |= 1 << i
		} else {
			u.hi |= 1 << (i - 64)
		}
	}
	return u.addr(v4)
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
