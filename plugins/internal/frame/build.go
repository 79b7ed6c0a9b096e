package frame

import (
	"encoding/binary"
	"net/netip"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/ipheader"
)

// MAC is an Ethernet address.
type MAC [6]byte

// Ethernet is what an Ethernet header says, its type aside.
type Ethernet struct{ Dst, Src MAC }

// IPOptions are the fields of an IP header that a user chooses.
type IPOptions struct {
	TTL          uint8 // or hop limit
	TrafficClass uint8 // DSCP << 2
	DontFragment bool  // IPv4; IPv6 never lets a router fragment
}

// minFrame is the least length of a frame on the wire, without the check sequence that the adapter appends.
const minFrame = 60

// AppendICMP appends one Ethernet frame around an ICMP message from src to to, which are of one family, and pads
// it with zeros to 60 bytes. The checksum of ICMPv6 is filled; ICMPv4's must be there. id is the identification of
// an IPv4 header.
func AppendICMP(dst []byte, e Ethernet, src, to netip.Addr, o IPOptions, id uint16, icmp []byte) []byte {
	start := len(dst)
	dst = append(append(dst, e.Dst[:]...), e.Src[:]...)
	if src.Is4() {
		dst = appendIPv4(dst, src, to, o, id, len(icmp))
		dst = append(dst, icmp...)
	} else {
		dst = appendIPv6(dst, src, to, o, len(icmp))
		dst = append(dst, icmp...)
		icmpecho.PutChecksum6(dst[len(dst)-len(icmp):], src, to)
	}
	for len(dst) < start+minFrame {
		dst = append(dst, 0)
	}
	return dst
}

// appendIPv4 appends the ether type and an IPv4 header (RFC 791, 3.1) for n bytes of ICMP.
func appendIPv4(dst []byte, src, to netip.Addr, o IPOptions, id uint16, n int) []byte {
	flags := byte(0)
	if o.DontFragment {
		flags = 0x40
	}
	total := ipheader.V4Len + n
	s, t := src.As4(), to.As4()
	dst = binary.BigEndian.AppendUint16(dst, etherIPv4)
	start := len(dst)
	dst = append(dst,
		0x45, o.TrafficClass, byte(total>>8), byte(total),
		byte(id>>8), byte(id), flags, 0,
		o.TTL, ProtoICMP, 0, 0)
	dst = append(append(dst, s[:]...), t[:]...)
	binary.BigEndian.PutUint16(dst[start+10:], icmpecho.Checksum(dst[start:]))
	return dst
}

// appendIPv6 appends the ether type and an IPv6 header (RFC 8200, 3) for n bytes of ICMPv6. The flow label is 0, so
// that all requests to a target take one path.
func appendIPv6(dst []byte, src, to netip.Addr, o IPOptions, n int) []byte {
	s, t := src.As16(), to.As16()
	dst = binary.BigEndian.AppendUint16(dst, etherIPv6)
	dst = append(dst,
		0x60|o.TrafficClass>>4, o.TrafficClass<<4, 0, 0,
		byte(n>>8), byte(n), ProtoICMPv6, o.TTL)
	return append(append(dst, s[:]...), t[:]...)
}
