package netlab

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// Ethernet, IP and UDP as far as a WAN reads them. It shares no code with whom it judges.
const (
	etherHeader    = 14
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	protocolUDP    = 17
	udpHeader      = 8
	icmp6FirstND   = 133 // router solicitation
	icmp6LastND    = 137 // redirect
	bfdControl     = 3784
	bfdEcho        = 3785
	bfdMultihop    = 4784
	bfdMicro       = 6784
	bfdSeamless    = 7784
	fragmentOffset = 0x1fff
)

// ReadPassage says what a WAN takes an Ethernet frame for: Kind, Key, TTL and Bytes are set.
func ReadPassage(frame []byte) Passage {
	p := Passage{Bytes: len(frame)}
	if len(frame) < etherHeader {
		return p
	}
	packet := frame[etherHeader:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case etherIPv4:
		p.ipv4(packet)
	case etherIPv6:
		p.ipv6(packet)
	}
	return p
}

func (p *Passage) ipv4(b []byte) {
	if len(b) < ipv4Header {
		return
	}
	p.Kind, p.TTL = FrameIP, b[8]
	header := int(b[0]&15) * 4
	if b[9] != protocolUDP || len(b) < header || binary.BigEndian.Uint16(b[6:])&fragmentOffset != 0 {
		return
	}
	p.udp(b[header:], EchoKey{
		Src: netip.AddrFrom4([4]byte(b[12:])), Dst: netip.AddrFrom4([4]byte(b[16:])), ID: binary.BigEndian.Uint16(b[4:]),
	})
}

func (p *Passage) ipv6(b []byte) {
	if len(b) < ipv6Header {
		return
	}
	p.Kind, p.TTL = FrameIP, b[7]
	rest := b[ipv6Header:]
	switch {
	case b[6] == protocolICMPv6 && len(rest) > 0 && rest[0] >= icmp6FirstND && rest[0] <= icmp6LastND:
		p.Kind = FrameLocal
	case b[6] == protocolUDP:
		p.udp(rest, EchoKey{Src: netip.AddrFrom16([16]byte(b[8:])), Dst: netip.AddrFrom16([16]byte(b[24:]))})
	}
}

func (p *Passage) udp(b []byte, key EchoKey) {
	if len(b) < udpHeader {
		return
	}
	switch binary.BigEndian.Uint16(b[2:]) {
	case bfdControl, bfdMultihop, bfdMicro, bfdSeamless:
		p.Kind = FrameControl
	case bfdEcho:
		end := min(max(int(binary.BigEndian.Uint16(b[4:])), udpHeader), len(b)) // behind it is padding
		h := fnv.New64a()
		h.Write(b[udpHeader:end])
		key.SrcPort, key.Payload = binary.BigEndian.Uint16(b), h.Sum64()
		p.Kind, p.Key = FrameEcho, key
	}
}
