package bfdwatch

import (
	"math"
	"math/bits"
	"net/netip"
	"strconv"

	"echogram/plugins/internal/bfdwire"
)

// name is what the tags of a point say.
type name struct {
	tap                  string
	place                place // without the interface, which has its name in tap
	hop                  hop
	local, peer          netip.Addr
	echo                 bool
	layout               bfdwire.Layout
	role                 role
	initiator, reflector mac
}

// names numbers the ends of sessions, and the streams, whose tags are all the same: points of one time must not be of
// one series. It holds for each name the bits of the numbers that are taken.
type names map[name][]uint64

// take returns the least number that is free, from 0 on.
func (t names) take(n name) int {
	words := t[n]
	for i, taken := range words {
		if taken != math.MaxUint64 {
			k := bits.TrailingZeros64(^taken)
			words[i] |= 1 << k
			return 64*i + k
		}
	}
	t[n] = append(words, 1)
	return 64 * len(words)
}

// give makes a number free again.
func (t names) give(n name, number int) {
	words := t[n]
	words[number/64] &^= 1 << (number % 64)
	for _, taken := range words {
		if taken != 0 {
			return
		}
	}
	delete(t, n)
}

// parallelName is the tag parallel of a number.
func parallelName(number int) string {
	if number == 0 {
		return ""
	}
	return strconv.Itoa(number + 1)
}
