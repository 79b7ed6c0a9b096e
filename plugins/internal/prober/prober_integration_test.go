//go:build integration

package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"echogram/plugins/internal/sweep"
	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// inProber runs f in the prober's namespace of a lab that answers for all.
func inProber(t *testing.T, f func(t *testing.T, lab *netlab.Sweep)) {
	t.Helper()
	lab, err := netlab.SweepLab(netlab.SweepConfig{AllAnswering: true})
	netlab.Lasting(t, lab, err)
	if err := lab.Prober.Do(func() error { f(t, lab); return nil }); err != nil {
		t.Fatal(err)
	}
}

func config(t *testing.T, instance string, networks ...string) Config {
	t.Helper()
	list, err := NewTargetList(TargetConfig{Networks: networks})
	if err != nil {
		t.Fatal(err)
	}
	return Config{Plan: &Plan{Instance: instance}, Targets: list}
}

func open(t *testing.T, c Config) *Prober {
	t.Helper()
	p, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sweepOnce(t *testing.T, p *Prober) Summary {
	sum, err := p.Run(context.Background(), Sweep{Start: time.Unix(1_790_000_000, 0), Emit: func(schema.Row) {}})
	if err != nil {
		t.Error(err)
	}
	return sum
}

// TestStanzasShareARing: two stanzas sweep side by side through one capture, and neither sees the other's replies
// as anything but its own.
func TestStanzasShareARing(t *testing.T) {
	before := runtime.NumGoroutine()
	inProber(t, func(t *testing.T, _ *netlab.Sweep) {
		a := open(t, config(t, "a", "198.18.0.0/20"))
		b := open(t, config(t, "b", "198.18.8.0-198.18.20.255", "198.18.200.0/24"))
		if len(a.host.rings) != 1 || a.rings[0] != b.rings[0] {
			t.Errorf("%d rings for one interface", len(a.host.rings))
		}
		var wg sync.WaitGroup
		for _, p := range []*Prober{a, b} {
			wg.Go(func() {
				s := sweepOnce(t, p).Stats
				if n := int64(p.plan.Targets.Len()); s.Sent != n || s.Received != n || s.Foreign+s.Unverified+s.Duplicates+s.OtherSource != 0 || s.Trust != schema.TrustOK {
					t.Errorf("stanza %s: %+v", p.plan.Instance, s)
				}
			})
		}
		wg.Wait()
		a.Close()
		if b.rings[0].failed() != nil || sweepOnce(t, b).Stats.Received != int64(b.plan.Targets.Len()) {
			t.Error("the ring went with the first stanza")
		}
		b.Close()
		if shared.refs != 0 || shared.host != nil {
			t.Error("the process's host outlives its probers")
		}
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	inProber(t, func(t *testing.T, _ *netlab.Sweep) {
		if _, err := Open(t.Context(), config(t, "a", "203.0.113.0/24")); !errors.Is(err, ErrNoRoute) {
			t.Errorf("no route: %v", err)
		}
		c := config(t, "a", "198.18.0.1")
		c.Interface = "eth99"
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrInterface) {
			t.Errorf("no interface: %v", err)
		}
		c = config(t, "a", "198.18.0.1")
		c.Source4 = netip.MustParseAddr("192.0.2.1")
		if _, err := Open(t.Context(), c); err == nil {
			t.Error("a source that is not ours is taken")
		}
		if shared.refs != 0 {
			t.Error("a failed open leaves the host behind")
		}
	})
}

// TestShortSleeps: a pause of 300 µs is not one of a millisecond.
func TestShortSleeps(t *testing.T) {
	var took []time.Duration
	for range 100 {
		began := time.Now()
		clock{}.Sleep(t.Context(), 300*time.Microsecond)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if took[0] < 300*time.Microsecond || took[10] > 600*time.Microsecond { // most may be late on a busy machine
		t.Errorf("between %v and %v, a tenth below %v", took[0], took[99], took[10])
	}
}

// connected gives the prober's namespace a link of its own to the responder's, a /24 whose hosts .2, .3 and .200 are
// there, and of which a /25 is routed elsewhere.
func connected(t *testing.T, lab *netlab.Sweep) {
	t.Helper()
	for i, c := range []struct{ ours, theirs string }{
		{"203.0.113.1/24", "203.0.113.2/24"}, {"192.0.2.1/30", "192.0.2.2/30"},
	} {
		ours, theirs := "lan"+string(rune('0'+i)), "peer"+string(rune('0'+i))
		err := netlab.Connect(
			netlab.End{Namespace: lab.Prober, Link: ours, Address: netip.MustParsePrefix(c.ours)},
			netlab.End{Namespace: lab.Responder, Link: theirs, Address: netip.MustParsePrefix(c.theirs)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"203.0.113.3/32", "203.0.113.200/32"} {
		if err := lab.Responder.RouteLocal(netip.MustParsePrefix(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := lab.Prober.RouteVia(netip.MustParsePrefix("203.0.113.128/25"), netip.MustParseAddr("192.0.2.2")); err != nil {
		t.Fatal(err)
	}
}

// TestOwnLAN sweeps a connected /24: our own address answers, by way of lo; the network and broadcast addresses are left
// out; hosts that are not there are nobody's fault; a part that is routed elsewhere is captured there.
func TestOwnLAN(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		p := open(t, config(t, "lan", "203.0.113.0/24"))
		defer p.Close()
		if len(p.rings) != 3 {
			t.Errorf("%d rings, want those of two links and lo", len(p.rings))
		}
		answered := map[string]bool{}
		sum, err := p.Run(context.Background(), Sweep{Start: time.Unix(1_790_000_000, 0), Emit: func(row schema.Row) {
			if r, ok := row.(*schema.SweepRow); ok && r.Received > 0 && r.RTT.Set {
				answered[r.Target] = true
			}
		}})
		if err != nil || sum.SendError != nil {
			t.Fatal(err, sum.SendError)
		}
		for _, want := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.200"} {
			if !answered[want] {
				t.Errorf("%s did not answer", want)
			}
		}
		s := sum.Stats
		if len(answered) != 4 || s.Targets != 254 || s.Trust != schema.TrustOK || s.SendErrors != 0 || s.NeighbourFailures < 100 || s.Unseen != 0 {
			t.Errorf("%d answered; %+v", len(answered), s)
		}
	})
}

// TestNoCarrier: when the other end of the link is down, a loss is not the network's.
func TestNoCarrier(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		p := open(t, config(t, "lan", "203.0.113.0/25"))
		defer p.Close()
		err := lab.Responder.Do(func() error {
			link, err := netlink.LinkByName("peer0")
			if err != nil {
				return err
			}
			return netlink.LinkSetDown(link)
		})
		if err != nil {
			t.Fatal(err)
		}
		if s := sweepOnce(t, p).Stats; s.Trust == schema.TrustOK {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestSourceWithARouteOfItsOwn(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		rule := netlink.NewRule()
		rule.Src, rule.Table = netlink.NewIPNet(netip.MustParseAddr("192.0.2.1").AsSlice()), 100
		if err := netlink.RuleAdd(rule); err != nil {
			t.Fatal(err)
		}
		lan1, err := netlink.LinkByName("lan1")
		if err != nil {
			t.Fatal(err)
		}
		_, all, _ := net.ParseCIDR("0.0.0.0/0")
		err = netlink.RouteAdd(&netlink.Route{Table: 100, LinkIndex: lan1.Attrs().Index, Gw: netip.MustParseAddr("192.0.2.2").AsSlice(), Dst: all})
		if err != nil {
			t.Fatal(err)
		}
		c := config(t, "a", "198.18.0.0/24")
		c.Source4 = netip.MustParseAddr("192.0.2.1")
		p := open(t, c)
		defer p.Close()
		if s := sweepOnce(t, p).Stats; s.Received != 256 || s.Trust != schema.TrustOK {
			t.Errorf("stats: %+v", s)
		}
	})
}

// TestTargetsThatCannotBeSwept: a list that has come to hold too many is an error as long as it does, and not a
// reason to go on with the last one in silence.
func TestTargetsThatCannotBeSwept(t *testing.T) {
	inProber(t, func(t *testing.T, _ *netlab.Sweep) {
		file := filepath.Join(t.TempDir(), "targets")
		write := func(s string) {
			if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("198.18.0.1\n")
		c := config(t, "a", "198.18.0.2")
		var err error
		if c.Targets, err = NewTargetList(TargetConfig{TargetFiles: []string{file}}); err != nil {
			t.Fatal(err)
		}
		c.Plan.Count = sweep.MaxProbes / 2
		p, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		write("198.18.0.0/24\n")
		for range 2 {
			if err := p.refresh(t.Context()); err == nil {
				t.Error("too many requests are taken")
			}
		}
		write("198.18.0.3\n198.18.0.4\n")
		if err := p.refresh(t.Context()); err != nil || p.plan.Targets.Len() != 2 {
			t.Errorf("%v, %d targets", err, p.plan.Targets.Len())
		}
	})
}
