package icmpecho

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

func TestRequestBytes(t *testing.T) {
	got := AppendRequest(nil, 0x1234, 0xabcd, []byte("hello, world!")) // 13 bytes: odd
	const want = "08" +                                                // type: echo request
		"00" + // code
		"d8b1" + // checksum
		"1234" + // identifier
		"abcd" + // sequence number
		"68656c6c6f2c20776f726c6421"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

// TestRequestAgainstXNet holds the hot path's bytes against the library's, for all lengths with their odd bytes.
func TestRequestAgainstXNet(t *testing.T) {
	payload := bytes.Repeat([]byte{0xff, 0xfe, 0x01}, 500)
	for n := range payload {
		m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 0xffff, Seq: n, Data: payload[:n]}}
		want, err := m.Marshal(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendRequest(nil, 0xffff, uint16(n), payload[:n]); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %x, want %x", n, got[:8], want[:8])
		}
	}
}

func TestParse(t *testing.T) {
	b := AppendRequest(nil, 7, 9, []byte{1, 2, 3})
	m, err := Parse(b, false)
	if err != nil || m.Type != TypeEchoRequest || m.ID != 7 || m.Seq != 9 || !bytes.Equal(m.Payload, []byte{1, 2, 3}) || m.ChecksumBad {
		t.Errorf("got %+v, %v", m, err)
	}
	b[10] ^= 4
	if m, _ := Parse(b, false); !m.ChecksumBad {
		t.Error("a flipped bit is not noticed")
	}
	if m, _ := Parse(b[:9], true); m.ChecksumBad {
		t.Error("the checksum of a cut message is judged")
	}
	if _, err := Parse(b[:7], false); !errors.Is(err, ErrShort) {
		t.Errorf("seven bytes give %v", err)
	}
}

// quoted is an IPv4 header with options and the echo request behind it.
func quoted(payload []byte) []byte {
	ip := []byte{
		0x46, 0, 0, 60, // version 4, 24 bytes of header
		0, 0, 0, 0,
		64, 1, 0, 0, // ICMP
		192, 0, 2, 1,
		198, 51, 100, 7,
		1, 1, 1, 0, // options
	}
	return AppendRequest(ip, 0x0102, 0x0304, payload)
}

func TestParseQuote(t *testing.T) {
	q, err := ParseQuote(quoted([]byte("cookie")))
	if err != nil || q.Dst != netip.MustParseAddr("198.51.100.7") || q.ID != 0x0102 || q.Seq != 0x0304 || string(q.Payload) != "cookie" {
		t.Errorf("got %+v, %v", q, err)
	}
	if q, err := ParseQuote(quoted(nil)); err != nil || len(q.Payload) != 0 {
		t.Errorf("a quote of eight bytes gives %+v, %v", q, err)
	}
	for name, c := range map[string]struct {
		breakIt func(b []byte) []byte
		want    error
	}{
		"cut in the echo header": {func(b []byte) []byte { return b[:31] }, ErrNotQuote},
		"cut in the IP header":   {func(b []byte) []byte { return b[:19] }, ErrNotQuote},
		"IPv6":                   {func(b []byte) []byte { b[0] = 0x65; return b }, ErrNotQuote},
		"header length of 16":    {func(b []byte) []byte { b[0] = 0x44; return b }, ErrNotQuote},
		"UDP":                    {func(b []byte) []byte { b[9] = 17; return b }, ErrNotEcho},
		"a reply":                {func(b []byte) []byte { b[24] = TypeEchoReply; return b }, ErrNotEcho},
	} {
		if _, err := ParseQuote(c.breakIt(quoted(nil))); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestCookie(t *testing.T) {
	c := NewCookies([16]byte{1, 2, 3}, 99)
	target, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	p := c.Append(nil, target, 0xfffffffe)
	if len(p) != CookieLen {
		t.Fatalf("a cookie has %d bytes", len(p))
	}
	if i, ok := Index(p); !ok || i != 0xfffffffe {
		t.Errorf("index %d, %v", i, ok)
	}
	if !c.Clone().Verify(p, target, 0xfffffffe) {
		t.Error("its own cookie is refused")
	}
	if c.Verify(p, other, 0xfffffffe) || c.Verify(p, target, 0xffffffff) || c.Verify(p[:11], target, 0xfffffffe) {
		t.Error("the cookie holds for another target, another probe or when cut")
	}
	if NewCookies([16]byte{1, 2, 3}, 98).Verify(p, target, 0xfffffffe) || NewCookies([16]byte{1, 2, 4}, 99).Verify(p, target, 0xfffffffe) {
		t.Error("the cookie holds for another run or key")
	}
	for bit := range 64 {
		p[bit/8] ^= 1 << (bit % 8)
		if c.Verify(p, target, 0xfffffffe) {
			t.Errorf("bit %d of the MAC does not matter", bit)
		}
		p[bit/8] ^= 1 << (bit % 8)
	}
}

func TestCookieAllocatesNothing(t *testing.T) {
	c := NewCookies([16]byte{}, 0)
	target := netip.MustParseAddr("192.0.2.1")
	p := c.Append(nil, target, 1)
	if n := testing.AllocsPerRun(100, func() { c.Verify(p, target, 1) }); n != 0 {
		t.Errorf("verifying allocates %v times", n)
	}
}

func TestPattern(t *testing.T) {
	p := AppendPattern(make([]byte, CookieLen), 300)
	if len(p) != 300 || p[12] != 12 || p[256] != 0 {
		t.Fatalf("%d bytes, %x", len(p), p[12:20])
	}
	if !PatternIntact(p, 300, false) || !PatternIntact(p[:20], 300, true) || !PatternIntact(p[:12], 12, false) {
		t.Error("an intact pattern is refused")
	}
	if PatternIntact(p[:299], 300, false) || PatternIntact(append(p, 44), 300, true) {
		t.Error("another length is taken")
	}
	p[299] ^= 1
	if PatternIntact(p, 300, false) {
		t.Error("a flipped bit is not noticed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(AppendRequest(nil, 1, 2, []byte("abc")), false)
	f.Add(AppendRequest([]byte{3, 1, 0, 0, 0, 0, 0, 0}, 1, 2, quoted([]byte("abcdefghijkl"))), true)
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		m, err := Parse(b, cut)
		if err != nil {
			return
		}
		if m.Type == TypeEchoRequest && m.Code == 0 && !cut && !m.ChecksumBad {
			again := AppendRequest(nil, m.ID, m.Seq, m.Payload)
			// 0 and 0xffff are the same checksum
			if !bytes.Equal(again[4:], b[4:]) || Checksum(again) != 0 {
				t.Errorf("%x comes back as %x", b, again)
			}
		}
		if q, err := ParseQuote(m.Payload); err == nil {
			Index(q.Payload)
			PatternIntact(q.Payload, len(q.Payload), cut)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c := NewCookies([16]byte{}, 0)
	target := netip.MustParseAddr("192.0.2.1")
	p := c.Append(nil, target, 1)
	for b.Loop() {
		c.Verify(p, target, 1)
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	payload := make([]byte, 12)
	var dst []byte
	for b.Loop() {
		dst = AppendRequest(dst[:0], 1, 2, payload)
	}
}
