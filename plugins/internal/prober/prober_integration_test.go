//go:build integration

package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// inProber runs f in the prober's namespace of a lab that answers for all.
func inProber(t *testing.T, f func(t *testing.T, lab *netlab.Sweep)) {
	t.Helper()
	lab, err := netlab.SweepLab(netlab.SweepConfig{AllAnswering: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := lab.Prober.Do(func() error { f(t, lab); return nil }); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, instance string, networks ...string) *Prober {
	t.Helper()
	set, err := ParseTargets(networks, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan := &Plan{Instance: instance, Targets: set}
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	p, err := Open(Config{Plan: plan})
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
		a, b := open(t, "a", "198.18.0.0/20"), open(t, "b", "198.18.8.0-198.18.20.255", "198.18.200.0/24")
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

func TestInterfaceDown(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		p := open(t, "a", "198.18.0.0/22")
		defer p.Close()
		if s := sweepOnce(t, p).Stats; s.Trust != schema.TrustOK {
			t.Fatalf("while it is up: %+v", s)
		}
		link, err := netlink.LinkByName(netlab.ProberLink)
		if err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(30*time.Millisecond, func() {
			lab.Prober.Do(func() error { return netlink.LinkSetDown(link) })
		})
		defer timer.Stop()
		p.plan.Rate = 10_000
		sum := sweepOnce(t, p)
		if sum.Stats.Trust == schema.TrustOK || sum.SendError == nil || sum.Stats.Received == 0 {
			t.Errorf("after it went down: %+v, %v", sum.Stats, sum.SendError)
		}
		t.Logf("trust is %s: %v", sum.Stats.Trust, sum.SendError)
	})
}

func TestInterfaceGone(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		p := open(t, "a", "198.18.0.0/24")
		defer p.Close()
		link, err := netlink.LinkByName(netlab.ProberLink)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(5 * time.Second)
		for p.rings[0].failed() == nil && time.Now().Before(deadline) {
			runtime.Gosched()
		}
		if _, err := p.Run(context.Background(), Sweep{Start: time.Unix(1_790_000_000, 0), Emit: func(schema.Row) {}}); err == nil {
			t.Error("a sweep runs without its interface")
		} else {
			t.Log(err)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	inProber(t, func(t *testing.T, _ *netlab.Sweep) {
		set, _ := ParseTargets([]string{"203.0.113.0/24"}, nil)
		plan := &Plan{Targets: set}
		if err := plan.Check(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{Plan: plan}); !errors.Is(err, ErrNoRoute) {
			t.Errorf("no route: %v", err)
		}
		if _, err := Open(Config{Plan: plan, Interface: "eth99"}); !errors.Is(err, ErrInterface) {
			t.Errorf("no interface: %v", err)
		}
		set, _ = ParseTargets([]string{"198.18.0.1"}, nil)
		plan = &Plan{Targets: set}
		plan.Check()
		if _, err := Open(Config{Plan: plan, Source: netip.MustParseAddr("192.0.2.1")}); err == nil {
			t.Error("a source that is not ours is taken")
		}
		if shared.refs != 0 {
			t.Error("a failed open leaves the host behind")
		}
	})
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

// TestOwnLAN sweeps a connected /24: our own address answers, by way of lo; the broadcast address is left out;
// hosts that are not there are nobody's fault; a part that is routed elsewhere is captured there.
func TestOwnLAN(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		p := open(t, "lan", "203.0.113.0/24")
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
		if len(answered) != 4 || s.Targets != 255 || s.Trust != schema.TrustOK || s.SendErrors != 0 || s.NeighbourFailures < 100 || s.Unseen != 0 {
			t.Errorf("%d answered; %+v", len(answered), s)
		}
	})
}

// TestNoCarrier: when the other end of the link is down, a loss is not the network's.
func TestNoCarrier(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		p := open(t, "lan", "203.0.113.0/25")
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

// TestFullQueue: what the queue of the link has no room for is sent again, and neither lost nor counted as sent twice.
func TestFullQueue(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		link, err := netlink.LinkByName(netlab.ProberLink)
		if err != nil {
			t.Fatal(err)
		}
		err = netlink.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate:       1_000_000, Buffer: 3000, Limit: 3000, // 8 Mbit/s; room for some forty frames
		})
		if err != nil {
			t.Fatal(err)
		}
		p := open(t, "a", "198.18.0.0/22")
		defer p.Close()
		if s := sweepOnce(t, p).Stats; s.Sent != 1024 || s.Received != 1024 || s.Trust != schema.TrustOK {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestSourceWithARouteOfItsOwn(t *testing.T) {
	inProber(t, func(t *testing.T, lab *netlab.Sweep) {
		connected(t, lab)
		set, err := ParseTargets([]string{"198.18.0.0/24"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		plan := &Plan{Targets: set}
		if err := plan.Check(); err != nil {
			t.Fatal(err)
		}
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
		p, err := Open(Config{Plan: plan, Source: netip.MustParseAddr("192.0.2.1")})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if s := sweepOnce(t, p).Stats; s.Received != 256 || s.Trust != schema.TrustOK {
			t.Errorf("stats: %+v", s)
		}
	})
}
