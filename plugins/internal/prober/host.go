package prober

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
)

// host is what a process has once. It lives while there is a prober: the last one to close ends its goroutine.
type host struct {
	engine *sweep.Engine
	id     uint16

	mu     sync.Mutex
	rings  map[int]*ring // by interface index
	next   int           // number of the next source
	closed sweep.Losses  // what rings had lost that are closed now

	stop chan struct{}
	wg   sync.WaitGroup
}

// shared is the process's host: stanzas know nothing of each other, and Telegraf gives them no common owner.
var shared struct {
	sync.Mutex
	host *host
	refs int
}

func acquire() *host {
	shared.Lock()
	defer shared.Unlock()
	if shared.refs == 0 {
		shared.host = newHost()
	}
	shared.refs++
	return shared.host
}

func (h *host) release() {
	shared.Lock()
	defer shared.Unlock()
	if shared.refs--; shared.refs == 0 {
		close(h.stop)
		h.wg.Wait()
		shared.host = nil
	}
}

// newHost draws the process's identifier and secrets, and starts the goroutine that lets late rows out.
func newHost() *host {
	var seed [28]byte
	rand.Read(seed[:]) // never fails (crypto/rand)
	h := &host{
		id:    binary.BigEndian.Uint16(seed[24:])%0xffff + 1,
		rings: map[int]*ring{},
		stop:  make(chan struct{}),
	}
	h.engine = sweep.NewEngine(sweep.Config{
		ID: h.id, Key: [16]byte(seed[:16]), Run: binary.BigEndian.Uint64(seed[16:]), Clock: clock{}, Losses: h.losses,
	})
	h.wg.Go(h.lateLoop)
	return h
}

func (h *host) lateLoop() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-tick.C:
			h.engine.Late()
		}
	}
}

// ring returns the ring on an interface, a new one if there is none.
func (h *host) ring(l route.Interface) (*ring, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rings[l.Index]; r != nil {
		r.refs++
		return r, nil
	}
	filter, err := bpf.Assemble(frame.EchoFilter(h.id, l.Link, 0xffff))
	if err != nil {
		return nil, err
	}
	raw, err := afpacket.Open(afpacket.Config{IfIndex: l.Index, Link: l.Link, Filter: filter})
	if err != nil {
		return nil, err
	}
	r := newRing(raw, l, h.next, h.engine)
	h.next++
	h.rings[l.Index] = r
	return r, nil
}

// leave gives a ring up; the last to do so closes it.
func (h *host) leave(r *ring) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.refs--; r.refs > 0 {
		return
	}
	h.closed = add(h.closed, r.close())
	delete(h.rings, r.index)
}

// losses is what all rings of the process have lost so far.
func (h *host) losses() sweep.Losses {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := h.closed
	for _, r := range h.rings {
		sum = add(sum, r.losses())
	}
	return sum
}

func add(a, b sweep.Losses) sweep.Losses {
	a.Packets += b.Packets
	a.Drops += b.Drops
	a.Freezes += b.Freezes
	a.Down += b.Down
	return a
}
