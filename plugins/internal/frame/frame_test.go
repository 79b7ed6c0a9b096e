package frame

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
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

func ethernet(etherType uint16, payload []byte) []byte {
	b := append(bytes.Repeat([]byte{2, 0, 0, 0, 0, 7}, 2), byte(etherType>>8), byte(etherType))
	return append(b, payload...)
}

func TestParse(t *testing.T) {
	payload := []byte("payload")
	packet := ipv4(ProtoICMP, 0, payload)
	vlan := append([]byte{0, 42, 0x08, 0}, packet...)
	for name, c := range map[string]struct {
		data []byte
		link capture.LinkType
	}{
		"ethernet":       {ethernet(etherIPv4, packet), capture.LinkEthernet},
		"padded":         {append(ethernet(etherIPv4, packet), 0, 0, 0, 0), capture.LinkEthernet},
		"VLAN":           {ethernet(etherVLAN, vlan), capture.LinkEthernet},
		"VLAN in a VLAN": {ethernet(etherQinQ, append([]byte{0, 7, 0x81, 0}, vlan...)), capture.LinkEthernet},
		"raw":            {packet, capture.LinkRaw},
		"with options":   {ipv4(ProtoICMP, 8, payload), capture.LinkRaw},
	} {
		ip, err := Parse(c.data, c.link)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ip.Src != netip.MustParseAddr("192.0.2.1") || ip.Dst != netip.MustParseAddr("198.51.100.2") ||
			ip.TTL != 57 || ip.Proto != ProtoICMP || ip.Cut || !bytes.Equal(ip.Payload, payload) {
			t.Errorf("%s: got %+v", name, ip)
		}
	}
}

func TestParseCut(t *testing.T) {
	packet := ipv4(ProtoICMP, 0, make([]byte, 100))
	if ip, err := Parse(packet[:60], capture.LinkRaw); err != nil || !ip.Cut || len(ip.Payload) != 40 {
		t.Errorf("got %+v, %v", ip, err)
	}
	packet[6] = 0x20 // more fragments
	if ip, err := Parse(packet, capture.LinkRaw); err != nil || !ip.Cut {
		t.Errorf("a first fragment gives %+v, %v", ip, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		link capture.LinkType
		want error
	}{
		"empty":             {nil, capture.LinkRaw, ErrShort},
		"half an ethernet":  {make([]byte, 13), capture.LinkEthernet, ErrShort},
		"half a VLAN tag":   {ethernet(etherVLAN, []byte{0, 1}), capture.LinkEthernet, ErrShort},
		"three VLAN tags":   {ethernet(etherVLAN, []byte{0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 8, 0}), capture.LinkEthernet, ErrNotIP},
		"ARP":               {ethernet(0x0806, make([]byte, 28)), capture.LinkEthernet, ErrNotIP},
		"IPv6":              {append([]byte{0x60}, make([]byte, 39)...), capture.LinkRaw, ErrNotIP},
		"header of 16":      {append([]byte{0x44, 0, 0, 40}, make([]byte, 36)...), capture.LinkRaw, ErrNotIP},
		"shorter than said": {append([]byte{0x45, 0, 0, 19}, make([]byte, 36)...), capture.LinkRaw, ErrNotIP},
		"cut in options":    {ipv4(1, 40, nil)[:30], capture.LinkRaw, ErrShort},
		"later fragment":    {append([]byte{0x45, 0, 0, 40, 0, 0, 0, 1}, make([]byte, 32)...), capture.LinkRaw, ErrFragment},
	} {
		if _, err := Parse(c.data, c.link); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestEchoFilter(t *testing.T) {
	const id = 0x1234
	request := icmpecho.AppendRequest(nil, id, 5, []byte("cookiecookie"))
	reply := append([]byte(nil), request...)
	reply[0] = icmpecho.TypeEchoReply
	about := func(kind byte, quoted []byte) []byte {
		return append([]byte{kind, 1, 0, 0, 0, 0, 0, 0}, quoted...)
	}
	quote := func(options int, of []byte) []byte { return ipv4(ProtoICMP, options, of) }
	alien := icmpecho.AppendRequest(nil, id+1, 5, nil)
	fragment := ipv4(ProtoICMP, 0, request)
	fragment[7] = 9
	for _, c := range []struct {
		name   string
		packet []byte
		pass   bool
	}{
		{"request", ipv4(ProtoICMP, 0, request), true},
		{"reply", ipv4(ProtoICMP, 0, reply), true},
		{"reply behind options", ipv4(ProtoICMP, 12, reply), true},
		{"another process's request", ipv4(ProtoICMP, 0, alien), false},
		{"unreachable", ipv4(ProtoICMP, 0, about(3, quote(0, request))), true},
		{"unreachable, options on both", ipv4(ProtoICMP, 8, about(3, quote(16, request[:8]))), true},
		{"source quench", ipv4(ProtoICMP, 0, about(4, quote(0, request))), true},
		{"time exceeded", ipv4(ProtoICMP, 0, about(11, quote(0, request))), true},
		{"parameter problem", ipv4(ProtoICMP, 0, about(12, quote(0, request))), true},
		{"redirect", ipv4(ProtoICMP, 0, about(5, quote(0, request))), false},
		{"unreachable about another process", ipv4(ProtoICMP, 0, about(3, quote(0, alien))), false},
		{"unreachable about UDP", ipv4(ProtoICMP, 0, about(3, ipv4(17, 0, request))), false},
		{"UDP", ipv4(17, 0, request), false},
		{"later fragment", fragment, false},
		{"timestamp request", ipv4(ProtoICMP, 0, about(13, nil)), false},
	} {
		for link, data := range map[capture.LinkType][]byte{
			capture.LinkEthernet: ethernet(etherIPv4, c.packet), capture.LinkRaw: c.packet,
		} {
			if got := runFilter(t, EchoFilter(id, link, 0xffff), data) > 0; got != c.pass {
				t.Errorf("%s, link type %d: passes %v, want %v", c.name, link, got, c.pass)
			}
		}
	}
	if runFilter(t, EchoFilter(id, capture.LinkEthernet, 0xffff), ethernet(0x86dd, make([]byte, 60))) != 0 {
		t.Error("IPv6 passes")
	}
	if runFilter(t, EchoFilter(id, capture.LinkRaw, 0xffff), append([]byte{0x60}, make([]byte, 60)...)) != 0 {
		t.Error("raw IPv6 passes")
	}
}

func runFilter(t *testing.T, prog []bpf.Instruction, data []byte) int {
	t.Helper()
	if _, err := bpf.Assemble(prog); err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func FuzzParse(f *testing.F) {
	f.Add(ethernet(etherVLAN, append([]byte{0, 42, 0x08, 0}, ipv4(1, 8, []byte("abc"))...)), true)
	f.Add(ipv4(1, 0, nil), false)
	f.Fuzz(func(t *testing.T, data []byte, eth bool) {
		link := capture.LinkRaw
		if eth {
			link = capture.LinkEthernet
		}
		if ip, err := Parse(data, link); err == nil && len(ip.Payload) > len(data) {
			t.Errorf("%x: payload longer than the frame", data)
		}
	})
}
