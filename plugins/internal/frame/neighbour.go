package frame

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/ipheader"
)

// Neighbour is one message of those by which a link's hosts learn each other's MAC: ARP for IPv4 (RFC 826),
// neighbour discovery for IPv6 (RFC 4861). It either asks who has an address or tells who does.
type Neighbour struct {
	Tells    bool       // ARP reply, neighbour advertisement; else ARP request, neighbour solicitation
	Ethernet            // of the frame that carried it
	MAC      MAC        // of the one that asks, or the one at which Addr is told to be
	From     netip.Addr // who speaks; unspecified in a probe for duplicates
	To       netip.Addr // whom it is for: ARP's target address, IPv6's destination
	Addr     netip.Addr // which is asked for, or told
}

// Probe tells whether a message asks only to find out if an address is free: ARP from 0.0.0.0 (RFC 5227 section
// 1.1), a solicitation from :: (RFC 4862 section 5.4.2).
func (n *Neighbour) Probe() bool { return !n.Tells && n.From.IsUnspecified() }

// ErrNotNeighbour says that a frame carries neither ARP nor neighbour discovery, or what its RFC tells receivers
// to discard.
var ErrNotNeighbour = errors.New("frame: neither ARP nor neighbour discovery")

// ParseNeighbour reads an Ethernet frame. One that bears a VLAN tag belongs to another link: ErrNotNeighbour. Other
// errors are Parse's.
func ParseNeighbour(data []byte) (Neighbour, error) {
	if len(data) < ethernetLen {
		return Neighbour{}, ErrShort
	}
	e := Ethernet{Dst: MAC(data[:6]), Src: MAC(data[6:])}
	switch binary.BigEndian.Uint16(data[12:]) {
	case etherARP:
		return parseARP(e, data[ethernetLen:])
	case etherIPv6:
		return parseNDP(e, data)
	}
	return Neighbour{}, ErrNotNeighbour
}

// AppendWhoHas appends the frame by which the host from, mac, asks all for addr, which is of the same family:
// 60 bytes of ARP, 86 of neighbour discovery.
func AppendWhoHas(dst []byte, mac MAC, from, addr netip.Addr) []byte {
	if addr.Is4() {
		return appendARP(dst, Ethernet{Dst: broadcast, Src: mac}, arpRequest, mac, from, MAC{}, addr)
	}
	return appendSolicitation(dst, mac, from, addr)
}

// AppendIsAt appends the frame that answers the question q: the address it asks for is at mac.
func AppendIsAt(dst []byte, q Neighbour, mac MAC) []byte {
	if q.Addr.Is4() {
		return appendARP(dst, Ethernet{Dst: q.MAC, Src: mac}, arpReply, mac, q.Addr, q.MAC, q.From)
	}
	return appendAdvertisement(dst, q, mac)
}

// NeighbourFilter returns the BPF program that lets all of ARP, neighbour solicitations and advertisements pass
// on an Ethernet link.
func NeighbourFilter() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherARP, SkipTrue: 6},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: 6},
		bpf.LoadAbsolute{Off: ethernetLen + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMPv6, SkipTrue: 4},
		bpf.LoadAbsolute{Off: ethernetLen + ipheader.V6Len, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: typeSolicitation, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: typeAdvertisement, SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	}
}
