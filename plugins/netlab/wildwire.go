package netlab

import (
	"encoding/binary"
	"net/netip"
)

// What ICMPv6 adds to the numbers of ICMP (RFC 4443).
const (
	ipv6Header     = 40
	protocolICMPv6 = 58
	icmp6Request   = 128
	icmp6Reply     = 129
)

// The longest errors: RFC 1812 section 4.3.2.3 and RFC 4443 section 2.4.
const (
	maxError4 = 576
	maxError6 = 1280
)

// echoRequest is a whole echo request of either family.
type echoRequest struct {
	packet   []byte
	icmp     int // where the ICMP message begins
	src, dst netip.Addr
}

// parseRequest reads a packet; ok is false for all that is no whole echo request without extension headers.
func parseRequest(packet []byte) (r echoRequest, ok bool) {
	if len(packet) < ipv6Header || packet[0]>>4 != 6 {
		icmp, ok := isEchoRequest(packet)
		if !ok || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
			return echoRequest{}, false
		}
		src, dst := netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
		return echoRequest{packet, icmp, src, dst}, true
	}
	length := ipv6Header + int(binary.BigEndian.Uint16(packet[4:]))
	if packet[6] != protocolICMPv6 || length != len(packet) || length < ipv6Header+icmpHeader ||
		packet[ipv6Header] != icmp6Request {
		return echoRequest{}, false
	}
	src, dst := netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:]))
	return echoRequest{packet, ipv6Header, src, dst}, true
}

// appendReply appends the exact reply from from, and says where its ICMP message begins.
func (r echoRequest) appendReply(dst []byte, from netip.Addr) (packet []byte, icmp int) {
	message := r.packet[r.icmp:]
	dst = appendHeader(dst, from, r.src, len(message))
	icmp = len(dst)
	dst = append(dst, message...)
	dst[icmp], dst[icmp+1] = icmpEchoReply, 0
	if from.Is6() {
		dst[icmp] = icmp6Reply
	}
	sealICMP(dst[icmp:], from, r.src)
	return dst, icmp
}

// appendFated appends the reply that f makes of the request.
func (r echoRequest) appendFated(dst []byte, f Fate) []byte {
	from := r.dst
	if f.From.IsValid() {
		from = f.From
	}
	dst, icmp := r.appendReply(dst, from)
	payload := dst[icmp+icmpHeader:]
	for _, bit := range f.Flip {
		if bit/8 < len(payload) {
			payload[bit/8] ^= 0x80 >> (bit % 8)
		}
	}
	switch {
	case !f.BreakSum:
		sealICMP(dst[icmp:], from, r.src)
	case len(f.Flip) == 0:
		dst[icmp+2] ^= 0xff
	}
	return dst
}

// appendForgery appends a forged reply from the target. What the payload is too short for is left out.
func (r echoRequest) appendForgery(dst []byte, kind Forgery) []byte {
	start := len(dst)
	dst, icmp := r.appendReply(dst, r.dst)
	message := dst[icmp:]
	payload := message[icmpHeader:]
	const further = 4096
	switch kind {
	case ForgedMAC:
		for i := range min(len(payload), 8) {
			payload[i] ^= 0xff
		}
	case ForgedID:
		message[4] ^= 0x55
	case ForgedShort:
		dst = dst[:icmp+icmpHeader+min(len(payload), 4)]
		setLength(dst[start:icmp], len(dst)-icmp)
	case UnsentProbe:
		binary.BigEndian.PutUint16(message[6:], binary.BigEndian.Uint16(message[6:])+further)
		if len(payload) >= 12 {
			binary.BigEndian.PutUint32(payload[8:], binary.BigEndian.Uint32(payload[8:])+further)
		}
	}
	sealICMP(dst[icmp:], r.dst, r.src)
	return dst
}

// appendFailure appends the ICMP error f about the request, from router unless f names another.
func (r echoRequest) appendFailure(dst []byte, f Failure, router netip.Addr) []byte {
	if f.From.IsValid() {
		router = f.From
	}
	quote := r.packet
	if most := r.quotable(f); len(quote) > most {
		quote = quote[:most]
	}
	dst = appendHeader(dst, router, r.src, icmpHeader+len(quote))
	icmp := len(dst)
	dst = append(dst, f.Type, f.Code, 0, 0)
	dst = append(dst, f.rest(r.dst.Is6())...)
	dst = append(dst, quote...)
	sealICMP(dst[icmp:], router, r.src)
	return dst
}

// quotable is how many bytes of the request f quotes at most.
func (r echoRequest) quotable(f Failure) int {
	most := maxError4 - ipv4Header - icmpHeader
	if r.dst.Is6() {
		most = maxError6 - ipv6Header - icmpHeader
	}
	if f.Quote > 0 {
		most = min(most, r.icmp+f.Quote)
	}
	return most
}

// rest is the second word of the error: RFC 1191 has the MTU in its lower half, RFC 792 the pointer in its first
// byte, RFC 4443 both as a whole word.
func (f Failure) rest(v6 bool) []byte {
	const parameterProblem = 12
	if !v6 && f.Type == parameterProblem {
		return []byte{byte(f.Info), 0, 0, 0}
	}
	return binary.BigEndian.AppendUint32(nil, f.Info)
}

// appendHeader appends the IP header, of from's family, of an ICMP message of n bytes.
func appendHeader(dst []byte, from, to netip.Addr, n int) []byte {
	start := len(dst)
	if from.Is4() {
		dst = append(dst, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, protocolICMP, 0, 0)
	} else {
		dst = append(dst, 0x60, 0, 0, 0, 0, 0, protocolICMPv6, 64)
	}
	dst = append(dst, from.AsSlice()...)
	dst = append(dst, to.AsSlice()...)
	setLength(dst[start:], n)
	return dst
}

// setLength makes an IP header that of an ICMP message of n bytes.
func setLength(header []byte, n int) {
	if header[0]>>4 == 6 {
		binary.BigEndian.PutUint16(header[4:], uint16(n))
		return
	}
	binary.BigEndian.PutUint16(header[2:], uint16(ipv4Header+n))
	finishHeader(header)
}

// sealICMP fills the checksum, which in IPv6 covers the pseudo-header of RFC 8200 section 8.1.
func sealICMP(message []byte, from, to netip.Addr) {
	if from.Is4() {
		finishICMP(message)
		return
	}
	message[2], message[3] = 0, 0
	binary.BigEndian.PutUint16(message[2:], ^sum6(message, from, to))
}

// sum6 is the one's complement sum over pseudo-header and message.
func sum6(message []byte, from, to netip.Addr) uint16 {
	var pseudo [ipv6Header]byte
	a, b := from.As16(), to.As16()
	copy(pseudo[:], a[:])
	copy(pseudo[16:], b[:])
	binary.BigEndian.PutUint32(pseudo[32:], uint32(len(message)))
	pseudo[39] = protocolICMPv6
	sum := uint32(^checksum(pseudo[:])) + uint32(^checksum(message))
	return uint16(sum + sum>>16)
}
