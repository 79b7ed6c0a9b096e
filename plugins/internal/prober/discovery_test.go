package prober

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"echogram/plugins/internal/route"
)

func TestUntil(t *testing.T) {
	halt := make(chan struct{})
	ctx, end := until(t.Context(), halt)
	if ctx.Err() != nil {
		t.Error("it begins done")
	}
	close(halt)
	<-ctx.Done()
	end()
	ctx, end = until(context.Background(), nil)
	if end(); ctx.Err() == nil {
		t.Error("it outlives its end")
	}
}

func TestOptionsThatContradictEachOther(t *testing.T) {
	for key, c := range map[string]Config{
		"send":        {OnLink: true, Send: "raw"},
		"arp_rate":    {ARPRate: 100},
		"reverse_dns": {ReverseDNS: true},
		"fragment":    {Fragment: true, DontFragment: true},
	} {
		var problem *Problem
		c.Plan = &Plan{}
		if err := c.Check(); !errors.As(err, &problem) || problem.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

// TestZonesHaveRoutesOfTheirOwn: the same addresses on two links are two pieces, and nobody else's.
func TestZonesHaveRoutesOfTheirOwn(t *testing.T) {
	set, err := ParseTargets([]string{"192.0.2.7", "2001:db8::1", "fe80::1%eth0", "fe80::2%eth0", "fe80::1%eth1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := runs(set, nil), []piece{{0, 1}, {1, 1}, {2, 2}, {4, 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSizesFitTheirFamily(t *testing.T) {
	for _, c := range []struct {
		target   string
		size     int
		fragment bool
		fits     bool
	}{
		{"192.0.2.7", 1472, false, true}, {"192.0.2.7", 1473, false, false}, {"192.0.2.7", 1473, true, true},
		{"2001:db8::7", 1452, false, true}, {"2001:db8::7", 1453, false, false},
	} {
		set, err := ParseTargets([]string{c.target}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &Prober{
			config: Config{Fragment: c.fragment}, plan: &Plan{Targets: set, Sizes: []int{12, c.size}},
			paths: &paths{links: []route.Interface{{Index: 3, MTU: 1500}}, pieces: []path{{piece{0, 1}, route.Route{IfIndex: 3}, false}}},
		}
		if err := p.checkSizes(); (err == nil) != c.fits {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestRingsThatASweepNeeds(t *testing.T) {
	p := &Prober{config: Config{Return: []string{"back0"}}, paths: &paths{links: []route.Interface{{Name: "eth0"}}}}
	for name, want := range map[string]bool{"eth0": true, "back0": true, "tun0": false} {
		if got := p.needs(&ring{name: name}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if p.paths.links = nil; !p.needs(&ring{name: "tun0"}) {
		t.Error("nothing is missing although no target can be reached")
	}
}
