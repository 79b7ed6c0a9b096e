// Package prober puts the kernel edges and the engines together. It is the only package that opens sockets and
// rings, and it owns and joins every goroutine that serves them.
//
// Its layers:
//
//   - host.go: what a process has once: the ICMP identifier, the engine, a ring per interface that all its probers share.
//   - ring.go: one ring and the goroutine that reads it; unprivileged.go: the same without CAP_NET_RAW.
//   - targetlist*.go: the targets of a stanza through time: files, host names, labels.
//   - routes.go: by which interfaces targets are reached.
//   - senders.go, layer2.go: requests by raw sockets, or as frames of our own where the next hop is known.
//   - onlink.go: who is there on our own link, by ARP and neighbour discovery.
//   - prober.go: what one stanza uses. clock_*.go: the machine's clocks.
//   - watcher*.go: BFD watched, live and in files.
//
// Rings are shared by reference count: the first prober on an interface opens one, the last one to leave closes it.
// Privileges are dropped by commands only (DropPrivileges), once all their probers are open.
package prober

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"echogram/plugins/internal/privilege"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/schema"
)

// The engine's types that users of a prober fill in or read.
type (
	Plan      = sweep.Plan
	Pattern   = sweep.Pattern
	PerTarget = sweep.PerTarget
	Problem   = sweep.Problem
	Summary   = sweep.Summary
	Event     = sweep.Event
	Progress  = sweep.Progress
)

// The engine's constants that they need.
const (
	MaxBurst   = sweep.MaxBurst
	Replied    = sweep.Replied
	Duplicated = sweep.Duplicated
	Errored    = sweep.Errored
	Strayed    = sweep.Strayed
	Refused    = sweep.Refused
)

// PerTargetNames lists the names of the PerTarget values in their order.
func PerTargetNames() []string { return sweep.PerTargetNames() }

// Prober sweeps one plan.
type Prober struct {
	config   Config
	plan     *Plan // with the targets of the last refresh
	host     *host
	paths    *paths
	current  *Current
	fresh    bool // the targets were read for the sweep that comes next
	outdated bool // the list has changed, and there is no plan for it yet
	opened   bool // privileges may have been dropped since

	rings   []*ring
	pings   *unprivileged // in their place, without CAP_NET_RAW or with the adapter's stamps
	hops    *nextHops     // nil: the kernel finds every way
	links   map[int]*onLink
	sources []int // captures that the next sweep relies on
	senders []sweep.Sender
	closers []func() // in the order of opening

	closed sync.Once
}

// Errors of Open that callers decide on; all others are the kernel's.
var (
	// ErrPrivilege says that CAP_NET_RAW is missing; its text holds the remedy.
	ErrPrivilege = errors.New("missing privilege")
	ErrNoRoute   = route.ErrNoRoute
	ErrInterface = route.ErrNoInterface
)

