// Package icmp_sweep is Telegraf's view of the sweep engine: a service input that turns TOML into the plan of a
// prober, and the prober's rows into metrics. It opens nothing in Init and decides nothing about probes.
//
// In a Telegraf that compiles it in, Gather sweeps when Telegraf asks; under echogram telegraf, the execd loop says
// which slot is due (GatherAt). Either way every row, late ones too, goes to the accumulator that Start was given.
//
//revive:disable:var-naming the directory is named after the plugin, as Telegraf's are
package icmp_sweep

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
	"echogram/sampleconfig"
	"echogram/sampleconfig/strict"
)

// Name is the plugin's name: [[inputs.icmp_sweep]].
const Name = "icmp_sweep"

// Defaults of the options that are not the plan's.
const (
	DefaultInstance   = "default"
	DefaultRate       = 10_000
	DefaultLateWindow = time.Minute
)

// ICMPSweep is one [[inputs.icmp_sweep]] stanza.
type ICMPSweep struct {
	Interval      strict.Duration  `toml:"interval"`       // required: sweeps start at its multiples; whole seconds
	Instance      string           `toml:"instance"`       // value of the tag instance; default "default"
	Networks      []string         `toml:"networks"`       // required: networks, ranges, addresses
	Exclude       []string         `toml:"exclude"`        // the same, left out
	Interface     string           `toml:"interface"`      // send by this one only; default: as the routes say
	Source        string           `toml:"source"`         // send from this address
	TTL           int              `toml:"ttl"`            // default 0: the system's
	Rate          *int             `toml:"rate"`           // requests per second, 0 as fast as it goes; default 10,000
	Burst         int              `toml:"burst"`          // default 0: 10 ms worth of rate, at most 128
	Count         int              `toml:"count"`          // requests per target; default 1
	CountInterval strict.Duration  `toml:"count_interval"` // between two requests to one target; default 1 s
	Timeout       strict.Duration  `toml:"timeout"`        // default 1 s
	LateWindow    *strict.Duration `toml:"late_window"`    // default 60 s
	Size          int              `toml:"size"`           // payload bytes; default 12

	Log telegraf.Logger `toml:"-"`

	config prober.Config
	prober *prober.Prober
	acc    telegraf.Accumulator
	began  time.Time // of Start
	last   time.Time // slot of the last sweep
	trust  string    // of the last sweep

	running sync.Mutex // held by a gather: sweeps never overlap
	ctx     context.Context
	cancel  context.CancelFunc
	halt    chan struct{}
	stop    *sync.Once
}

func init() {
	inputs.Add(Name, func() telegraf.Input { return &ICMPSweep{} })
}

// SampleConfig returns the sample stanza.
func (*ICMPSweep) SampleConfig() string { return sampleconfig.ICMPSweep }

// Init checks the options. What is wrong with one is a *prober.Problem that names it.
func (s *ICMPSweep) Init() error {
	switch d := s.Interval.Duration; {
	case d == 0:
		return &prober.Problem{Key: "interval", Text: `is required: write it in this stanza, such as "60s"; sweeps start at its multiples`}
	case d < time.Second || d%time.Second != 0:
		return &prober.Problem{Key: "interval", Text: fmt.Sprintf("%s is not a whole number of seconds of at least 1", s.Interval)}
	}
	plan, err := s.plan()
	if err != nil {
		return err
	}
	if length := plan.Length(); length > s.Interval.Duration {
		return &prober.Problem{Key: "interval", Text: fmt.Sprintf(
			"%s is too short: %d targets at %d/s and the timeout take %s; raise interval or rate", s.Interval, plan.Targets.Len(), plan.Rate, length.Round(100*time.Millisecond))}
	}
	s.config = prober.Config{Plan: plan, Interface: s.Interface, TTL: s.TTL}
	if s.TTL < 0 || s.TTL > 255 {
		return &prober.Problem{Key: "ttl", Text: fmt.Sprintf("%d is not 0 (the system's default) to 255", s.TTL)}
	}
	if s.Source != "" {
		if s.config.Source, err = netip.ParseAddr(s.Source); err != nil || !s.config.Source.Is4() {
			return &prober.Problem{Key: "source", Text: fmt.Sprintf("%q is no IPv4 address", s.Source)}
		}
	}
	return nil
}

