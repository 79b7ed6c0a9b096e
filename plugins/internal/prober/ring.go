package prober

import (
	"errors"
	"math"
	"sync"
	"time"

	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
)

// ring is one interface's capture and the goroutine that shows it to the engine.
type ring struct {
	raw    *afpacket.Ring
	engine *sweep.Engine
	name   string
	index  int
	source int // its number at the engine
	refs   int // guarded by the host's mutex

	stop chan struct{}
	done chan struct{}

	mu   sync.Mutex
	lost sweep.Losses
	err  error // why it has ended by itself
}

// pollTime bounds how long a ring's goroutine sleeps: it is what closing one takes at most.
const pollTime = 50 * time.Millisecond

// retireSlack is how long a frame can be in the kernel's hands although nothing shows: a block's retirement, on a
// machine whose softirqs are late by several times that.
const retireSlack = 8 * afpacket.RetireDelay

func newRing(raw *afpacket.Ring, l route.Interface, source int, engine *sweep.Engine) *ring {
	r := &ring{
		raw: raw, engine: engine, name: l.Name, index: l.Index, source: source, refs: 1,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go r.run()
	return r
}

func (r *ring) run() {
	defer close(r.done)
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		if err := r.step(); err != nil {
			r.mu.Lock()
			r.err = err
			r.lost.Down++
			r.mu.Unlock()
			r.engine.Observe(r.source, nil, math.MaxInt64) // nobody must wait for what will not come
			return
		}
	}
}

// step reads one block. After a block everything up to its last stamp was shown; after a wait in vain, all that
// is older than what the kernel may still hold back.
func (r *ring) step() error {
	before := clock{}.Mono()
	batch, err := r.raw.Read(pollTime)
	if err != nil {
		if !errors.Is(err, afpacket.ErrDown) {
			return err
		}
		r.mu.Lock()
		r.lost.Down++
		r.mu.Unlock()
	}
	through := before - retireSlack
	if len(batch) > 0 {
		through = min(clock{}.Mono(), batch[len(batch)-1].Stamp-clock{}.Offset()) // a clock set back would show the future
	}
	r.engine.Observe(r.source, batch, through)
	return nil
}

func (r *ring) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// losses is what the ring has lost since it was opened: the kernel counts from call to call. Without a carrier
// that is counted, too: no frame tells of it.
func (r *ring) losses() sweep.Losses {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, err := r.raw.Stats(); err == nil {
		r.lost.Packets += s.Packets
		r.lost.Drops += s.Drops
		r.lost.Freezes += s.Freezes
	}
	if !r.raw.Carrier(r.name) {
		r.lost.Down++
	}
	return r.lost
}

// close ends the goroutine and then the ring, and returns what it has lost.
func (r *ring) close() sweep.Losses {
	close(r.stop)
	<-r.done
	defer r.raw.Close()
	return r.losses()
}
