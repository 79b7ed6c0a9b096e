package frame

import (
	"testing"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

const testID = 0x1234

// about is an ICMP error, of either family, that quotes.
func about(kind byte, quoted []byte) []byte {
	return append([]byte{kind, 1, 0, 0, 0, 0, 0, 0}, quoted...)
}

// links is a packet on each link that the kernel brings.
func links(packet []byte) map[capture.LinkType][]byte {
	etherType := uint16(etherIPv4)
	if len(packet) > 0 && packet[0]>>4 == 6 {
		etherType = etherIPv6
	}
	return map[capture.LinkType][]byte{capture.LinkEthernet: ethernet(etherType, packet), capture.LinkRaw: packet}
}

// checkFilter holds a filter's verdict on a packet, and that a packet which passes needs just its first need bytes
// for that.
func checkFilter(t *testing.T, name string, packet []byte, need int) {
	t.Helper()
	for link, data := range links(packet) {
		prog := EchoFilter(testID, link, 0xffff)
		if got := runFilter(t, prog, data) > 0; got != (need > 0) {
			t.Errorf("%s, link type %d: passes %v", name, link, got)
		}
		head := len(data) - len(packet)
		for n := range head + need {
			if runFilter(t, prog, data[:n]) != 0 {
				t.Errorf("%s, link type %d: %d bytes of it pass", name, link, n)
			}
		}
		if need > 0 && runFilter(t, prog, data[:head+need]) == 0 {
			t.Errorf("%s, link type %d: cut to %d bytes it does not pass", name, link, head+need)
		}
	}
}

func TestEchoFilterIPv4(t *testing.T) {
	request := icmpecho.AppendRequest(nil, false, testID, 5, []byte("cookiecookie"))
	alien := icmpecho.AppendRequest(nil, false, testID+1, 5, nil)
	reply := append([]byte{icmpecho.TypeEchoReply}, request[1:]...)
	quote := func(options int, of []byte) []byte { return ipv4(ProtoICMP, options, of) }
	later, first := ipv4(ProtoICMP, 0, request), ipv4(ProtoICMP, 0, request)
	later[7], first[6] = 9, 0x20
	for _, c := range []struct {
		name   string
		packet []byte
		need   int // bytes up to the identifier's end if it is to pass
	}{
		{"request", ipv4(ProtoICMP, 0, request), 26},
		{"reply", ipv4(ProtoICMP, 0, reply), 26},
		{"reply behind options", ipv4(ProtoICMP, 12, reply), 38},
		{"reply behind the longest options", ipv4(ProtoICMP, 40, reply), 66},
		{"first fragment", first, 26},
		{"another process's request", ipv4(ProtoICMP, 0, alien), 0},
		{"unreachable", ipv4(ProtoICMP, 0, about(3, quote(0, request))), 54},
		{"unreachable, options on both", ipv4(ProtoICMP, 8, about(3, quote(16, request[:8]))), 78},
		{"source quench", ipv4(ProtoICMP, 0, about(4, quote(0, request))), 54},
		{"time exceeded", ipv4(ProtoICMP, 0, about(11, quote(0, request))), 54},
		{"parameter problem", ipv4(ProtoICMP, 0, about(12, quote(0, request))), 54},
		{"redirect", ipv4(ProtoICMP, 0, about(5, quote(0, request))), 0},
		{"unreachable about another process", ipv4(ProtoICMP, 0, about(3, quote(0, alien))), 0},
		{"unreachable about UDP", ipv4(ProtoICMP, 0, about(3, ipv4(17, 0, request))), 0},
		{"UDP", ipv4(17, 0, request), 0},
		{"ICMPv6 in IPv4", ipv4(ProtoICMPv6, 0, request), 0},
		{"ICMPv6's types", ipv4(ProtoICMP, 0, append([]byte{128}, request[1:]...)), 0},
		{"later fragment", later, 0},
		{"timestamp request", ipv4(ProtoICMP, 0, append([]byte{13}, request[1:]...)), 0},
	} {
		checkFilter(t, c.name, c.packet, c.need)
	}
}

func TestEchoFilterIPv6(t *testing.T) {
	request := icmpecho.AppendRequest(nil, true, testID, 5, []byte("cookiecookie"))
	alien := icmpecho.AppendRequest(nil, true, testID+1, 5, nil)
	typed := func(kind byte) []byte { return append([]byte{kind}, request[1:]...) }
	quote := ipv6(ProtoICMPv6, request)
	icmp := func(msg []byte) []byte { return ipv6(ProtoICMPv6, msg) }
	for _, c := range []struct {
		name   string
		packet []byte
		need   int // bytes that the filter reads if it is to pass
	}{
		{"request", icmp(request), 46},
		{"reply", icmp(typed(icmpecho.Type6EchoReply)), 46},
		{"another process's request", icmp(alien), 0},
		{"unreachable", icmp(about(1, quote)), 94},
		{"packet too big", icmp(about(2, quote)), 94},
		{"time exceeded", icmp(about(3, quote)), 94},
		{"parameter problem", icmp(about(4, quote[:48])), 94},
		{"type 0", icmp(about(0, quote)), 0},
		{"type 5", icmp(about(5, quote)), 0},
		{"redirect", icmp(about(137, quote)), 0},
		{"neighbour solicitation", icmp(typed(135)), 0},
		{"ICMPv4's types", icmp(typed(8)), 0},
		{"unreachable about another process", icmp(about(1, ipv6(ProtoICMPv6, alien))), 0},
		{"unreachable about UDP", icmp(about(1, ipv6(17, request))), 0},
		{"UDP", ipv6(17, request), 0},
		{"ICMPv4 in IPv6", ipv6(ProtoICMP, request), 0},
		{"authentication header", ipv6(51, request), 0},
		{"hop-by-hop options", ipv6(0, extension(ProtoICMPv6, request)), 7},
		{"routing", ipv6(43, extension(ProtoICMPv6, request)), 7},
		{"destination options", ipv6(60, extension(ProtoICMPv6, request)), 7},
		{"first fragment", ipv6(44, fragment(0, 1, request)), 44},
		{"atomic fragment", ipv6(44, fragment(0, 0, request)), 44},
		{"second fragment", ipv6(44, fragment(1, 1, request)), 0},
		{"last fragment", ipv6(44, fragment(0x1fff, 0, request)), 0},
		{"unreachable quoting options", icmp(about(1, ipv6(0, extension(ProtoICMPv6, request)))), 55},
		{"unreachable quoting routing", icmp(about(1, ipv6(43, extension(ProtoICMPv6, request)))), 55},
		{"unreachable quoting destination options", icmp(about(1, ipv6(60, extension(ProtoICMPv6, request)))), 55},
		{"too big quoting a first fragment", icmp(about(2, ipv6(44, fragment(0, 1, request)))), 92},
		{"unreachable quoting a later fragment", icmp(about(1, ipv6(44, fragment(2, 0, request)))), 0},
	} {
		checkFilter(t, c.name, c.packet, c.need)
	}
}

func TestEchoFilterOtherFrames(t *testing.T) {
	request := icmpecho.AppendRequest(nil, false, testID, 5, nil)
	for name, data := range map[string][]byte{
		"ARP":          ethernet(0x0806, ipv4(ProtoICMP, 0, request)),
		"a tag in it":  ethernet(etherVLAN, tagged(etherIPv4, ipv4(ProtoICMP, 0, request))),
		"the header":   ethernet(etherIPv4, nil),
		"not even one": {1, 2, 3},
	} {
		if runFilter(t, EchoFilter(testID, capture.LinkEthernet, 0xffff), data) != 0 {
			t.Errorf("%s passes", name)
		}
	}
	if runFilter(t, EchoFilter(testID, capture.LinkRaw, 0xffff), append([]byte{0x55}, ipv4(ProtoICMP, 0, request)[1:]...)) != 0 {
		t.Error("IP version 5 passes")
	}
	if n := runFilter(t, EchoFilter(testID, capture.LinkRaw, 96), ipv4(ProtoICMP, 0, request)); n != 96 {
		t.Errorf("%d bytes are kept of a frame, want 96", n)
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

// wanted tells what user space makes of a packet: an echo, or an error about one, of our identifier.
func wanted(packet []byte) bool {
	ip, err := Parse(packet, capture.LinkRaw)
	if err != nil || ip.Src.Is4() && ip.Proto != ProtoICMP || ip.Src.Is6() && ip.Proto != ProtoICMPv6 {
		return false
	}
	m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, true)
	if err != nil {
		return false
	}
	if m.Kind == icmpecho.Error {
		q, err := icmpecho.ParseQuote(m.Payload)
		return err == nil && q.ID == testID && q.Dst.Is4() == ip.Src.Is4()
	}
	return m.Kind != icmpecho.Other && m.ID == testID
}

// FuzzEchoFilter: the kernel withholds nothing that user space wants.
func FuzzEchoFilter(f *testing.F) {
	request4, request6 := icmpecho.AppendRequest(nil, false, testID, 5, nil), icmpecho.AppendRequest(nil, true, testID, 5, nil)
	for _, packet := range [][]byte{
		ipv4(ProtoICMP, 4, request4),
		ipv4(ProtoICMP, 0, about(11, ipv4(ProtoICMP, 8, request4))),
		ipv6(ProtoICMPv6, request6),
		ipv6(0, extension(44, fragment(0, 1, request6))),
		ipv6(ProtoICMPv6, about(1, ipv6(ProtoICMPv6, request6))),
		ipv6(ProtoICMPv6, about(2, ipv6(60, extension(ProtoICMPv6, request6)))),
	} {
		if !wanted(packet) {
			f.Fatalf("not wanted: %x", packet)
		}
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if !wanted(packet) {
			return
		}
		for link, data := range links(packet) {
			if runFilter(t, EchoFilter(testID, link, 0xffff), data) == 0 {
				t.Errorf("link type %d: %x is withheld", link, data)
			}
		}
	})
}
