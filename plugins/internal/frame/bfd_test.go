package frame

import (
	"encoding/binary"
	"testing"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
)

// passes tells of each kind of filter whether it lets a frame pass: without tunnels, with them.
func passes(t *testing.T, link capture.LinkType, data []byte) [2]bool {
	t.Helper()
	var got [2]bool
	for i, tunnels := range []bool{false, true} {
		got[i] = runFilter(t, BFDFilter(link, 0xffff, BFDOptions{Tunnels: tunnels}), data) > 0
	}
	return got
}

// to4 and to6 are packets of an empty datagram between the ports.
func to4(src, dst uint16) []byte { return ipv4(protoUDP, 0, udp(src, dst, nil)) }
func to6(src, dst uint16) []byte { return ipv6(protoUDP, udp(src, dst, nil)) }

// TestBFDFilterIP holds what passes on links of both kinds, and below up to two tags.
func TestBFDFilterIP(t *testing.T) {
	always, tunnels, never := [2]bool{true, true}, [2]bool{false, true}, [2]bool{}
	first, later := to4(9, bfdwire.PortEcho), to4(9, bfdwire.PortEcho)
	laterGRE := ipv4(protoGRE, 0, make([]byte, 8))
	first[6], later[7], laterGRE[7] = 0x20, 9, 9
	for name, c := range map[string]struct {
		packet []byte
		want   [2]bool
	}{
		"control":                    {to4(9, bfdwire.PortControl), always},
		"echo":                       {to4(9, bfdwire.PortEcho), always},
		"multihop":                   {to4(9, bfdwire.PortMultihop), always},
		"micro":                      {to4(9, bfdwire.PortMicro), always},
		"S-BFD":                      {to4(9, bfdwire.PortSBFD), always},
		"S-BFD's reply":              {to4(bfdwire.PortSBFD, 9), always},
		"from control's port":        {to4(bfdwire.PortControl, 9), never},
		"another port":               {to4(9, 3786), never},
		"options":                    {ipv4(protoUDP, 40, udp(9, bfdwire.PortEcho, nil)), always},
		"first fragment":             {first, always},
		"later fragment":             {later, never},
		"TCP":                        {ipv4(6, 0, udp(9, bfdwire.PortEcho, nil)), never},
		"ICMP about it":              {ipv4(ProtoICMP, 0, about(3, to4(9, bfdwire.PortEcho))), never},
		"IPv6":                       {to6(9, bfdwire.PortControl), always},
		"IPv6, S-BFD's reply":        {to6(bfdwire.PortSBFD, 9), always},
		"IPv6, another port":         {to6(9, 80), never},
		"IPv6, options":              {ipv6(0, extension(60, extension(protoUDP, udp(9, bfdwire.PortEcho, nil)))), always},
		"IPv6, first fragment":       {ipv6(44, fragment(0, 1, make([]byte, 9))), always},
		"IPv6, later fragment":       {ipv6(44, fragment(1, 0, make([]byte, 9))), never},
		"IPv6, authentication":       {ipv6(51, extension(protoUDP, udp(9, bfdwire.PortEcho, nil))), never},
		"ICMPv6 about it":            {ipv6(ProtoICMPv6, about(1, to6(9, bfdwire.PortEcho))), never},
		"VXLAN":                      {to4(9, portVXLAN), tunnels},
		"VXLAN, Linux":               {to4(9, portOldVXLAN), tunnels},
		"Geneve, IPv6":               {to6(9, portGeneve), tunnels},
		"MPLS in UDP":                {to4(9, portMPLS), tunnels},
		"GRE":                        {ipv4(protoGRE, 0, make([]byte, 8)), tunnels},
		"GRE, later fragment":        {laterGRE, never},
		"GRE over IPv6":              {ipv6(protoGRE, make([]byte, 8)), tunnels},
		"IP in IP":                   {ipv4(protoIPv4, 0, to4(9, 9)), tunnels},
		"6 in 4":                     {ipv4(protoIPv6, 0, to6(9, 9)), tunnels},
		"MPLS in IP":                 {ipv4(protoMPLS, 0, make([]byte, 8)), tunnels},
		"VXLAN's port as the source": {to4(portVXLAN, 9), never},
	} {
		etherType := uint16(etherIPv4)
		if c.packet[0]>>4 == 6 {
			etherType = etherIPv6
		}
		for where, got := range map[string][2]bool{
			"Ethernet": passes(t, capture.LinkEthernet, ethernet(etherType, c.packet)),
			"one tag":  passes(t, capture.LinkEthernet, ethernet(etherVLAN, tagged(etherType, c.packet))),
			"two tags": passes(t, capture.LinkEthernet, ethernet(etherQinQ, tagged(etherOldQinQ, tagged(etherType, c.packet)))),
			"raw":      passes(t, capture.LinkRaw, c.packet),
		} {
			if got != c.want {
				t.Errorf("%s, %s: passes %v, want %v", name, where, got, c.want)
			}
		}
	}
}

