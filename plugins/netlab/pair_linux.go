package netlab

import (
	"errors"
	"net/netip"
)

// The addresses of ReturnLink's two ends.
var (
	returnProber     = netip.MustParseAddr("198.19.0.5")
	returnResponder  = netip.MustParseAddr("198.19.0.6")
	returnProber6    = netip.MustParseAddr("2001:2:0:fffe::1")
	returnResponder6 = netip.MustParseAddr("2001:2:0:fffe::2")
)

// Names of the links of a pair, each in its namespace.
const (
	ProberLink    = "prober0"
	ResponderLink = "responder0"
	UpperLink     = "upper0"  // the prober's, on ProberLink
	ReturnLink    = "return0" // the prober's, where replies come back
	returnPeer    = "return1"
	addedLink     = "added" // the prober's, to the responders that were added
	tunLink       = "answers0"
)

// linkBits and linkBits6 are the prefix lengths of the links between prober and responder.
const (
	linkBits  = 30
	linkBits6 = 64
)

// PairConfig says what lies between prober and responder. The zero value is one veth and IPv4.
type PairConfig struct {
	IPv6    bool // both families
	Bridges int  // a chain of so many learning bridges, in a namespace of its own
	Upper   Upper
	WAN     *WANConfig // a link with delay and loss; side A is the prober's
	Raw     bool       // links without a link header: TUN devices, spliced by a goroutine, so slower and less steady
	Return  bool       // asymmetric: what goes to the prober's address comes back over a second veth, ReturnLink
}

// Upper is a device on the prober's veth that bears the prober's address: a frame passes both.
type Upper uint8

// The devices.
const (
	NoUpper      Upper = iota
	UpperBridge        // ProberLink is the bridge's only port
	UpperMacvlan       // private mode
)

// Pair is a prober and a responder, with a way from one to the other and none to anywhere else. What the responder
// forwards may carry any source address, and it answers without rate limits.
type Pair struct {
	*Lab
	Config    PairConfig
	Prober    *Namespace
	Responder *Namespace
	WAN       *WAN         // nil unless asked for
	Added     []*Namespace // the responders of AddResponder, each with its own ResponderLink

	way *chain // from the prober to the responder; nil of a raw link and a WAN
}

// NewPair makes a pair. The caller must Close it.
func NewPair(cfg PairConfig) (*Pair, error) {
	switch {
	case cfg.Raw && (cfg.Bridges > 0 || cfg.Upper != NoUpper):
		return nil, errors.New("netlab: a raw link bears no bridge and no upper device")
	case cfg.WAN != nil && (cfg.Raw || cfg.Bridges > 0):
		return nil, errors.New("netlab: a WAN is neither a raw link nor a chain of bridges")
	}
	lab, err := New()
	if err != nil {
		return nil, err
	}
	p := &Pair{Lab: lab, Config: cfg}
	if err := p.build(); err != nil {
		return nil, errors.Join(err, lab.Close())
	}
	return p, nil
}

func (p *Pair) build() error {
	var err error
	if p.Prober, err = p.Namespace("prober"); err != nil {
		return err
	}
	if p.Responder, err = p.Namespace("responder"); err != nil {
		return err
	}
	// Before the links, so that these inherit "default".
	if err := p.setSysctls(); err != nil {
		return err
	}
	if err := p.join(); err != nil {
		return err
	}
	link, err := p.raiseUpper()
	if err != nil {
		return err
	}
	if err := p.address(p.Prober, link, ProberAddress, ProberAddress6); err != nil {
		return err
	}
	if err := p.address(p.Responder, ResponderLink, ResponderAddress, ResponderAddress6); err != nil {
		return err
	}
	if p.Config.Return {
		return p.joinReturn()
	}
	return nil
}

type sysctl struct{ name, value string }

// setSysctls readies prober and responder. The prober takes what comes back another way.
func (p *Pair) setSysctls() error { return errors.Join(p.Prober.setAll(anyWay), p.Responder.respond()) }

