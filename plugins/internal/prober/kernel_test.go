package prober

import (
	"fmt"
	"net/netip"
	"slices"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/route"
)

// fakeKernel routes by the longest of its prefixes.
type fakeKernel struct {
	routes     map[string]route.Route // by prefix
	interfaces map[int]route.Interface
	neighbours map[netip.Addr]route.Neighbour
	asked      int // routes that were asked for
}

func (k *fakeKernel) Get(q route.Query, dst netip.Addr) (route.Route, error) {
	k.asked++
	best, found := route.Route{}, -1
	for text, r := range k.routes {
		if p := netip.MustParsePrefix(text); p.Contains(dst) && p.Bits() > found {
			best, found = r, p.Bits()
		}
	}
	if found < 0 {
		return route.Route{}, route.ErrNoRoute
	}
	if q.Source.IsValid() {
		best.Source = q.Source
	}
	return best, nil
}

func (k *fakeKernel) specifics(v4 bool) (all []route.Specific, err error) {
	for text := range k.routes {
		if p := netip.MustParsePrefix(text); p.Addr().Is4() == v4 && p.Bits() > 0 {
			all = append(all, route.Specific{Prefix: p})
		}
	}
	return all, nil
}

func (k *fakeKernel) Specifics4(int) ([]route.Specific, error) { return k.specifics(true) }

func (k *fakeKernel) Specifics6(int) ([]route.Specific, error) { return k.specifics(false) }

func (k *fakeKernel) ByIndex(i int) (route.Interface, error) {
	if l, ok := k.interfaces[i]; ok {
		return l, nil
	}
	return route.Interface{}, route.ErrNoInterface
}

func (k *fakeKernel) Lookup(h route.Hop) (route.Neighbour, error) { return k.neighbours[h.Addr], nil }

// sentLog notes who sent what, in order, as "eth2 3" or "kernel 3", the number being the target's.
type sentLog struct {
	lines []string
	room  int   // how many more are taken; after them err
	err   error // once room is used up
}

func (l *sentLog) take(who string, n int, target func(i int) int) (int, error) {
	for i := range n {
		if l.err != nil && l.room == 0 {
			return i, l.err
		}
		l.room--
		l.lines = append(l.lines, fmt.Sprint(who, " ", target(i)))
	}
	return n, nil
}

type fakeFallback struct{ *sentLog }

func (f fakeFallback) Send(msgs []icmpecho.Datagram) (int, error) {
	return f.take("kernel", len(msgs), func(i int) int { return msgs[i].Target })
}

// fakeSocket tells a frame's target by the last byte of its destination address.
type fakeSocket struct {
	*sentLog
	ifindex int
	broken  error
	sample  []byte
}

func (s *fakeSocket) Bind(ifindex int) error { s.ifindex = ifindex; return nil }

func (s *fakeSocket) Close() error { return nil }

func (s *fakeSocket) Send(frames [][]byte) (int, error) {
	if s.broken != nil {
		return 0, s.broken
	}
	s.sample = slices.Clone(frames[0])
	return s.take(fmt.Sprint("eth", s.ifindex), len(frames), func(i int) int {
		if frames[i][12] == 0x86 {
			return int(frames[i][14+39])
		}
		return int(frames[i][14+19])
	})
}

var (
	ours, theirs, onLinkHost = frame.MAC{2, 0, 0, 0, 0, 1}, frame.MAC{2, 0, 0, 0, 0, 2}, frame.MAC{2, 0, 0, 0, 0, 3}
	gateway                  = netip.MustParseAddr("192.0.2.2")
	gateway6                 = netip.MustParseAddr("fe80::2")
	source4                  = netip.MustParseAddr("192.0.2.1")
	source6                  = netip.MustParseAddr("2001:db8::1")
)

// newFakeKernel has a default route by a known gateway on interface 2, the same in IPv6, a network on the link of
// interface 3, a tunnel, this host, and a gateway that is not known.
func newFakeKernel() *fakeKernel {
	ether := func(i int) route.Interface { return route.Interface{Index: i, Up: true, MAC: ours, MTU: 1500} }
	return &fakeKernel{
		routes: map[string]route.Route{
			"0.0.0.0/0":        {IfIndex: 2, Gateway: gateway, Source: source4},
			"::/0":             {IfIndex: 2, Gateway: gateway6, Source: source6},
			"198.18.0.16/28":   {IfIndex: 3, Source: source4},
			"198.18.0.32/28":   {IfIndex: 4, Source: source4},
			"198.18.0.48/32":   {IfIndex: 1, Local: true, Source: source4},
			"198.18.0.64/28":   {IfIndex: 2, Gateway: netip.MustParseAddr("192.0.2.9"), Source: source4},
			"198.18.0.80/28":   {IfIndex: 2, Gateway: gateway, Source: source4, MTU: 1300},
			"198.18.0.96/28":   {IfIndex: 2, Gateway: gateway, Source: source4, Wrapped: true},
			"198.18.0.112/28":  {IfIndex: 2, Gateway: gateway, Source: source4}, // as all around it
			"198.51.100.0/24":  {IfIndex: 9, Source: source4},                   // by an interface that is gone
			"2001:db8::48/128": {IfIndex: 1, Local: true, Source: source6},
		},
		interfaces: map[int]route.Interface{1: {Index: 1, Up: true}, 2: ether(2), 3: ether(3), 4: {Index: 4, Up: true, Link: 1}},
		neighbours: map[netip.Addr]route.Neighbour{
			gateway:  {MAC: theirs, State: route.Reachable},
			gateway6: {MAC: theirs, State: route.Stale},
		},
	}
}
