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
		"192.0.2.1/32":            "192.0.2.1/32 192.0.2.1 192.0.2.1",
		"fe80::1%eth0":            "fe80::1%eth0/128 fe80::1%eth0 fe80::1%eth0",
		"fe80::%eth0/126":         "fe80::%eth0/126 fe80::%eth0 fe80::3%eth0",
		"fe80::1%eth0-fe80::9":    "fe80::1%eth0-fe80::9%eth0 fe80::1%eth0 fe80::9%eth0",

		"fe80::1%br-lan":                  "fe80::1%br-lan/128 fe80::1%br-lan fe80::1%br-lan",
		"fe80::1%br-lan - fe80::2%br-lan": "fe80::1%br-lan-fe80::2%br-lan fe80::1%br-lan fe80::2%br-lan",
	} {
		r, err := ParseRange(in)
		if got := fmt.Sprintf("%s %s %s", r, r.First, r.Last); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestParseRangeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "no network, range or address",
		"example.net":              "no network, range or address",
		"192.0.2.0/33":             "is no network",
		"192.0.2.1/24":             "did you mean 192.0.2.0/24?",
		"::ffff:192.0.2.0/120":     "write it as IPv4",
		"192.0.2.9-192.0.2.1":      "does not follow",
		"192.0.2.9-300":            "the range's end",
		"192.0.2.300-9":            "the range's start",
		"192.0.2.1-2001:db8::1":    "the range's end",
		"2001:db8::1%eth0":         "a zone is an interface's name behind a link-local IPv6 address",
		"fe80::1%not a link":       "a zone is",
		"fe80::1%sixteenbyteslong": "a zone is",
		"fe80::1%a-fe80::2%b":      "does not follow",
		"fe80::1%eth0/64":          "did you mean fe80::%eth0/64?",
		"fe80::1%eth0-fec0::1":     "does not follow",
		"fe80::/64%eth0":           "is no network",
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
		"10.0.0.0/8 192.0.2.1": "there are 16777217 targets in all; a sweep takes at most 16777216 (2^24): give fewer or narrower networks",
		"2001:db8::/64":        "2001:db8::/64 holds 18446744073709551616 addresses; a sweep takes at most 16777216 (2^24): give narrower prefixes or list the hosts",
		"2000::/3 192.0.2.1":   "2000::/3 holds 42535295865117307932921825928971026432 addresses",
		"10.0.0.0-11.0.0.0":    "10.0.0.0-11.0.0.0 holds 16777217 addresses; a sweep takes at most 16777216 (2^24): give narrower networks",
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
		last := fromAddr(first).add(size).on(line{v4: true})
		list = append(list, newRange(first.String()+"-"+last.String(), first, last))
	}
	return list
}

func naive(in, out []Range) map[netip.Addr]string {
	m, least := map[netip.Addr]string{}, map[netip.Addr]Range{}
	for _, r := range in {
		for a := r.First; a.Compare(r.Last) <= 0; a = a.Next() {
			if old, ok := least[a]; !ok || smaller(&r, &old) {
				least[a] = r
			}
		}
	}
	for a, r := range least {
		if !slices.ContainsFunc(out, func(x Range) bool { return x.First.Compare(a) <= 0 && a.Compare(x.Last) <= 0 }) {
			m[a] = r.String()
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

func TestZones(t *testing.T) {
	s := mustSet(t, "fe80::1%eth1 fe80::%eth0/125 192.0.2.1 fe80:0:0:1::1%eth0 2001:db8::1 fe80::1-fe80::2", "fe80::2%eth0 fe80::4/127")
	var got []string
	for k, b := range s.Blocks() {
		got = append(got, s.BlockName(k))
		for i := b.First; i < b.First+b.N; i++ {
			a := s.At(i)
			if j, ok := s.Index(a); !ok || j != i {
				t.Errorf("%s is target %d and found as %d, %v", a, i, j, ok)
			}
			got = append(got, a.String()+" "+s.Network(i))
		}
	}
	want := []string{
		"192.0.2.0/24", "192.0.2.1 192.0.2.1/32",
		"2001:db8::/64", "2001:db8::1 2001:db8::1/128",
		"fe80::/64", "fe80::1 fe80::1-fe80::2", "fe80::2 fe80::1-fe80::2",
		"fe80::%eth0/64", "fe80::%eth0 fe80::%eth0/125", "fe80::1%eth0 fe80::%eth0/125", "fe80::3%eth0 fe80::%eth0/125",
		"fe80::6%eth0 fe80::%eth0/125", "fe80::7%eth0 fe80::%eth0/125",
		"fe80:0:0:1::%eth0/64", "fe80:0:0:1::1%eth0 fe80:0:0:1::1%eth0/128",
		"fe80::%eth1/64", "fe80::1%eth1 fe80::1%eth1/128",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\ngot  %q\nwant %q", got, want)
	}
}

func TestIndexWithoutZone(t *testing.T) {
	s := mustSet(t, "fe80::1%eth1 fe80::%eth0/127 fe80::5%eth2", "")
	for a, want := range map[string]int{"fe80::": 0, "fe80::5": 3, "fe80::1": -1, "fe80::9": -1, "fe80::5%eth0": -1, "fe80::1%eth1": 2} {
		i, ok := s.Index(netip.MustParseAddr(a))
		if !ok {
			i = -1
		}
		if i != want {
			t.Errorf("%s: target %d, want %d", a, i, want)
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
	for _, s := range []string{"192.0.2.0/24", "192.0.2.1-9", "2001:db8::1-2001:db8::2", "-", "/", "1-", "1.2.3.4-", "fe80::1%eth0", "fe80::%br-lan/120", "fe80::1%a-b-fe80::2%a-b", "fe80::1%a-b-fec0::1"} {
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
		if again, err := ParseRange(r.String()); err != nil || again != r {
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

func BenchmarkIndex(b *testing.B) {
	var list []Range
	for i := range 100_000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 15), byte(i >> 7), byte(i << 1)})
		list = append(list, Range{First: a, Last: a})
	}
	s, err := NewSet(list, nil)
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		s.Index(list[i%len(list)].First)
		i += 7919
	}
}