// anyWay takes packets that come another way than theirs would go. IPv6 addresses are there at once and nobody advertises
// routes.
var anyWay = []sysctl{
	{"ipv4/conf/all/rp_filter", "0"},
	{"ipv4/conf/default/rp_filter", "0"},
	{"ipv6/conf/default/accept_dad", "0"},
	{"ipv6/conf/default/accept_ra", "0"},
	{"ipv6/conf/default/router_solicitations", "0"},
}

// respond lets a responder forward, take packets that carry its own addresses, and answer without limits.
func (n *Namespace) respond() error {
	return errors.Join(n.setAll(anyWay), n.setAll([]sysctl{
		{"ipv4/ip_forward", "1"},
		{"ipv4/conf/all/send_redirects", "0"},
		{"ipv4/conf/default/send_redirects", "0"},
		{"ipv4/conf/default/accept_local", "1"},
		{"ipv4/icmp_ratelimit", "0"},
		{"ipv4/icmp_echo_ignore_all", "0"},
		{"ipv6/conf/all/forwarding", "1"},
		{"ipv6/icmp/ratelimit", "0"},
	}))
}

func (n *Namespace) setAll(values []sysctl) error {
	for _, v := range values {
		if err := n.Sysctl(v.name, v.value); err != nil {
			return err
		}
	}
	return nil
}

// join makes ProberLink and ResponderLink.
func (p *Pair) join() error {
	a, b := End{Namespace: p.Prober, Link: ProberLink}, End{Namespace: p.Responder, Link: ResponderLink}
	var err error
	switch {
	case p.Config.Raw:
		var s *splice
		if s, err = spliceRaw(a, b); err == nil {
			p.onClose(s.close)
		}
	case p.Config.WAN != nil:
		p.WAN, err = NewWAN(p.Lab, a, b, *p.Config.WAN)
	default:
		p.way, err = p.newChain("switches", a, b, p.Config.Bridges)
	}
	return err
}

// raiseUpper makes the device that bears the prober's address, and says which.
func (p *Pair) raiseUpper() (link string, err error) {
	switch p.Config.Upper {
	case UpperBridge:
		if err := p.Prober.Bridge(UpperLink); err != nil {
			return "", err
		}
		return UpperLink, p.Prober.Enslave(ProberLink, UpperLink)
	case UpperMacvlan:
		return UpperLink, p.Prober.Macvlan(UpperLink, ProberLink)
	}
	return ProberLink, nil
}

// address gives a link its addresses, one for each family in use.
func (p *Pair) address(n *Namespace, link string, v4, v6 netip.Addr) error {
	err := n.AddAddress(link, netip.PrefixFrom(v4, linkBits))
	if err == nil && p.Config.IPv6 {
		err = n.AddAddress(link, netip.PrefixFrom(v6, linkBits6))
	}
	return err
}

// joinReturn makes the second way: the host route to the prober's address wins over the first link's network.
func (p *Pair) joinReturn() error {
	err := Connect(End{Namespace: p.Prober, Link: ReturnLink}, End{Namespace: p.Responder, Link: returnPeer})
	if err != nil {
		return err
	}
	if err := p.address(p.Prober, ReturnLink, returnProber, returnProber6); err != nil {
		return err
	}
	if err := p.address(p.Responder, returnPeer, returnResponder, returnResponder6); err != nil {
		return err
	}
	if err := p.Responder.RouteVia(host(ProberAddress), returnProber); err != nil || !p.Config.IPv6 {
		return err
	}
	return p.Responder.RouteVia(host(ProberAddress6), returnProber6)
}

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// RouteTargets sends what the prober has for a network to the responder.
func (p *Pair) RouteTargets(network netip.Prefix) error {
	if network.Addr().Is6() {
		return p.Prober.RouteVia(network, ResponderAddress6)
	}
	return p.Prober.RouteVia(network, ResponderAddress)
}
