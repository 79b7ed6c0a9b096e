package prober

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
)

// host is what a process has once. It lives while there is a prober: the last one to close ends its goroutine.
type host struct {
	engine *sweep.Engine
	id     uint16
	routes *route.Client

	mu     sync.Mutex
	rings  map[int]*ring // by interface index
	next   int           // number of the next source
	losing map[int]loser // open sources, by number
	save   *saver        // takes what the rings show; nil: nobody
	pings  *unprivileged // without CAP_NET_RAW, shared by all probers
	pinged pingsock.Config
	users  int // of pings

	stop chan struct{}
	wg   sync.WaitGroup
}

// shared is the process's host: stanzas know nothing of each other, and Telegraf gives them no common owner.
var shared struct {
	sync.Mutex
	host *host
	refs int
}

func acquire() (*host, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.refs == 0 {
		var err error
		if shared.host, err = newHost(); err != nil {
			return nil, err
		}
	}
	shared.refs++
	return shared.host, nil
}

func (h *host) release() {
	shared.Lock()
	defer shared.Unlock()
	if shared.refs--; shared.refs == 0 {
		close(h.stop)
		h.wg.Wait()
		h.routes.Close()
		shared.host = nil
	}
}

// newHost draws the process's identifier and secrets, and starts the goroutine that lets late rows out.
func newHost() (*host, error) {
	routes, err := route.NewClient()
	if err != nil {
		return nil, err
	}
	var seed [28]byte
	rand.Read(seed[:]) // never fails (crypto/rand)
	h := &host{
		routes: routes,
		id:     binary.BigEndian.Uint16(seed[24:])%0xffff + 1,
		rings:  map[int]*ring{},
		losing: map[int]loser{},
		stop:   make(chan struct{}),
	}
	h.engine = sweep.NewEngine(sweep.Config{
		ID: h.id, Key: [16]byte(seed[:16]), Run: binary.BigEndian.Uint64(seed[16:]), Clock: clock{}, Losses: h.losses,
	})
	h.wg.Go(h.lateLoop)
	return h, nil
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

// ring returns the ring on an interface, a new one of the given size if there is none.
func (h *host) ring(l route.Interface, size ringSize) (*ring, error) {
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
	raw, err := afpacket.Open(afpacket.Config{
		IfIndex: l.Index, Link: l.Link, Filter: filter, BlockSize: size.block, Blocks: size.blocks,
	})
	if err != nil {
		return nil, err
	}
	r := newRing(raw, l, h, h.routes, h.source())
	r.bytes = size.bytes()
	h.rings[l.Index], h.losing[r.source] = r, r
	return r, nil
}

// source numbers what shows packets to the engine. The caller holds the mutex.
func (h *host) source() int {
	h.next++
	return h.next - 1
}

func (h *host) nextSource() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.source()
}

// pingSocket returns the process's ping socket: there is one, since no two can have the same identifier.
func (h *host) pingSocket(c pingsock.Config) (*unprivileged, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.ID = h.id
	if h.pings != nil {
		if c != h.pinged {
			return nil, errors.New("prober: without CAP_NET_RAW all stanzas share one socket: give them the same interface, source, ttl, dscp and df")
		}
		h.users++
		return h.pings, nil
	}
	u, err := openUnprivileged(c, h.source(), h.engine)
	if err == nil {
		h.pings, h.pinged, h.users = u, c, 1
		h.losing[u.source] = u
	}
	return u, err
}

func (h *host) leavePings() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(h.losing, h.pings.source)
		h.pings.close()
		h.pings = nil
	}
}

// leave gives a ring up; the last to do so closes it.
func (h *host) leave(r *ring) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.refs--; r.refs > 0 {
		return
	}
	delete(h.losing, r.source)
	delete(h.rings, r.key)
	r.close()
}

// loser is a source of packets.
type loser interface{ losses() sweep.Losses }

// losses is what sources have lost so far. A sweep's stay open as long as it runs.
func (h *host) losses(sources []int) (sum sweep.Losses) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range sources {
		if l := h.losing[s]; l != nil {
			sum = add(sum, l.losses())
		}
	}
	return sum
}

// watch counts what a source loses that one prober alone has, until the returned function ends that.
func (h *host) watch(source int, l loser) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.losing[source] = l
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.losing, source)
	}
}

func add(a, b sweep.Losses) sweep.Losses {
	a.Packets += b.Packets
	a.Drops += b.Drops
	a.Freezes += b.Freezes
	a.Down += b.Down
	a.QdiscDrops += b.QdiscDrops
	a.NICDrops += b.NICDrops
	return a
}
