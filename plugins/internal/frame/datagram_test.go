package frame

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"echogram/plugins/internal/capture"
)

// A datagram's ports in tests.
const testSrcPort, testDstPort = 49152, 3784

// udp is a datagram between the ports.
func udp(src, dst uint16, payload []byte) []byte {
	n := udpLen + len(payload)
	return append([]byte{byte(src >> 8), byte(src), byte(dst >> 8), byte(dst), byte(n >> 8), byte(n), 0, 0}, payload...)
}

// bfd4 and bfd6 are packets of a datagram that holds payload.
func bfd4(payload string) []byte {
	return ipv4(protoUDP, 0, udp(testSrcPort, testDstPort, []byte(payload)))
}

func bfd6(payload string) []byte {
	return ipv6(protoUDP, udp(testSrcPort, testDstPort, []byte(payload)))
}

// tag is a VLAN tag of tci that etherType follows.
func tag(tci, etherType uint16, behind []byte) []byte {
	return append([]byte{byte(tci >> 8), byte(tci), byte(etherType >> 8), byte(etherType)}, behind...)
}

// label is an entry of a label stack with TTL 64.
func label(n uint32, bottom bool, behind []byte) []byte {
	entry := []byte{byte(n >> 12), byte(n >> 4), byte(n << 4), 64}
	if bottom {
		entry[2] |= 1
	}
	return append(entry, behind...)
}

// inner is an Ethernet frame inside a tunnel, from 02:00:00:00:00:01 to 00:52:02:00:00:02.
func inner(etherType uint16, payload []byte) []byte {
	head := []byte{0, 0x52, 2, 0, 0, 2, 2, 0, 0, 0, 0, 1, byte(etherType >> 8), byte(etherType)}
	return append(head, payload...)
}

// outer is an IPv4 packet between tunnel ends, 203.0.113.1 and 203.0.113.2.
func outer(proto byte, payload []byte) []byte {
	b := ipv4(proto, 0, payload)
	copy(b[12:], []byte{203, 0, 113, 1, 203, 0, 113, 2})
	return b
}

func vxlan(vni byte, frame []byte) []byte {
	return outer(protoUDP, udp(5, portVXLAN, append([]byte{8, 0, 0, 0, 0, 0, vni, 0}, frame...)))
}

func geneve(options byte, etherType uint16, behind []byte) []byte {
	head := append([]byte{options, 0x80, byte(etherType >> 8), byte(etherType), 0, 1, 2, 0}, make([]byte, 4*int(options))...)
	return outer(protoUDP, udp(5, portGeneve, append(head, behind...)))
}

// gre is GRE with all of its optional fields: checksum, key 7, sequence number.
func gre(etherType uint16, behind []byte) []byte {
	return outer(protoGRE, append([]byte{
		0xb0, 0, byte(etherType >> 8), byte(etherType),
		0xab, 0xcd, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1,
	}, behind...))
}

// ach is an associated channel header.
func ach(channel byte, behind []byte) []byte { return append([]byte{0x10, 0, 0, channel}, behind...) }

// four and six are what bfd4 and bfd6 are read as on a link without a header.
func four() Datagram {
	return Datagram{
		Src: src4, Dst: dst4, TTL: 57, ID: 0x1234, HasID: true, SrcPort: testSrcPort, DstPort: testDstPort,
		Payload: []byte("payload"), Len: 7,
	}
}

func six() Datagram {
	d := four()
	d.Src, d.Dst, d.ID, d.HasID = src6, dst6, 0, false
	return d
}

// equal compares all of two datagrams; of no payload there are two kinds.
func equal(a, b Datagram) bool {
	same := bytes.Equal(a.Payload, b.Payload)
	a.Payload, b.Payload = nil, nil
	return same && reflect.DeepEqual(a, b)
}

// plainMAC is what ethernet writes.
func plainMAC(d *Datagram) {
	d.SrcMAC, d.DstMAC = MAC{2, 0, 0, 0, 0, 7}, MAC{2, 0, 0, 0, 0, 7}
	d.HasSrcMAC, d.HasDstMAC = true, true
}

