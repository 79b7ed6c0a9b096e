package netlab

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// chain joins two ends by a veth and puts Config.Bridges bridges into it.
func (p *Pair) chain(a, b End) error {
	if p.Config.Bridges == 0 {
		p.links = []End{b}
		return Connect(a, b)
	}
	var err error
	if p.switches, err = p.Namespace("switches"); err != nil {
		return err
	}
	// The switches' kernel must not speak for itself.
	if err := p.switches.Sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil {
		return err
	}
	in, out := End{Namespace: p.switches, Link: "in0"}, End{Namespace: p.switches, Link: "out0"}
	if err := errors.Join(Connect(a, in), Connect(out, b), p.switches.Bridge("br0")); err != nil {
		return err
	}
	if err := errors.Join(p.switches.Enslave(in.Link, "br0"), p.switches.Enslave(out.Link, "br0")); err != nil {
		return err
	}
	p.bridges, p.links = 1, []End{in, b}
	for p.bridges < p.Config.Bridges {
		if err := p.InsertBridge(); err != nil {
			return err
		}
	}
	return nil
}

// InsertBridge puts one more bridge into a chain of one or more, before the responder. All else stays as it is; what
// is on its way to or from the responder at that moment is lost.
//
// The last bridge gets a link to the bridge to come, and then that takes over the port to the responder, in one step.
func (p *Pair) InsertBridge() error {
	if p.bridges == 0 {
		return errors.New("netlab: insert a bridge: the pair has no chain of bridges")
	}
	last, next := fmt.Sprintf("br%d", p.bridges-1), fmt.Sprintf("br%d", p.bridges)
	out := End{Namespace: p.switches, Link: fmt.Sprintf("out%d", p.bridges)}
	in := End{Namespace: p.switches, Link: fmt.Sprintf("in%d", p.bridges)}
	if err := errors.Join(Connect(out, in), p.switches.Bridge(next)); err != nil {
		return err
	}
	if err := errors.Join(p.switches.Enslave(out.Link, last), p.switches.Enslave(in.Link, next)); err != nil {
		return err
	}
	if err := p.switches.Enslave("out0", next); err != nil {
		return err
	}
	p.links = slices.Insert(p.links, p.bridges, in)
	p.bridges++
	return nil
}

// Links is how many links lie between prober and responder: one more than bridges; 0 of a raw link and a WAN.
func (p *Pair) Links() int { return len(p.links) }

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
	if len(p.links) == 0 {
		return nil, errors.New("netlab: serialise: a raw link and a WAN have no rate")
	}
	l := &SerialLinks{}
	for _, end := range p.links {
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
