package prober

import (
	"net/netip"
	"slices"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
)

// hopTable says how the frames for each target leave. It does not change once made.
type hopTable struct {
	hops       []hop // in the order of the targets; where there is none the kernel finds the way
	interfaces []int
	gateways   map[route.Hop]route.Neighbour
}

// hop is how the frames of a run of targets leave.
type hop struct {
	piece
	way
}

// way is a hop's, without the targets.
type way struct {
	ifindex int
	from    frame.MAC
	source  netip.Addr
	zone    string // of the targets
	room    int    // length of the longest ICMP message that needs no fragments
	onLink  bool   // each target has a MAC of its own
	gateway route.Hop
	to      frame.MAC // gateway's, if known
	known   bool
}

func (t *hopTable) search(target int) (i int, found bool) {
	return slices.BinarySearchFunc(t.hops, target, func(h hop, target int) int { return h.compare(target) })
}

func (t *hopTable) needs(ifindex int) bool { return slices.Contains(t.interfaces, ifindex) }

// kernel is what next hops are found by: route.Client.
type kernel interface {
	Get(route.Query, netip.Addr) (route.Route, error)
	Specifics4(bits int) ([]route.Specific, error)
	Specifics6(bits int) ([]route.Specific, error)
	ByIndex(index int) (route.Interface, error)
	Lookup(route.Hop) (route.Neighbour, error)
}

// findHops asks for the way to each run of targets that all routing tables and rules treat alike. Gateways are not
// looked up yet.
func (n *nextHops) findHops(set *targets.Set) ([]hop, error) {
	specifics, err := n.kernel.Specifics4(0)
	if err != nil {
		return nil, err
	}
	specifics6, err := n.kernel.Specifics6(0)
	if err != nil {
		return nil, err
	}
	var hops []hop
	interfaces := map[int]route.Interface{}
	for _, p := range runs(set, append(specifics, specifics6...)) {
		w, ok := n.way(set.At(p.first), interfaces)
		switch last := len(hops) - 1; {
		case !ok:
		case last >= 0 && hops[last].way == w && hops[last].first+hops[last].n == p.first:
			hops[last].n += p.n
		default:
			hops = append(hops, hop{p, w})
		}
	}
	return hops, nil
}

// runs cuts the targets where a route begins or ends, between the families, and between zones.
func runs(set *targets.Set, specifics []route.Specific) []piece {
	cuts := []int{0, set.Len()}
	cut := func(p netip.Prefix) {
		if first, end := set.Within(p); first < end {
			cuts = append(cuts, first, end)
		}
	}
	cut(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	for _, s := range specifics {
		cut(s.Prefix)
	}
	blocks := set.Blocks()
	for k := len(blocks) - 1; k >= 0 && set.At(blocks[k].First).Zone() != ""; k-- { // they come last
		cuts = append(cuts, blocks[k].First)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	all := make([]piece, len(cuts)-1)
	for i := range all {
		all[i] = piece{cuts[i], cuts[i+1] - cuts[i]}
	}
	return all
}

// Lengths of IP headers without options.
const (
	ipv4Header = 20
	ipv6Header = 40
	echoHeader = 8
)

// way asks for the way to one target. It is the kernel's where ok is false: there is no route, the target is this
// host, the packets get more headers, or the interface has no Ethernet.
func (n *nextHops) way(dst netip.Addr, interfaces map[int]route.Interface) (w way, ok bool) {
	q, header := n.query, ipv6Header
	if q.Source = n.source6; dst.Is4() {
		q.Source, header = n.source4, ipv4Header
	}
	r, err := n.kernel.Get(q, dst)
	if err != nil || r.Local || r.Wrapped || r.Source.Is4() != dst.Is4() || !r.Source.IsValid() {
		return way{}, false
	}
	i, seen := interfaces[r.IfIndex]
	if !seen {
		i, _ = n.kernel.ByIndex(r.IfIndex) // one that cannot be described is not up
		interfaces[r.IfIndex] = i
	}
	if !i.Up || i.Link != capture.LinkEthernet || i.MAC == (frame.MAC{}) {
		return way{}, false
	}
	mtu := i.MTU
	if r.MTU != 0 {
		mtu = min(mtu, r.MTU)
	}
	w = way{ifindex: i.Index, from: i.MAC, source: r.Source.WithZone(""), zone: dst.Zone(), room: mtu - header, onLink: r.OnLink()}
	if !w.onLink {
		w.gateway = route.Hop{IfIndex: i.Index, Addr: r.Gateway}
	}
	return w, true
}

// gateways returns each gateway of hops once.
func gateways(hops []hop) map[route.Hop]route.Neighbour {
	all := map[route.Hop]route.Neighbour{}
	for _, h := range hops {
		if !h.onLink {
			all[h.gateway] = route.Neighbour{}
		}
	}
	return all
}

// newTable puts what is known of the gateways into hops.
func newTable(hops []hop, known map[route.Hop]route.Neighbour) *hopTable {
	t := &hopTable{hops: hops, gateways: known}
	for i := range hops {
		h := &hops[i]
		if gateway := known[h.gateway]; gateway.Known() {
			h.to, h.known = gateway.MAC, true
		}
		if !t.needs(h.ifindex) {
			t.interfaces = append(t.interfaces, h.ifindex)
		}
	}
	return t
}
