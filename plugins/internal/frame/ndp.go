package frame

import (
	"net/netip"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

// Neighbour discovery (RFC 4861 sections 4.3, 4.4 and 4.6.1): message types, the length before the options, the
// options that hold a MAC, and the hop limit that proves a sender to be on the link.
const (
	typeSolicitation  = 135
	typeAdvertisement = 136
	ndpLen            = 24
	optionSource      = 1
	optionTarget      = 2
	optionLen         = 8
	ndpHopLimit       = 255
)

// Flags of an advertisement, in its fifth byte.
const (
	flagSolicited = 0x40
	flagOverride  = 0x20
)

var allNodes = netip.MustParseAddr("ff02::1")

// parseNDP makes the checks of RFC 4861 sections 7.1.1 and 7.1.2.
func parseNDP(e Ethernet, data []byte) (Neighbour, error) {
	ip, err := Parse(data, capture.LinkEthernet)
	if err != nil {
		return Neighbour{}, err
	}
	b := ip.Payload
	if ip.Proto != ProtoICMPv6 || ip.TTL != ndpHopLimit || ip.Fragment {
		return Neighbour{}, ErrNotNeighbour
	}
	if ip.Cut || len(b) < ndpLen {
		return Neighbour{}, ErrShort
	}
	m, err := icmpecho.Parse(b, ip.Src, ip.Dst, false)
	if err != nil || m.ChecksumBad || m.Code != 0 {
		return Neighbour{}, ErrNotNeighbour
	}
	n := Neighbour{
		Tells: m.Type == typeAdvertisement, Ethernet: e, MAC: e.Src,
		From: ip.Src, To: ip.Dst, Addr: netip.AddrFrom16([16]byte(b[8:])),
	}
	if !n.plausible(b) {
		return Neighbour{}, ErrNotNeighbour
	}
	return n, nil
}

// plausible judges a message by its fields and takes the MAC from its options; without one, which an answer to a
// unicast question may lack, the frame's source stands.
func (n *Neighbour) plausible(m []byte) bool {
	want := byte(optionSource)
	switch {
	case n.Addr.IsMulticast(), n.From.IsMulticast(), m[0] != typeSolicitation && m[0] != typeAdvertisement:
		return false
	case n.Tells && n.To.IsMulticast() && m[4]&flagSolicited != 0:
		return false
	case n.Tells:
		want = optionTarget
	}
	mac, found, ok := linkLayer(m[ndpLen:], want)
	if found {
		n.MAC = mac
	}
	return ok && !(n.Probe() && (found || n.To != solicitedNode(n.Addr)))
}

// linkLayer looks for the option that holds a MAC; ok is false where the options do not fit together.
func linkLayer(options []byte, want byte) (mac MAC, found, ok bool) {
	for len(options) > 0 {
		if len(options) < optionLen {
			return mac, found, false
		}
		length := int(options[1]) * 8
		if length == 0 || length > len(options) {
			return mac, found, false
		}
		if options[0] == want && length == optionLen {
			mac, found = MAC(options[2:8]), true
		}
		options = options[length:]
	}
	return mac, found, true
}

// solicitedNode is the group in which the host that has addr listens (RFC 4291 section 2.7.1).
func solicitedNode(addr netip.Addr) netip.Addr {
	a := addr.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]})
}

// multicastMAC is where frames for a group go (RFC 2464 section 7).
func multicastMAC(group netip.Addr) MAC {
	g := group.As16()
	return MAC{0x33, 0x33, g[12], g[13], g[14], g[15]}
}

func appendSolicitation(dst []byte, mac MAC, from, addr netip.Addr) []byte {
	group := solicitedNode(addr)
	return appendNDP(dst, Ethernet{Dst: multicastMAC(group), Src: mac}, from, group, typeSolicitation, 0, addr, optionSource)
}

// appendAdvertisement answers a question; the answer to a probe goes to all (RFC 4861 section 7.2.4).
func appendAdvertisement(dst []byte, q Neighbour, mac MAC) []byte {
	e, to, flags := Ethernet{Dst: q.MAC, Src: mac}, q.From, byte(flagSolicited|flagOverride)
	if q.Probe() {
		e.Dst, to, flags = multicastMAC(allNodes), allNodes, flagOverride
	}
	return appendNDP(dst, e, q.Addr, to, typeAdvertisement, flags, q.Addr, optionTarget)
}

// appendNDP appends a message with the one option that holds the frame's source.
func appendNDP(dst []byte, e Ethernet, from, to netip.Addr, kind, flags byte, addr netip.Addr, option byte) []byte {
	m := [ndpLen + optionLen]byte{0: kind, 4: flags, ndpLen: option, ndpLen + 1: optionLen / 8}
	target := addr.As16()
	copy(m[8:], target[:])
	copy(m[ndpLen+2:], e.Src[:])
	return AppendICMP(dst, e, from, to, IPOptions{TTL: ndpHopLimit}, 0, m[:])
}
