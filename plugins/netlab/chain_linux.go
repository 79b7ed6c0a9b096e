package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cilium/ebpf"
)

// chain is a way over learning bridges in a namespace of their own.
type chain struct {
	switches *Namespace // nil without a bridge
	bridges  int
	links    []End // of each the end nearer to the second end of the way
}

// newChain joins two ends by a veth and puts bridges into it.
func (l *Lab) newChain(name string, a, b End, bridges int) (*chain, error) {
	if bridges == 0 {
		return &chain{links: []End{b}}, Connect(a, b)
	}
	switches, err := l.Namespace(name)
	if err != nil {
		return nil, err
	}
	// The switches' kernel must not speak for itself.
	if err := switches.Sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil {
		return nil, err
	}
	in, out := End{Namespace: switches, Link: "in0"}, End{Namespace: switches, Link: "out0"}
	if err := errors.Join(Connect(a, in), Connect(out, b), switches.Bridge("br0")); err != nil {
		return nil, err
	}
	if err := errors.Join(switches.Enslave(in.Link, "br0"), switches.Enslave(out.Link, "br0")); err != nil {
		return nil, err
	}
	c := &chain{switches: switches, bridges: 1, links: []End{in, b}}
	for c.bridges < bridges {
		if err := c.insert(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// insert puts one more bridge before the second end. The last bridge gets a link to the bridge to come, and then that
// takes over the port to the end, in one step.
func (c *chain) insert() error {
	last, next := fmt.Sprintf("br%d", c.bridges-1), fmt.Sprintf("br%d", c.bridges)
	out := End{Namespace: c.switches, Link: fmt.Sprintf("out%d", c.bridges)}
	in := End{Namespace: c.switches, Link: fmt.Sprintf("in%d", c.bridges)}
	if err := errors.Join(Connect(out, in), c.switches.Bridge(next)); err != nil {
		return err
	}
	if err := errors.Join(c.switches.Enslave(out.Link, last), c.switches.Enslave(in.Link, next)); err != nil {
		return err
	}
	if err := c.switches.Enslave("out0", next); err != nil {
		return err
	}
	c.links = slices.Insert(c.links, c.bridges, in)
	c.bridges++
	return nil
}

// InsertBridge puts one more bridge into a chain of one or more, before the responder. All else stays as it is; what
// is on its way to or from the responder at that moment is lost.
func (p *Pair) InsertBridge() error {
	if p.way == nil || p.way.bridges == 0 {
		return errors.New("netlab: insert a bridge: the pair has no chain of bridges")
	}
	return p.way.insert()
}

// Links is how many links lie between prober and responder: one more than bridges; 0 of a raw link and a WAN.
func (p *Pair) Links() int {
	if p.way == nil {
		return 0
	}
	return len(p.way.links)
}

// AddResponder joins one more responder to the prober, behind a chain of bridges of its own, and returns its IPv4 address.
func (p *Pair) AddResponder(bridges int) (netip.Addr, error) {
	n := len(p.Added) + 1
	link := fmt.Sprintf("%s%d", addedLink, n)
	responder, err := p.Namespace(fmt.Sprintf("responder%d", n))
	if err != nil {
		return netip.Addr{}, err
	}
	p.Added = append(p.Added, responder)
	if err := responder.respond(); err != nil { // before its link, which inherits "default"
		return netip.Addr{}, err
	}
	_, err = p.newChain(fmt.Sprintf("switches%d", n), End{Namespace: p.Prober, Link: link}, End{Namespace: responder, Link: ResponderLink}, bridges)
	if err != nil {
		return netip.Addr{}, err
	}
	own, address := addedAddresses(n)
	return address, errors.Join(p.Prober.AddAddress(link, netip.PrefixFrom(own, linkBits)),
		responder.AddAddress(ResponderLink, netip.PrefixFrom(address, linkBits)))
}

// addedAddresses are the prober's and the responder's on the nth added link.
func addedAddresses(n int) (prober, responder netip.Addr) {
	base := ProberAddress.As4()
	base[2] += byte(n)
	prober = netip.AddrFrom4(base)
	return prober, prober.Next()
}

// SerialLinks are the links of a pair as Pair.Serialise has made them.
type SerialLinks struct {
	ways []*Serialiser
}

// Serialise gives each link of a pair the rate, in both directions, until Close: a frame passes one link after the
// other, each for as long as its bits take, and with n bridges so 2(n+1) times on its way there and back. It serves
// probes that are alone on their way: all is spun where they are sent, on the sender's CPU, so a burst leaves no faster
// than it comes back. See Serialise for a link that holds a queue, for the rates, and for what a frame's bits are.
//
// Of each link the end nearer to the responder spins, for what comes in and what goes out, because the prober's capture
// would not see what its own end adds.
func (p *Pair) Serialise(bitsPerSecond int64) (*SerialLinks, error) {
	if p.Links() == 0 {
		return nil, errors.New("netlab: serialise: a raw link and a WAN have no rate")
	}
	l := &SerialLinks{}
	for _, end := range p.way.links {
		for _, at := range []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress} {
			s, err := serialise(end.Namespace, end.Link, at, bitsPerSecond)
			if err != nil {
				return nil, errors.Join(err, l.Close())
			}
			l.ways = append(l.ways, s)
		}
	}
	return l, nil
}

// Stats reads what each link did to what comes and to what goes, from the prober's link to the responder's; not after
// Close.
func (l *SerialLinks) Stats() (list []SerialiserStats, err error) {
	for _, s := range l.ways {
		stats, err := s.Stats()
		if err != nil {
			return nil, err
		}
		list = append(list, stats)
	}
	return list, nil
}

// Close lets the frames pass as they come.
func (l *SerialLinks) Close() error {
	var errs []error
	for _, s := range l.ways {
		errs = append(errs, s.Close())
	}
	l.ways = nil
	return errors.Join(errs...)
}
