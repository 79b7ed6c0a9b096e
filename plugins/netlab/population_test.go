package netlab

import (
	"net/netip"
	"testing"
)

func TestSamplePopulationCounts(t *testing.T) {
	p := SamplePopulation(netip.MustParsePrefix("198.18.0.0/16"))
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	want := map[Kind]int{Answering: 189 * 256, Silent: 64 * 256, Unreachable: 256, Prohibited: 256, Late: 256}
	sum := 0
	for _, k := range Kinds() {
		if got := p.Count(k); got != want[k] {
			t.Errorf("%v: %d targets, want %d", k, got, want[k])
		}
		sum += p.Count(k)
	}
	if sum != p.Targets() || sum != 65536 {
		t.Errorf("%d targets, the kinds have %d", p.Targets(), sum)
	}
}

func TestPopulationKind(t *testing.T) {
	p := SamplePopulation(netip.MustParsePrefix("198.18.0.0/16"))
	for target, want := range map[string]Kind{
		"198.18.0.0": Answering, "198.18.3.255": Silent, "198.18.5.1": Unreachable, "198.18.9.9": Prohibited,
		"198.18.12.0": Late, "198.18.255.255": Silent,
	} {
		if got, ok := p.Kind(netip.MustParseAddr(target)); !ok || got != want {
			t.Errorf("%s: %v %v, want %v", target, got, ok, want)
		}
	}
	if _, ok := p.Kind(netip.MustParseAddr("198.19.0.1")); ok {
		t.Error("198.19.0.1 is not in the network")
	}
}

func TestPopulationCheck(t *testing.T) {
	network := netip.MustParsePrefix("198.18.0.0/16")
	for name, p := range map[string]Population{
		"no network":   {},
		"too small":    {Network: netip.MustParsePrefix("198.18.0.0/25")},
		"IPv6":         {Network: netip.MustParsePrefix("2001:2::/48")},
		"other block":  {Network: network, Special: map[netip.Prefix]Kind{netip.MustParsePrefix("198.19.0.0/24"): Late}},
		"not a block":  {Network: network, Special: map[netip.Prefix]Kind{netip.MustParsePrefix("198.18.0.0/20"): Late}},
		"unknown kind": {Network: network, Special: map[netip.Prefix]Kind{netip.MustParsePrefix("198.18.0.0/24"): kinds}},
	} {
		if p.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
