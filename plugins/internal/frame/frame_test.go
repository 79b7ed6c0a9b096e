package frame

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

var (
	src4, dst4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

// ipv4 is an IPv4 header with options bytes of options, and payload behind it.
func ipv4(proto byte, options int, payload []byte) []byte {
	total := 20 + options + len(payload)
	b := []byte{
		byte(0x40 | (20+options)/4), 0, byte(total >> 8), byte(total),
		0x12, 0x34, 0x40, 0, // identification, don't fragment
		57, proto, 0, 0,
		192, 0, 2, 1, // source
		198, 51, 100, 2, // destination
	}
	b = append(b, bytes.Repeat([]byte{1}, options)...) // no-operation options
	return append(b, payload...)
}

// ipv6 is an IPv6 header whose next header is next, and payload, extension headers included, behind it.
func ipv6(next byte, payload []byte) []byte {
	s, d := src6.As16(), dst6.As16()
	b := []byte{0x60, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload)), next, 57}
	return append(append(append(b, s[:]...), d[:]...), payload...)
}

// extension is an extension header of eight bytes that next follows, and what is behind it. As a fragment's header
// it belongs to a whole packet.
func extension(next byte, behind []byte) []byte {
	return append([]byte{next, 0, 0, 0, 0, 0, 0, 0}, behind...)
}

// fragment is a fragment's header that ICMPv6 follows: its offset in 8 bytes, and whether more follow.
func fragment(offset uint16, more byte, behind []byte) []byte {
	return append([]byte{ProtoICMPv6, 0, byte(offset >> 5), byte(offset<<3) | more, 0, 0, 0, 9}, behind...)
}

func ethernet(etherType uint16, payload []byte) []byte {
	b := append(bytes.Repeat([]byte{2, 0, 0, 0, 0, 7}, 2), byte(etherType>>8), byte(etherType))
	return append(b, payload...)
}

// sll and sll2 are the headers of Linux's cooked captures.
func sll(etherType uint16, payload []byte) []byte {
	return append([]byte{0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0, byte(etherType >> 8), byte(etherType)}, payload...)
}

func sll2(etherType uint16, payload []byte) []byte {
	return append([]byte{byte(etherType >> 8), byte(etherType), 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 7, 0, 0}, payload...)
}

func tagged(etherType uint16, payload []byte) []byte {
	return append([]byte{0, 42, byte(etherType >> 8), byte(etherType)}, payload...)
}

func TestParse(t *testing.T) {
	payload := []byte("payload")
	four, six := ipv4(ProtoICMP, 0, payload), ipv6(ProtoICMPv6, payload)
	for name, c := range map[string]struct {
		data []byte
		link capture.LinkType
	}{
		"ethernet":             {ethernet(etherIPv4, four), capture.LinkEthernet},
		"padded":               {append(ethernet(etherIPv4, four), 0, 0, 0, 0), capture.LinkEthernet},
		"VLAN":                 {ethernet(etherVLAN, tagged(etherIPv4, four)), capture.LinkEthernet},
		"VLAN in a VLAN":       {ethernet(etherQinQ, tagged(etherVLAN, tagged(etherIPv4, four))), capture.LinkEthernet},
		"raw":                  {four, capture.LinkRaw},
		"with options":         {ipv4(ProtoICMP, 8, payload), capture.LinkRaw},
		"cooked":               {sll(etherIPv4, four), capture.LinkSLL},
		"cooked VLAN":          {sll(etherVLAN, tagged(etherIPv4, four)), capture.LinkSLL},
		"cooked 2":             {sll2(etherIPv4, four), capture.LinkSLL2},
		"loopback, big endian": {append([]byte{0, 0, 0, 2}, four...), capture.LinkNull},
		"loopback":             {append([]byte{2, 0, 0, 0}, four...), capture.LinkNull},
		"IPv6 ethernet":        {ethernet(etherIPv6, six), capture.LinkEthernet},
		"IPv6 padded":          {append(ethernet(etherIPv6, six), 0, 0, 0, 0), capture.LinkEthernet},
		"IPv6 VLAN":            {ethernet(etherVLAN, tagged(etherIPv6, six)), capture.LinkEthernet},
		"IPv6 raw":             {six, capture.LinkRaw},
		"IPv6 cooked":          {sll(etherIPv6, six), capture.LinkSLL},
		"IPv6 cooked 2":        {sll2(etherIPv6, six), capture.LinkSLL2},
		"IPv6 loopback, Linux": {append([]byte{10, 0, 0, 0}, six...), capture.LinkNull},
		"IPv6 loopback, BSD":   {append([]byte{0, 0, 0, 24}, six...), capture.LinkNull},
		"IPv6 loopback, macOS": {append([]byte{30, 0, 0, 0}, six...), capture.LinkNull},
		"extension headers":    {ipv6(0, extension(43, extension(60, extension(44, fragment(0, 0, payload))))), capture.LinkRaw},
	} {
		want := IP{Src: src4, Dst: dst4, Proto: ProtoICMP, TTL: 57}
		ip, err := Parse(c.data, c.link)
		if ip.Src.Is6() {
			want = IP{Src: src6, Dst: dst6, Proto: ProtoICMPv6, TTL: 57}
		}
		if err != nil || !same(ip, want, payload) {
			t.Errorf("%s: got %+v, %v", name, ip, err)
		}
	}
}

