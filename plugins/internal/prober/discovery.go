package prober

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/resolve"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/schema"
)

// openLinks opens what finds the hosts on each link of our own that has targets.
func (p *Prober) openLinks() error {
	for _, l := range p.paths.links {
		if p.links[l.Index] != nil || len(p.paths.onLinkPieces(l.Index)) == 0 || l.Link != capture.LinkEthernet || l.MAC == (frame.MAC{}) {
			continue
		}
		o, err := openOnLink(l)
		if err != nil {
			return p.denied(l, err)
		}
		p.links[l.Index] = o
		p.closers = append(p.closers, o.close)
	}
	if len(p.links) == 0 {
		return &Problem{Key: "on_link", Text: "no target lies on an Ethernet link of this host"}
	}
	return nil
}

// onLinkPieces returns the pieces whose targets lie on the link of an interface.
func (p *paths) onLinkPieces(ifindex int) []piece {
	var out []piece
	for _, pc := range p.pieces {
		if !pc.failed && pc.IfIndex == ifindex && pc.OnLink() {
			out = append(out, pc.piece)
		}
	}
	return out
}

// Discovery is how far the search for the hosts on our own links has come.
type Discovery struct {
	Targets, Asked, Found int
}

// Discovery returns how far the discovery has come that is under way, or the last one while its sweep is on; zero
// between sweeps, and without Config.OnLink.
func (p *Prober) Discovery() Discovery {
	var d Discovery
	for _, o := range p.links {
		s := o.progress()
		d.Targets += s.Targets
		d.Asked += s.Asked
		d.Found += s.Present
	}
	return d
}

// discovered is what the discoveries before a sweep have found, on all links.
type discovered struct {
	all   []*neighbours
	names map[int]string // by target, from reverse DNS
	drops int64
}

// discover finds the hosts on our own links, and gives their MACs to the senders. The sweep over, the caller ends
// what it returns.
func (p *Prober) discover(ctx context.Context, halt <-chan struct{}) (*discovered, error) {
	ctx, end := until(ctx, halt)
	defer end()
	if err := p.openLinks(); err != nil { // of interfaces that have come, or come back
		return nil, err
	}
	d := &discovered{}
	for index, o := range p.links {
		pieces := p.paths.onLinkPieces(index)
		if len(pieces) == 0 {
			continue
		}
		n, err := p.discoverOn(ctx, index, o, pieces)
		if err != nil {
			d.end()
			return nil, err
		}
		d.all = append(d.all, n)
		d.drops += int64(n.lost.Drops)
		if c := n.engine.Stats().Conflicts; c > 0 {
			p.config.warn(fmt.Sprintf("on %s %d addresses are claimed by more than one MAC", o.name, c))
		}
	}
	p.hops.setMACs(d.mac)
	if p.config.ReverseDNS {
		d.names = p.hostNames(ctx, d)
	}
	return d, nil
}

// until returns a context that is done when halt is closed, too. The caller must end it.
func until(ctx context.Context, halt <-chan struct{}) (limited context.Context, end func()) {
	limited, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-halt:
			cancel()
		case <-limited.Done():
		}
	})
	return limited, func() { cancel(); wg.Wait() }
}

func (p *Prober) discoverOn(ctx context.Context, index int, o *onLink, pieces []piece) (*neighbours, error) {
	l, err := p.host.routes.ByIndex(index)
	if err != nil {
		return nil, err
	}
	own, err := ownOn(p.host.routes, l, p.config.Source4, p.config.Source6)
	if err != nil {
		return nil, err
	}
	return o.discover(ctx, own, p.plan.Targets, pieces, discoverOptions{Rate: p.config.ARPRate})
}

// end ends the answers for ourselves.
func (d *discovered) end() {
	for _, n := range d.all {
		n.end()
	}
}

// of is sweep.Job's Neighbours.
func (d *discovered) of(target int) (sweep.Neighbour, bool) {
	for _, n := range d.all {
		if found, asked := n.of(target); asked {
			out := sweep.Neighbour{Present: found.Present, MAC: found.MAC, HostName: d.names[target]}
			if found.RTT > 0 {
				out.RTT = schema.Some(found.RTT)
			}
			return out, true
		}
	}
	return sweep.Neighbour{}, false
}

func (d *discovered) mac(target int) (frame.MAC, bool) {
	n, asked := d.of(target)
	return n.MAC, asked && n.Present
}

// hostNames looks up the names of the hosts that were found.
func (p *Prober) hostNames(ctx context.Context, d *discovered) map[int]string {
	var found []int
	var addrs []netip.Addr
	for _, pc := range p.paths.pieces {
		for t := pc.first; pc.OnLink() && t < pc.first+pc.n; t++ {
			if n, asked := d.of(t); asked && n.Present {
				found, addrs = append(found, t), append(addrs, p.plan.Targets.At(t))
			}
		}
	}
	names := map[int]string{}
	for i, name := range resolve.New(resolve.Config{}).Names(ctx, addrs) {
		names[found[i]] = name
	}
	return names
}

// checkSizes refuses payloads that would leave in fragments, unless that was asked for.
func (p *Prober) checkSizes() error {
	if p.config.Fragment {
		return nil
	}
	size := slices.Max(p.plan.Sizes)
	for _, pc := range p.paths.pieces {
		l, known := p.paths.link(pc.IfIndex)
		header := ipv4Header + echoHeader
		if p.plan.Targets.At(pc.first).Is6() {
			header = ipv6Header + echoHeader
		}
		if known && l.MTU != 0 && size+header > l.MTU {
			return &Problem{Key: "size", Text: fmt.Sprintf("%d bytes and %d of headers do not fit into the MTU of %s, %d: fragment = true sends them in pieces", size, header, l.Name, l.MTU)}
		}
	}
	return nil
}
