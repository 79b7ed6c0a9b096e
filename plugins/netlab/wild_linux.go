package netlab

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// WildConfig says what a wild network is to be like. The zero value answers exactly for both target networks.
type WildConfig struct {
	Networks  []netip.Prefix // of 2^20 addresses at most each; default TargetNetwork, and TargetNetwork6 with IPv6
	Behaviour Behaviour      // default: one exact answer at once
	Queues    int            // of the device, each served by a goroutine; default 2
	Pair      PairConfig
}

// Wild is a pair behind whose responder lie networks that a process serves, over a TUN device: it does to each
// request what a Behaviour says and keeps books of it.
type Wild struct {
	*Pair
	device wildDevice
	queues []*wildQueue
	wg     sync.WaitGroup
}

// WildStats are the wild network's own losses. A test that compares books wants Drops and Refused to be 0.
type WildStats struct {
	Drops   uint64        // requests that the device dropped because its queue was full
	Refused int64         // answers that the device did not take
	Ignored int64         // packets that were no whole echo request to one of the networks
	Lag     time.Duration // the longest time by which a held reply left after it was due
}

// WildLab makes a wild network. The caller must Close it.
func WildLab(cfg WildConfig) (*Wild, error) {
	if cfg.Networks == nil {
		cfg.Networks = []netip.Prefix{TargetNetwork}
		if cfg.Pair.IPv6 {
			cfg.Networks = append(cfg.Networks, TargetNetwork6)
		}
	}
	if cfg.Behaviour == nil {
		cfg.Behaviour = Always(Fate{})
	}
	if cfg.Queues == 0 {
		cfg.Queues = 2
	}
	books, err := newBooks(cfg.Networks)
	if err != nil {
		return nil, err
	}
	pair, err := NewPair(cfg.Pair)
	if err != nil {
		return nil, err
	}
	w := &Wild{Pair: pair, device: wildDevice{
		books: books, behaviour: cfg.Behaviour,
		router4: ResponderAddress, router6: ResponderAddress6, start: time.Now(), stop: -1,
	}}
	w.onClose(w.end)
	if err := w.open(cfg.Queues); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.route(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// open makes the device and serves its queues.
func (w *Wild) open(queues int) error {
	var err error
	if w.device.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("netlab: eventfd: %w", err)
	}
	err = w.Responder.Do(func() error {
		for range queues {
			fd, err := openTUN(tunLink, unix.IFF_MULTI_QUEUE)
			if err != nil {
				return err
			}
			w.queues = append(w.queues, &wildQueue{
				wild: &w.device, fd: fd, in: make([]byte, 64<<10), out: make([]byte, 0, 64<<10),
			})
		}
		if err := lengthenQueue(tunLink); err != nil {
			return err
		}
		return linkUp(tunLink)
	})
	if err != nil {
		return err
	}
	for _, q := range w.queues {
		w.wg.Go(q.run)
	}
	return nil
}

func (w *Wild) route() error {
	for _, n := range w.device.books.networks {
		if err := w.RouteTargets(n); err != nil {
			return err
		}
		if err := w.Responder.RouteDev(n, tunLink); err != nil {
			return err
		}
	}
	return nil
}

// end stops serving; replies still held back are thrown away.
func (w *Wild) end() error {
	if w.device.stop < 0 {
		return nil
	}
	_, err := unix.Write(w.device.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	w.wg.Wait()
	for _, q := range w.queues {
		err = errors.Join(err, unix.Close(q.fd))
	}
	return errors.Join(err, unix.Close(w.device.stop))
}

// Record is what was done to one target. It is zero for what is in none of the networks.
func (w *Wild) Record(target netip.Addr) Record {
	if a := w.device.books.account(target); a != nil {
		return a.record()
	}
	return Record{}
}

// Records gives, in order of network and address, the record of each target of the networks.
func (w *Wild) Records() iter.Seq2[netip.Addr, Record] {
	return func(yield func(netip.Addr, Record) bool) {
		for target, a := range w.device.books.all() {
			if !yield(target, a.record()) {
				return
			}
		}
	}
}

// Sum is what was done to all targets.
func (w *Wild) Sum() Record { return w.device.books.sum() }

// Behaviour says again what happens to a probe.
func (w *Wild) Behaviour(p Probe) Fate { return w.device.behaviour(p) }

// Stats reads the wild network's losses; not after Close.
func (w *Wild) Stats() (WildStats, error) {
	link, err := w.Responder.LinkStats(tunLink)
	s := WildStats{Drops: link.Drops, Refused: w.device.refused.Load(), Ignored: w.device.ignored.Load()}
	for _, q := range w.queues {
		s.Lag = max(s.Lag, time.Duration(q.lag.Load()))
	}
	return s, err
}
