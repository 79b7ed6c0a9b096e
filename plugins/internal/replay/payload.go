package replay

import (
	"hash/maphash"

	"echogram/plugins/internal/icmpecho"
)

// keptPayload is the most bytes of payloads that are kept at a time; of further requests there is a hash only,
// which tells that a reply differs, but not by how much.
const keptPayload = 64 << 20

// hashSeed is for equality within the process: which one does not matter.
var hashSeed = maphash.MakeSeed()

// payload is what is known of the payload of a request.
type payload struct {
	bytes []byte // nil: not kept
	size  int    // bytes captured
	hash  uint64
	cut   bool // the capture has less than the wire had
}

// take reads b into l, whose bytes it overwrites, and keeps it if room allows. It returns the room that this takes.
func (l *payload) take(b []byte, cut bool, room int) int {
	kept := l.bytes[:0]
	*l = payload{size: len(b), cut: cut}
	if len(b) <= room {
		l.bytes = append(kept, b...)
		return len(b)
	}
	l.hash = maphash.Bytes(hashSeed, b)
	return 0
}

// compare counts the bits by which the payload of a reply differs, and tells where the first one stands, -1 unknown
// or nowhere. Missing and surplus bytes count as eight flipped bits each, unless one of the two frames was cut.
// What can be told by a hash only is told by differs.
func (l *payload) compare(reply []byte, cut bool) (differs bool, flipped, first int) {
	if l.bytes == nil && l.size > 0 {
		comparable := len(reply) == l.size || !cut && !l.cut
		return comparable && (len(reply) != l.size || maphash.Bytes(hashSeed, reply) != l.hash), 0, -1
	}
	n := min(len(reply), len(l.bytes))
	flipped, first = icmpecho.FlippedBits(reply[:n], l.bytes[:n])
	if extra := len(reply) + len(l.bytes) - 2*n; extra > 0 && !cut && !l.cut {
		flipped += 8 * extra
		if first < 0 {
			first = n
		}
	}
	return flipped > 0, flipped, first
}
