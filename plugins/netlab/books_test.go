package netlab

import (
	"net/netip"
	"testing"
	"time"
)

func TestBooks(t *testing.T) {
	b, err := newBooks([]netip.Prefix{netip.MustParsePrefix("198.18.2.7/23"), netip.MustParsePrefix("2001:2:0:1::/120")})
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range []string{"198.18.2.0", "198.18.3.255", "2001:2:0:1::", "2001:2:0:1::ff"} {
		a := b.account(netip.MustParseAddr(target))
		for n := range i + 1 {
			if got := a.ask(); got != n {
				t.Errorf("%s: request %d is called %d", target, n, got)
			}
		}
		a.reply(Fate{Copies: 2, Flip: []int{100, 95}, BreakSum: true}, time.Second)
	}
	for _, target := range []string{"198.18.4.0", "198.18.1.255", "2001:2:0:1::100"} {
		if b.account(netip.MustParseAddr(target)) != nil {
			t.Errorf("%s has an account", target)
		}
	}
	sum := b.sum()
	want := Tally{Asked: 10, Replied: 4, Repeated: 8, FlippedCookie: 4, BrokenSum: 4}
	if sum.Tally != want || sum.Held != 4*time.Second {
		t.Errorf("%v, held %v", sum.Tally, sum.Held)
	}
	if got := sum.String(); got != "asked 10, replied 4, repeated 8, cookie flipped 4, sum broken 4" {
		t.Errorf("%q", got)
	}
	n, last := 0, netip.Addr{}
	for last = range b.all() {
		n++
	}
	if n != 512+256 || last.String() != "2001:2:0:1::ff" {
		t.Errorf("%d accounts up to %v", n, last)
	}
}

func TestBooksRefuseWideNetworks(t *testing.T) {
	for _, n := range []netip.Prefix{{}, netip.MustParsePrefix("10.0.0.0/11"), netip.MustParsePrefix("2001:2::/64")} {
		if _, err := newBooks([]netip.Prefix{n}); err == nil {
			t.Errorf("%v is taken", n)
		}
	}
}
