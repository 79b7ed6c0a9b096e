// Package neighbour is the engine that finds out which targets on an interface's own link are there, and at which
// MAC: it asks for each by ARP or neighbour discovery, at a limited rate and by frames of its own, so that the
// kernel's neighbour table, which drops what it has no room for, stays out of it. A host is found by this though
// it blocks ICMP. All the while the engine answers those who ask for our own addresses: past the limit of its
// table the kernel does not.
//
// Its layers:
//
//   - neighbour.go: what is configured, found and counted.
//   - ask.go: requests out through a Sender, again to the silent.
//   - observe.go: captured frames -> what is known of the targets, and answers to others' questions.
//
// The engine opens nothing and owns no goroutine. The time of an answer is the kernel's stamp of it minus the
// kernel's stamp of the request. Not here: what is done with a MAC, and ageing; a discovery is made for one sweep.
package neighbour

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"echogram/plugins/internal/frame"
)

// ErrNoRoom is what a Sender returns when the kernel has no room for a frame now and will have some soon.
var ErrNoRoom = errors.New("neighbour: no room to send")

// Sender hands Ethernet frames to the kernel.
type Sender interface {
	// Send sends frames in order and returns how many the kernel took. If that is not all, err is about frames[n]:
	// ErrNoRoom when it may be tried again, anything else when it is of no use.
	Send(frames [][]byte) (n int, err error)
}

// Targets are the addresses to find, all on the link.
type Targets interface {
	Len() int
	At(i int) netip.Addr
	Index(a netip.Addr) (i int, ok bool) // a has no zone
}

// Clock is the time by which requests are paced.
type Clock interface {
	Mono() int64 // ns
	// Sleep pauses for d or until ctx is done.
	Sleep(ctx context.Context, d time.Duration)
}

// Own is who asks, and who is answered for.
type Own struct {
	MAC frame.MAC
	// Addrs are the interface's addresses, each with its network, without zones. A target is asked by the first
	// that shares its network, or else by the first of its family.
	Addrs []netip.Prefix
}

// source is the address that asks for target, invalid if there is none of its family.
func (o *Own) source(target netip.Addr) netip.Addr {
	var first netip.Addr
	for _, p := range o.Addrs {
		switch {
		case p.Contains(target):
			return p.Addr()
		case !first.IsValid() && p.Addr().Is4() == target.Is4():
			first = p.Addr()
		}
	}
	return first
}

func (o *Own) has(a netip.Addr) bool {
	return slices.ContainsFunc(o.Addrs, func(p netip.Prefix) bool { return p.Addr() == a })
}

// Config is what a discovery needs.
type Config struct {
	Own     Own
	Targets Targets
	Rate    int           // requests a second; default 5,000, which is 3.4 Mbit/s of broadcast on the wire
	Tries   int           // requests to a target that stays silent, at most 255; default 3
	Wait    time.Duration // from a request to the next to the same target, and after the last; default 1 s
	Clock   Clock
}

func (c *Config) defaults() {
	if c.Rate == 0 {
		c.Rate = 5000
	}
	if c.Tries == 0 {
		c.Tries = 3
	}
	if c.Wait == 0 {
		c.Wait = time.Second
	}
}

// Neighbour is what is known of a target.
type Neighbour struct {
	Present bool      // it has answered
	MAC     frame.MAC // the first that answered
	Other   frame.MAC // another that answered for the same address: a conflict; zero: none did
	// RTT of the request, ns; 0: unknown, for more than one request was out and an answer does not say which it is
	// to, or the answer was not meant for us alone.
	RTT int64
}

// Stats sums up a discovery.
type Stats struct {
	Targets   int
	Asked     int   // targets that were asked so far
	Present   int   // targets that have answered
	Conflicts int   // targets for which more than one MAC has answered
	Requests  int64 // handed to the kernel
	Unasked   int64 // addresses told before we asked for them: ignored
	Served    int64 // questions for our own addresses that were answered
}

// Engine runs one discovery. Run, Observe and what reads its results may be called by different goroutines.
type Engine struct {
	c     Config
	began int64 // monotonic, ns

	mu      sync.Mutex
	known   []entry
	others  map[int]frame.MAC // by target, of conflicts
	stats   Stats
	through int64 // everything up to this monotonic time was observed
	last    int64 // monotonic time of the last request
}

// entry is what is known of one target: 32 bytes.
type entry struct {
	request int64 // stamp of the last request that was captured
	rtt     int64
	asked   uint32 // when the last request was handed over: ms since the engine was made, rounded up
	mac     frame.MAC
	tries   uint8 // requests handed over
	seen    uint8 // requests captured; the kernel's own count, too
	present bool
}

// New makes the engine of one discovery.
func New(c Config) *Engine {
	c.defaults()
	n := c.Targets.Len()
	return &Engine{
		c: c, began: c.Clock.Mono(), known: make([]entry, n), others: map[int]frame.MAC{}, stats: Stats{Targets: n},
	}
}

// Lookup returns what is known of target i.
func (e *Engine) Lookup(i int) Neighbour {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := &e.known[i]
	return Neighbour{Present: k.present, MAC: k.mac, Other: e.others[i], RTT: k.rtt}
}

// Stats returns the counts so far.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}
