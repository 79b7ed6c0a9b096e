//go:build integration

package route

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"echogram/plugins/internal/frame"
	"echogram/plugins/netlab"
)

// inPair runs f in namespace A of a pair, with the index of its link.
func inPair(t *testing.T, f func(pair *netlab.Peers, link int)) {
	t.Helper()
	netlab.InPeers(t, func(pair *netlab.Peers) {
		link, err := netlink.LinkByName(netlab.PeerLinkA)
		check(t, err)
		f(pair, link.Attrs().Index)
	})
}

func client(t *testing.T) *Client {
	t.Helper()
	c, err := NewClient()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestGet(t *testing.T) {
	inPair(t, func(pair *netlab.Peers, link int) {
		a4, b4, a6, b6 := netlab.PeerA4.Addr(), netlab.PeerB4.Addr(), netlab.PeerA6.Addr(), netlab.PeerB6.Addr()
		check(t, pair.A.RouteVia(netip.MustParsePrefix("198.18.0.0/16"), b4))
		check(t, pair.A.RouteVia(netip.MustParsePrefix("2001:2:0:8::/64"), b6))
		check(t, pair.A.RouteBlackhole(netip.MustParsePrefix("198.18.9.0/24")))
		check(t, pair.A.RouteBlackhole(netip.MustParsePrefix("2001:2:0:8:9::/80")))
		_, marked, _ := net.ParseCIDR("198.18.128.0/17")
		check(t, netlink.RouteAdd(&netlink.Route{Table: 77, Dst: marked, LinkIndex: link, MTU: 1300}))
		rule := netlink.NewRule()
		rule.Mark, rule.Table = 5, 77
		check(t, netlink.RuleAdd(rule))
		client := client(t)
		for _, c := range []struct {
			name string
			q    Query
			dst  string
			want Route
		}{
			{"by a gateway", Query{}, "198.18.0.1", Route{IfIndex: link, Gateway: b4, Source: a4}},
			{"by a gateway, IPv6", Query{}, "2001:2:0:8::1", Route{IfIndex: link, Gateway: b6, Source: a6}},
			{"from a source", Query{Source: a4}, "198.18.0.1", Route{IfIndex: link, Gateway: b4, Source: a4}},
			{"on the link", Query{}, b4.String(), Route{IfIndex: link, Source: a4}},
			{"on the link, IPv6", Query{}, b6.String(), Route{IfIndex: link, Source: a6}},
			{"ourselves", Query{}, a4.String(), Route{IfIndex: 1, Local: true, Source: a4}},
			{"ourselves, IPv6", Query{}, a6.String(), Route{IfIndex: 1, Local: true, Source: a6}},
			{"with a mark", Query{Mark: 5}, "198.18.200.1", Route{IfIndex: link, Source: a4, MTU: 1300}},
			{"without the mark", Query{}, "198.18.200.1", Route{IfIndex: link, Gateway: b4, Source: a4}},
			{"blackhole", Query{}, "198.18.9.1", Route{}},
			{"blackhole, IPv6", Query{}, "2001:2:0:8:9::1", Route{}},
			{"no route", Query{}, "192.0.2.1", Route{}},
			{"no route, IPv6", Query{}, "2001:db8::1", Route{}},
			{"a source that is not ours", Query{Source: netip.MustParseAddr("192.0.2.1")}, "198.18.0.1", Route{}},
		} {
			got, err := client.Get(c.q, netip.MustParseAddr(c.dst))
			if c.want == (Route{}) && errors.Is(err, ErrNoRoute) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if got.MTU != c.want.MTU && got.MTU != 1500 { // IPv6 always tells one
				t.Errorf("%s: MTU %d", c.name, got.MTU)
			}
			if got.MTU = c.want.MTU; got != c.want {
				t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			}
		}
		for _, zone := range []string{netlab.PeerLinkA, "9999", "nowhere"} {
			r, err := client.Get(Query{}, netip.MustParseAddr("fe80::1").WithZone(zone))
			if zone == netlab.PeerLinkA && (err != nil || r.IfIndex != link || !r.Source.IsLinkLocalUnicast()) || zone != netlab.PeerLinkA && !errors.Is(err, ErrNoInterface) {
				t.Errorf("zone %s: %+v, %v", zone, r, err)
			}
		}
	})
}

func TestSpecifics(t *testing.T) {
	inPair(t, func(pair *netlab.Peers, link int) {
		check(t, pair.A.RouteVia(netip.MustParsePrefix("2001:2:0:8::/96"), netlab.PeerB6.Addr()))
		_, to, _ := net.ParseCIDR("198.18.3.0/25")
		rule := netlink.NewRule()
		rule.Dst, rule.Table = to, 77
		check(t, netlink.RuleAdd(rule))
		four, err := client(t).Specifics4(24)
		check(t, err)
		six, err := client(t).Specifics6(64)
		check(t, err)
		for _, want := range []Specific{
			{netip.MustParsePrefix("198.19.7.1/32"), false}, {netip.MustParsePrefix("198.19.7.255/32"), true}, {netip.MustParsePrefix("198.18.3.0/25"), false},
			{netip.MustParsePrefix("2001:2:0:7::1/128"), false}, {netip.MustParsePrefix("2001:2:0:8::/96"), false},
		} {
			if !slices.Contains(append(four, six...), want) {
				t.Errorf("%v is not in %v %v", want, four, six)
			}
		}
		for _, s := range append(four, six...) {
			if s.Prefix.Bits() <= 24 || s.Prefix.Addr().Is6() && s.Prefix.Bits() <= 64 {
				t.Errorf("%v is as wide as a block", s)
			}
		}
	})
}

func TestInterfaces(t *testing.T) {
	inPair(t, func(_ *netlab.Peers, link int) {
		c := client(t)
		i, err := c.ByName(netlab.PeerLinkA)
		if err != nil || i.Index != link || i.Kind != "veth" || i.MTU != 1500 || i.MAC == (frame.MAC{}) || !i.Up {
			t.Errorf("%+v, %v", i, err)
		}
		if lo, err := c.ByIndex(1); err != nil || lo.Name != "lo" || lo.MAC != (frame.MAC{}) || lo.Kind != "" {
			t.Errorf("%+v, %v", lo, err)
		}
	})
}

// TestNeighbours looks at one neighbour of each family while it comes, moves and goes, and at what a watch tells.
func TestNeighbours(t *testing.T) {
	inPair(t, func(pair *netlab.Peers, link int) {
		c := client(t)
		w, err := NewWatch()
		check(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		defer func() {
			cancel()
			check(t, <-done)
			check(t, w.Close())
		}()
		for _, addr := range []netip.Addr{netlab.PeerB4.Addr(), netlab.PeerB6.Addr()} {
			hop := Hop{link, addr}
			if n, err := c.Lookup(hop); err != nil || n.State != Unknown {
				t.Errorf("before: %+v, %v", n, err)
			}
			quiet(t, w)
			check(t, ping(addr))
			quiet(t, w) // nobody follows it
			first := known(t, c, hop)
			w.Follow(map[Hop]Neighbour{hop: first})
			check(t, pair.B.Do(func() error {
				l, err := netlink.LinkByName(netlab.PeerLinkB)
				if err != nil {
					return err
				}
				mac := l.Attrs().HardwareAddr
				mac[5]++
				return netlink.LinkSetHardwareAddr(l, mac)
			}))
			quiet(t, w)
			check(t, netlink.NeighDel(&netlink.Neigh{LinkIndex: link, IP: addr.AsSlice()}))
			told(t, w, "it went")
			check(t, ping(addr))
			told(t, w, "it came back elsewhere")
			if n := known(t, c, hop); n.MAC == first.MAC {
				t.Errorf("still %+v", n)
			}
			quiet(t, w)
		}
		if n, err := c.Lookup(Hop{9999, netlab.PeerB4.Addr()}); !errors.Is(err, ErrNoInterface) {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

// TestWatch: routes, addresses and links make themselves heard, however much at once, once.
func TestWatch(t *testing.T) {
	inPair(t, func(pair *netlab.Peers, link int) {
		w, err := NewWatch()
		check(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		for _, c := range []struct {
			name string
			do   func() error
		}{
			{"route", func() error { return pair.A.RouteVia(netip.MustParsePrefix("198.18.0.0/16"), netlab.PeerB4.Addr()) }},
			{"IPv6 route", func() error { return pair.A.RouteVia(netip.MustParsePrefix("2001:2:0:8::/64"), netlab.PeerB6.Addr()) }},
			{"link", func() error {
				return netlink.LinkSetMTU(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: link}}, 1400)
			}},
		} {
			check(t, c.do())
			told(t, w, c.name)
			quiet(t, w)
		}
		cancel()
		check(t, <-done)
		check(t, w.Close())
	})
}

// told waits for a watch to tell something.
func told(t *testing.T, w *Watch, what string) {
	t.Helper()
	select {
	case <-w.Changed:
	case <-time.After(2 * time.Second):
		t.Errorf("the watch does not tell that %s", what)
	}
}

// quiet lets what a watch has to tell come out, until for a while there is no more.
func quiet(t *testing.T, w *Watch) {
	t.Helper()
	for range 20 {
		select {
		case <-w.Changed:
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
	t.Error("the watch does not stop telling")
}

func known(t *testing.T, c *Client, h Hop) Neighbour {
	t.Helper()
	n, err := c.Lookup(h)
	for deadline := time.Now().Add(2 * time.Second); err == nil && !n.Known() && time.Now().Before(deadline); {
		n, err = c.Lookup(h)
	}
	if err != nil || !n.Known() || n.MAC == (frame.MAC{}) {
		t.Fatalf("%v: %+v, %v", h, n, err)
	}
	return n
}

// ping has the kernel resolve an address.
func ping(a netip.Addr) error {
	c, err := net.Dial("udp", netip.AddrPortFrom(a, 9).String())
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte{0})
	return err
}

// TestClientStaysAtHome: a client asks the namespace that it was opened in, from any thread.
func TestClientStaysAtHome(t *testing.T) {
	inPair(t, func(_ *netlab.Peers, link int) {
		c := client(t)
		done := make(chan struct{})
		go func() { // outside of the namespace
			defer close(done)
			if r, err := c.Get(Query{}, netlab.PeerB4.Addr()); err != nil || r.IfIndex != link || r.Source != netlab.PeerA4.Addr() {
				t.Errorf("%+v, %v", r, err)
			}
			if i, err := c.ByName(netlab.PeerLinkA); err != nil || i.Index != link {
				t.Errorf("%+v, %v", i, err)
			}
			if _, err := c.Lookup(Hop{9999, netlab.PeerB4.Addr()}); !errors.Is(err, ErrNoInterface) {
				t.Error(err)
			}
		}()
		<-done
	})
}

func BenchmarkGet(b *testing.B) {
	c, err := NewClient()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	dst := netip.MustParseAddr("127.0.0.2")
	for b.Loop() {
		if _, err := c.Get(Query{}, dst); err != nil {
			b.Fatal(err)
		}
	}
}
