// Package frame finds the payload in a captured frame, builds frames to send, and makes the kernel filters that
// choose frames. It is pure, and nothing it reads can make it panic.
//
// Layers: frame.go and link.go (link header, VLAN tags left in the frame, IP headers of both families -> IP), datagram.go
// with datagram_tunnel.go (the same and tunnels -> a UDP datagram and all around it), echo.go and bfd.go (BPF programs
// for ICMP echo and for BFD), build.go (an ICMP message -> frame), neighbour.go with arp.go and ndp.go (who has an
// address, and at which MAC). Fragments are not put together, checksums of what is captured not verified but for
// neighbour discovery's, and pseudowires are opened for their control channel only.
package frame

import (
	"net/netip"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/ipheader"
)

// Protocol numbers of ICMP.
const (
	ProtoICMP   = ipheader.ProtoICMP
	ProtoICMPv6 = ipheader.ProtoICMPv6
)

// Errors of Parse.
var (
	ErrShort    = ipheader.ErrShort
	ErrNotIP    = ipheader.ErrNotIP
	ErrFragment = ipheader.ErrFragment
)

// IP is what a frame's IP header says.
type IP struct {
	Src, Dst netip.Addr // IPv6 without zone
	Proto    uint8      // behind IPv6's extension headers
	TTL      uint8      // or hop limit
	Payload  []byte     // cut to the header's total length, so that Ethernet padding is gone
	Cut      bool       // the capture, or fragmentation, left out a part of the payload
	Fragment bool       // the first of several fragments; later ones are refused
}

// Parse reads a frame from its link header on. Its errors are ErrShort, ErrNotIP and ErrFragment.
func Parse(data []byte, link capture.LinkType) (IP, error) {
	b, version, err := skipLink(data, link)
	if err != nil {
		return IP{}, err
	}
	if len(b) == 0 {
		return IP{}, ErrShort
	}
	if version != anyVersion && b[0]>>4 != version {
		return IP{}, ErrNotIP
	}
	h, err := ipheader.Parse(b)
	if err != nil {
		return IP{}, err
	}
	if h.Total < h.Len {
		return IP{}, ErrNotIP
	}
	return IP{
		Src:      h.Src,
		Dst:      h.Dst,
		Proto:    h.Proto,
		TTL:      h.TTL,
		Payload:  b[h.Len:min(len(b), h.Total)],
		Cut:      len(b) < h.Total || h.First,
		Fragment: h.First,
	}, nil
}