func same(got, want IP, payload []byte) bool {
	return got.Src == want.Src && got.Dst == want.Dst && got.Proto == want.Proto && got.TTL == want.TTL &&
		got.Cut == want.Cut && got.Fragment == want.Fragment && bytes.Equal(got.Payload, payload)
}

func TestParseCut(t *testing.T) {
	four, six := ipv4(ProtoICMP, 0, make([]byte, 100)), ipv6(ProtoICMPv6, make([]byte, 100))
	if ip, err := Parse(four[:60], capture.LinkRaw); err != nil || !ip.Cut || ip.Fragment || len(ip.Payload) != 40 {
		t.Errorf("cut IPv4: got %+v, %v", ip, err)
	}
	if ip, err := Parse(six[:60], capture.LinkRaw); err != nil || !ip.Cut || ip.Fragment || len(ip.Payload) != 20 {
		t.Errorf("cut IPv6: got %+v, %v", ip, err)
	}
	four[6] = 0x20 // more fragments
	if ip, err := Parse(four, capture.LinkRaw); err != nil || !ip.Cut || !ip.Fragment || len(ip.Payload) != 100 {
		t.Errorf("a first fragment of IPv4 gives %+v, %v", ip, err)
	}
	six = ipv6(44, fragment(0, 1, make([]byte, 100)))
	if ip, err := Parse(six, capture.LinkRaw); err != nil || !ip.Cut || !ip.Fragment || len(ip.Payload) != 100 {
		t.Errorf("a first fragment of IPv6 gives %+v, %v", ip, err)
	}
}

