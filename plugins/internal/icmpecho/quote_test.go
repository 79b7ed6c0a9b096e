package icmpecho

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

// quoted4 is an IPv4 header with options and an echo request behind it.
func quoted4(payload []byte) []byte {
	ip := []byte{
		0x46, 0, 0, byte(24 + HeaderLen + len(payload)), // version 4, 24 bytes of header
		0, 0, 0, 0,
		64, 1, 0, 0, // ICMP
		192, 0, 2, 1,
		198, 51, 100, 7,
		1, 1, 1, 0, // options
	}
	return AppendRequest(ip, false, 0x0102, 0x0304, payload)
}

// quoted6 is an IPv6 header with hop-by-hop options, destination options, a routing header and a first fragment's
// header, and an echo request behind them.
func quoted6(payload []byte) []byte {
	s, d := src6.As16(), dst6.As16()
	ip := []byte{0x60, 0, 0, 0, 0, byte(48 + HeaderLen + len(payload)), 0, 64} // hop-by-hop options follow
	ip = append(append(ip, s[:]...), d[:]...)
	ip = append(ip,
		60, 0, 1, 4, 0, 0, 0, 0, // destination options follow; one option of padding
		43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // routing follows; sixteen bytes
		44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // fragment follows
		58, 0, 0, 1, 0, 0, 0, 9) // ICMPv6 follows; offset 0, more fragments
	return AppendRequest(ip, true, 0x0102, 0x0304, payload)
}

func TestParseQuote(t *testing.T) {
	const cookie = "cookiecookie"
	for name, c := range map[string]struct {
		whole []byte
		dst   netip.Addr
	}{
		"IPv4": {quoted4([]byte(cookie)), dst4},
		"IPv6": {quoted6([]byte(cookie)), dst6},
	} {
		for missing := range len(cookie) + 1 {
			q, err := ParseQuote(c.whole[:len(c.whole)-missing])
			if err != nil || q.Dst != c.dst || q.ID != 0x0102 || q.Seq != 0x0304 || string(q.Payload) != cookie[:len(cookie)-missing] {
				t.Errorf("%s without its last %d bytes: got %+v, %v", name, missing, q, err)
			}
		}
		for n := range len(c.whole) - len(cookie) {
			if _, err := ParseQuote(c.whole[:n]); !errors.Is(err, ErrNotQuote) {
				t.Errorf("%s: %d bytes give %v", name, n, err)
			}
		}
		padded := append(bytes.Clone(c.whole), make([]byte, 128)...) // RFC 4884
		if q, err := ParseQuote(padded); err != nil || string(q.Payload) != cookie {
			t.Errorf("%s with padding behind the datagram: got %+v, %v", name, q, err)
		}
	}
}

// TestParseQuoteTotalLength: stacks quote the total length less the header's, or with its bytes swapped.
func TestParseQuoteTotalLength(t *testing.T) {
	for _, total := range []byte{0, 24, 31, 255} {
		b := quoted4([]byte("cookie"))
		b[3] = total
		if q, err := ParseQuote(b); err != nil || string(q.Payload) != "cookie" {
			t.Errorf("total length %d: got %+v, %v", total, q, err)
		}
	}
}

func TestParseQuoteRefuses(t *testing.T) {
	const behind4, behind6 = 24, 88 // the echo headers
	set := func(at int, v byte) func([]byte) { return func(b []byte) { b[at] = v } }
	for _, c := range []struct {
		name    string
		quote   []byte
		breakIt func(b []byte)
		want    error
	}{
		{"IPv4 of version 5", quoted4(nil), set(0, 0x56), ErrNotQuote},
		{"IPv4 header of 16", quoted4(nil), set(0, 0x44), ErrNotQuote},
		{"IPv4 header of 60", quoted4(nil), set(0, 0x4f), ErrNotQuote},
		{"IPv4 later fragment", quoted4(nil), set(7, 1), ErrNotEcho},
		{"IPv4 UDP", quoted4(nil), set(9, 17), ErrNotEcho},
		{"IPv4 ICMPv6", quoted4(nil), set(9, 58), ErrNotEcho},
		{"IPv4 reply", quoted4(nil), set(behind4, TypeEchoReply), ErrNotEcho},
		{"IPv6 of version 7", quoted6(nil), set(0, 0x70), ErrNotQuote},
		{"IPv6 hop-by-hop header of 64", quoted6(nil), set(41, 7), ErrNotQuote},
		{"IPv6 later fragment", quoted6(nil), set(83, 9), ErrNotEcho},
		{"IPv6 UDP", quoted6(nil), set(80, 17), ErrNotEcho},
		{"IPv6 ICMPv4", quoted6(nil), set(80, 1), ErrNotEcho},
		{"IPv6 reply", quoted6(nil), set(behind6, Type6EchoReply), ErrNotEcho},
		{"IPv6 with ICMPv4's request", quoted6(nil), set(behind6, TypeEchoRequest), ErrNotEcho},
	} {
		c.breakIt(c.quote)
		if _, err := ParseQuote(c.quote); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzParseQuote: a quote that is cut behind its echo header still tells the same request.
func FuzzParseQuote(f *testing.F) {
	f.Add(quoted4([]byte("abcdefghijkl")), uint16(3))
	f.Add(quoted6([]byte("abcdefghijkl")), uint16(12))
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		q, err := ParseQuote(b)
		if err != nil {
			return
		}
		keep := len(b) - min(int(cut), len(q.Payload))
		again, err := ParseQuote(b[:keep])
		if err != nil || again.Dst != q.Dst || again.ID != q.ID || again.Seq != q.Seq || !bytes.HasPrefix(q.Payload, again.Payload) {
			t.Errorf("%x: %+v, cut to %d bytes %+v, %v", b, q, keep, again, err)
		}
	})
}
