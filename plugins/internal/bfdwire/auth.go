package bfdwire

import "encoding/binary"

// Authentication types (RFC 5880, 4.1; RFC 9978 for 6; RFC 9986 for 7 and 8).
const (
	AuthPassword       = 1
	AuthMD5            = 2
	AuthMeticulousMD5  = 3
	AuthSHA1           = 4
	AuthMeticulousSHA1 = 5
	AuthNull           = 6
	AuthOptimizedMD5   = 7
	AuthOptimizedSHA1  = 8
)

// Parts of an authentication section: type and length; those and the key ID; those, a reserved byte and the sequence.
const (
	authHeadLen     = 2
	authKeyLen      = 3
	authSequenceLen = 8
)

// Auth is an authentication section, without what is secret in it: neither passwords nor digests are kept.
type Auth struct {
	Type        uint8 // 0: none
	KeyID       uint8
	Sequence    uint32
	HasSequence bool
}

// authTypes holds for each type its name and the lengths that its section may have. The experimental types 6 to 8 are
// held to their sequence number alone: 7 and 8 use two lengths in turn.
var authTypes = [...]struct {
	name     string
	min, max int
}{
	0:                  {"", authHeadLen, 255},
	AuthPassword:       {"Simple Password", 4, 19},
	AuthMD5:            {"Keyed MD5", 24, 24},
	AuthMeticulousMD5:  {"Meticulous Keyed MD5", 24, 24},
	AuthSHA1:           {"Keyed SHA1", 28, 28},
	AuthMeticulousSHA1: {"Meticulous Keyed SHA1", 28, 28},
	AuthNull:           {"NULL", authSequenceLen, 255},
	AuthOptimizedMD5:   {"Optimized MD5 Meticulous Keyed ISAAC", authSequenceLen, 255},
	AuthOptimizedSHA1:  {"Optimized SHA-1 Meticulous Keyed ISAAC", authSequenceLen, 255},
}

// kind returns the row of authTypes, that of 0 for a type which is not assigned.
func (a Auth) kind() int {
	if int(a.Type) < len(authTypes) {
		return int(a.Type)
	}
	return 0
}

// Name returns the type's name as its RFC has it, "" for none and for one that is not assigned.
func (a Auth) Name() string { return authTypes[a.kind()].name }

// Meticulous tells whether the sequence number grows by one with each packet, so that its gaps are packets lost.
func (a Auth) Meticulous() bool {
	return a.Type == AuthMeticulousMD5 || a.Type >= AuthMeticulousSHA1 && a.Type <= AuthOptimizedSHA1
}

// fill reads what was captured of a section, the first two bytes of which are type and length.
func (a *Auth) fill(b []byte) {
	if len(b) > 0 {
		a.Type = b[0]
	}
	if len(b) >= authKeyLen && b[1] >= authKeyLen {
		a.KeyID = b[2]
	}
	if len(b) >= authSequenceLen && b[1] >= authSequenceLen && a.sequenced() {
		a.Sequence, a.HasSequence = binary.BigEndian.Uint32(b[4:]), true
	}
}

// sequenced tells whether a section of this type has a sequence number. A password must not be taken for one.
func (a Auth) sequenced() bool { return a.Type >= AuthMD5 && a.Type <= AuthOptimizedSHA1 }

// fits tells whether the length in a section of which b is captured is one of its type's, and not above room.
func (a Auth) fits(b []byte, room int) bool {
	if len(b) < authHeadLen {
		return true
	}
	kind, n := authTypes[a.kind()], int(b[1])
	return n >= kind.min && n <= kind.max && n <= room
}

// len is the length that a section is written with: room, if its type allows, else as near to that as it does.
func (a Auth) len(room int) int {
	kind := authTypes[a.kind()]
	return min(max(room, kind.min), kind.max)
}

// append appends a section of n bytes, which are zeros behind the sequence number.
func (a Auth) append(dst []byte, n int) []byte {
	start := len(dst)
	dst = append(append(dst, a.Type, uint8(n)), make([]byte, n-authHeadLen)...)
	if n >= authKeyLen {
		dst[start+2] = a.KeyID
	}
	if a.HasSequence && n >= authSequenceLen {
		binary.BigEndian.PutUint32(dst[start+4:], a.Sequence)
	}
	return dst
}
