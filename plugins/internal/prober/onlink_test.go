package prober

import (
	"net/netip"
	"testing"

	"echogram/plugins/internal/targets"
)

func TestLinkTargets(t *testing.T) {
	in, err := targets.ParseRanges([]string{"198.18.0.0/24", "198.18.2.0/24", "fe80::10%eth1-fe80::1f", "fe80::8%eth2-fe80::17"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := targets.NewSet(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	lt := newLinkTargets(set, []piece{{16, 16}, {256, 128}, {512, 16}}) // the last is all of eth1
	if lt.Len() != 160 {
		t.Errorf("%d targets", lt.Len())
	}
	for i := range lt.Len() {
		if at, ok := lt.Index(lt.At(i).WithZone("")); !ok || at != i {
			t.Errorf("target %d, %s, is found as %d, %v", i, lt.At(i), at, ok)
		}
	}
	for i, want := range map[int]string{0: "198.18.0.16", 15: "198.18.0.31", 16: "198.18.2.0", 144: "fe80::10%eth1", 159: "fe80::1f%eth1"} {
		if lt.At(i).String() != want {
			t.Errorf("target %d is %s, want %s", i, lt.At(i), want)
		}
	}
	for _, other := range []string{"198.18.0.15", "198.18.0.32", "198.18.2.128", "198.18.1.0", "fe80::8", "2001:2::1"} {
		if i, ok := lt.Index(netip.MustParseAddr(other)); ok {
			t.Errorf("%s is found as %d", other, i)
		}
	}
	if _, ok := lt.place(528); ok {
		t.Error("a target of another link has a place")
	}
}
