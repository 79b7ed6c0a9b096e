package targets

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func mustSet(t testing.TB, networks, exclude string) *Set {
	t.Helper()
	s, err := NewSet(mustRanges(t, networks), mustRanges(t, exclude))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustRanges(t testing.TB, list string) []Range {
	t.Helper()
	r, err := ParseRanges(strings.Fields(list))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRange(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.0/24":            "192.0.2.0/24 192.0.2.0 192.0.2.255",
		" 192.0.2.7 ":             "192.0.2.7/32 192.0.2.7 192.0.2.7",
		"192.0.2.1-192.0.2.9":     "192.0.2.1-192.0.2.9 192.0.2.1 192.0.2.9",
		"192.0.2.1-9":             "192.0.2.1-192.0.2.9 192.0.2.1 192.0.2.9",
		"192.0.2.1 - 192.0.3.0":   "192.0.2.1-192.0.3.0 192.0.2.1 192.0.3.0",
		"0.0.0.0/0":               "0.0.0.0/0 0.0.0.0 255.255.255.255",
		"2001:db8::/126":          "2001:db8::/126 2001:db8:: 2001:db8::3",
		"2001:db8::1-2001:db8::f": "2001:db8::1-2001:db8::f 2001:db8::1 2001:db8::f",
		"2001:DB8:0::1":           "2001:db8::1/128 2001:db8::1 2001:db8::1",
		"::ffff:192.0.2.1":        "192.0.2.1/32 192.0.2.1 192.0.2.1",
	} {
		r, err := ParseRange(in)
		if got := fmt.Sprintf("%s %s %s", r.Text, r.First, r.Last); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestParseRangeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "no network, range or address",
		"example.net":           "no network, range or address",
		"192.0.2.0/33":          "is no network",
		"192.0.2.1/24":          "did you mean 192.0.2.0/24?",
		"::ffff:192.0.2.0/120":  "write it as IPv4",
		"192.0.2.9-192.0.2.1":   "does not follow",
		"192.0.2.9-300":         "the range's end",
		"192.0.2.300-9":         "the range's start",
		"192.0.2.1-2001:db8::1": "the range's end",
		"fe80::1%eth0":          "no network, range or address",
	} {
		if _, err := ParseRange(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", in, err, want)
		}
	}
}

func TestSetOverlapsAndExclusions(t *testing.T) {
	s := mustSet(t, "192.0.2.0/29 192.0.2.4/31 192.0.2.6-7 198.51.100.1", "192.0.2.1-2 192.0.2.5")
	var got []string
	for i := range s.Len() {
		got = append(got, s.At(i).String()+" "+s.Network(i))
	}
	want := []string{
		"192.0.2.0 192.0.2.0/29", "192.0.2.3 192.0.2.0/29", "192.0.2.4 192.0.2.4/31",
		"192.0.2.6 192.0.2.6-192.0.2.7", "192.0.2.7 192.0.2.6-192.0.2.7", "198.51.100.1 198.51.100.1/32",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSetBlocks(t *testing.T) {
	s := mustSet(t, "192.0.2.128-192.0.4.1 192.0.2.200/29 2001:db8::/127 2001:db8:0:1::5", "192.0.3.0-192.0.3.9")
	var got []string
	for _, b := range s.Blocks() {
		got = append(got, fmt.Sprint(b.Prefix, b.First, b.N))
	}
	want := []string{"192.0.2.0/24 0 128", "192.0.3.0/24 128 246", "192.0.4.0/24 374 2", "2001:db8::/64 376 2", "2001:db8:0:1::/64 378 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSetLimits(t *testing.T) {
	if s := mustSet(t, "10.0.0.0/8", ""); s.Len() != MaxTargets || len(s.Blocks()) != 65536 {
		t.Errorf("a /8 has %d targets in %d blocks", s.Len(), len(s.Blocks()))
	}
	for networks, want := range map[string]string{
		"10.0.0.0/8 192.0.2.1": "over 16777216",
		"2001:db8::/64":        "over 16777216",
		"::/0":                 "last address of IPv6",
		"224.0.0.0/24":         "multicast",
		"0.0.0.0/24":           "unspecified",
		"255.255.255.0/24":     "broadcast",
		"ff02::1":              "multicast",
	} {
		if _, err := NewSet(mustRanges(t, networks), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", networks, err, want)
		}
	}
	if s := mustSet(t, "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/2 192.0.0.0/3 224.0.0.0/3"); s.Len() != 0 {
		t.Errorf("all excluded leaves %d", s.Len())
	}
}

// TestSetAgainstMap compares random sets with one that is made address by address.
func TestSetAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		in, out := randomRanges(rng, 1+rng.IntN(6)), randomRanges(rng, rng.IntN(4))
		s, err := NewSet(in, out)
		if err != nil {
			t.Fatal(err)
		}
		want := naive(in, out)
		if s.Len() != len(want) {
			t.Fatalf("%v less %v: %d targets, want %d", in, out, s.Len(), len(want))
		}
		n := 0
		for _, b := range s.Blocks() {
			if b.First != n {
				t.Fatalf("block %v does not follow", b)
			}
			n += b.N
			for i := b.First; i < b.First+b.N; i++ {
				a := s.At(i)
				if j, ok := s.Index(a); !ok || j != i || want[a] != s.Network(i) || !b.Prefix.Contains(a) {
					t.Fatalf("%v less %v: target %d is %s of %s in %s, want network %s", in, out, i, a, s.Network(i), b.Prefix, want[a])
				}
			}
		}
		if n != s.Len() {
			t.Fatalf("blocks hold %d of %d targets", n, s.Len())
		}
	}
}

func randomRanges(rng *rand.Rand, n int) []Range {
	var list []Range
	for range n {
		first := netip.AddrFrom4([4]byte{192, 0, byte(rng.IntN(4)), byte(rng.IntN(256))})
		size := uint64(rng.IntN(300))
		last := fromAddr(first).add(size).addr(true)
		list = append(list, Range{Text: first.String() + "-" + last.String(), First: first, Last: last})
	}
	return list
}

func naive(in, out []Range) map[netip.Addr]string {
	m, least := map[netip.Addr]string{}, map[netip.Addr]Range{}
	for _, r := range in {
		for a := r.First; a.Compare(r.Last) <= 0; a = a.Next() {
			if old, ok := least[a]; !ok || bySize.Less(bySize{r, old}, 0, 1) {
				least[a] = r
			}
		}
	}
	for a, r := range least {
		if !slices.ContainsFunc(out, func(x Range) bool { return x.First.Compare(a) <= 0 && a.Compare(x.Last) <= 0 }) {
			m[a] = r.Text
		}
	}
	return m
}

func TestManySingleAddresses(t *testing.T) {
	var list []Range
	for i := range 100_000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 15), byte(i >> 7), byte(i << 1)})
		list = append(list, Range{Text: a.String(), First: a, Last: a})
	}
	s, err := NewSet(list, nil)
	if err != nil || s.Len() != len(list) {
		t.Fatalf("%d targets, %v", s.Len(), err)
	}
}

