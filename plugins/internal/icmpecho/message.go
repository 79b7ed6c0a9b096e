// Package icmpecho turns ICMP echo messages and the errors about them into structs and back, in both families, and
// makes and checks the payloads by which a reply names the request that it answers. It is pure: no sockets, no
// clock, no logging, and nothing it reads can make it panic.
//
// Layers: checksum.go (RFC 1071, ICMPv6's pseudo-header), message.go (a message's header, RFC 792 and RFC 4443),
// quote.go (the datagram that an error quotes), cookie.go and pattern.go (our payload). Neighbour discovery, the
// extensions of RFC 4884 and the IP header around a message are not here.
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

// ICMPv6 message types (RFC 4443).
const (
	Type6Unreachable      = 1
	Type6PacketTooBig     = 2
	Type6TimeExceeded     = 3
	Type6ParameterProblem = 4
	Type6EchoRequest      = 128
	Type6EchoReply        = 129
)

// CodeFragmentationNeeded is the code of an ICMPv4 unreachable that brings a next-hop MTU (RFC 1191).
const CodeFragmentationNeeded = 4

// HeaderLen is the length of an echo header: type, code, checksum, identifier, sequence number. An error's header
// is as long.
const HeaderLen = 8

// Errors that Parse and ParseQuote return.
var (
	ErrShort    = errors.New("icmpecho: message shorter than its header")
	ErrNotEcho  = errors.New("icmpecho: quoted datagram is no echo request")
	ErrNotQuote = errors.New("icmpecho: quoted bytes are no IP header with an echo header behind it")
)

// Kind is what a message is, whatever its family.
type Kind uint8

// The kinds of message.
const (
	Other Kind = iota
	EchoRequest
	EchoReply
	Error // reports that another datagram, which it quotes, got lost; a redirect does not
)

// Message is one ICMP message.
type Message struct {
	Kind        Kind
	Type, Code  uint8  // as on the wire
	ID, Seq     uint16 // of echo messages, else 0
	MTU         uint32 // of ICMPv6's packet too big and ICMPv4's fragmentation needed, else 0; a router before RFC 1191 says 0
	Payload     []byte // what follows the header, a piece of the parsed bytes
	ChecksumBad bool   // never of a cut message
}

// Parse reads a message that went from src to dst, which must be of one family: it is the message's, and the
// checksum of ICMPv6 covers both. cut says that not all of the message is there, so that its checksum cannot be
// judged.
func Parse(b []byte, src, dst netip.Addr, cut bool) (Message, error) {
	if len(b) < HeaderLen {
		return Message{}, ErrShort
	}
	v6 := src.Is6()
	m := Message{Type: b[0], Code: b[1], Payload: b[HeaderLen:]}
	if v6 {
		m.Kind = kind6(m.Type)
		m.ChecksumBad = !cut && checksum6(b, src, dst) != 0
	} else {
		m.Kind = kind4(m.Type)
		m.ChecksumBad = !cut && Checksum(b) != 0
	}
	switch {
	case m.Kind == EchoRequest || m.Kind == EchoReply:
		m.ID = binary.BigEndian.Uint16(b[4:])
		m.Seq = binary.BigEndian.Uint16(b[6:])
	case v6 && m.Type == Type6PacketTooBig:
		m.MTU = binary.BigEndian.Uint32(b[4:])
	case !v6 && m.Type == TypeUnreachable && m.Code == CodeFragmentationNeeded:
		m.MTU = uint32(binary.BigEndian.Uint16(b[6:]))
	}
	return m, nil
}

func kind4(t uint8) Kind {
	switch t {
	case TypeEchoRequest:
		return EchoRequest
	case TypeEchoReply:
		return EchoReply
	case TypeUnreachable, TypeSourceQuench, TypeTimeExceeded, TypeParameterProblem:
		return Error
	}
	return Other
}

func kind6(t uint8) Kind {
	switch t {
	case Type6EchoRequest:
		return EchoRequest
	case Type6EchoReply:
		return EchoReply
	case Type6Unreachable, Type6PacketTooBig, Type6TimeExceeded, Type6ParameterProblem:
		return Error
	}
	return Other
}

// Datagram is a request on its way out.
type Datagram struct {
	Dst    netip.Addr // with its zone if it is link-local IPv6
	Target int        // index of the target, for senders that keep a next hop for each
	// Data is the message from the ICMP header on. An ICMPv4 checksum is in its place; ICMPv6's place holds 0 until
	// it is filled by whoever knows the source: the kernel behind a raw socket, or the builder of the frame.
	Data []byte
}

// AppendRequest appends an echo request to dst, its checksum as Datagram has it.
func AppendRequest(dst []byte, v6 bool, id, seq uint16, payload []byte) []byte {
	start := len(dst)
	kind := byte(TypeEchoRequest)
	if v6 {
		kind = Type6EchoRequest
	}
	dst = append(dst, kind, 0, 0, 0, byte(id>>8), byte(id), byte(seq>>8), byte(seq))
	dst = append(dst, payload...)
	if !v6 {
		binary.BigEndian.PutUint16(dst[start+2:], Checksum(dst[start:]))
	}
	return dst
}