func sourceMAC(d *Datagram) { d.SrcMAC, d.HasSrcMAC = MAC{2, 0, 0, 0, 0, 7}, true }

func vlans(ids ...uint16) func(*Datagram) {
	return func(d *Datagram) { copy(d.VLANs[:], ids) }
}

func through(t Tunnel) func(*Datagram) {
	return func(d *Datagram) {
		d.Tunnel = t
		d.OuterSrc, d.OuterDst = netip.AddrFrom4([4]byte{203, 0, 113, 1}), netip.AddrFrom4([4]byte{203, 0, 113, 2})
	}
}

func network(id uint32) func(*Datagram) { return func(d *Datagram) { d.VNI, d.HasVNI = id, true } }

func labelled(t Tunnel, n uint32) func(*Datagram) {
	return func(d *Datagram) { d.Tunnel, d.Label = t, n }
}

func innerMAC(d *Datagram) {
	d.SrcMAC, d.DstMAC = MAC{2, 0, 0, 0, 0, 1}, MAC{0, 0x52, 2, 0, 0, 2}
	d.HasSrcMAC, d.HasDstMAC = true, true
}

type wrapping struct {
	data   []byte
	link   capture.LinkType
	want   Datagram
	change []func(*Datagram)
}

// wrappings are all ways to find a datagram.
func wrappings() map[string]wrapping {
	type f = []func(*Datagram)
	p4, p6 := bfd4("payload"), bfd6("payload")
	padded := append(bytes.Clone(p4), make([]byte, 11)...)
	options := ipv4(protoUDP, 12, udp(testSrcPort, testDstPort, []byte("payload")))
	return map[string]wrapping{
		"Ethernet":          {ethernet(etherIPv4, p4), capture.LinkEthernet, four(), f{plainMAC}},
		"Ethernet, padded":  {ethernet(etherIPv4, padded), capture.LinkEthernet, four(), f{plainMAC}},
		"options":           {ethernet(etherIPv4, options), capture.LinkEthernet, four(), f{plainMAC}},
		"IPv6":              {ethernet(etherIPv6, p6), capture.LinkEthernet, six(), f{plainMAC}},
		"extension headers": {ipv6(0, extension(60, extension(protoUDP, p6[40:]))), capture.LinkRaw, six(), nil},
		"raw":               {p4, capture.LinkRaw, four(), nil},
		"raw IPv6":          {p6, capture.LinkRaw, six(), nil},
		"loopback":          {append([]byte{2, 0, 0, 0}, p4...), capture.LinkNull, four(), nil},
		"cooked":            {sll(etherIPv4, p4), capture.LinkSLL, four(), f{sourceMAC}},
		"cooked 2":          {sll2(etherIPv6, p6), capture.LinkSLL2, six(), f{sourceMAC}},
		"cooked VLAN":       {sll(etherVLAN, tag(3, etherIPv4, p4)), capture.LinkSLL, four(), f{sourceMAC, vlans(3)}},
		"VLAN":              {ethernet(etherVLAN, tag(0xe005, etherIPv4, p4)), capture.LinkEthernet, four(), f{plainMAC, vlans(5)}},
		"priority":          {ethernet(etherVLAN, tag(0xe000, etherIPv4, p4)), capture.LinkEthernet, four(), f{plainMAC}},
		"three tags": {
			ethernet(etherOldQinQ, tag(1, etherQinQ, tag(2, etherVLAN, tag(4095, etherIPv6, p6)))),
			capture.LinkEthernet, six(), f{plainMAC, vlans(1, 2, 4095)},
		},
		"five tags": {
			ethernet(etherQinQ, tag(1, etherVLAN, tag(2, etherVLAN, tag(3, etherVLAN, tag(4, etherVLAN, tag(5, etherIPv4, p4)))))),
			capture.LinkEthernet, four(), f{plainMAC, vlans(1, 2, 3, 4)},
		},
		"PPPoE": {
			ethernet(etherPPPoE, append([]byte{0x11, 0, 0, 9, 0, 37, 0, pppIPv4}, p4...)),
			capture.LinkEthernet, four(), f{plainMAC},
		},
		"MPLS": {
			ethernet(etherMPLS, label(100, false, label(1048575, true, p4))),
			capture.LinkEthernet, four(), f{plainMAC, labelled(MPLS, 1048575)},
		},
		"MPLS, IPv6, VLAN": {
			ethernet(etherVLAN, tag(8, etherMPLSGroup, label(2, true, p6))),
			capture.LinkEthernet, six(), f{plainMAC, vlans(8), labelled(MPLS, 2)},
		},
		"VCCV": {
			ethernet(etherMPLS, label(16, false, label(17, true, ach(pppIPv4, p4)))),
			capture.LinkEthernet, four(), f{plainMAC, labelled(VCCV, 17)},
		},
		"VCCV, IPv6": {
			ethernet(etherMPLS, label(17, true, ach(pppIPv6, p6))),
			capture.LinkEthernet, six(), f{plainMAC, labelled(VCCV, 17)},
		},
		"generic channel": {
			ethernet(etherMPLS, label(16, false, label(genericACH, true, ach(pppIPv4, p4)))),
			capture.LinkEthernet, four(), f{plainMAC, labelled(MPLS, 16)},
		},
		"MPLS in UDP": {
			outer(protoUDP, udp(9, portMPLS, label(33, true, p4))),
			capture.LinkRaw, four(), f{through(MPLS), labelled(MPLS, 33)},
		},
		"MPLS in IP": {outer(protoMPLS, label(33, true, p6)), capture.LinkRaw, six(), f{through(MPLS), labelled(MPLS, 33)}},
		"GRE":        {outer(protoGRE, append([]byte{0, 0, 8, 0}, p4...)), capture.LinkRaw, four(), f{through(GRE)}},
		"GRE, key":   {ethernet(etherIPv4, gre(etherIPv6, p6)), capture.LinkEthernet, six(), f{plainMAC, through(GRE), network(7)}},
		"GRE, Ethernet": {
			gre(etherBridged, inner(etherVLAN, tag(6, etherIPv4, p4))),
			capture.LinkRaw, four(), f{through(GRE), network(7), innerMAC, vlans(6)},
		},
		"GRE, MPLS": {gre(etherMPLS, label(5, true, p4)), capture.LinkRaw, four(), f{through(GRE), network(7), labelled(GRE, 5)}},
		"IP in IP":  {outer(protoIPv4, p4), capture.LinkRaw, four(), f{through(IPIP)}},
		"6 in 4":    {outer(protoIPv6, p6), capture.LinkRaw, six(), f{through(IPIP)}},
		"VXLAN": {
			ethernet(etherVLAN, tag(5, etherIPv4, vxlan(1, inner(etherIPv4, p4)))),
			capture.LinkEthernet, four(), f{through(VXLAN), network(1), innerMAC, vlans(5)},
		},
		"VXLAN, padded inside": {
			vxlan(255, inner(etherIPv4, padded)), capture.LinkRaw, four(), f{through(VXLAN), network(255), innerMAC},
		},
		"Geneve": {geneve(0, etherBridged, inner(etherIPv6, p6)), capture.LinkRaw, six(), f{through(Geneve), network(258), innerMAC}},
		"Geneve, options, IP": {
			geneve(3, etherIPv4, p4), capture.LinkRaw, four(), f{through(Geneve), network(258)},
		},
		"VXLAN in GRE in labels": {
			ethernet(etherMPLS, label(3, true, gre(etherIPv4, vxlan(4, inner(etherIPv4, p4))))),
			capture.LinkEthernet, four(), f{through(VXLAN), network(4), innerMAC},
		},
	}
}