func TestParseRefuses(t *testing.T) {
	four, six := ipv4(ProtoICMP, 0, []byte("payload")), ipv6(ProtoICMPv6, []byte("payload"))
	options := ipv6(0, extension(ProtoICMPv6, nil))
	options[5] = 7 // shorter than its extension header
	for name, c := range map[string]struct {
		data []byte
		link capture.LinkType
		want error
	}{
		"empty":                {nil, capture.LinkRaw, ErrShort},
		"half an ethernet":     {make([]byte, 13), capture.LinkEthernet, ErrShort},
		"ethernet alone":       {ethernet(etherIPv4, nil), capture.LinkEthernet, ErrShort},
		"half a VLAN tag":      {ethernet(etherVLAN, []byte{0, 1}), capture.LinkEthernet, ErrShort},
		"three VLAN tags":      {ethernet(etherVLAN, tagged(etherVLAN, tagged(etherVLAN, tagged(etherIPv4, four)))), capture.LinkEthernet, ErrNotIP},
		"ARP":                  {ethernet(0x0806, make([]byte, 28)), capture.LinkEthernet, ErrNotIP},
		"IPv6 called IPv4":     {ethernet(etherIPv4, six), capture.LinkEthernet, ErrNotIP},
		"IPv4 called IPv6":     {sll(etherIPv6, four), capture.LinkSLL, ErrNotIP},
		"half a cooked header": {sll(etherIPv4, nil)[:15], capture.LinkSLL, ErrShort},
		"half of cooked 2":     {sll2(etherIPv4, nil)[:19], capture.LinkSLL2, ErrShort},
		"loopback, no family":  {[]byte{0, 0, 0}, capture.LinkNull, ErrShort},
		"loopback, family 7":   {append([]byte{0, 0, 0, 7}, four...), capture.LinkNull, ErrNotIP},
		"version 5":            {append([]byte{0x55}, four[1:]...), capture.LinkRaw, ErrNotIP},
		"header of 16":         {append([]byte{0x44, 0, 0, 40}, make([]byte, 36)...), capture.LinkRaw, ErrNotIP},
		"shorter than said":    {append([]byte{0x45, 0, 0, 19}, make([]byte, 36)...), capture.LinkRaw, ErrNotIP},
		"IPv6 shorter":         {options, capture.LinkRaw, ErrNotIP},
		"cut in options":       {ipv4(1, 40, nil)[:30], capture.LinkRaw, ErrShort},
		"cut in an extension":  {ipv6(0, extension(ProtoICMPv6, nil))[:47], capture.LinkRaw, ErrShort},
		"later fragment":       {append([]byte{0x45, 0, 0, 40, 0, 0, 0, 1}, make([]byte, 32)...), capture.LinkRaw, ErrFragment},
		"IPv6 later fragment":  {ipv6(44, fragment(1, 1, []byte("payload"))), capture.LinkRaw, ErrFragment},
	} {
		if _, err := Parse(c.data, c.link); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	four, six := ethernet(etherIPv4, ipv4(ProtoICMP, 8, nil)), ethernet(etherIPv6, ipv6(0, extension(ProtoICMPv6, nil)))
	msg4, msg6 := icmpecho.AppendRequest(nil, false, 1, 2, nil), icmpecho.AppendRequest(nil, true, 1, 2, nil)
	buf := make([]byte, 0, 100)
	for name, f := range map[string]func(){
		"Parse, IPv4":      func() { Parse(four, capture.LinkEthernet) },
		"Parse, IPv6":      func() { Parse(six, capture.LinkEthernet) },
		"AppendICMP, IPv4": func() { AppendICMP(buf, Ethernet{}, src4, dst4, IPOptions{}, 1, msg4) },
		"AppendICMP, IPv6": func() { AppendICMP(buf, Ethernet{}, src6, dst6, IPOptions{}, 1, msg6) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(ethernet(etherVLAN, tagged(etherIPv4, ipv4(1, 8, []byte("abc")))), uint8(capture.LinkEthernet))
	f.Add(ethernet(etherIPv6, ipv6(0, extension(44, fragment(0, 1, []byte("abc"))))), uint8(capture.LinkEthernet))
	f.Add(ipv4(1, 0, nil), uint8(capture.LinkRaw))
	f.Add(sll(etherIPv6, ipv6(58, nil)), uint8(capture.LinkSLL))
	f.Add(sll2(etherIPv4, ipv4(1, 0, nil)), uint8(capture.LinkSLL2))
	f.Add(append([]byte{0, 0, 0, 28}, ipv6(58, nil)...), uint8(capture.LinkNull))
	f.Fuzz(func(t *testing.T, data []byte, link uint8) {
		ip, err := Parse(data, capture.LinkType(link))
		if err != nil {
			return
		}
		if len(ip.Payload) > len(data)-20 || ip.Src.BitLen() != ip.Dst.BitLen() || ip.Fragment && !ip.Cut {
			t.Errorf("%x: %+v", data, ip)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, data := range map[string][]byte{
		"IPv4":                       ethernet(etherIPv4, ipv4(ProtoICMP, 0, make([]byte, 20))),
		"IPv6":                       ethernet(etherIPv6, ipv6(ProtoICMPv6, make([]byte, 20))),
		"IPv6 with extension header": ethernet(etherIPv6, ipv6(0, extension(ProtoICMPv6, make([]byte, 20)))),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Parse(data, capture.LinkEthernet)
			}
		})
	}
}
