package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Addresses of a sweep lab.
var (
	TargetNetwork    = netip.MustParsePrefix("198.18.0.0/16")
	ProberAddress    = netip.MustParseAddr("198.19.0.1")
	ResponderAddress = netip.MustParseAddr("198.19.0.2")
)

// Names of the links of a sweep lab, each in its namespace.
const (
	ProberLink    = "prober0"
	ResponderLink = "responder0"
	tunLink       = "answers0"
)

// linkBits is the prefix length of the link between prober and responder.
const linkBits = 30

// SweepConfig says what a sweep lab is to be like. The zero value is a /16 with SamplePopulation.
type SweepConfig struct {
	Population   Population    // default SamplePopulation(TargetNetwork)
	AllAnswering bool          // every block answers; Population's network only
	LateDelay    time.Duration // of late blocks; default 1.5 s
}

// Sweep is a prober and a responder, joined by one link. The prober reaches the target network through the
// responder, which owns it; neither has a route to anywhere else.
type Sweep struct {
	*Lab
	Prober     *Namespace
	Responder  *Namespace
	Population Population
	LateDelay  time.Duration
}

// SweepLab makes a sweep lab. The caller must Close it.
func SweepLab(cfg SweepConfig) (*Sweep, error) {
	if !cfg.Population.Network.IsValid() {
		cfg.Population = SamplePopulation(TargetNetwork)
	}
	if cfg.AllAnswering {
		cfg.Population.Special = nil
	}
	if cfg.LateDelay == 0 {
		cfg.LateDelay = 1500 * time.Millisecond
	}
	if err := cfg.Population.check(); err != nil {
		return nil, err
	}
	lab, err := New()
	if err != nil {
		return nil, err
	}
	s := &Sweep{Lab: lab, Population: cfg.Population, LateDelay: cfg.LateDelay}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, lab.Close())
	}
	return s, nil
}

func (s *Sweep) build() error {
	var err error
	if s.Prober, err = s.Namespace("prober"); err != nil {
		return err
	}
	if s.Responder, err = s.Namespace("responder"); err != nil {
		return err
	}
	// Before the links, so that these inherit "default".
	if err := s.setResponder(); err != nil {
		return err
	}
	err = Connect(
		End{s.Prober, ProberLink, netip.PrefixFrom(ProberAddress, linkBits)},
		End{s.Responder, ResponderLink, netip.PrefixFrom(ResponderAddress, linkBits)})
	if err != nil {
		return err
	}
	if err := s.Prober.RouteVia(s.Population.Network, ResponderAddress); err != nil {
		return err
	}
	if err := s.Responder.RouteLocal(s.Population.Network); err != nil {
		return err
	}
	return s.populate()
}

// setResponder lets the responder forward to its TUN device and take packets from there that carry its own
// addresses, and answer without limits.
func (s *Sweep) setResponder() error {
	for _, c := range []struct{ name, value string }{
		{"ipv4/ip_forward", "1"},
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
		{"ipv4/conf/all/send_redirects", "0"},
		{"ipv4/conf/default/send_redirects", "0"},
		{"ipv4/conf/default/accept_local", "1"},
		{"ipv4/icmp_ratelimit", "0"},
		{"ipv4/icmp_echo_ignore_all", "0"},
	} {
		if err := s.Responder.Sysctl(c.name, c.value); err != nil {
			return err
		}
	}
	return nil
}

// populate takes the special blocks out of what the kernel answers for.
func (s *Sweep) populate() error {
	for _, block := range s.Population.BlocksOf(Silent) {
		if err := s.Responder.RouteBlackhole(block); err != nil {
			return err
		}
	}
	var served []netip.Prefix
	for _, k := range []Kind{Unreachable, Prohibited, Late} {
		served = append(served, s.Population.BlocksOf(k)...)
	}
	if len(served) == 0 {
		return nil
	}
	r, err := startResponder(s.Responder, tunLink, ResponderAddress, s.Population, s.LateDelay)
	if err != nil {
		return fmt.Errorf("netlab: responder: %w", err)
	}
	s.onClose(r.close)
	for _, block := range served {
		if err := s.Responder.RouteDev(block, tunLink); err != nil {
			return err
		}
	}
	return nil
}