func TestParseUDP(t *testing.T) {
	d := Datagram{VLANs: [MaxVLANs]uint16{9, 9, 9, 9}, Label: 9, HasVNI: true} // what an earlier frame left
	for name, c := range wrappings() {
		for _, change := range c.change {
			change(&c.want)
		}
		if err := ParseUDP(&capture.Packet{Data: c.data, Link: c.link}, &d); err != nil || !equal(d, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, d, c.want)
		}
	}
}

func TestTunnelNames(t *testing.T) {
	for tunnel, want := range map[Tunnel]string{
		NoTunnel: "", GRE: "gre", VXLAN: "vxlan", Geneve: "geneve", MPLS: "mpls", VCCV: "vccv", IPIP: "ipip", IPIP + 1: "unknown",
	} {
		if tunnel.String() != want {
			t.Errorf("%d is %q, want %q", tunnel, tunnel, want)
		}
	}
}

// TestTagTakenOff: the tag that the kernel took off is the outermost, unless it bears a priority alone.
func TestTagTakenOff(t *testing.T) {
	for tci, want := range map[uint16][MaxVLANs]uint16{0x600a: {10, 3}, 0x6000: {3}} {
		var d Datagram
		p := capture.Packet{Data: ethernet(etherVLAN, tag(3, etherIPv4, bfd4(""))), VLAN: tci, HasVLAN: true}
		if err := ParseUDP(&p, &d); err != nil || d.VLANs != want {
			t.Errorf("%#x: %v, %v", tci, d.VLANs, err)
		}
	}
}

