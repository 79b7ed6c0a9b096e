// Package icmpecho turns ICMP echo messages and the errors about them into structs and back, and makes and
// checks the cookie by which a reply names the request that it answers. It is pure: no sockets, no clock, no
// logging, and nothing it reads can make it panic.
//
// Layers: Message (an ICMPv4 message's header and checksum, RFC 792), Quote (the datagram that an error
// quotes), Cookie (our payload). ICMPv6 will stand beside ICMPv4 here; it is not read yet.
package icmpecho

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ICMPv4 message types (RFC 792).
const (
	TypeEchoReply        = 0
	TypeUnreachable      = 3
	TypeSourceQuench     = 4
	TypeRedirect         = 5
	TypeEchoRequest      = 8
	TypeTimeExceeded     = 11
	TypeParameterProblem = 12
)

// HeaderLen is the length of an echo header: type, code, checksum, identifier, sequence number.
const HeaderLen = 8

// Errors that Parse and ParseQuote return.
var (
	ErrShort    = errors.New("icmpecho: message shorter than its header")
	ErrNotEcho  = errors.New("icmpecho: quoted datagram is no echo request")
	ErrNotQuote = errors.New("icmpecho: quoted bytes are no IPv4 header")
)

// Message is one ICMP message. ID and Seq have a meaning in echo messages only.
type Message struct {
	Type, Code  uint8
	ID, Seq     uint16
	Payload     []byte // what follows the header, a piece of the parsed bytes
	ChecksumBad bool   // the checksum over the bytes that are there is wrong; always false for a cut message
}

// IsEcho tells whether m is an echo request or reply.
func (m *Message) IsEcho() bool { return m.Type == TypeEchoReply || m.Type == TypeEchoRequest }

// IsError tells whether m reports on another datagram, which it then quotes. A redirect reports no loss.
func (m *Message) IsError() bool {
	switch m.Type {
	case TypeUnreachable, TypeSourceQuench, TypeTimeExceeded, TypeParameterProblem:
		return true
	}
	return false
}

// Parse reads an ICMPv4 message. cut says that the capture did not keep all of it, so that the checksum cannot
// be judged.
func Parse(b []byte, cut bool) (Message, error) {
	if len(b) < HeaderLen {
		return Message{}, ErrShort
	}
	return Message{
		Type:        b[0],
		Code:        b[1],
		ID:          binary.BigEndian.Uint16(b[4:]),
		Seq:         binary.BigEndian.Uint16(b[6:]),
		Payload:     b[HeaderLen:],
		ChecksumBad: !cut && Checksum(b) != 0,
	}, nil
}

// Datagram is an ICMP message on its way out: whom it goes to, and its bytes from the ICMP header on.
type Datagram struct {
	Dst  netip.Addr
	Data []byte
}

// AppendRequest appends an ICMPv4 echo request with its checksum to dst.
func AppendRequest(dst []byte, id, seq uint16, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, TypeEchoRequest, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, seq)
	dst = append(dst, payload...)
	binary.BigEndian.PutUint16(dst[start+2:], Checksum(dst[start:]))
	return dst
}

// Checksum returns the Internet checksum of b (RFC 1071): 0 for bytes that already hold a right one. The sum is
// taken eight bytes at a time in 64 bits with end-around carry, and an odd last byte counts as if a zero followed.
func Checksum(b []byte) uint16 {
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
	sum = sum>>32 + sum&0xffffffff + carry
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// Quote is what an ICMP error tells of the echo request that it is about.
type Quote struct {
	Dst     netip.Addr // whom the request was sent to
	ID, Seq uint16
	Payload []byte // as much of the request's payload as is quoted; RFC 792 demands none of it
}

// ParseQuote reads the datagram that follows an ICMPv4 error's header. Routers must quote the IP header and
// eight bytes (RFC 792), which is just the echo header.
func ParseQuote(b []byte) (Quote, error) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return Quote{}, ErrNotQuote
	}
	ihl := int(b[0]&0xf) * 4
	if ihl < 20 || len(b) < ihl+HeaderLen {
		return Quote{}, ErrNotQuote
	}
	icmp := b[ihl:]
	if b[9] != 1 || icmp[0] != TypeEchoRequest {
		return Quote{}, ErrNotEcho
	}
	return Quote{
		Dst:     netip.AddrFrom4([4]byte(b[16:20])),
		ID:      binary.BigEndian.Uint16(icmp[4:]),
		Seq:     binary.BigEndian.Uint16(icmp[6:]),
		Payload: icmp[HeaderLen:],
	}, nil
}
