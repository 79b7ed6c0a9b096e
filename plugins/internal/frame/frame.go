// Package frame finds the payload in a captured frame and makes the kernel filters that choose frames. It is
// pure, and nothing it reads can make it panic.
//
// Layers: Parse (link header, VLAN tags left in the frame, IPv4 header -> IP), echo.go (BPF programs). IPv6,
// MPLS and UDP are not read yet.
package frame

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"echogram/plugins/internal/capture"
)

// Ether types.
const (
	etherIPv4 = 0x0800
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad
)

// Lengths of the headers.
const (
	ethernetLen = 14
	vlanLen     = 4
	ipv4MinLen  = 20
)

// ProtoICMP is ICMP's IPv4 protocol number.
const ProtoICMP = 1

// Errors of Parse.
var (
	ErrShort    = errors.New("frame: cut inside its headers")
	ErrNotIP    = errors.New("frame: not IPv4")
	ErrFragment = errors.New("frame: a later fragment")
)

// IP is what a frame's IP header says.
type IP struct {
	Src, Dst netip.Addr
	Proto    uint8
	TTL      uint8
	Payload  []byte // cut to the header's total length, so that Ethernet padding is gone
	Cut      bool   // the capture, or fragmentation, left out a part of the payload
}

// Parse reads a frame from its link header on.
func Parse(data []byte, link capture.LinkType) (IP, error) {
	if link == capture.LinkEthernet {
		var err error
		if data, err = skipEthernet(data); err != nil {
			return IP{}, err
		}
	}
	return parseIPv4(data)
}

// skipEthernet takes the Ethernet header and up to two VLAN tags off.
func skipEthernet(data []byte) ([]byte, error) {
	if len(data) < ethernetLen {
		return nil, ErrShort
	}
	etherType := binary.BigEndian.Uint16(data[12:])
	data = data[ethernetLen:]
	for range 2 {
		if etherType != etherVLAN && etherType != etherQinQ {
			break
		}
		if len(data) < vlanLen {
			return nil, ErrShort
		}
		etherType = binary.BigEndian.Uint16(data[2:])
		data = data[vlanLen:]
	}
	if etherType != etherIPv4 {
		return nil, ErrNotIP
	}
	return data, nil
}

func parseIPv4(b []byte) (IP, error) {
	if len(b) < ipv4MinLen {
		return IP{}, ErrShort
	}
	ihl := int(b[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>4 != 4 || ihl < ipv4MinLen || total < ihl {
		return IP{}, ErrNotIP
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	if fragment&0x1fff != 0 {
		return IP{}, ErrFragment
	}
	if len(b) < ihl {
		return IP{}, ErrShort
	}
	ip := IP{
		Src:   netip.AddrFrom4([4]byte(b[12:16])),
		Dst:   netip.AddrFrom4([4]byte(b[16:20])),
		Proto: b[9],
		TTL:   b[8],
		Cut:   len(b) < total || fragment&0x2000 != 0,
	}
	ip.Payload = b[ihl:min(len(b), total)]
	return ip, nil
}
