package icmpecho

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// Pattern fills payloads: byte i of a payload, where no cookie stands, is byte i of the pattern. It is made once
// for the longest payload and only read after that. Sizes given to its methods must not exceed its length.
type Pattern []byte

// CountingPattern makes each byte its own place in the payload, as ping counts them up.
func CountingPattern(size int) Pattern {
	p := make(Pattern, size)
	for i := range p {
		p[i] = byte(i)
	}
	return p
}

// RepeatedPattern repeats fixed bytes from the payload's start on, as ping -p does. No bytes give zeros.
func RepeatedPattern(fixed []byte, size int) Pattern {
	p := make(Pattern, size)
	for n := copy(p, fixed); 0 < n && n < size; n *= 2 {
		copy(p[n:], p[:n])
	}
	return p
}

// RandomPattern draws the bytes from ChaCha8: the same seed gives the same pattern everywhere, and a longer one
// begins with the shorter.
func RandomPattern(seed uint64, size int) Pattern {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	p := make(Pattern, size)
	rand.NewChaCha8(key).Read(p)
	return p
}

// Append appends what stands behind the cookie in a payload of size bytes.
func (p Pattern) Append(dst []byte, size int) []byte {
	return append(dst, p[CookieLen:max(size, CookieLen)]...)
}

// AppendWhole appends a payload of size bytes that has no cookie.
func (p Pattern) AppendWhole(dst []byte, size int) []byte { return append(dst, p[:size]...) }

// Compare counts the bits by which a payload that came back differs from the size bytes that were sent, its cookie
// aside, and tells where in the payload the first stands; -1: nowhere. Each surplus byte counts as eight flipped
// bits, and so does each missing one unless the capture cut the message.
func (p Pattern) Compare(payload []byte, size int, cut bool) (flipped, first int) {
	start := CookieLen
	if size < CookieLen {
		start = 0
	}
	first = -1
	n := min(len(payload), size)
	if n > start {
		flipped, first = FlippedBits(payload[start:n], p[start:n])
	}
	if flipped > 0 {
		first += start
	}
	if len(payload) > size || len(payload) < size && !cut {
		flipped += 8 * (len(payload) + size - 2*n)
		if first < 0 {
			first = n
		}
	}
	return flipped, first
}

// FlippedBits counts the bits by which two slices of one length differ, and tells which byte is the first; -1: none.
func FlippedBits(a, b []byte) (flipped, first int) {
	if bytes.Equal(a, b) {
		return 0, -1
	}
	first = -1
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			flipped += bits.OnesCount8(x)
			if first < 0 {
				first = i
			}
		}
	}
	return flipped, first
}