func (s *ICMPSweep) plan() (*prober.Plan, error) {
	if s.Instance == "" {
		s.Instance = DefaultInstance
	}
	if schema.CheckName(s.Instance) != nil {
		return nil, &prober.Problem{Key: "instance", Text: fmt.Sprintf("%q cannot be a tag: it ends in a backslash or holds a line break", s.Instance)}
	}
	set, err := prober.ParseTargets(s.Networks, s.Exclude)
	if err != nil {
		return nil, err
	}
	plan := &prober.Plan{
		Instance: s.Instance, Targets: set,
		Rate: DefaultRate, Burst: s.Burst, Count: s.Count, CountInterval: s.CountInterval.Duration,
		Timeout: s.Timeout.Duration, LateWindow: DefaultLateWindow, Size: s.Size,
	}
	if s.Rate != nil {
		plan.Rate = *s.Rate
	}
	if s.LateWindow != nil {
		plan.LateWindow = s.LateWindow.Duration
	}
	return plan, plan.Check()
}

// Start opens sockets and the capture. It sends nothing.
func (s *ICMPSweep) Start(acc telegraf.Accumulator) error {
	p, err := prober.Open(s.config)
	if err != nil {
		return err
	}
	s.prober, s.acc, s.began = p, acc, time.Now()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.halt, s.stop = make(chan struct{}), &sync.Once{}
	return nil
}

// Gather sweeps once, at once, and returns when the last row is out. The sweep's time is that of its slot, the
// multiple of interval that has passed last; a slot that was under way before Start is not ours, and a sweep
// in it (telegraf --test) has the whole second as its time.
func (s *ICMPSweep) Gather(telegraf.Accumulator) error {
	now := time.Now()
	slot := now.Truncate(s.Interval.Duration)
	if slot.Before(s.began) {
		slot = now.Truncate(time.Second)
	}
	return s.GatherAt(slot)
}

// GatherAt sweeps once for the slot that begins at start, and returns when the last row is out.
func (s *ICMPSweep) GatherAt(start time.Time) error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.prober == nil {
		return nil // stopped since it was asked for
	}
	sum, err := s.prober.Run(s.ctx, prober.Sweep{Start: start, Skipped: s.skipped(start), Emit: s.emit, Halt: s.halt})
	if err != nil {
		return err
	}
	s.last = start
	s.report(&sum)
	return nil
}

// skipped returns how many slots lie between the last sweep and this one.
func (s *ICMPSweep) skipped(start time.Time) int64 {
	if s.last.IsZero() {
		return 0
	}
	return max(0, int64(start.Sub(s.last)/s.Interval.Duration)-1)
}

// rowAdder is an accumulator that takes rows as they are; echogram's execd loop has one.
type rowAdder interface {
	AddRow(schema.Row)
}

func (s *ICMPSweep) emit(row schema.Row) {
	if a, ok := s.acc.(rowAdder); ok {
		a.AddRow(row)
		return
	}
	var p schema.Point
	schema.Fill(&p, row)
	s.acc.AddFields(p.Measurement, p.FieldMap(), p.TagMap(), time.Unix(0, p.Time))
}

// report logs what a person should know of a sweep, when it changes.
func (s *ICMPSweep) report(sum *prober.Summary) {
	if t := sum.Stats.Trust; t != s.trust {
		if sum.SendError != nil {
			s.Log.Warnf("%d requests were refused by the kernel, the first with: %v", sum.Stats.SendErrors, sum.SendError)
		}
		if t != schema.TrustOK {
			s.Log.Warnf("loss of this sweep may be our own: trust is %s", t)
		} else if s.trust != "" {
			s.Log.Infof("trust is ok again")
		}
		s.trust = t
	}
}

// stopMargin is what the end of a halted sweep takes beyond its timeout.
const stopMargin = 500 * time.Millisecond

// Stop ends a gather that runs: no more requests, and its rows, partial, one timeout later. Then it closes all.
func (s *ICMPSweep) Stop() { s.StopWithin(s.config.Plan.Timeout + stopMargin) }

// StopWithin is Stop for those who cannot wait: what has not ended after d is emitted as it stands. It may be
// called while Stop runs, to shorten that.
func (s *ICMPSweep) StopWithin(d time.Duration) {
	s.stop.Do(func() { close(s.halt) })
	timer := time.AfterFunc(d, s.cancel)
	defer timer.Stop()
	s.running.Lock() // the gather has ended
	defer s.running.Unlock()
	s.cancel()
	if s.prober != nil {
		s.prober.Close()
		s.prober = nil
	}
}
