package bfdwire

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// Layout is a kind of echo payload.
type Layout uint8

// The layouts. Unknown also is what the capture cut.
const (
	Unknown       Layout = iota
	FRRTime              // frr-ts: FRR from 8.4 on, with the send time
	FRRZero              // frr-zero: FRR before 8.4 and for IPv6: always the same bytes
	IOS                  // ios-seq
	VPP                  // vpp
	ControlShaped        // control-shaped: RFC 9747, H3C
)

// String returns the layout's name.
func (l Layout) String() string {
	names := [...]string{"unknown", "frr-ts", "frr-zero", "ios-seq", "vpp", "control-shaped"}
	if int(l) < len(names) {
		return names[l]
	}
	return names[Unknown]
}

// Echo is what an echo's payload says.
type Echo struct {
	Layout           Layout
	Discriminator    uint32
	HasDiscriminator bool
	Sequence         uint32 // IOS
	HasSequence      bool
	Time             int64 // FRRTime: ns of the sender's CLOCK_MONOTONIC
	HasTime          bool
}

// Lengths of the layouts that have one.
const (
	iosLen = 12 // 0, discriminator, sequence
	vppLen = 20 // discriminator, time, checksum
	frrLen = 24 // 01 18 0000, discriminator, seconds, microseconds
)

// frrHead is what FRR's echoes begin with: version, length, reserved.
const frrHead = 0x01180000

// maxUptime bounds times that count from a sender's boot: a larger one is no time.
const maxUptime = 10 * 365 * 24 * time.Hour

// ParseEcho reads an echo's payload; length bytes of it were sent. RFC 5880 leaves the payload to its sender, so a layout
// is known by its shape alone; one that fits none, or of which the capture lacks a part, is opaque.
func ParseEcho(payload []byte, length int, e *Echo) {
	*e = Echo{}
	if len(payload) != length {
		return
	}
	switch {
	case length == iosLen:
		e.ios(payload)
	case length == vppLen:
		e.vpp(payload)
	case length < HeaderLen:
	case length == frrLen && binary.BigEndian.Uint32(payload) == frrHead:
		e.frr(payload)
	default:
		e.control(payload)
	}
}

func (e *Echo) is(l Layout, discriminator uint32) {
	e.Layout, e.Discriminator, e.HasDiscriminator = l, discriminator, true
}

func (e *Echo) ios(b []byte) {
	if binary.BigEndian.Uint32(b) != 0 {
		return
	}
	e.is(IOS, binary.BigEndian.Uint32(b[4:]))
	e.Sequence, e.HasSequence = binary.BigEndian.Uint32(b[8:]), true
}

// vpp reads what VPP writes in its host's byte order, which on all hosts it runs on is little-endian. Its checksum is
// keyed; that the time is one tells VPP's payload from other 20 bytes.
func (e *Echo) vpp(b []byte) {
	discriminator, at := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:])
	if discriminator != 0 && at != 0 && at < uint64(maxUptime) {
		e.is(VPP, discriminator)
	}
}

func (e *Echo) frr(b []byte) {
	discriminator := binary.BigEndian.Uint32(b[4:])
	sec, usec := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	switch {
	case sec|usec == 0:
		e.is(FRRZero, discriminator)
	case sec < uint64(maxUptime/time.Second) && usec < 1e6:
		e.is(FRRTime, discriminator)
		e.Time, e.HasTime = int64(sec)*1e9+int64(usec)*1e3, true
	}
}

// control takes for a control packet what keeps all rules but that of Your Discriminator: an unaffiliated echo has 0
// there until its first return (RFC 9747, 2), and H3C's copies its own. What follows Length must be padding.
func (e *Echo) control(b []byte) {
	var c Control
	rule, _ := ParseControl(b, len(b), &c)
	if (rule == Accepted || rule == RuleYourDiscriminator) && zeros(b[c.Length:]) {
		e.is(ControlShaped, c.MyDiscriminator)
	}
}

func zeros(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// Odd constants without a pattern: digits of the golden ratio and of the square root of 3.
const (
	hashSeed = 0x9e3779b97f4a7c15
	hashMul  = 0xbb67ae8584caa73b
)

// Hash is the same in every process. It tells payloads apart that nobody made to collide.
func Hash(b []byte) uint64 {
	h := mix(uint64(len(b)) ^ hashSeed)
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(b))
	}
	var last uint64
	for i, v := range b {
		last |= uint64(v) << (8 * i)
	}
	return mix(h ^ last)
}

// mix folds the 128-bit product, which lets each bit of x reach the whole.
func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^hashSeed, hashMul)
	return hi ^ lo
}