func TestBFDFilterFrames(t *testing.T) {
	always, tunnels, never := [2]bool{true, true}, [2]bool{false, true}, [2]bool{}
	bfd := to4(9, bfdwire.PortControl)
	for name, c := range map[string]struct {
		data []byte
		want [2]bool
	}{
		"BFD":              {ethernet(etherIPv4, bfd), always},
		"three tags":       {ethernet(etherVLAN, tagged(etherVLAN, tagged(etherVLAN, tagged(etherIPv4, bfd)))), never},
		"MPLS":             {ethernet(etherMPLS, label(1, true, bfd)), tunnels},
		"MPLS in a VLAN":   {ethernet(etherVLAN, tagged(etherMPLSGroup, label(1, true, bfd))), tunnels},
		"PPPoE":            {ethernet(etherPPPoE, make([]byte, 40)), tunnels},
		"ARP":              {ethernet(etherARP, make([]byte, 28)), never},
		"a header alone":   {ethernet(etherIPv4, nil), never},
		"a tag alone":      {ethernet(etherVLAN, nil), never},
		"not even one":     {[]byte{1, 2, 3}, never},
		"cut in the ports": {ethernet(etherIPv4, bfd)[:14+20+3], never},
	} {
		if got := passes(t, capture.LinkEthernet, c.data); got != c.want {
			t.Errorf("%s: passes %v, want %v", name, got, c.want)
		}
	}
	if got := passes(t, capture.LinkRaw, append([]byte{0x55}, bfd[1:]...)); got != never {
		t.Errorf("IP version 5: passes %v", got)
	}
	if n := runFilter(t, BFDFilter(capture.LinkRaw, 96, BFDOptions{}), bfd); n != 96 {
		t.Errorf("%d bytes are kept of a frame, want 96", n)
	}
}

// FuzzBFDFilter: the kernel withholds nothing that user space would take for BFD.
func FuzzBFDFilter(f *testing.F) {
	for _, c := range wrappings() {
		f.Add(c.data, c.link == capture.LinkRaw)
	}
	f.Fuzz(func(t *testing.T, data []byte, raw bool) {
		p := capture.Packet{Data: data, Link: capture.LinkEthernet}
		if raw {
			p.Link = capture.LinkRaw
		}
		var d Datagram
		if ParseUDP(&p, &d) != nil || !isBFD(&d) {
			return
		}
		tags, session := 0, false
		if !raw {
			tags, session = around(data)
		}
		if tags > 2 {
			return
		}
		got := passes(t, p.Link, data)
		if !got[1] || !got[0] && d.Tunnel == NoTunnel && !session {
			t.Errorf("%x of link type %d: passes %v", data, p.Link, got)
		}
	})
}

func isBFD(d *Datagram) bool {
	switch d.DstPort {
	case bfdwire.PortControl, bfdwire.PortEcho, bfdwire.PortMultihop, bfdwire.PortMicro, bfdwire.PortSBFD:
		return true
	}
	return d.SrcPort == bfdwire.PortSBFD
}

// around counts the VLAN tags of an Ethernet frame, and tells if it is one of a PPPoE session.
func around(data []byte) (tags int, session bool) {
	for at := 12; ; at += vlanLen {
		switch binary.BigEndian.Uint16(data[at:]) {
		case etherVLAN, etherQinQ, etherOldQinQ:
			tags++
		default:
			return tags, binary.BigEndian.Uint16(data[at:]) == etherPPPoE
		}
	}
}
