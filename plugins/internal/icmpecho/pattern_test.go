package icmpecho

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func TestPatterns(t *testing.T) {
	if p := CountingPattern(300); len(p) != 300 || p[0] != 0 || p[255] != 255 || p[256] != 0 {
		t.Errorf("counting: %d bytes, %x", len(p), p[250:])
	}
	for _, c := range []struct {
		fixed, want string
	}{
		{"", "00000000000000"}, {"a5", "a5a5a5a5a5a5a5"}, {"010203", "01020301020301"},
		{"01020304050607", "01020304050607"}, {"0102030405060708", "01020304050607"},
	} {
		fixed, err := hex.DecodeString(c.fixed)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(RepeatedPattern(fixed, 7)); got != c.want {
			t.Errorf("repeated %q: got %s, want %s", c.fixed, got, c.want)
		}
	}
	if got := hex.EncodeToString(RandomPattern(42, 16)); got != "22301fb8d82978daf007b05614969f34" {
		t.Errorf("seed 42 gives %s: sweeps of the past cannot be repeated", got)
	}
	if !bytes.HasPrefix(RandomPattern(42, 1001), RandomPattern(42, 13)) || bytes.Equal(RandomPattern(43, 13), RandomPattern(42, 13)) {
		t.Error("random: the size changes the bytes, or the seed does not")
	}
	for _, p := range []Pattern{CountingPattern(0), RepeatedPattern([]byte{1}, 0), RandomPattern(1, 0)} {
		if len(p) != 0 {
			t.Errorf("a pattern of no bytes has %d", len(p))
		}
	}
}

func TestPatternAppend(t *testing.T) {
	p := CountingPattern(20)
	for _, c := range []struct {
		size        int
		back, whole string
	}{
		{0, "", ""}, {3, "", "000102"}, {12, "", "000102030405060708090a0b"}, {14, "0c0d", "000102030405060708090a0b0c0d"},
	} {
		back, whole := hex.EncodeToString(p.Append(nil, c.size)), hex.EncodeToString(p.AppendWhole(nil, c.size))
		if back != c.back || whole != c.whole {
			t.Errorf("size %d: behind a cookie %s, whole %s", c.size, back, whole)
		}
	}
}

func TestCompare(t *testing.T) {
	const size = 100
	p := RandomPattern(7, size+20)
	cookie := []byte("not compared")
	for _, c := range []struct {
		name           string
		size           int
		payload        func(b []byte) []byte
		cut            bool
		flipped, first int
	}{
		{"intact", size, nil, false, 0, -1},
		{"only a cookie", CookieLen, nil, false, 0, -1},
		{"one bit", size, func(b []byte) []byte { b[17] ^= 4; return b }, false, 1, 17},
		{"the first byte behind the cookie", size, func(b []byte) []byte { b[12] ^= 0xff; return b }, false, 8, 12},
		{"bits in two bytes", size, func(b []byte) []byte { b[99] ^= 0x81; b[40] ^= 0x70; return b }, false, 5, 40},
		{"the cookie", size, func(b []byte) []byte { b[11] ^= 1; return b }, false, 0, -1},
		{"shorter", size, func(b []byte) []byte { return b[:97] }, false, 24, 97},
		{"shorter than the cookie", size, func(b []byte) []byte { return b[:4] }, false, 8 * 96, 4},
		{"empty", size, func(b []byte) []byte { return nil }, false, 8 * size, 0},
		{"longer", size, func(b []byte) []byte { return append(b, p[size:size+2]...) }, false, 16, size},
		{"longer, and a bit", size, func(b []byte) []byte { b[20] ^= 1; return append(b, 0) }, false, 9, 20},
		{"cut", size, func(b []byte) []byte { return b[:50] }, true, 0, -1},
		{"cut in the cookie", size, func(b []byte) []byte { return b[:5] }, true, 0, -1},
		{"cut, and a bit", size, func(b []byte) []byte { b[30] ^= 2; return b[:50] }, true, 1, 30},
		{"cut, and longer all the same", size, func(b []byte) []byte { return append(b, 1) }, true, 8, size},
		{"without a cookie", 11, nil, false, 0, -1},
		{"without a cookie, one bit", 11, func(b []byte) []byte { b[0] ^= 1; return b }, false, 1, 0},
		{"without a cookie, longer", 4, func(b []byte) []byte { return append(b, 1, 2) }, false, 16, 4},
		{"nothing", 0, nil, false, 0, -1},
	} {
		payload := p.AppendWhole(nil, c.size)
		if c.size >= CookieLen {
			payload = p.Append(bytes.Clone(cookie), c.size)
		}
		if c.payload != nil {
			payload = c.payload(payload)
		}
		if flipped, first := p.Compare(payload, c.size, c.cut); flipped != c.flipped || first != c.first {
			t.Errorf("%s: %d flipped, first at %d; want %d and %d", c.name, flipped, first, c.flipped, c.first)
		}
	}
}

// FuzzCompare: bits that are flipped one by one are counted one by one.
func FuzzCompare(f *testing.F) {
	f.Add([]byte("some payload that came back"), uint16(20), false)
	f.Add([]byte{}, uint16(0), true)
	f.Fuzz(func(t *testing.T, payload []byte, size uint16, cut bool) {
		p := CountingPattern(int(size))
		flipped, first := p.Compare(payload, int(size), cut)
		if (flipped == 0) != (first == -1) || first >= max(len(payload), int(size)) {
			t.Fatalf("%d flipped, first at %d", flipped, first)
		}
		if at := min(len(payload), int(size)) - 1; at >= CookieLen {
			payload = bytes.Clone(payload)
			payload[at] ^= 1
			again, _ := p.Compare(payload, int(size), cut)
			if d := again - flipped; d != 1 && d != -1 {
				t.Fatalf("a flipped bit changes %d to %d", flipped, again)
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	p := CountingPattern(1472)
	payload := p.Append(make([]byte, CookieLen), 1472)
	for b.Loop() {
		p.Compare(payload, 1472, false)
	}
}
