package world

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
)

// deal gives n cards, each kind by its share and the last kind the rest, shuffled.
func deal[T any](r *rand.Rand, n int, kinds []T, shares []float64) []T {
	cards := make([]T, n)
	for i := range cards {
		u, k := (float64(i)+.5)/float64(n), 0
		for k < len(shares) && u >= shares[k] {
			u -= shares[k]
			k++
		}
		cards[i] = kinds[k]
	}
	r.Shuffle(n, func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
	return cards
}

// nth is the nth prefix of so many bits in p, which has at most 56 fewer.
func nth(p netip.Prefix, bits, n int) netip.Prefix {
	a := p.Addr().As16()
	shift := p.Addr().BitLen() - bits // of n, from the end of the address
	if p.Addr().Is4() {
		v := binary.BigEndian.Uint32(a[12:]) + uint32(n)<<shift
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, v))), bits)
	}
	binary.BigEndian.PutUint64(a[:], binary.BigEndian.Uint64(a[:])+uint64(n)<<(shift-64))
	return netip.PrefixFrom(netip.AddrFrom16(a), bits)
}

// between draws from least to most, their logarithms evenly.
func between(r *rand.Rand, least, most float64) float64 {
	return least * math.Pow(most/least, r.Float64())
}

// unit maps a draw to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014) behind its increment.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
