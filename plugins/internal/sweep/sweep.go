// Package sweep is the engine that asks many targets for echoes in bursts and makes rows of what a parallel
// capture sees. Sending and listening are decoupled: nothing waits for a reply, and an RTT is the kernel's stamp
// of the reply minus the kernel's stamp of the request, so that this program's own scheduling cannot bend it.
//
// Its layers, from the bottom:
//
//   - pacer.go: when the next burst may leave.
//   - state.go: what is known of each probe of a running or finished sweep.
//   - schedule.go: which requests go into the next burst: groups of blocks, passes over a group, retries, caps.
//   - send.go: bursts of requests out through a Sender; any number of goroutines share one schedule.
//   - match.go, damage.go: a captured frame -> the probe it belongs to, by the cookie; what was flipped in it.
//   - history.go: what a stanza remembers from sweep to sweep.
//   - rows.go, fill.go, block.go, stats.go: closed targets, blocks and sweeps -> schema rows.
//   - engine.go, run.go: the sweeps of one process and their goroutines.
//
// The engine opens nothing: sockets, routes and privileges are prober's. It owns no timer either but the pauses of
// the senders and of the one that waits for the capture to pass a deadline.
package sweep

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

// ErrNoRoom is what a Sender returns when the kernel has no room for a request now and will have some soon.
var ErrNoRoom = errors.New("sweep: no room to send")

// Sender hands requests to the kernel.
type Sender interface {
	// Send sends msgs in order and returns how many the kernel took. If that is not all, err is about msgs[n]:
	// ErrNoRoom when it may be tried again, anything else when the kernel refuses it.
	Send(msgs []icmpecho.Datagram) (n int, err error)
}

// Clock is the time of the machine that stamps the frames.
type Clock interface {
	Mono() int64   // CLOCK_MONOTONIC, ns
	Offset() int64 // CLOCK_REALTIME, the clock of the stamps, less CLOCK_MONOTONIC, ns
	// Sleep pauses for d or until ctx is done.
	Sleep(ctx context.Context, d time.Duration)
}

// Neighbour is what a discovery on the link has found out about a target before the sweep.
type Neighbour struct {
	Present  bool
	MAC      frame.MAC
	RTT      schema.Opt // ns, of the ARP or neighbour discovery exchange
	HostName string     // reverse DNS
}

// Job is one sweep of a plan.
type Job struct {
	Plan    *Plan
	Start   int64             // the scheduled start: the time of all rows, ns
	Sources []int             // the captures whose progress closes targets; see Engine.Observe
	Senders []Sender          // one a sending goroutine
	Stamps  capture.StampKind // frames with another kind are passed over; none: with another than the first
	Skipped int64             // sweeps left out since the last, for the stats row
	Link    schema.LinkFacts  // for the stats row
	Emit    func(schema.Row)  // takes the rows, one at a time; a row is good until Emit returns. Late rows come after Sweep has returned
	Trace   func(Event)       // told of every reply and error as the capture shows it, and of every refused request, by several goroutines; it must not block. May be nil
	Halt    <-chan struct{}   // when closed, sending stops, and the sweep ends one timeout later as partial; may be nil
	// EmitWithin spreads the rows over this time where the sweep itself is faster; 0: as they come. When Hurry is
	// closed, those that are left are no longer spread; it may be nil.
	EmitWithin time.Duration
	Hurry      <-chan struct{}
	// Neighbours tells what is known of targets on the link; asked is false for all others. Those not present get
	// no request. nil: the kernel resolves.
	Neighbours   func(target int) (n Neighbour, asked bool)
	Unresolved   int64 // host names without an address, for the stats row
	CaptureDrops int64 // frames that the discovery on the link has lost
}

// Summary is what a sweep came to.
type Summary struct {
	Stats     schema.SweepStatsRow
	SendError error // the first error of a request that the kernel refused
}

// Losses is what some captures and their interfaces have lost since the captures began.
type Losses struct {
	capture.Stats
	Down       uint64 // times that an interface was found to be down
	QdiscDrops uint64 // by the queues of the interfaces in use
	NICDrops   uint64 // by their adapters
}

// EventKind is what an Event tells of.
type EventKind uint8

// The kinds of event.
const (
	Replied EventKind = iota
	Duplicated
	Errored
	Strayed // a verified reply from another address than was asked
	Refused // a request that the kernel did not take: Err says why
)

// Event is one frame that came back, as the capture showed it, or one request that did not leave.
type Event struct {
	Kind    EventKind
	Target  int
	Probe   int        // number of the probe at its target, from 0
	Bytes   int        // of the ICMP message; of one that was captured in part, as many as were asked for
	RTT     schema.Opt // ns; absent if the request was not seen leaving
	TTL     uint8
	From    netip.Addr // who sent it
	Type    uint8      // of an error
	Code    uint8
	MTU     uint32
	Corrupt bool
	Flipped int // bits
	First   int // place of the first byte that differs in the payload, -1: none
	Err     error
}