// TestSnap: a capture that ends inside the payload leaves its length known.
func TestSnap(t *testing.T) {
	whole := ethernet(etherVLAN, tag(5, etherIPv4, vxlan(1, inner(etherIPv4, bfd4("payload")))))
	for n := range whole {
		var d Datagram
		err := ParseUDP(&capture.Packet{Data: whole[:n]}, &d)
		if n < len(whole)-7 {
			if !errors.Is(err, ErrShort) {
				t.Errorf("%d bytes: %v", n, err)
			}
			continue
		}
		if err != nil || d.Len != 7 || string(d.Payload) != "payload"[:n-len(whole)+7] {
			t.Errorf("%d bytes: %q of %d, %v", n, d.Payload, d.Len, err)
		}
	}
}

func TestFirstFragment(t *testing.T) {
	first := ipv4(protoUDP, 0, udp(testSrcPort, testDstPort, make([]byte, 100))[:48])
	first[6] = 0x20
	six := ipv6(44, append([]byte{protoUDP, 0, 0, 1, 0, 0, 0, 9}, first[20:]...))
	for _, b := range [][]byte{first, six} {
		var d Datagram
		if err := ParseUDP(&capture.Packet{Data: b, Link: capture.LinkRaw}, &d); err != nil || d.Len != 100 || len(d.Payload) != 40 {
			t.Errorf("%d of %d bytes, %v", len(d.Payload), d.Len, err)
		}
	}
}

