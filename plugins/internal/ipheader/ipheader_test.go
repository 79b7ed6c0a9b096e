package ipheader

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

var (
	v4 = []byte{
		0x46, 0, 0, 60, // version 4, 24 bytes of header
		0, 0, 0x40, 0, // don't fragment
		57, ProtoICMP, 0, 0,
		192, 0, 2, 1,
		198, 51, 100, 7,
		1, 1, 1, 0, // options
	}
	v6 = []byte{
		0x60, 0, 0, 0, 0, 60, ProtoICMPv6, 63,
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	}
	addr = netip.MustParseAddr
)

// extended is v6 with the extension headers in ext, of which the first has the protocol number next.
func extended(next byte, ext ...byte) []byte {
	b := append(bytes.Clone(v6), ext...)
	b[6] = next
	return b
}

func with(b []byte, at int, v byte) []byte {
	b = bytes.Clone(b)
	b[at] = v
	return b
}

func TestParse(t *testing.T) {
	four := Header{Src: addr("192.0.2.1"), Dst: addr("198.51.100.7"), Proto: ProtoICMP, TTL: 57, Len: 24, Total: 60}
	six := Header{Src: addr("2001:db8::1"), Dst: addr("2001:db8::2"), Proto: ProtoICMPv6, TTL: 63, Len: 40, Total: 100}
	of := func(h Header, change func(*Header)) Header { change(&h); return h }
	for name, c := range map[string]struct {
		b    []byte
		want Header
	}{
		"IPv4":                      {v4, four},
		"IPv4 with bytes behind":    {append(bytes.Clone(v4), 1, 2, 3), four},
		"IPv4 without options":      {with(v4, 0, 0x45)[:20], of(four, func(h *Header) { h.Len = 20 })},
		"IPv4 first fragment":       {with(v4, 6, 0x20), of(four, func(h *Header) { h.First = true })},
		"IPv4 of no length":         {with(v4, 3, 0), of(four, func(h *Header) { h.Total = 0 })},
		"IPv6":                      {v6, six},
		"IPv6 UDP":                  {with(v6, 6, 17), of(six, func(h *Header) { h.Proto = 17 })},
		"IPv6 no next header":       {with(v6, 6, 59), of(six, func(h *Header) { h.Proto = 59 })},
		"hop-by-hop options":        {extended(0, 58, 0, 0, 0, 0, 0, 0, 0), of(six, func(h *Header) { h.Len = 48 })},
		"routing":                   {extended(43, append([]byte{58, 2}, make([]byte, 22)...)...), of(six, func(h *Header) { h.Len = 64 })},
		"destination options, UDP":  {extended(60, 17, 0, 0, 0, 0, 0, 0, 0), of(six, func(h *Header) { h.Len, h.Proto = 48, 17 })},
		"atomic fragment":           {extended(44, 58, 0, 0, 0, 0, 0, 0, 7), of(six, func(h *Header) { h.Len = 48 })},
		"IPv6 first fragment":       {extended(44, 58, 0, 0, 1, 0, 0, 0, 7), of(six, func(h *Header) { h.Len, h.First = 48, true })},
		"reserved bits of fragment": {extended(44, 58, 9, 0, 6, 0, 0, 0, 7), of(six, func(h *Header) { h.Len = 48 })},
		"options, then a fragment": {
			extended(0, 44, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 1, 0, 0, 0, 7), of(six, func(h *Header) { h.Len, h.First = 56, true }),
		},
	} {
		if got, err := Parse(c.b); err != nil || got != c.want {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":                {nil, ErrShort},
		"version 5":            {with(v4, 0, 0x55), ErrNotIP},
		"IPv4 header of 16":    {with(v4, 0, 0x44), ErrNotIP},
		"IPv4 cut":             {v4[:19], ErrShort},
		"IPv4 cut in options":  {v4[:23], ErrShort},
		"IPv4 later fragment":  {with(v4, 7, 1), ErrFragment},
		"IPv4 offset of 4096":  {with(v4, 6, 0x10), ErrFragment},
		"IPv6 cut":             {v6[:39], ErrShort},
		"no extension header":  {extended(0), ErrShort},
		"extension header cut": {extended(60, 58, 1, 0, 0, 0, 0, 0, 0), ErrShort},
		"one byte of it":       {extended(43, 58), ErrShort},
		"fragment header cut":  {extended(44, 58, 0, 0, 0, 0, 0, 0), ErrShort},
		"IPv6 later fragment":  {extended(44, 58, 0, 0, 8, 0, 0, 0, 7), ErrFragment},
		"chain without an end": {extended(0, 0, 0, 0, 0, 0, 0, 0, 0), ErrShort},
	} {
		if _, err := Parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// FuzzParse: the headers are all that is read.
func FuzzParse(f *testing.F) {
	f.Add(v4)
	f.Add(v6)
	f.Add(extended(0, 43, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 1, 0, 0, 0, 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		if h.Len > len(b) {
			t.Fatalf("%x: headers of %d bytes", b, h.Len)
		}
		if again, err := Parse(b[:h.Len]); err != nil || again != h {
			t.Errorf("%x: %+v, headers alone %+v, %v", b, h, again, err)
		}
	})
}