// Open reads and resolves the targets, finds the interfaces by which they are reached, and opens what sweeping them
// needs. The capture runs when it returns.
func Open(ctx context.Context, c Config) (*Prober, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := c.Targets.Load(); err != nil {
		return nil, err
	}
	h, err := acquire()
	if err != nil {
		return nil, err
	}
	p := &Prober{config: c, plan: c.Plan, host: h, links: map[int]*onLink{}}
	if err := p.open(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Prober) open(ctx context.Context) error {
	if p.config.Save != nil {
		p.host.saveTo(p.config.Save)
	}
	if err := p.refresh(ctx); err != nil {
		return err
	}
	p.fresh = true
	if p.config.Stamps == "hardware" {
		return p.openHardware()
	}
	err := p.openPrivileged(ctx)
	if errors.Is(err, fs.ErrPermission) {
		err = p.openUnprivileged(err)
	}
	p.opened = true
	return err
}

// refresh brings the targets and their routes up to date.
func (p *Prober) refresh(ctx context.Context) error {
	specifics, err := p.host.specifics()
	if err != nil {
		return err
	}
	if !p.config.IncludeBroadcast {
		out, err := p.host.ownBroadcast(specifics)
		if err != nil {
			return err
		}
		p.config.Targets.LeaveOut(out)
	}
	current := p.config.Targets.Refresh(ctx)
	for _, w := range slices.Concat(current.Warnings, current.Recovered) {
		p.config.warn(w)
	}
	p.outdated = p.outdated || current.Changed
	if p.outdated || p.current == nil {
		plan, err := p.plan.With(current.Set, current.Describe)
		if err != nil {
			return err
		}
		p.plan, p.outdated = plan, false
	}
	paths, err := p.findPaths(specifics, p.current == nil)
	if err != nil {
		return err
	}
	p.current, p.paths = current, paths
	p.plan.OnLink = paths.onLink
	return p.checkSizes()
}

// prepare has captures and senders serve the targets of the last refresh.
func (p *Prober) prepare(ctx context.Context) error {
	if p.pings != nil {
		return nil
	}
	for _, l := range p.paths.links {
		if err := p.capture(l); err != nil {
			return err
		}
	}
	p.sources = nil
	for _, r := range p.rings {
		if !p.needs(r) {
			continue
		}
		if err := r.await(ctx); err != nil {
			return fmt.Errorf("prober: nothing is captured on %s: %w", r.name, err)
		}
		p.sources = append(p.sources, r.source)
	}
	if p.hops == nil {
		return nil
	}
	return p.hops.refresh(ctx, p.plan.Targets)
}

// capture sees to it that there is a ring on an interface.
func (p *Prober) capture(l route.Interface) error {
	for _, r := range p.rings {
		if r.name == l.Name {
			return nil
		}
	}
	size := p.config.ringSize()
	r, err := p.host.ring(l, size)
	if err != nil {
		return p.denied(l, err)
	}
	if r.bytes < size.bytes() {
		p.config.warn(fmt.Sprintf("the capture on %s was opened by a stanza that needs less room, %d MiB: set ring_mib = %d there, or put this stanza first", l.Name, r.bytes>>20, (size.bytes()+1<<20-1)>>20))
	}
	p.rings = append(p.rings, r)
	return nil
}

// needs tells whether a sweep is nothing without a ring: requests leave by its interface, or replies may come back by it.
// Where no target can be reached, all are needed: an interface may be missing.
func (p *Prober) needs(r *ring) bool {
	return len(p.paths.links) == 0 || slices.Contains(p.config.Return, r.name) ||
		slices.ContainsFunc(p.paths.links, func(l route.Interface) bool { return l.Name == r.name })
}

// denied says what to do when a capture cannot be opened because the privileges were dropped.
func (p *Prober) denied(l route.Interface, err error) error {
	if errors.Is(err, fs.ErrPermission) && p.opened {
		return fmt.Errorf("prober: targets are reached by %s, on which no capture was open when privileges were dropped: restart to open one", l.Name)
	}
	return err
}

// Plan returns the plan with the targets of the last sweep, or of those that the first one will have.
func (p *Prober) Plan() *Plan { return p.plan }

// Sweep is one sweep of a prober's plan: see sweep.Job for the fields.
type Sweep struct {
	Start      time.Time
	Skipped    int64
	Emit       func(schema.Row)
	Trace      func(Event)
	Halt       <-chan struct{}
	EmitWithin time.Duration // counted from the call of Run
	Hurry      <-chan struct{}
}

// Run sweeps once and returns when the last row is emitted, late ones apart, which come from another goroutine
// until the late window has passed or Close is called. It fails, before anything is sent, where nothing would be
// captured.
func (p *Prober) Run(ctx context.Context, s Sweep) (Summary, error) {
	began := time.Now()
	if !p.fresh {
		if err := p.refresh(ctx); err != nil {
			return Summary{}, err
		}
	}
	p.fresh = false
	if err := p.prepare(ctx); err != nil {
		return Summary{}, err
	}
	job := sweep.Job{
		Plan: p.plan, Start: s.Start.UnixNano(), Sources: p.sources, Senders: p.senders, Stamps: p.config.stampKind(), Link: p.linkFacts(),
		Skipped: s.Skipped, Unresolved: int64(p.current.Unresolved),
		Emit: s.Emit, Trace: s.Trace, Halt: s.Halt, Hurry: s.Hurry,
	}
	if p.config.OnLink {
		found, err := p.discover(ctx, s.Halt)
		if err != nil {
			return Summary{}, err
		}
		defer found.end()
		job.Neighbours, job.CaptureDrops = found.of, found.drops
	}
	job.EmitWithin = max(0, s.EmitWithin-time.Since(began))
	return p.host.engine.Sweep(ctx, job), nil
}

// Progress returns how far the newest sweep has come.
func (p *Prober) Progress() Progress { return p.host.engine.Progress(p.plan.History) }

// Saved returns the first error of writing to Config.Save. Call it when the prober is closed.
func (p *Prober) Saved() error { return p.host.saved() }

// Close gives up the prober's sockets. No Run may be under way. When it returns no row comes any more.
func (p *Prober) Close() {
	p.closed.Do(func() {
		p.host.engine.Drop(p.plan.History)
		for i := len(p.closers) - 1; i >= 0; i-- {
			p.closers[i]()
		}
		for _, r := range p.rings {
			p.host.leave(r)
		}
		p.host.release()
	})
}

// DropPrivileges gives up all capabilities of the process for good: for commands, once their probers are open.
func DropPrivileges() error { return privilege.Drop() }
