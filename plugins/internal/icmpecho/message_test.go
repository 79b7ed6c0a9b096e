package icmpecho

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

var (
	src4, dst4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:fffe")
)

// request6 is an ICMPv6 echo request from src6 to dst6 with its checksum.
func request6(id, seq uint16, payload []byte) []byte {
	b := AppendRequest(nil, true, id, seq, payload)
	PutChecksum6(b, src6, dst6)
	return b
}

func TestRequestBytes(t *testing.T) {
	got := AppendRequest(nil, false, 0x1234, 0xabcd, []byte("hello, world!")) // 13 bytes: odd
	const want = "08" +                                                       // type: echo request
		"00" + // code
		"d8b1" + // checksum
		"1234" + // identifier
		"abcd" + // sequence number
		"68656c6c6f2c20776f726c6421"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func TestRequest6Bytes(t *testing.T) {
	got := AppendRequest([]byte{0xee}, true, 0x1234, 0xabcd, []byte("hello, world!"))
	const want = "ee" + // what was there
		"80" + // type: echo request
		"00" + // code
		"0000" + // checksum: for the one who knows the source
		"1234" + // identifier
		"abcd" + // sequence number
		"68656c6c6f2c20776f726c6421"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

// TestRequestAgainstXNet holds the hot path's bytes against the library's, for all lengths with their odd bytes.
func TestRequestAgainstXNet(t *testing.T) {
	pseudo := icmp.IPv6PseudoHeader(net.IP(src6.AsSlice()), net.IP(dst6.AsSlice()))
	payload := bytes.Repeat([]byte{0xff, 0xfe, 0x01}, 500)
	for n := range payload {
		body := &icmp.Echo{ID: 0xffff, Seq: n, Data: payload[:n]}
		want4, err4 := (&icmp.Message{Type: ipv4.ICMPTypeEcho, Body: body}).Marshal(nil)
		want6, err6 := (&icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: body}).Marshal(pseudo)
		if err := errors.Join(err4, err6); err != nil {
			t.Fatal(err)
		}
		if got := AppendRequest(nil, false, 0xffff, uint16(n), payload[:n]); !bytes.Equal(got, want4) {
			t.Fatalf("IPv4, %d bytes: got %x, want %x", n, got[:8], want4[:8])
		}
		if got := request6(0xffff, uint16(n), payload[:n]); !bytes.Equal(got, want6) {
			t.Fatalf("IPv6, %d bytes: got %x, want %x", n, got[:8], want6[:8])
		}
	}
}

func TestPutChecksum6(t *testing.T) {
	b := request6(1, 2, []byte("abc"))
	again := bytes.Clone(b)
	again[2], again[3] = 0xff, 0xff
	PutChecksum6(again, src6, dst6.WithZone("eth0"))
	if !bytes.Equal(again, b) {
		t.Errorf("a place that is not empty, or a zone, changes the checksum: %x, want %x", again[:4], b[:4])
	}
	if PutChecksum6(again, dst6, src6); !bytes.Equal(again, b) {
		t.Error("the sum depends on the direction")
	}
	if PutChecksum6(again, src6, src6); bytes.Equal(again, b) {
		t.Error("the destination is not summed")
	}
}

func TestParseEcho(t *testing.T) {
	reply6 := bytes.Clone(request6(7, 9, []byte{1, 2, 3}))
	reply6[0] = Type6EchoReply
	PutChecksum6(reply6, src6, dst6)
	for name, c := range map[string]struct {
		b        []byte
		src, dst netip.Addr
		kind     Kind
	}{
		"IPv4 request": {AppendRequest(nil, false, 7, 9, []byte{1, 2, 3}), src4, dst4, EchoRequest},
		"IPv4 reply":   {[]byte{0, 0, 0xfb, 0xed, 0, 7, 0, 9, 1, 2, 3}, src4, dst4, EchoReply},
		"IPv6 request": {request6(7, 9, []byte{1, 2, 3}), src6, dst6, EchoRequest},
		"IPv6 reply":   {reply6, src6, dst6, EchoReply},
	} {
		m, err := Parse(c.b, c.src, c.dst, false)
		if err != nil || m.Kind != c.kind || m.Type != c.b[0] || m.ID != 7 || m.Seq != 9 || m.MTU != 0 ||
			!bytes.Equal(m.Payload, []byte{1, 2, 3}) || m.ChecksumBad {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
		c.b[10] ^= 4
		if m, _ := Parse(c.b, c.src, c.dst, false); !m.ChecksumBad {
			t.Errorf("%s: a flipped bit is not noticed", name)
		}
		if m, _ := Parse(c.b[:9], c.src, c.dst, true); m.ChecksumBad {
			t.Errorf("%s: the checksum of a cut message is judged", name)
		}
		if _, err := Parse(c.b[:7], c.src, c.dst, false); !errors.Is(err, ErrShort) {
			t.Errorf("%s: seven bytes give %v", name, err)
		}
	}
	if m, _ := Parse(request6(7, 9, nil), src6, src6, false); !m.ChecksumBad {
		t.Error("an ICMPv6 message to another destination has a right checksum")
	}
}

func TestParseErrors(t *testing.T) {
	const mtu = 0x0001_0578
	for _, c := range []struct {
		name       string
		v6         bool
		kind, code byte
		want       Kind
		mtu        uint32
	}{
		{"IPv4 host unreachable", false, 3, 1, Error, 0},
		{"IPv4 fragmentation needed", false, 3, 4, Error, 0x578}, // RFC 1191: the low 16 bits
		{"source quench", false, 4, 0, Error, 0},
		{"IPv4 time exceeded", false, 11, 0, Error, 0},
		{"IPv4 parameter problem", false, 12, 0, Error, 0},
		{"IPv4 redirect", false, 5, 0, Other, 0},
		{"IPv4 timestamp request", false, 13, 0, Other, 0},
		{"ICMPv6's echo request in IPv4", false, 128, 0, Other, 0},
		{"IPv6 address unreachable", true, 1, 3, Error, 0},
		{"IPv6 port unreachable", true, 1, 4, Error, 0},
		{"packet too big", true, 2, 0, Error, mtu},
		{"IPv6 time exceeded", true, 3, 0, Error, 0},
		{"IPv6 time exceeded, code 4", true, 3, 4, Error, 0},
		{"IPv6 parameter problem", true, 4, 1, Error, 0},
		{"IPv6 type 0", true, 0, 0, Other, 0},
		{"ICMPv4's echo request in IPv6", true, 8, 0, Other, 0},
		{"neighbour solicitation", true, 135, 0, Other, 0},
		{"IPv6 redirect", true, 137, 0, Other, 0},
	} {
		src, dst := src4, dst4
		if c.v6 {
			src, dst = src6, dst6
		}
		m, err := Parse([]byte{c.kind, c.code, 0, 0, 0, 1, 5, 0x78, 0xaa}, src, dst, true)
		want := Message{Kind: c.want, Type: c.kind, Code: c.code, MTU: c.mtu, Payload: []byte{0xaa}}
		if err != nil || !equal(m, want) {
			t.Errorf("%s: got %+v, %v", c.name, m, err)
		}
	}
}

func equal(a, b Message) bool {
	same := bytes.Equal(a.Payload, b.Payload)
	a.Payload, b.Payload = nil, nil
	return same && a.Kind == b.Kind && a.Type == b.Type && a.Code == b.Code && a.ID == b.ID && a.Seq == b.Seq &&
		a.MTU == b.MTU && a.ChecksumBad == b.ChecksumBad
}

func FuzzParse(f *testing.F) {
	f.Add(AppendRequest(nil, false, 1, 2, []byte("abc")), false, false)
	f.Add(request6(1, 2, []byte("abcd")), true, false)
	f.Add(append([]byte{3, 1, 0, 0, 0, 0, 0, 0}, quoted4([]byte("abcdefghijkl"))...), false, true)
	f.Add(append([]byte{1, 3, 0, 0, 0, 0, 0, 0}, quoted6([]byte("abcdefghijkl"))...), true, true)
	f.Fuzz(func(t *testing.T, b []byte, v6, cut bool) {
		src, dst := src4, dst4
		if v6 {
			src, dst = src6, dst6
		}
		m, err := Parse(b, src, dst, cut)
		if err != nil {
			return
		}
		if m.Kind == EchoRequest && m.Code == 0 && !cut && !m.ChecksumBad {
			again := AppendRequest(nil, v6, m.ID, m.Seq, m.Payload)
			if v6 {
				PutChecksum6(again, src, dst)
			}
			back, err := Parse(again, src, dst, false)
			// The checksum is left out: 0 and 0xffff are the same.
			if !bytes.Equal(again[:2], b[:2]) || !bytes.Equal(again[4:], b[4:]) || err != nil || !equal(back, m) {
				t.Errorf("%x comes back as %x", b, again)
			}
		}
		if q, err := ParseQuote(m.Payload); err == nil && len(q.Payload) > len(m.Payload) {
			t.Errorf("%x: quoted payload longer than the message", b)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, c := range map[string]struct {
		msg      []byte
		src, dst netip.Addr
	}{
		"IPv4": {AppendRequest(nil, false, 1, 2, make([]byte, CookieLen)), src4, dst4},
		"IPv6": {request6(1, 2, make([]byte, CookieLen)), src6, dst6},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Parse(c.msg, c.src, c.dst, false)
			}
		})
	}
}

// BenchmarkAppendRequest makes the cookie, too.
func BenchmarkAppendRequest(b *testing.B) {
	for name, dst := range map[string]netip.Addr{"IPv4": dst4, "IPv6": dst6} {
		b.Run(name, func(b *testing.B) {
			c := NewCookies([16]byte{}, 0)
			var payload, buf []byte
			for b.Loop() {
				payload = c.Append(payload[:0], dst, 1)
				buf = AppendRequest(buf[:0], dst.Is6(), 1, 2, payload)
			}
		})
	}
}
