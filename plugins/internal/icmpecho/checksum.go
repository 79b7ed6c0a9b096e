package icmpecho

import (
	"encoding/binary"
	"net/netip"

	"echogram/plugins/internal/ipheader"
)

// Checksum returns the Internet checksum of b (RFC 1071): 0 for bytes that already hold a right one.
func Checksum(b []byte) uint16 { return ^fold(sum(b)) }

// PutChecksum6 fills the checksum of an ICMPv6 message that goes from src to dst, whatever its place holds.
func PutChecksum6(msg []byte, src, dst netip.Addr) {
	msg[2], msg[3] = 0, 0
	binary.BigEndian.PutUint16(msg[2:], checksum6(msg, src, dst))
}

// checksum6 is Checksum over the pseudo-header of RFC 8200, 8.1 and the message.
func checksum6(msg []byte, src, dst netip.Addr) uint16 {
	s, d := src.As16(), dst.As16()
	return ^fold(sum(s[:]) + sum(d[:]) + uint64(len(msg)) + ipheader.ProtoICMPv6 + sum(msg))
}

// sum adds b up as 16-bit words, eight bytes at a time in 64 bits with end-around carry. An odd last byte counts
// as if a zero followed. The result lies far enough below 2^64 to add some more to it, and is to be folded.
func sum(b []byte) uint64 {
	var sum, carry uint64
	for ; len(b) >= 8; b = b[8:] {
		v := binary.BigEndian.Uint64(b)
		sum += v
		if sum < v {
			carry++
		}
	}
	for ; len(b) >= 2; b = b[2:] {
		carry += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		carry += uint64(b[0]) << 8
	}
	return sum>>32 + sum&0xffffffff + carry
}

func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