func TestWithout(t *testing.T) {
	s, err := mustSet(t, "192.0.2.0/29 192.0.2.4/31", "192.0.2.1").Without(mustRanges(t, "192.0.2.4 192.0.2.7"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range s.Len() {
		got = append(got, s.At(i).String()+" "+s.Network(i))
	}
	want := []string{"192.0.2.0 192.0.2.0/29", "192.0.2.2 192.0.2.0/29", "192.0.2.3 192.0.2.0/29", "192.0.2.5 192.0.2.4/31", "192.0.2.6 192.0.2.0/29"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestWithin(t *testing.T) {
	s := mustSet(t, "192.0.2.0/28 192.0.2.32/28 2001:db8::/126", "192.0.2.4-5")
	for p, want := range map[string][2]int{
		"192.0.2.0/30": {0, 4}, "192.0.2.4/31": {4, 4}, "192.0.2.0/24": {0, 30}, "192.0.2.6/32": {4, 5}, "192.0.2.40/29": {22, 30},
		"192.0.1.0/24": {0, 0}, "192.0.3.0/24": {30, 30}, "255.255.255.255/32": {30, 30}, "2001:db8::2/127": {32, 34},
	} {
		if first, end := s.Within(netip.MustParsePrefix(p)); first != want[0] || end != want[1] {
			t.Errorf("%s: %d to %d, want %v", p, first, end, want)
		}
	}
}

func TestIndexOfStrangers(t *testing.T) {
	s := mustSet(t, "192.0.2.0/24 198.51.100.0/24", "")
	for _, a := range []string{"0.0.0.1", "192.0.3.0", "198.51.99.255", "203.0.113.1", "2001:db8::1"} {
		if i, ok := s.Index(netip.MustParseAddr(a)); ok {
			t.Errorf("%s is target %d", a, i)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"192.0.2.0/24", "192.0.2.1-9", "2001:db8::1-2001:db8::2", "-", "/", "1-", "1.2.3.4-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRange(s)
		if err != nil {
			return
		}
		if r.Last.Less(r.First) {
			t.Errorf("%q: %s lies before %s", s, r.Last, r.First)
		}
		if again, err := ParseRange(r.Text); err != nil || again != r {
			t.Errorf("%q: its text %q reads as %v, %v", s, r.Text, again, err)
		}
	})
}

func BenchmarkAt(b *testing.B) {
	s := mustSet(b, "10.0.0.0/12", "")
	i := 0
	for b.Loop() {
		s.At(i & 0xfffff)
		i++
	}
}
