package netlab

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// request is an echo request from 198.19.0.1 to 198.18.0.7 with a checksum that is right.
func request(t *testing.T) []byte {
	t.Helper()
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 0x1234, Seq: 5, Data: []byte("abcdefghijklm")}}
	body, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	packet := append([]byte{
		0x45, 0, 0, byte(ipv4Header + len(body)), // version, length of header; TOS; length of packet
		0, 1, 0x40, 0, // id, do not fragment
		3, protocolICMP, 0, 0, // TTL, protocol, checksum
		198, 19, 0, 1,
		198, 18, 0, 7,
	}, body...)
	finishHeader(packet[:ipv4Header])
	return packet
}

func TestMakeReply(t *testing.T) {
	packet := request(t)
	payload, ok := isEchoRequest(packet)
	if !ok || payload != ipv4Header {
		t.Fatalf("isEchoRequest = %d, %v", payload, ok)
	}
	makeReply(packet, payload)
	if got := netip.AddrFrom4([4]byte(packet[12:16])).String(); got != "198.18.0.7" {
		t.Errorf("source %s", got)
	}
	if checksum(packet[:ipv4Header]) != 0 || checksum(packet[ipv4Header:]) != 0 {
		t.Error("a checksum is wrong")
	}
	m, err := icmp.ParseMessage(protocolICMP, packet[ipv4Header:])
	if err != nil {
		t.Fatal(err)
	}
	echo, ok := m.Body.(*icmp.Echo)
	if m.Type != ipv4.ICMPTypeEchoReply || !ok || echo.ID != 0x1234 || echo.Seq != 5 || string(echo.Data) != "abcdefghijklm" {
		t.Errorf("reply %+v %+v", m, m.Body)
	}
}

func TestAppendErrorQuotesAll(t *testing.T) {
	packet := request(t)
	out := appendError([]byte("before"), packet, [4]byte{198, 19, 0, 2}, codeProhibited)[len("before"):]
	if checksum(out[:ipv4Header]) != 0 || checksum(out[ipv4Header:]) != 0 {
		t.Error("a checksum is wrong")
	}
	if int(out[2])<<8|int(out[3]) != len(out) {
		t.Errorf("length %d, have %d", int(out[2])<<8|int(out[3]), len(out))
	}
	if !bytes.Equal(out[12:20], []byte{198, 19, 0, 2, 198, 19, 0, 1}) {
		t.Errorf("addresses %v", out[12:20])
	}
	if out[ipv4Header] != icmpUnreachable || out[ipv4Header+1] != codeProhibited {
		t.Errorf("type and code %v", out[ipv4Header:ipv4Header+2])
	}
	if !bytes.Equal(out[ipv4Header+icmpHeader:], packet) {
		t.Error("the quote differs from the packet")
	}
}

func TestIsEchoRequestRefuses(t *testing.T) {
	for name, bend := range map[string]func(p []byte) []byte{
		"empty":        func([]byte) []byte { return nil },
		"IPv6":         func(p []byte) []byte { p[0] = 0x65; return p },
		"UDP":          func(p []byte) []byte { p[9] = 17; return p },
		"fragment":     func(p []byte) []byte { p[7] = 1; return p },
		"short header": func(p []byte) []byte { p[0] = 0x44; return p },
		"cut":          func(p []byte) []byte { return p[:ipv4Header+icmpHeader-1] },
		"reply":        func(p []byte) []byte { p[ipv4Header] = icmpEchoReply; return p },
	} {
		if _, ok := isEchoRequest(bend(request(t))); ok {
			t.Errorf("%s: taken for an echo request", name)
		}
	}
}

func TestChecksumOddLength(t *testing.T) {
	if a, b := checksum([]byte{1, 2, 3}), checksum([]byte{1, 2, 3, 0}); a != b {
		t.Errorf("checksum of three bytes %#x, padded %#x", a, b)
	}
}
