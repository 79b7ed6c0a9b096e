package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/ipheader"
)

var (
	ownMAC   = MAC{2, 0, 0, 0, 0, 1}
	otherMAC = MAC{2, 0, 0, 0, 0, 9}
	own4     = netip.MustParseAddr("192.0.2.1")
	other4   = netip.MustParseAddr("192.0.2.9")
	own6     = netip.MustParseAddr("2001:db8::1")
	other6   = netip.MustParseAddr("2001:db8::ab:cdef")
)

// question is what the other host is asked.
func question(own, other netip.Addr) Neighbour {
	return Neighbour{Ethernet: Ethernet{Src: ownMAC}, MAC: ownMAC, From: own, Addr: other}
}

func unhex(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNeighbourBytes(t *testing.T) {
	padding := strings.Repeat("00", 18)
	for name, c := range map[string]struct{ got, want []byte }{
		"ARP request": {AppendWhoHas(nil, ownMAC, own4, other4), unhex(t,
			"ffffffffffff", "020000000001", "0806", // to all, from us, ARP
			"0001", "0800", "06", "04", "0001", // Ethernet, IPv4, their lengths, request
			"020000000001", "c0000201", // sender
			"000000000000", "c0000209", // target
			padding)},
		"ARP reply": {AppendIsAt(nil, question(own4, other4), otherMAC), unhex(t,
			"020000000001", "020000000009", "0806",
			"0001", "0800", "06", "04", "0002",
			"020000000009", "c0000209",
			"020000000001", "c0000201",
			padding)},
		"solicitation": {AppendWhoHas(nil, ownMAC, own6, other6), unhex(t,
			"3333ffabcdef", "020000000001", "86dd",
			"60000000", "0020", "3a", "ff", // 32 bytes of ICMPv6, hop limit 255
			"20010db8000000000000000000000001",
			"ff0200000000000000000001ffabcdef", // solicited-node group
			"87", "00", "7ef5", "00000000",     // type, code, checksum, reserved
			"20010db8000000000000000000abcdef",
			"01", "01", "020000000001")}, // source link-layer address
		"advertisement": {AppendIsAt(nil, question(own6, other6), otherMAC), unhex(t,
			"020000000001", "020000000009", "86dd",
			"60000000", "0020", "3a", "ff",
			"20010db8000000000000000000abcdef",
			"20010db8000000000000000000000001",
			"88", "00", "ed38", "60000000", // solicited, override
			"20010db8000000000000000000abcdef",
			"02", "01", "020000000009")}, // target link-layer address
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, c.got, c.want)
		}
	}
}

// TestNeighbourAgainstGopacket holds what is appended against another codec, checksums included.
func TestNeighbourAgainstGopacket(t *testing.T) {
	for _, f := range [][]byte{
		AppendWhoHas(nil, ownMAC, own4, other4), AppendIsAt(nil, question(own4, other4), otherMAC),
	} {
		p := gopacket.NewPacket(f, layers.LayerTypeEthernet, gopacket.Default)
		a, ok := p.Layer(layers.LayerTypeARP).(*layers.ARP)
		if p.ErrorLayer() != nil || !ok {
			t.Fatalf("%x: %v", f, p)
		}
		n, err := ParseNeighbour(f)
		if err != nil || n.Tells != (a.Operation == layers.ARPReply) || !bytes.Equal(n.MAC[:], a.SourceHwAddress) ||
			!bytes.Equal(n.From.AsSlice(), a.SourceProtAddress) || !bytes.Equal(n.To.AsSlice(), a.DstProtAddress) {
			t.Errorf("%+v, %v; gopacket: %+v", n, err, a)
		}
	}
	for _, f := range [][]byte{
		AppendWhoHas(nil, ownMAC, own6, other6), AppendIsAt(nil, question(own6, other6), otherMAC),
		AppendIsAt(nil, question(netip.IPv6Unspecified(), other6), otherMAC),
	} {
		p := gopacket.NewPacket(f, layers.LayerTypeEthernet, gopacket.Default)
		if p.ErrorLayer() != nil {
			t.Fatalf("%x: %v", f, p.ErrorLayer().Error())
		}
		if again := remake(t, p); !bytes.Equal(again, f) {
			t.Errorf("\ngot      %x\ngopacket %x", f, again)
		}
	}
}

