package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// SweepConfig says what a sweep lab is to be like. The zero value is a /16 with SamplePopulation.
type SweepConfig struct {
	Population   Population    // default SamplePopulation(TargetNetwork)
	AllAnswering bool          // every block answers; Population's network only
	LateDelay    time.Duration // of late blocks; default 1.5 s
	Pair         PairConfig    // with IPv6, the kernel answers for all of TargetNetwork6 as well
}

// Sweep is a pair whose responder owns the target network, which the prober reaches through it.
type Sweep struct {
	*Pair
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
	pair, err := NewPair(cfg.Pair)
	if err != nil {
		return nil, err
	}
	s := &Sweep{Pair: pair, Population: cfg.Population, LateDelay: cfg.LateDelay}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, pair.Close())
	}
	return s, nil
}

func (s *Sweep) build() error {
	networks := []netip.Prefix{s.Population.Network}
	if s.Pair.Config.IPv6 {
		networks = append(networks, TargetNetwork6)
	}
	for _, n := range networks {
		if err := s.RouteTargets(n); err != nil {
			return err
		}
		if err := s.Responder.RouteLocal(n); err != nil {
			return err
		}
	}
	return s.populate()
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
