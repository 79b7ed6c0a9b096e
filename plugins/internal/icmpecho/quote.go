package icmpecho

import (
	"encoding/binary"
	"net/netip"

	"echogram/plugins/internal/ipheader"
)

// Quote is what an ICMP error tells of the echo request that it is about.
type Quote struct {
	Dst     netip.Addr // whom the request was sent to; IPv6 without zone
	ID, Seq uint16
	Payload []byte // as much of the request's payload as is quoted, which may be nothing
}

// ParseQuote reads the datagram that follows an error's header, of the family that its first bits name. Routers
// must quote an IPv4 header and eight bytes (RFC 792), which is just the echo header, and as much of an IPv6
// packet as fits into 1,280 bytes (RFC 4443); any quote that holds the echo header will do.
func ParseQuote(b []byte) (Quote, error) {
	h, err := ipheader.Parse(b)
	switch {
	case err == ipheader.ErrFragment:
		return Quote{}, ErrNotEcho
	case err != nil || len(b) < h.Len+HeaderLen:
		return Quote{}, ErrNotQuote
	}
	icmp := b[h.Len:]
	if h.Dst.Is4() && (h.Proto != ipheader.ProtoICMP || icmp[0] != TypeEchoRequest) ||
		h.Dst.Is6() && (h.Proto != ipheader.ProtoICMPv6 || icmp[0] != Type6EchoRequest) {
		return Quote{}, ErrNotEcho
	}
	// What stands behind the request is the padding and the extensions of RFC 4884. Some routers quote a wrong total
	// length: one that leaves no room for the echo header is not believed.
	if n := h.Total - h.Len; n >= HeaderLen && n < len(icmp) {
		icmp = icmp[:n]
	}
	return Quote{
		Dst:     h.Dst,
		ID:      binary.BigEndian.Uint16(icmp[4:]),
		Seq:     binary.BigEndian.Uint16(icmp[6:]),
		Payload: icmp[HeaderLen:],
	}, nil
}
