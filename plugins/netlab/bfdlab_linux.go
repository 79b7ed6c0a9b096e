package netlab

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// BFDConfig says what lies between the two routers of a BFDLab. The zero value is one veth.
type BFDConfig struct {
	WAN    *WANConfig // a link with delay and loss
	Bridge bool       // a learning bridge, without a WAN
}

// Router is one of the two routers of a BFDLab.
type Router struct {
	*Namespace
	Link      string       // its interface towards the other, where a capture sees all of its BFD
	Address   netip.Prefix // of Link
	Address6  netip.Prefix // of Link
	Loopback  netip.Addr   // of lo, reached by the other over Link: for multihop sessions
	Loopback6 netip.Addr   // likewise
}

// BFDLab is two routers, which forward, and so loop the other's echoes back, with a link between them.
type BFDLab struct {
	*Lab
	A, B Router
	WAN  *WAN // nil unless asked for

	started time.Time // when the last FRR was
}

// NewBFDLab makes a lab without daemons. The caller must Close it.
func NewBFDLab(cfg BFDConfig) (*BFDLab, error) {
	lab, err := New()
	if err != nil {
		return nil, err
	}
	l := &BFDLab{Lab: lab, A: router("a", 1), B: router("b", 2)}
	if err := l.build(cfg); err != nil {
		return nil, errors.Join(err, lab.Close())
	}
	return l, nil
}

// Routers is the pair as two routers on the link between them; the responder loops echoes of the prober back, and the
// prober none. They belong to the pair: closing the lab that is returned closes it.
func (p *Pair) Routers() *BFDLab {
	end := func(n *Namespace, link string, address netip.Addr) Router {
		return Router{Namespace: n, Link: link, Address: netip.PrefixFrom(address, linkBits)}
	}
	return &BFDLab{Lab: p.Lab, A: end(p.Prober, ProberLink, ProberAddress), B: end(p.Responder, ResponderLink, ResponderAddress)}
}

// router is the ith, without its namespace.
func router(role string, i int) Router {
	network, network6 := netip.MustParsePrefix("198.19.4.0/24"), netip.MustParsePrefix("2001:2:0:bfd::/64")
	loopbacks, loopbacks6 := netip.MustParsePrefix("198.19.5.0/24"), netip.MustParsePrefix("2001:2:0:bfd1::/64")
	return Router{
		Link:      "bfd-" + role,
		Address:   netip.PrefixFrom(nth(network, i), network.Bits()),
		Address6:  netip.PrefixFrom(nth(network6, i), network6.Bits()),
		Loopback:  nth(loopbacks, i),
		Loopback6: nth(loopbacks6, i),
	}
}

func (l *BFDLab) build(cfg BFDConfig) error {
	for _, r := range []struct {
		*Router
		role string
	}{{&l.A, "a"}, {&l.B, "b"}} {
		var err error
		if r.Namespace, err = l.Namespace(r.role); err != nil {
			return err
		}
		// Before the link, so that it inherits "default".
		if err := r.setAll(routing); err != nil {
			return err
		}
	}
	if err := l.join(cfg); err != nil {
		return err
	}
	return errors.Join(l.A.address(l.B), l.B.address(l.A))
}

// routing makes a router loop back echoes, which come from the sender's address and are for it: the kernel forwards
// them to where they came from, and must neither find that odd nor send a redirect for it.
var routing = []sysctl{
	{"ipv4/ip_forward", "1"},
	{"ipv4/conf/all/rp_filter", "0"},
	{"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/send_redirects", "0"},
	{"ipv4/conf/default/send_redirects", "0"},
	{"ipv6/conf/all/forwarding", "1"},
	{"ipv6/conf/default/accept_dad", "0"},
	{"ipv6/conf/default/router_solicitations", "0"},
}

// join makes the link between the routers.
func (l *BFDLab) join(cfg BFDConfig) error {
	a, b := End{Namespace: l.A.Namespace, Link: l.A.Link}, End{Namespace: l.B.Namespace, Link: l.B.Link}
	switch {
	case cfg.WAN != nil:
		var err error
		l.WAN, err = NewWAN(l.Lab, a, b, *cfg.WAN)
		return err
	case cfg.Bridge:
		return l.bridge(a, b)
	}
	return Connect(a, b)
}

func (l *BFDLab) bridge(a, b End) error {
	n, err := l.Namespace("bridge")
	if err != nil {
		return err
	}
	if err := n.Bridge("br0"); err != nil {
		return err
	}
	for i, e := range []End{a, b} {
		port := End{Namespace: n, Link: [...]string{"port-a", "port-b"}[i]}
		if err := Connect(e, port); err != nil {
			return err
		}
		if err := n.Enslave(port.Link, "br0"); err != nil {
			return err
		}
	}
	return nil
}

// address gives r its addresses and the way to the other's loopback.
func (r Router) address(other Router) error {
	return errors.Join(
		r.AddAddress(r.Link, r.Address),
		r.AddAddress(r.Link, r.Address6),
		r.AddAddress("lo", host(r.Loopback)),
		r.AddAddress("lo", host(r.Loopback6)),
		r.RouteVia(host(other.Loopback), other.Address.Addr()),
		r.RouteVia(host(other.Loopback6), other.Address6.Addr()))
}

// Peer is r's session to the other router over the link, in the IP version of choice, with FRR's defaults.
func (r Router) Peer(other Router, v6 bool) FRRPeer {
	p := FRRPeer{Address: other.Address.Addr(), Local: r.Address.Addr(), Interface: r.Link}
	if v6 {
		p.Address, p.Local = other.Address6.Addr(), r.Address6.Addr()
	}
	return p
}

// MultihopPeer is r's session between the routers' loopback addresses, likewise.
func (r Router) MultihopPeer(other Router, v6 bool) FRRPeer {
	p := FRRPeer{Address: other.Loopback, Local: r.Loopback, Multihop: true}
	if v6 {
		p.Address, p.Local = other.Loopback6, r.Loopback6
	}
	return p
}

// Neighbour is Peer for BIRD.
func (r Router) Neighbour(other Router, v6 bool) BIRDNeighbour {
	p := r.Peer(other, v6)
	return BIRDNeighbour{Address: p.Address, Local: p.Local, Interface: p.Interface}
}

// MultihopNeighbour is MultihopPeer for BIRD.
func (r Router) MultihopNeighbour(other Router, v6 bool) BIRDNeighbour {
	p := r.MultihopPeer(other, v6)
	return BIRDNeighbour{Address: p.Address, Local: p.Local, Multihop: true}
}

// StartFRR is netlab.StartFRR on a router, in another second than the FRR before, so that no two have the same
// discriminators.
func (l *BFDLab) StartFRR(ctx context.Context, r Router, cfg FRRConfig) (*FRR, error) {
	// FRR's clock has whole seconds, and its start takes a part of one.
	t := time.NewTimer(time.Until(l.started.Truncate(time.Second).Add(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := StartFRR(ctx, r.Namespace, cfg)
	l.started = time.Now()
	return f, err
}
