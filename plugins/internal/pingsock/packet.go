package pingsock

import (
	"encoding/binary"
	"net/netip"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/ipheader"
)

// headroom is what stands in a slot before the received bytes: room for the headers of an ICMPv6 error and of
// what it quotes.
const headroom = ipheader.V6Len + icmpecho.HeaderLen + ipheader.V6Len

// datagram makes an IP datagram of the ICMP message in slot[at:]. n is the message's whole length, of which the
// slot may hold less. There must be room for the header before it.
func datagram(slot []byte, at, n int, src, dst netip.Addr, ttl uint8) []byte {
	if src.Is4() {
		b := slot[at-ipheader.V4Len:]
		putIPv4(b[:ipheader.V4Len], n, src, dst, ttl)
		return b
	}
	b := slot[at-ipheader.V6Len:]
	putIPv6(b[:ipheader.V6Len], n, src, dst, ttl)
	return b
}

// putIPv4 writes a header (RFC 791, 3.1) for n bytes of ICMP. What the kernel did not tell is 0.
func putIPv4(b []byte, n int, src, dst netip.Addr, ttl uint8) {
	clear(b)
	s, d := src.As4(), dst.As4()
	b[0], b[8], b[9] = 0x45, ttl, ipheader.ProtoICMP
	binary.BigEndian.PutUint16(b[2:], uint16(min(ipheader.V4Len+n, 0xffff)))
	copy(b[12:], s[:])
	copy(b[16:], d[:])
	binary.BigEndian.PutUint16(b[10:], icmpecho.Checksum(b))
}

// putIPv6 writes a header (RFC 8200, 3) for n bytes of ICMPv6.
func putIPv6(b []byte, n int, src, dst netip.Addr, ttl uint8) {
	clear(b)
	s, d := src.As16(), dst.As16()
	b[0], b[6], b[7] = 0x60, ipheader.ProtoICMPv6, ttl
	binary.BigEndian.PutUint16(b[4:], uint16(min(n, 0xffff)))
	copy(b[8:], s[:])
	copy(b[24:], d[:])
}

// failure is an ICMP error as the kernel tells of it.
type failure struct {
	typ, code uint8
	info      uint32     // MTU or pointer, where the type has one
	offender  netip.Addr // who sent it
}

// errorDatagram makes an ICMP error to local of the quoted echo request to target in slot[headroom:], of which n
// bytes came back.
func errorDatagram(slot []byte, n int, f failure, local, target netip.Addr, ttl uint8) []byte {
	quote := datagram(slot, headroom, n, local, target, 0)
	at := len(slot) - len(quote) - icmpecho.HeaderLen
	m := slot[at:]
	m[0], m[1], m[2], m[3] = f.typ, f.code, 0, 0
	if local.Is4() {
		binary.BigEndian.PutUint32(m[4:], f.info&0xffff) // the MTU of RFC 1191, 4
		binary.BigEndian.PutUint16(m[2:], icmpecho.Checksum(m))
	} else {
		binary.BigEndian.PutUint32(m[4:], f.info)
		icmpecho.PutChecksum6(m, f.offender, local)
	}
	return datagram(slot, at, len(quote)+icmpecho.HeaderLen+n-len(slot[headroom:]), f.offender, local, ttl)
}

// findRequest returns the part of a sent frame from the IP header of an echo request with identifier id on, and
// the datagram's whole length; nil if there is none. What stands before depends on the device: nothing, a link
// header, VLAN tags, a tunnel's headers.
func findRequest(frame []byte, v6 bool, id uint16) (datagram []byte, n int) {
	for ; len(frame) >= ipheader.V4Len+icmpecho.HeaderLen; frame = frame[1:] {
		if v6 && frame[0]>>4 != 6 || !v6 && frame[0] != 0x45 { // we send no options
			continue
		}
		h, err := ipheader.Parse(frame)
		if err != nil || h.Total < h.Len+icmpecho.HeaderLen || !isRequest(frame, h, v6, id) {
			continue
		}
		return frame[:min(len(frame), h.Total)], h.Total
	}
	return nil, 0
}

func isRequest(b []byte, h ipheader.Header, v6 bool, id uint16) bool {
	m := b[h.Len:]
	if len(m) < icmpecho.HeaderLen || m[1] != 0 || binary.BigEndian.Uint16(m[4:]) != id {
		return false
	}
	if v6 {
		return h.Proto == ipheader.ProtoICMPv6 && m[0] == icmpecho.Type6EchoRequest
	}
	return h.Proto == ipheader.ProtoICMP && m[0] == icmpecho.TypeEchoRequest && icmpecho.Checksum(b[:h.Len]) == 0
}
