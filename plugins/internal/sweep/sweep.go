// Package sweep is the engine that asks many targets for echoes in bursts and makes rows of what a parallel
// capture sees. Sending and listening are decoupled: nothing waits for a reply, and an RTT is the kernel's stamp
// of the reply minus the kernel's stamp of the request, so that this program's own scheduling cannot bend it.
//
// Its layers, from the bottom:
//
//   - pacer.go: when the next burst is due.
//   - state.go: what is known of each probe of a running or finished sweep.
//   - match.go: a captured frame -> the probe it belongs to, by the cookie.
//   - send.go: bursts of requests out through a Sender.
//   - rows.go, stats.go: closed targets, blocks and sweeps -> schema rows.
//   - engine.go, run.go: the sweeps of one process and their goroutines.
//
// The engine opens nothing: sockets, routes and privileges are prober's. It owns no timer either but the pauses of
// the sender and of the one that waits for the capture to pass a deadline. Not here: order other than by address,
// retries, IPv6, sending at layer 2.
package sweep

import (
	"context"
	"errors"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/targets"
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

// Plan is what a stanza sweeps, again and again. Fill its exported fields, then call Check; it must not be
// changed after that.
type Plan struct {
	Host, Instance string       // tags
	Labels         []schema.Tag // further tags of every row
	Targets        *targets.Set
	Rate           int                   // requests per second; 0 as fast as it goes
	Burst          int                   // requests sent back to back, 1 to 1024; 0: min(128, ceil(Rate * 10 ms)), 128 without a rate
	Count          int                   // requests per target, default 1
	CountInterval  time.Duration         // least time between two requests to one target, default 1 s
	Timeout        time.Duration         // a reply with a greater RTT is late; default 1 s
	LateWindow     time.Duration         // how long after the sweep late replies are still matched; default 60 s, at most 180 s
	Size           int                   // payload bytes, 12 to 65,507; default 12
	OnLink         func(target int) bool // whether a target lies on the interface's own link; nil: none does

	names []string // of the blocks, made once
	prev  bitSet   // of the targets that answered in the last complete sweep; nil before the first
}

// Limits of a plan.
const (
	MinSize       = 12 // the cookie
	MaxSize       = 65507
	MaxBurst      = 1024
	MaxRate       = 10_000_000
	MaxCount      = 1000
	MaxLateWindow = 180 * time.Second
)

// Problem is one thing wrong with a plan: the option's name, as configurations spell it, and what would be right.
type Problem struct {
	Key, Text string
}

func (p *Problem) Error() string { return p.Key + ": " + p.Text }

// Check fills in the defaults and refuses what cannot be swept with a *Problem.
func (p *Plan) Check() error {
	p.defaults()
	switch {
	case p.Targets == nil || p.Targets.Len() == 0:
		return &Problem{"networks", "no targets are left: give at least one network, range or address that exclude does not take away"}
	case p.Rate < 0 || p.Rate > MaxRate:
		return &Problem{"rate", "must be 0 (as fast as it goes) to 10000000 requests per second"}
	case p.Burst < 1 || p.Burst > MaxBurst:
		return &Problem{"burst", "must be 0 (chosen by rate) to 1024 requests"}
	case p.Count < 1 || p.Count > MaxCount:
		return &Problem{"count", "must be 1 to 1000 requests per target"}
	case p.CountInterval < 0:
		return &Problem{"count_interval", "must not be negative"}
	case p.Timeout < time.Millisecond || p.Timeout > time.Minute:
		return &Problem{"timeout", `must be "1ms" to "60s"`}
	case p.LateWindow < 0 || p.LateWindow > MaxLateWindow:
		return &Problem{"late_window", `must be "0s" to "180s"`}
	case p.Size < MinSize || p.Size > MaxSize:
		return &Problem{"size", "must be 12 to 65507 payload bytes: the first 12 hold the cookie"}
	case p.Targets.Len()*p.Count > 1<<30:
		return &Problem{"count", "targets times count must stay below 2^30 requests a sweep"}
	}
	for i := range p.Targets.Blocks() {
		if !p.Targets.Blocks()[i].Prefix.Addr().Is4() {
			return &Problem{"networks", "IPv6 targets are not swept yet, and " + p.Targets.At(p.Targets.Blocks()[i].First).String() + " is one"}
		}
	}
	p.nameBlocks()
	return nil
}

func (p *Plan) defaults() {
	if p.Burst == 0 {
		p.Burst = 128
		if p.Rate > 0 {
			p.Burst = min(128, (p.Rate+99)/100)
		}
	}
	if p.Count == 0 {
		p.Count = 1
	}
	if p.CountInterval == 0 {
		p.CountInterval = time.Second
	}
	if p.Timeout == 0 {
		p.Timeout = time.Second
	}
	if p.Size == 0 {
		p.Size = MinSize
	}
}

func (p *Plan) nameBlocks() {
	blocks := p.Targets.Blocks()
	p.names = make([]string, len(blocks))
	for i := range blocks {
		p.names[i] = blocks[i].Prefix.String()
	}
}

// Length is how long a sweep takes at the plan's rate, from the first request to the last row; 0 without a rate.
func (p *Plan) Length() time.Duration {
	if p.Rate == 0 {
		return 0
	}
	pass := time.Duration(float64(p.Targets.Len()) / float64(p.Rate) * float64(time.Second))
	return max(pass, p.CountInterval)*time.Duration(p.Count-1) + pass + p.Timeout
}

// Job is one sweep of a plan.
type Job struct {
	Plan    *Plan
	Start   int64            // the scheduled start: the time of all rows, ns
	Sources []int            // the captures whose progress closes targets; see Engine.Observe
	Skipped int64            // sweeps left out since the last, for the stats row
	Emit    func(schema.Row) // takes the rows, one at a time; a row is good until Emit returns. Late rows come after Sweep has returned
	Halt    <-chan struct{}  // when closed, sending stops, and the sweep ends one timeout later as partial; may be nil
}

// Summary is what a sweep came to.
type Summary struct {
	Stats     schema.SweepStatsRow
	SendError error // the first error of a request that the kernel refused
}

// Losses is what the captures of a process have lost since it began.
type Losses struct {
	capture.Stats
	Down uint64 // times that an interface was found to be down
}
