// Package prober puts the kernel edges and the engines together. It is the only package that opens sockets and
// rings, and it owns and joins every goroutine that serves them.
//
// Its layers: host.go (what a process has once: the ICMP identifier, the engine, a ring per interface that all
// its probers share), ring.go (one ring and the goroutine that reads it), prober.go (what one stanza uses:
// a sending socket, its rings), routes.go (by which interfaces its targets are reached), clock_*.go (the machine's clocks).
//
// Rings are shared by reference count: the first prober on an interface opens one, the last one to leave closes it.
// Privileges are dropped by commands only (DropPrivileges), once all their probers are open.
package prober

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/internal/privilege"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// The engine's types that users of a prober fill in or read.
type (
	Plan    = sweep.Plan
	Problem = sweep.Problem
	Summary = sweep.Summary
)

// ParseTargets makes the set of targets that networks hold and exclude does not. Its errors are *Problem.
func ParseTargets(networks, exclude []string) (*targets.Set, error) {
	in, err := targets.ParseRanges(networks)
	if err != nil {
		return nil, entryProblem("networks", err)
	}
	out, err := targets.ParseRanges(exclude)
	if err != nil {
		return nil, entryProblem("exclude", err)
	}
	set, err := targets.NewSet(in, out)
	if err != nil {
		return nil, &Problem{Key: "networks", Text: err.Error()}
	}
	return set, nil
}

func entryProblem(key string, err error) error {
	var entry *targets.EntryError
	if errors.As(err, &entry) {
		key = fmt.Sprintf("%s[%d]", key, entry.Index)
	}
	return &Problem{Key: key, Text: err.Error()}
}

// Config is what a prober needs beside its plan.
type Config struct {
	Plan      *Plan  // checked (Plan.Check); Open takes broadcast addresses out of it and fills in OnLink
	Interface string // send by this interface only; "": as the routes say
	Source    netip.Addr
	TTL       int // 0: the system's default
}

// Prober sweeps one plan.
type Prober struct {
	plan    *Plan
	closed  sync.Once
	socket  *icmpsock.Socket
	rings   []*ring
	sources []int
	host    *host
}

// Errors of Open that callers decide on; all others are the kernel's.
var (
	// ErrPrivilege says that CAP_NET_RAW is missing; its text holds the remedy.
	ErrPrivilege = errors.New("missing privilege")
	ErrNoRoute   = route.ErrNoRoute
	ErrInterface = route.ErrNoInterface
)

// Open finds the interfaces by which the plan's targets are reached, and opens what sweeping them needs. The
// capture runs when it returns.
func Open(c Config) (*Prober, error) {
	links, err := findRoutes(c)
	if err != nil {
		return nil, err
	}
	p := &Prober{plan: c.Plan, host: acquire()}
	if err := p.open(c, links); err != nil {
		p.Close()
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("prober: %w CAP_NET_RAW (%v): %s", ErrPrivilege, err, remedy())
		}
		return nil, err
	}
	return p, nil
}

func remedy() string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return fmt.Sprintf(privilege.Remedy, self)
}

func (p *Prober) open(c Config, links []route.Interface) error {
	for _, l := range links {
		r, err := p.host.ring(l)
		if err != nil {
			return err
		}
		p.rings = append(p.rings, r)
		p.sources = append(p.sources, r.source)
	}
	var err error
	p.socket, err = icmpsock.Open(icmpsock.Config{Interface: c.Interface, Source: c.Source, TTL: c.TTL})
	return err
}

// Sweep is one sweep of a prober's plan: see sweep.Job for the fields.
type Sweep struct {
	Start   time.Time
	Skipped int64
	Emit    func(schema.Row)
	Halt    <-chan struct{}
}

// Run sweeps once and returns when the last row is emitted, late ones apart, which come from another goroutine
// until the late window has passed or Close is called. It fails, before anything is sent, when a capture has ended.
func (p *Prober) Run(ctx context.Context, s Sweep) (Summary, error) {
	for _, r := range p.rings {
		if err := r.failed(); err != nil {
			return Summary{}, fmt.Errorf("prober: the capture on %s has ended, restart to open it again: %w", r.name, err)
		}
	}
	return p.host.engine.Sweep(ctx, sweep.Job{
		Plan: p.plan, Start: s.Start.UnixNano(), Sources: p.sources, Skipped: s.Skipped, Emit: s.Emit, Halt: s.Halt,
	}, sendSocket{p.socket}), nil
}

// Progress returns how many requests of the newest sweep are out, and how many replies it has seen.
func (p *Prober) Progress() (sent, replies int64) { return p.host.engine.Progress(p.plan) }

// Close gives up the prober's sockets. No Run may be under way. When it returns no row comes any more.
func (p *Prober) Close() {
	p.closed.Do(func() {
		if p.socket != nil {
			p.socket.Close()
		}
		p.host.engine.Drop(p.plan)
		for _, r := range p.rings {
			p.host.leave(r)
		}
		p.host.release()
	})
}

// DropPrivileges gives up all capabilities of the process for good: for commands, once their probers are open.
func DropPrivileges() error { return privilege.Drop() }

// sendSocket is a socket as the engine wants it.
type sendSocket struct{ *icmpsock.Socket }

func (s sendSocket) Send(msgs []icmpecho.Datagram) (int, error) {
	n, err := s.Socket.Send(msgs)
	if errors.Is(err, icmpsock.ErrNoRoom) {
		err = sweep.ErrNoRoom
	}
	return n, err
}
