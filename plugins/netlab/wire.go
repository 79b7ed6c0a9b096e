package netlab

import "encoding/binary"

// ICMP types and codes that the responder reads and writes (RFC 792; code 13 RFC 1812).
const (
	icmpEchoReply       = 0
	icmpUnreachable     = 3
	icmpEchoRequest     = 8
	codeHostUnreachable = 1
	codeProhibited      = 13
)

const (
	ipv4Header   = 20
	icmpHeader   = 8
	protocolICMP = 1
)

// isEchoRequest says whether packet is a whole IPv4 echo request, and where its ICMP message begins.
func isEchoRequest(packet []byte) (payload int, ok bool) {
	if len(packet) < ipv4Header || packet[0]>>4 != 4 || packet[9] != protocolICMP {
		return 0, false
	}
	payload = int(packet[0]&15) * 4
	if payload < ipv4Header || len(packet) < payload+icmpHeader || binary.BigEndian.Uint16(packet[6:])&0x1fff != 0 {
		return 0, false
	}
	return payload, packet[payload] == icmpEchoRequest
}

// makeReply turns an echo request whose ICMP message begins at payload into its reply, in place.
func makeReply(packet []byte, payload int) {
	var src [4]byte
	copy(src[:], packet[12:16])
	copy(packet[12:16], packet[16:20])
	copy(packet[16:20], src[:])
	finishHeader(packet[:payload])
	icmp := packet[payload:]
	icmp[0], icmp[1] = icmpEchoReply, 0
	finishICMP(icmp)
}

// appendError appends to dst the destination-unreachable message from from that quotes all of packet.
func appendError(dst, packet []byte, from [4]byte, code byte) []byte {
	start := len(dst)
	dst = append(dst, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, protocolICMP, 0, 0)
	binary.BigEndian.PutUint16(dst[start+2:], uint16(ipv4Header+icmpHeader+len(packet)))
	dst = append(dst, from[:]...)
	dst = append(dst, packet[12:16]...)
	dst = append(dst, icmpUnreachable, code, 0, 0, 0, 0, 0, 0)
	dst = append(dst, packet...)
	finishHeader(dst[start : start+ipv4Header])
	finishICMP(dst[start+ipv4Header:])
	return dst
}

// finishHeader sets TTL and checksum of an IPv4 header.
func finishHeader(h []byte) {
	h[8] = 64
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], checksum(h))
}

func finishICMP(m []byte) {
	m[2], m[3] = 0, 0
	binary.BigEndian.PutUint16(m[2:], checksum(m))
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
