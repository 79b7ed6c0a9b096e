package frame

import (
	"encoding/binary"
	"net/netip"
)

const etherARP = 0x0806

// ARP's operations, and its length for IPv4 over Ethernet (RFC 826).
const (
	arpRequest = 1
	arpReply   = 2
	arpLen     = 28
)

var broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// arpHead is what ARP for IPv4 over Ethernet begins with: hardware, protocol, the lengths of their addresses.
var arpHead = [6]byte{0, 1, 0x08, 0, 6, 4}

func parseARP(e Ethernet, b []byte) (Neighbour, error) {
	if len(b) < arpLen {
		return Neighbour{}, ErrShort
	}
	op := binary.BigEndian.Uint16(b[6:])
	if [6]byte(b[:6]) != arpHead || op != arpRequest && op != arpReply {
		return Neighbour{}, ErrNotNeighbour
	}
	n := Neighbour{
		Tells: op == arpReply, Ethernet: e, MAC: MAC(b[8:]),
		From: netip.AddrFrom4([4]byte(b[14:])),
		To:   netip.AddrFrom4([4]byte(b[24:])),
	}
	n.Addr = n.To
	if n.Tells {
		n.Addr = n.From
	}
	return n, nil
}

func appendARP(dst []byte, e Ethernet, op byte, mac MAC, from netip.Addr, toMAC MAC, to netip.Addr) []byte {
	start := len(dst)
	dst = append(append(dst, e.Dst[:]...), e.Src[:]...)
	dst = binary.BigEndian.AppendUint16(dst, etherARP)
	dst = append(append(dst, arpHead[:]...), 0, op)
	dst = append(append(dst, mac[:]...), from.AsSlice()...)
	dst = append(append(dst, toMAC[:]...), to.AsSlice()...)
	return append(dst, make([]byte, start+minFrame-len(dst))...)
}
