package frame

import (
	"encoding/binary"
	"net/netip"
)

// Ether types of what carries IP packets, beside those of link.go.
const (
	etherOldQinQ   = 0x9100 // stacked tags before IEEE 802.1ad
	etherBridged   = 0x6558 // an Ethernet frame in GRE and Geneve
	etherMPLS      = 0x8847
	etherMPLSGroup = 0x8848 // MPLS with upstream-assigned labels (RFC 5332)
	etherPPPoE     = 0x8864 // session stage (RFC 2516)
)

// Protocol numbers of what carries IP packets, and UDP's.
const (
	protoIPv4 = 4
	protoUDP  = 17
	protoIPv6 = 41
	protoGRE  = 47
	protoMPLS = 137
)

// UDP ports of tunnels. Linux sends VXLAN to 8472 unless told otherwise.
const (
	portVXLAN    = 4789
	portOldVXLAN = 8472
	portGeneve   = 6081
	portMPLS     = 6635
)

// Lengths of headers.
const (
	udpLen     = 8
	vxlanLen   = 8
	geneveLen  = 8
	greLen     = 4
	greField   = 4 // checksum, key, sequence number: each
	labelLen   = 4
	achLen     = 4
	pppoeLen   = 8 // PPP's protocol number included
	genericACH = 13
)

// Numbers of IPv4 and IPv6, both as PPP's protocols and as channels of an associated channel header (RFC 4385, 5).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
)

// enter notes that what follows is inside a tunnel between the addresses read last.
func (w *walk) enter(t Tunnel) error {
	if w.depth++; w.depth > maxTunnels {
		return ErrNotUDP
	}
	d := w.d
	d.Tunnel, d.OuterSrc, d.OuterDst = t, d.Src, d.Dst
	d.Src, d.Dst = netip.Addr{}, netip.Addr{}
	d.VNI, d.HasVNI, d.Label = 0, false, 0
	return nil
}

// carried goes on with what an IP packet carries other than UDP.
func (w *walk) carried(proto uint8, b []byte) error {
	tunnel := IPIP
	switch proto {
	case protoIPv4, protoIPv6:
	case protoGRE:
		tunnel = GRE
	case protoMPLS:
		tunnel = MPLS
	default:
		return ErrNotUDP
	}
	if err := w.enter(tunnel); err != nil {
		return err
	}
	switch proto {
	case protoIPv4:
		return w.ip(b, 4)
	case protoIPv6:
		return w.ip(b, 6)
	case protoGRE:
		return w.gre(b)
	}
	return w.mpls(b)
}

// bridged goes on with what an ether type announces in GRE and Geneve, which may be a whole Ethernet frame.
func (w *walk) bridged(etherType uint16, b []byte) error {
	if etherType == etherBridged {
		return w.ethernet(b)
	}
	return w.ether(etherType, b)
}

// gre reads GRE of version 0 (RFC 2784, 2890), without the source routes of RFC 1701.
func (w *walk) gre(b []byte) error {
	const checksum, routing, key, sequence, version = 0x8000, 0x4000, 0x2000, 0x1000, 7
	if len(b) < greLen {
		return ErrShort
	}
	flags, etherType := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if flags&(routing|version) != 0 {
		return ErrNotIP
	}
	n := greLen
	if flags&checksum != 0 {
		n += greField
	}
	if flags&key != 0 {
		if len(b) < n+greField {
			return ErrShort
		}
		w.d.VNI, w.d.HasVNI = binary.BigEndian.Uint32(b[n:]), true
		n += greField
	}
	if flags&sequence != 0 {
		n += greField
	}
	if len(b) < n {
		return ErrShort
	}
	return w.bridged(etherType, b[n:])
}

// vxlan reads VXLAN (RFC 7348, 5), whose reserved bits receivers ignore.
func (w *walk) vxlan(b []byte) error {
	if len(b) < vxlanLen {
		return ErrShort
	}
	if b[0]&0x08 == 0 {
		return ErrNotIP
	}
	if err := w.enter(VXLAN); err != nil {
		return err
	}
	w.d.VNI, w.d.HasVNI = binary.BigEndian.Uint32(b[4:])>>8, true
	return w.ethernet(b[vxlanLen:])
}

// geneve reads Geneve of version 0 and steps over its options (RFC 8926, 3.4).
func (w *walk) geneve(b []byte) error {
	if len(b) < geneveLen {
		return ErrShort
	}
	if b[0]>>6 != 0 {
		return ErrNotIP
	}
	n := geneveLen + int(b[0]&0x3f)*4
	if len(b) < n {
		return ErrShort
	}
	if err := w.enter(Geneve); err != nil {
		return err
	}
	w.d.VNI, w.d.HasVNI = binary.BigEndian.Uint32(b[4:])>>8, true
	return w.bridged(binary.BigEndian.Uint16(b[2:]), b[n:])
}

// mpls reads a label stack (RFC 3032) and goes on with what it carries, which nothing but its first four bits tell
// (RFC 4928, 3). The label that announces a generic associated channel (RFC 5586, 4) is not one of a path.
func (w *walk) mpls(b []byte) error {
	d, generic := w.d, false
	for bottom := false; !bottom; b = b[labelLen:] {
		if len(b) < labelLen {
			return ErrShort
		}
		entry := binary.BigEndian.Uint32(b)
		bottom = entry&0x100 != 0
		if generic = entry>>12 == genericACH; !generic {
			d.Label = entry >> 12
		}
	}
	if d.Tunnel == NoTunnel {
		d.Tunnel = MPLS
	}
	if len(b) == 0 {
		return ErrShort
	}
	if b[0]>>4 == 1 {
		return w.channel(b, generic)
	}
	return w.ip(b, anyVersion)
}

// channel reads an associated channel header (RFC 4385, 5): of a pseudowire, or of a path if it is generic.
func (w *walk) channel(b []byte, generic bool) error {
	if len(b) < achLen {
		return ErrShort
	}
	if w.d.Tunnel == MPLS && !generic {
		w.d.Tunnel = VCCV
	}
	return w.numbered(binary.BigEndian.Uint16(b[2:]), b[achLen:])
}

// pppoe reads a PPPoE session's header (RFC 2516, 4) and PPP's protocol number.
func (w *walk) pppoe(b []byte) error {
	if len(b) < pppoeLen {
		return ErrShort
	}
	if b[0] != 0x11 || b[1] != 0 {
		return ErrNotIP
	}
	return w.numbered(binary.BigEndian.Uint16(b[6:]), b[pppoeLen:])
}

func (w *walk) numbered(number uint16, b []byte) error {
	switch number {
	case pppIPv4:
		return w.ip(b, 4)
	case pppIPv6:
		return w.ip(b, 6)
	}
	return ErrNotIP
}
