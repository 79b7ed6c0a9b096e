package icmpecho

import (
	"net/netip"
	"testing"
)

func TestCookie(t *testing.T) {
	c := NewCookies([16]byte{1, 2, 3}, 99)
	for _, target := range []netip.Addr{dst4, dst6, netip.MustParseAddr("fe80::1%eth0")} {
		p := c.Append(nil, target, 0xfffffffe)
		if len(p) != CookieLen {
			t.Fatalf("a cookie has %d bytes", len(p))
		}
		if i, ok := Index(p); !ok || i != 0xfffffffe {
			t.Errorf("index %d, %v", i, ok)
		}
		if !c.Clone().Verify(p, target, 0xfffffffe) || !c.Verify(p, target.WithZone(""), 0xfffffffe) {
			t.Error("its own cookie is refused")
		}
		if c.Verify(p, target.Next(), 0xfffffffe) || c.Verify(p, target, 0xffffffff) || c.Verify(p[:11], target, 0xfffffffe) {
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
	if _, ok := Index(make([]byte, CookieLen-1)); ok {
		t.Error("eleven bytes have an index")
	}
}

// TestHotPathAllocatesNothing: what runs for every frame leaves no garbage.
func TestHotPathAllocatesNothing(t *testing.T) {
	c := NewCookies([16]byte{}, 0)
	pattern := CountingPattern(100)
	payload := pattern.Append(c.Append(nil, dst6, 1), 100)
	msg, quote4, quote6 := request6(1, 2, payload), quoted4(payload), quoted6(payload)
	msg4 := AppendRequest(nil, false, 1, 2, payload)
	flipped := append([]byte(nil), payload...)
	flipped[50] ^= 0xff
	buf := make([]byte, 0, 200)
	for name, f := range map[string]func(){
		"Parse, IPv4":               func() { Parse(msg4, src4, dst4, false) },
		"Parse, IPv6":               func() { Parse(msg, src6, dst6, false) },
		"ParseQuote, IPv4":          func() { ParseQuote(quote4) },
		"ParseQuote, IPv6":          func() { ParseQuote(quote6) },
		"Append":                    func() { pattern.Append(c.Append(buf[:0], dst6, 1), 100) },
		"Verify":                    func() { c.Verify(payload, dst6, 1) },
		"Compare":                   func() { pattern.Compare(payload, 100, false) },
		"Compare of flipped bits":   func() { pattern.Compare(flipped, 100, false) },
		"AppendRequest, IPv4":       func() { AppendRequest(buf[:0], false, 1, 2, payload) },
		"AppendRequest and its sum": func() { PutChecksum6(AppendRequest(buf[:0], true, 1, 2, payload), src6, dst6) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	c := NewCookies([16]byte{}, 0)
	p := c.Append(nil, dst4, 1)
	for b.Loop() {
		c.Verify(p, dst4, 1)
	}
}