// remake has gopacket write the layers of p again, with lengths and checksums of its own.
func remake(t *testing.T, p gopacket.Packet) []byte {
	t.Helper()
	var all []gopacket.SerializableLayer
	for _, l := range p.Layers() {
		if icmp, ok := l.(*layers.ICMPv6); ok {
			icmp.SetNetworkLayerForChecksum(p.NetworkLayer())
		}
		all = append(all, l.(gopacket.SerializableLayer))
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestParseNeighbour(t *testing.T) {
	for _, c := range []struct{ own, other, group netip.Addr }{
		{own4, other4, other4}, {own6, other6, solicitedNode(other6)},
	} {
		n, err := ParseNeighbour(AppendWhoHas(nil, ownMAC, c.own, c.other))
		if err != nil || n.Tells || n.Src != ownMAC || n.MAC != ownMAC || n.From != c.own || n.Addr != c.other || n.To != c.group || n.Probe() {
			t.Errorf("question: %+v, %v", n, err)
		}
		n, err = ParseNeighbour(AppendIsAt(nil, n, otherMAC))
		if err != nil || !n.Tells || n.Dst != ownMAC || n.MAC != otherMAC || n.From != c.other || n.Addr != c.other || n.To != c.own {
			t.Errorf("answer: %+v, %v", n, err)
		}
	}
}

func TestProbes(t *testing.T) {
	for name, f := range map[string][]byte{
		"ARP":                 AppendWhoHas(nil, otherMAC, netip.IPv4Unspecified(), own4),
		"neighbour discovery": probe6(), // ours come with the option, which a probe must not have
	} {
		if n, err := ParseNeighbour(f); err != nil || !n.Probe() || n.MAC != otherMAC {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
	// The answer to a probe of neighbour discovery goes to all.
	n, err := ParseNeighbour(AppendIsAt(nil, question(netip.IPv6Unspecified(), other6), otherMAC))
	if err != nil || n.To != allNodes || n.Dst != multicastMAC(allNodes) || n.MAC != otherMAC {
		t.Errorf("%+v, %v", n, err)
	}
}

// probe6 is a solicitation from nobody, without options.
func probe6() []byte {
	return bend6(AppendWhoHas(nil, otherMAC, netip.IPv6Unspecified(), own6), func(b []byte) []byte {
		b[19] = ndpLen
		return b[:ethernetLen+ipheader.V6Len+ndpLen]
	})
}

// bend6 changes a message of neighbour discovery and makes its checksum right again.
func bend6(b []byte, f func(b []byte) []byte) []byte {
	b = f(b)
	src, dst := netip.AddrFrom16([16]byte(b[22:])), netip.AddrFrom16([16]byte(b[38:]))
	icmpecho.PutChecksum6(b[ethernetLen+ipheader.V6Len:], src, dst)
	return b
}

func TestParseNeighbourRefuses(t *testing.T) {
	const m = ethernetLen + ipheader.V6Len // where ICMPv6 begins
	set := func(at int, v byte) func(b []byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	cut := func(n int) func(b []byte) []byte { return func(b []byte) []byte { return b[:n] } }
	for name, c := range map[string]struct {
		bend func(b []byte) []byte
		want error
	}{
		"empty":              {cut(0), ErrShort},
		"half an Ethernet":   {cut(13), ErrShort},
		"IPv4":               {set(13, 0), ErrNotNeighbour},
		"cut":                {cut(ethernetLen + arpLen - 1), ErrShort},
		"another hardware":   {set(15, 6), ErrNotNeighbour},
		"another protocol":   {set(16, 0x86), ErrNotNeighbour},
		"longer MAC":         {set(18, 8), ErrNotNeighbour},
		"longer address":     {set(19, 16), ErrNotNeighbour},
		"reverse ARP":        {set(21, 3), ErrNotNeighbour},
		"with a VLAN's tag":  {func(b []byte) []byte { b[12], b[13] = 0x81, 0; return b }, ErrNotNeighbour},
		"operation too high": {set(20, 1), ErrNotNeighbour},
	} {
		if _, err := ParseNeighbour(c.bend(AppendWhoHas(nil, ownMAC, own4, other4))); !errors.Is(err, c.want) {
			t.Errorf("ARP, %s: got %v, want %v", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		bend func(b []byte) []byte
		want error
	}{
		"cut in its head":       {cut(m + ndpLen - 1), ErrShort},
		"cut in its options":    {cut(m + ndpLen + 7), ErrShort},
		"version 4":             {set(ethernetLen, 0x40), ErrNotIP},
		"UDP":                   {set(ethernetLen+6, 17), ErrNotNeighbour},
		"from behind a router":  {set(ethernetLen+7, 254), ErrNotNeighbour},
		"shorter than its head": {set(ethernetLen+5, ndpLen-1), ErrShort},
		"echo request":          {set(m, 128), ErrNotNeighbour},
		"code 1":                {set(m+1, 1), ErrNotNeighbour},
		"for a group":           {set(m+8, 0xff), ErrNotNeighbour},
		"from a group":          {set(ethernetLen+8, 0xff), ErrNotNeighbour},
		"option of no length":   {set(m+ndpLen+1, 0), ErrNotNeighbour},
		"option too long":       {set(m+ndpLen+1, 2), ErrNotNeighbour},
		"solicited by all": {func(b []byte) []byte {
			b[m], b[m+4] = typeAdvertisement, flagSolicited
			return b
		}, ErrNotNeighbour},
	} {
		b := c.bend(AppendWhoHas(nil, ownMAC, own6, other6))
		if len(b) >= m+ndpLen {
			b = bend6(b, func(b []byte) []byte { return b })
		}
		if _, err := ParseNeighbour(b); !errors.Is(err, c.want) {
			t.Errorf("neighbour discovery, %s: got %v, want %v", name, err, c.want)
		}
	}
	flipped := AppendWhoHas(nil, ownMAC, own6, other6)
	flipped[len(flipped)-1] ^= 1
	if _, err := ParseNeighbour(flipped); !errors.Is(err, ErrNotNeighbour) {
		t.Errorf("a flipped bit gives %v", err)
	}
	if _, err := ParseNeighbour(AppendWhoHas(nil, ownMAC, netip.IPv6Unspecified(), own6)); !errors.Is(err, ErrNotNeighbour) {
		t.Errorf("a probe with a source option gives %v", err)
	}
}

// TestNoOption: the answer to a unicast question may lack its option, and others may stand before it.
func TestNoOption(t *testing.T) {
	answer := AppendIsAt(nil, question(own6, other6), otherMAC)
	answer = bend6(answer, func(b []byte) []byte {
		b[ethernetLen+5] = ndpLen
		return b[:ethernetLen+ipheader.V6Len+ndpLen]
	})
	if n, err := ParseNeighbour(answer); err != nil || n.MAC != otherMAC {
		t.Errorf("%+v, %v", n, err)
	}
	nonce := append([]byte{14, 1, 1, 2, 3, 4, 5, 6, optionTarget, 1}, ownMAC[:]...) // RFC 3971
	answer = bend6(answer, func(b []byte) []byte {
		b[ethernetLen+5] = ndpLen + 2*optionLen
		return append(b, nonce...)
	})
	if n, err := ParseNeighbour(answer); err != nil || n.MAC != ownMAC {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestNeighbourFilter(t *testing.T) {
	echo6 := bend6(AppendWhoHas(nil, ownMAC, own6, other6), func(b []byte) []byte { b[54] = 128; return b })
	udp6 := AppendWhoHas(nil, ownMAC, own6, other6)
	udp6[20] = 17
	for name, c := range map[string]struct {
		data []byte
		pass bool
	}{
		"ARP request":    {AppendWhoHas(nil, ownMAC, own4, other4), true},
		"ARP reply":      {AppendIsAt(nil, question(own4, other4), otherMAC), true},
		"solicitation":   {AppendWhoHas(nil, ownMAC, own6, other6), true},
		"advertisement":  {AppendIsAt(nil, question(own6, other6), otherMAC), true},
		"probe":          {probe6(), true},
		"ICMPv6 echo":    {echo6, false},
		"UDP over IPv6":  {udp6, false},
		"IPv4":           {ethernet(etherIPv4, ipv4(ProtoICMP, 0, nil)), false},
		"cut in IPv6":    {udp6[:20], false},
		"ARP in a VLAN":  {ethernet(etherVLAN, []byte{0, 1, 8, 6}), false},
		"cut before ARP": {udp6[:13], false},
	} {
		if got := runFilter(t, NeighbourFilter(), c.data) > 0; got != c.pass {
			t.Errorf("%s: passes %v, want %v", name, got, c.pass)
		}
	}
}

// FuzzParseNeighbour: every question that can be read can be answered, and the answer reads as what it says.
func FuzzParseNeighbour(f *testing.F) {
	f.Add(AppendWhoHas(nil, ownMAC, own4, other4))
	f.Add(AppendIsAt(nil, question(own4, other4), otherMAC))
	f.Add(AppendWhoHas(nil, ownMAC, own6, other6))
	f.Add(AppendIsAt(nil, question(own6, other6), otherMAC))
	f.Add(probe6())
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := ParseNeighbour(data)
		if err != nil || q.Tells {
			return
		}
		a, err := ParseNeighbour(AppendIsAt(nil, q, otherMAC))
		if err != nil || !a.Tells || a.Addr != q.Addr || a.MAC != otherMAC {
			t.Errorf("%x: %+v, answered by %+v, %v", data, q, a, err)
		}
	})
}
