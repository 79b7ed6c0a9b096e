package prober

import (
	"context"
	"errors"
	"sync"
	"time"

	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/linkinfo"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
)

// ring is one interface's capture and the goroutine that shows it to an engine. It goes on when its interface was
// removed and is there again, by the same name.
type ring struct {
	raw    *afpacket.Ring
	engine observer
	routes *route.Client
	name   string
	key    int // the index that the interface had at first
	source int // its number at the engine
	bytes  int // of its memory
	refs   int // guarded by the host's mutex

	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	index int // of the interface
	lost  sweep.Losses
	base  linkinfo.Counters // of the interface when the ring was opened
	err   error             // why nothing is captured
}

// pollTime bounds how long a ring's goroutine sleeps: it is what closing one takes at most.
const pollTime = 50 * time.Millisecond

// retireSlack is how long a frame can be in the kernel's hands although nothing shows: a block's retirement, on a
// machine whose softirqs are late by several times that.
const retireSlack = 8 * afpacket.RetireDelay

// comebackTime is how long a sweep waits for an interface that is there again to be captured.
const comebackTime = time.Second

// newRing starts to show what raw captures on l to engine.
func newRing(raw *afpacket.Ring, l route.Interface, engine observer, routes *route.Client, source int) *ring {
	r := &ring{
		raw: raw, engine: engine, routes: routes, name: l.Name, key: l.Index, index: l.Index, source: source, refs: 1,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	r.base, _ = linkinfo.Count(l.Index) // what cannot be counted stays zero
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
			r.fail(err)
			if !r.comeBack() {
				return
			}
		}
	}
}

// step reads one block.
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
	r.engine.Observe(r.source, batch, shownThrough(batch, before))
	return nil
}

func (r *ring) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.lost.Down++
}

// comeBack waits for the interface to be there again; it returns false when the ring is closed before. Meanwhile
// nothing is shown that anybody would have to wait for.
func (r *ring) comeBack() bool {
	for {
		r.engine.Observe(r.source, nil, clock{}.Mono())
		select {
		case <-r.stop:
			return false
		case <-time.After(pollTime):
		}
		l, err := r.routes.ByName(r.name)
		if err != nil || r.raw.Rebind(l.Index) != nil {
			continue
		}
		r.mu.Lock()
		r.index, r.err = l.Index, nil
		r.base, _ = linkinfo.Count(l.Index)
		r.mu.Unlock()
		return true
	}
}

// await returns when the ring captures, or why it does not.
func (r *ring) await(ctx context.Context) error {
	for waited := time.Duration(0); ; waited += pollTime {
		err := r.failed()
		if err == nil || waited >= comebackTime || ctx.Err() != nil {
			return err
		}
		sleep(ctx, pollTime)
	}
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
	if c, err := linkinfo.Count(r.index); err == nil {
		r.lost.QdiscDrops += grown(r.base.QdiscDrops, c.QdiscDrops)
		r.lost.NICDrops += grown(r.base.NICDrops, c.NICDrops)
		r.base = c
	}
	return r.lost
}

// grown is by how much a counter has grown, if the driver has it. Counters of an interface that was made anew begin
// at zero.
func grown(before, now *int64) uint64 {
	switch {
	case now == nil:
		return 0
	case before == nil || *now < *before:
		return uint64(*now)
	}
	return uint64(*now - *before)
}

// close ends the goroutine and then the ring.
func (r *ring) close() {
	close(r.stop)
	<-r.done
	r.raw.Close()
}
