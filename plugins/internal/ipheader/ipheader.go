// Package ipheader reads the IP header at the start of some bytes, of either family: of a captured packet, or of
// the datagram that an ICMP error quotes. It is pure, and nothing it reads can make it panic.
//
// IPv4 options are stepped over; of IPv6's extension headers those that may stand before ICMPv6 in a packet that
// can be read: hop-by-hop options, routing, destination options and a first fragment's header (RFC 8200, 4).
// Authentication headers, reassembly, checksums and what follows the headers are not its business.
package ipheader

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Protocol numbers of ICMP.
const (
	ProtoICMP   = 1
	ProtoICMPv6 = 58
)

// Protocol numbers of the IPv6 extension headers that Parse steps over.
const (
	ExtHopByHop    = 0
	ExtRouting     = 43
	ExtFragment    = 44
	ExtDestination = 60
)

// Lengths of the headers without options and extension headers.
const (
	V4Len = 20
	V6Len = 40
)

// Errors of Parse.
var (
	ErrShort    = errors.New("ipheader: cut inside the headers")
	ErrNotIP    = errors.New("ipheader: no IP header")
	ErrFragment = errors.New("ipheader: a later fragment")
)

// Header is what an IP header and its extension headers say.
type Header struct {
	Src, Dst netip.Addr // IPv6 addresses have no zone
	Proto    uint8      // of what follows the headers
	TTL      uint8      // or hop limit
	First    bool       // more fragments follow this one
	Len      int        // bytes of all headers; never more than were given
	Total    int        // bytes of the datagram, headers included, as the header claims: anything from 0 to 65,575
}

// Parse reads the headers at the start of b. Bytes behind them need not be there.
func Parse(b []byte) (Header, error) {
	if len(b) == 0 {
		return Header{}, ErrShort
	}
	switch b[0] >> 4 {
	case 4:
		return parse4(b)
	case 6:
		return parse6(b)
	}
	return Header{}, ErrNotIP
}

func parse4(b []byte) (Header, error) {
	if len(b) < V4Len {
		return Header{}, ErrShort
	}
	n := int(b[0]&0xf) * 4
	fragment := binary.BigEndian.Uint16(b[6:])
	switch {
	case n < V4Len:
		return Header{}, ErrNotIP
	case fragment&0x1fff != 0:
		return Header{}, ErrFragment
	case len(b) < n:
		return Header{}, ErrShort
	}
	return Header{
		Src:   netip.AddrFrom4([4]byte(b[12:16])),
		Dst:   netip.AddrFrom4([4]byte(b[16:20])),
		Proto: b[9],
		TTL:   b[8],
		First: fragment&0x2000 != 0,
		Len:   n,
		Total: int(binary.BigEndian.Uint16(b[2:])),
	}, nil
}

func parse6(b []byte) (Header, error) {
	if len(b) < V6Len {
		return Header{}, ErrShort
	}
	h := Header{
		Src:   netip.AddrFrom16([16]byte(b[8:24])),
		Dst:   netip.AddrFrom16([16]byte(b[24:40])),
		Proto: b[6],
		TTL:   b[7],
		Len:   V6Len,
		Total: V6Len + int(binary.BigEndian.Uint16(b[4:])),
	}
	for {
		n, err := h.extension(b[h.Len:])
		if n == 0 || err != nil {
			return h, err
		}
		h.Proto = b[h.Len]
		h.Len += n
	}
}

// extension returns the length of the extension header that h.Proto names at the start of b, 0 if that is none.
func (h *Header) extension(b []byte) (int, error) {
	n := 8
	switch h.Proto {
	case ExtHopByHop, ExtRouting, ExtDestination:
		if len(b) >= 2 {
			n = (int(b[1]) + 1) * 8
		}
	case ExtFragment:
		if len(b) < n {
			break
		}
		fragment := binary.BigEndian.Uint16(b[2:])
		if fragment&0xfff8 != 0 {
			return 0, ErrFragment
		}
		h.First = h.First || fragment&1 != 0
	default:
		return 0, nil
	}
	if len(b) < n {
		return 0, ErrShort
	}
	return n, nil
}
