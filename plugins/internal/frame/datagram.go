package frame

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/ipheader"
)

// Errors of ParseUDP, beside those of Parse.
var (
	ErrICMP   = errors.New("frame: ICMP, which may quote a datagram")
	ErrNotUDP = errors.New("frame: not UDP")
)

// Tunnel is what carries a datagram's IP packet.
type Tunnel uint8

// The tunnels. Where several are nested, the innermost that has addresses of its own.
const (
	NoTunnel Tunnel = iota
	GRE
	VXLAN
	Geneve
	MPLS // labels, and no other tunnel; with addresses when they ride on UDP (RFC 7510) or IP (RFC 4023)
	VCCV // a pseudowire's control channel that carries IP (RFC 5885)
	IPIP // IP in IP, of either family in either (RFC 2003, 2473, 4213)
)

// String returns the tunnel's name in small letters, "" for none.
func (t Tunnel) String() string {
	names := [...]string{"", "gre", "vxlan", "geneve", "mpls", "vccv", "ipip"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// MaxVLANs is how many VLAN tags of a frame are kept, the outermost first.
const MaxVLANs = 4

// maxTunnels bounds how deep tunnels are followed into each other.
const maxTunnels = 4

// Datagram is a UDP datagram and all that it came wrapped in.
type Datagram struct {
	SrcMAC, DstMAC       MAC // of the innermost Ethernet header
	HasSrcMAC, HasDstMAC bool
	VLANs                [MaxVLANs]uint16 // identifiers; 0 ends the list
	Tunnel               Tunnel
	VNI                  uint32 // of VXLAN and Geneve; key of GRE
	HasVNI               bool
	OuterSrc, OuterDst   netip.Addr // of the tunnel, invalid without one
	Label                uint32     // MPLS: the bottom of the stack
	Src, Dst             netip.Addr // IPv6 without zone
	TTL                  uint8      // or hop limit
	ID                   uint16     // IPv4 identification
	HasID                bool
	SrcPort, DstPort     uint16
	Payload              []byte // behind the UDP header, as far as it was captured
	Len                  int    // of the payload, as the UDP header says
}

// ParseUDP reads a frame down to the UDP datagram in it, through VLAN tags, PPPoE, MPLS labels, GRE, IP in IP, VXLAN,
// Geneve and VCCV channels that carry IP. Of fragments the first is read, with as much of the payload as it holds. What
// an ICMP error quotes is no datagram that passed here. Its errors are ErrShort, ErrNotIP, ErrFragment, ErrICMP and
// ErrNotUDP; d is of no use after one.
func ParseUDP(p *capture.Packet, d *Datagram) error {
	*d = Datagram{}
	if p.HasVLAN {
		d.addVLAN(p.VLAN)
	}
	w := walk{d: d}
	b := p.Data
	switch p.Link {
	case capture.LinkEthernet:
		return w.ethernet(b)
	case capture.LinkSLL:
		if len(b) < sllLen {
			return ErrShort
		}
		d.cookedMAC(binary.BigEndian.Uint16(b[4:]), b[6:])
		return w.ether(binary.BigEndian.Uint16(b[14:]), b[sllLen:])
	case capture.LinkSLL2:
		if len(b) < sll2Len {
			return ErrShort
		}
		d.cookedMAC(uint16(b[11]), b[12:])
		return w.ether(binary.BigEndian.Uint16(b), b[sll2Len:])
	case capture.LinkNull:
		rest, version, err := skipNull(b)
		if err != nil {
			return err
		}
		return w.ip(rest, version)
	case capture.LinkOther:
		return ErrNotIP
	}
	return w.ip(b, anyVersion)
}

// addVLAN keeps a tag's identifier. A priority tag has none (IEEE 802.1Q, 9.6).
func (d *Datagram) addVLAN(tci uint16) {
	id := tci & 0xfff
	if id == 0 {
		return
	}
	for i := range d.VLANs {
		if d.VLANs[i] == 0 {
			d.VLANs[i] = id
			return
		}
	}
}

// cookedMAC takes the sender's address of n bytes at the start of b, which is all that a cooked header has.
func (d *Datagram) cookedMAC(n uint16, b []byte) {
	if n == uint16(len(MAC{})) {
		d.SrcMAC, d.HasSrcMAC = MAC(b), true
	}
}

// walk is the way through a frame, from header to header.
type walk struct {
	d     *Datagram
	depth int // tunnels entered
}

func (w *walk) ethernet(b []byte) error {
	if len(b) < ethernetLen {
		return ErrShort
	}
	d := w.d
	d.DstMAC, d.SrcMAC, d.HasDstMAC, d.HasSrcMAC = MAC(b), MAC(b[6:]), true, true
	return w.ether(binary.BigEndian.Uint16(b[12:]), b[ethernetLen:])
}

// ether goes on with what an ether type announces.
func (w *walk) ether(etherType uint16, b []byte) error {
	for etherType == etherVLAN || etherType == etherQinQ || etherType == etherOldQinQ {
		if len(b) < vlanLen {
			return ErrShort
		}
		w.d.addVLAN(binary.BigEndian.Uint16(b))
		etherType, b = binary.BigEndian.Uint16(b[2:]), b[vlanLen:]
	}
	switch etherType {
	case etherIPv4:
		return w.ip(b, 4)
	case etherIPv6:
		return w.ip(b, 6)
	case etherMPLS, etherMPLSGroup:
		return w.mpls(b)
	case etherPPPoE:
		return w.pppoe(b)
	}
	return ErrNotIP
}

// ip reads the header of an IP packet and goes on with what it carries.
func (w *walk) ip(b []byte, version uint8) error {
	if len(b) == 0 {
		return ErrShort
	}
	if version != anyVersion && b[0]>>4 != version {
		return ErrNotIP
	}
	h, err := ipheader.Parse(b)
	if err != nil {
		return err
	}
	if h.Total < h.Len {
		return ErrNotIP
	}
	d := w.d
	d.Src, d.Dst, d.TTL = h.Src, h.Dst, h.TTL
	d.HasID, d.ID = b[0]>>4 == 4, 0
	if d.HasID {
		d.ID = binary.BigEndian.Uint16(b[4:])
	}
	payload := b[h.Len:min(len(b), h.Total)]
	switch h.Proto {
	case protoUDP:
		room := h.Total - h.Len
		if h.First {
			room = anyRoom
		}
		return w.udp(payload, room)
	case ProtoICMP, ProtoICMPv6:
		return ErrICMP
	}
	return w.carried(h.Proto, payload)
}

// anyRoom stands for the room of a datagram of which this is the first fragment.
const anyRoom = 0xffff

// udp reads a datagram for which its IP packet has room bytes, and what is inside if its port is a tunnel's. A length
// that the packet cannot hold makes every host drop it.
func (w *walk) udp(b []byte, room int) error {
	if len(b) < udpLen {
		return ErrShort
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < udpLen || n > room {
		return ErrNotUDP
	}
	d := w.d
	d.SrcPort, d.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	d.Payload, d.Len = b[udpLen:min(n, len(b))], n-udpLen
	switch d.DstPort {
	case portVXLAN, portOldVXLAN:
		return w.vxlan(d.Payload)
	case portGeneve:
		return w.geneve(d.Payload)
	case portMPLS:
		if err := w.enter(MPLS); err != nil {
			return err
		}
		return w.mpls(d.Payload)
	}
	return nil
}