func TestParseUDPRefuses(t *testing.T) {
	bend := func(b []byte, at int, v byte) []byte { b[at] = v; return b }
	quote := append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, bfd4("payload")...)
	deep := bfd4("payload")
	for range maxTunnels + 1 {
		deep = outer(protoIPv4, deep)
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"ARP":                         {ethernet(etherARP, make([]byte, 28)), ErrNotIP},
		"another version":             {ethernet(etherIPv6, bfd4("")), ErrNotIP},
		"total length below its head": {ethernet(etherIPv4, bend(bfd4(""), 3, 19)), ErrNotIP},
		"later fragment":              {ethernet(etherIPv4, bend(bfd4(""), 7, 1)), ErrFragment},
		"later fragment, IPv6":        {ethernet(etherIPv6, ipv6(44, fragment(3, 0, make([]byte, 40)))), ErrFragment},
		"TCP":                         {ethernet(etherIPv4, ipv4(6, 0, make([]byte, 20))), ErrNotUDP},
		"ICMP about BFD":              {ethernet(etherIPv4, ipv4(ProtoICMP, 0, quote)), ErrICMP},
		"ICMPv6 about BFD":            {ethernet(etherIPv6, ipv6(ProtoICMPv6, quote)), ErrICMP},
		"ICMP in VXLAN":               {ethernet(etherIPv4, vxlan(1, inner(etherIPv4, ipv4(ProtoICMP, 0, quote)))), ErrICMP},
		"half a UDP header":           {ethernet(etherIPv4, ipv4(protoUDP, 0, make([]byte, 7))), ErrShort},
		"UDP length of 7":             {ethernet(etherIPv4, bend(bfd4(""), 25, 7)), ErrNotUDP},
		"UDP above IP":                {ethernet(etherIPv4, bend(bfd4(""), 25, 9)), ErrNotUDP},
		"GRE version 1":               {ethernet(etherIPv4, bend(gre(etherIPv4, bfd4("")), 21, 1)), ErrNotIP},
		"GRE with a route":            {ethernet(etherIPv4, bend(gre(etherIPv4, bfd4("")), 20, 0x40)), ErrNotIP},
		"GRE with CDP":                {ethernet(etherIPv4, gre(0x2000, bfd4(""))), ErrNotIP},
		"VXLAN without a VNI":         {ethernet(etherIPv4, bend(vxlan(1, inner(etherIPv4, bfd4(""))), 28, 0)), ErrNotIP},
		"Geneve version 1":            {ethernet(etherIPv4, bend(geneve(0, etherIPv4, bfd4("")), 28, 0x40)), ErrNotIP},
		"Geneve's options cut":        {ethernet(etherIPv4, outer(protoUDP, udp(1, portGeneve, []byte{2, 0, 8, 0, 0, 0, 0, 0}))), ErrShort},
		"no bottom of the stack":      {ethernet(etherMPLS, label(1, false, label(2, false, nil))), ErrShort},
		"nothing below labels":        {ethernet(etherMPLS, label(1, true, nil)), ErrShort},
		"BFD without IP":              {ethernet(etherMPLS, label(1, true, ach(7, make([]byte, 24)))), ErrNotIP},
		"pseudowire":                  {ethernet(etherMPLS, label(1, true, make([]byte, 60))), ErrNotIP},
		"half a channel header":       {ethernet(etherMPLS, label(1, true, []byte{0x10, 0, 0})), ErrShort},
		"PPPoE discovery":             {ethernet(etherPPPoE, []byte{0x11, 9, 0, 0, 0, 4, 0, pppIPv4}), ErrNotIP},
		"PPPoE, LCP":                  {ethernet(etherPPPoE, []byte{0x11, 0, 0, 9, 0, 4, 0xc0, 0x21}), ErrNotIP},
		"half a PPPoE header":         {ethernet(etherPPPoE, []byte{0x11, 0, 0, 9}), ErrShort},
		"too deep":                    {ethernet(etherIPv4, deep), ErrNotUDP},
	} {
		if err := ParseUDP(&capture.Packet{Data: c.data}, new(Datagram)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestParseUDPAllocatesNothing(t *testing.T) {
	var d Datagram
	for name, c := range wrappings() {
		p := capture.Packet{Data: c.data, Link: c.link}
		if n := testing.AllocsPerRun(10, func() { ParseUDP(&p, &d) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzParseUDP: nothing panics, and what is read lies in the frame.
func FuzzParseUDP(f *testing.F) {
	for _, c := range wrappings() {
		f.Add(c.data, uint8(c.link))
	}
	f.Fuzz(func(t *testing.T, data []byte, link uint8) {
		var d Datagram
		if ParseUDP(&capture.Packet{Data: data, Link: capture.LinkType(link)}, &d) != nil {
			return
		}
		if len(d.Payload) > d.Len || d.Len > 0xffff-udpLen || !bytes.Contains(data, d.Payload) {
			t.Errorf("%x: %d bytes of %d", data, len(d.Payload), d.Len)
		}
		if d.OuterSrc.IsValid() && d.Tunnel == NoTunnel || !d.Src.IsValid() || d.Src.Is4() != d.HasID || d.Src.Is4() != d.Dst.Is4() {
			t.Errorf("%x: %+v", data, d)
		}
	})
}

func BenchmarkParseUDP(b *testing.B) {
	p4 := bfd4("twenty-four bytes of BFD")
	for name, p := range map[string]capture.Packet{
		"plain": {Data: ethernet(etherIPv4, p4)},
		"IPv6":  {Data: ethernet(etherIPv6, bfd6("twenty-four bytes of BFD"))},
		"VXLAN": {Data: ethernet(etherVLAN, tag(5, etherIPv4, vxlan(1, inner(etherIPv4, p4))))},
	} {
		b.Run(name, func(b *testing.B) {
			var d Datagram
			b.ReportAllocs()
			for b.Loop() {
				if err := ParseUDP(&p, &d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
