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
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs"

	"echogram/plugins/inputs/stanza"
	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
	"echogram/sampleconfig"
	"echogram/sampleconfig/strict"
)

// Name is the plugin's name: [[inputs.icmp_sweep]].
const Name = "icmp_sweep"

// Defaults of the options that are not the plan's.
const (
	DefaultInstance   = stanza.DefaultInstance
	DefaultRate       = 10_000
	DefaultLateWindow = time.Minute
)

// ICMPSweep is one [[inputs.icmp_sweep]] stanza. Its options are explained in sampleconfig/icmp_sweep.conf.
type ICMPSweep struct {
	Interval strict.Duration `toml:"interval"` // required: sweeps start at its multiples; whole seconds
	Instance string          `toml:"instance"` // value of the tag instance; default "default"

	Networks         []string `toml:"networks"` // networks, ranges, addresses, host names
	Exclude          []string `toml:"exclude"`
	TargetFiles      []string `toml:"target_files"`
	ExcludeFiles     []string `toml:"exclude_files"`
	LabelsFile       string   `toml:"labels_file"`
	LabelValues      int      `toml:"label_values"`
	Family           string   `toml:"family"`
	Shard            string   `toml:"shard"`
	IncludeBroadcast bool     `toml:"include_broadcast"`
	OnLink           bool     `toml:"on_link"`
	ARPRate          int      `toml:"arp_rate"`
	ReverseDNS       bool     `toml:"reverse_dns"`

	Rate      *int            `toml:"rate"` // requests per second, 0 as fast as it goes; default 10,000
	BlockRate float64         `toml:"block_rate"`
	Burst     int             `toml:"burst"`
	BlockWait strict.Duration `toml:"block_wait"`
	Order     string          `toml:"order"`
	Seed      *int64          `toml:"seed"`

	Count         int              `toml:"count"`
	CountInterval strict.Duration  `toml:"count_interval"`
	Retries       int              `toml:"retries"`
	Timeout       strict.Duration  `toml:"timeout"`
	LateWindow    *strict.Duration `toml:"late_window"` // default 60 s
	Size          *int             `toml:"size"`
	Sizes         []int            `toml:"sizes"`
	Fragment      bool             `toml:"fragment"`
	Pattern       string           `toml:"pattern"`
	TTL           int              `toml:"ttl"`
	DSCP          int              `toml:"dscp"`
	DF            bool             `toml:"df"`

	Interface        string   `toml:"interface"`
	ReturnInterfaces []string `toml:"return_interfaces"`
	Source           string   `toml:"source"`
	SourceIPv6       string   `toml:"source_ipv6"`
	Mark             uint32   `toml:"mark"`
	Send             string   `toml:"send"`
	Threads          int      `toml:"threads"`
	RingMiB          int      `toml:"ring_mib"`
	Stamps           string   `toml:"stamps"`

	PerTarget   string          `toml:"per_target"`
	Remember    strict.Duration `toml:"remember"`
	Refresh     strict.Duration `toml:"refresh"`
	Percentiles []int           `toml:"percentiles"`
	Samples     bool            `toml:"samples"`
	Fields      string          `toml:"fields"`

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
	halt    *flag // no more requests
	hurry   *flag // no more spreading of rows
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
	var err error
	if s.Instance, err = stanza.Instance(s.Instance); err != nil {
		return err
	}
	plan, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.configure(plan); err != nil {
		return err
	}
	set, err := s.config.Targets.Static()
	if err != nil || set == nil { // what files and names bring is known at Start
		return err
	}
	if plan.Targets = set; plan.Check() != nil {
		return plan.Check()
	}
	if length := plan.Length(); length > s.Interval.Duration {
		return &prober.Problem{Key: "interval", Text: fmt.Sprintf(
			"%s is too short: %d targets at %d/s and the timeout take %s; raise interval or rate", s.Interval, set.Len(), plan.Rate, length.Round(100*time.Millisecond))}
	}
	plan.Targets = nil
	return nil
}

// plan makes what is swept of the options, but for the targets.
func (s *ICMPSweep) plan() (plan *prober.Plan, err error) {
	plan = &prober.Plan{
		Instance: s.Instance, Shard: s.Shard,
		Rate: DefaultRate, BlockRate: s.BlockRate, Burst: s.Burst, BlockWait: s.BlockWait.Duration,
		Count: s.Count, CountInterval: s.CountInterval.Duration, Retries: s.Retries,
		Timeout: s.Timeout.Duration, LateWindow: DefaultLateWindow, Sizes: s.Sizes,
		Remember: s.Remember.Duration, Refresh: s.Refresh.Duration, Percentiles: s.Percentiles, Samples: s.Samples,
		PingFields: s.Fields == "ping",
	}
	if s.Rate != nil {
		plan.Rate = *s.Rate
	}
	if s.LateWindow != nil {
		plan.LateWindow = s.LateWindow.Duration
	}
	if s.Size != nil {
		plan.Sizes = []int{*s.Size}
	}
	switch {
	case s.Size != nil && len(s.Sizes) > 0:
		return nil, &prober.Problem{Key: "size", Text: "stands beside sizes: give one of them"}
	case s.Fields != "" && s.Fields != "integer" && s.Fields != "ping":
		return nil, &prober.Problem{Key: "fields", Text: fmt.Sprintf("%q is neither integer nor ping", s.Fields)}
	}
	if plan.Pattern, err = prober.ParsePattern(s.Pattern); err != nil {
		return nil, err
	}
	if plan.PerTarget, err = prober.ParsePerTarget(s.PerTarget); err != nil {
		return nil, err
	}
	order := s.Order
	if order == "" && s.BlockWait.Duration > 0 {
		order = "sequential"
	}
	plan.Order, err = prober.ParseOrder(order, s.Seed)
	return plan, err
}

// configure makes the prober's configuration of the options.
func (s *ICMPSweep) configure(plan *prober.Plan) error {
	list, err := prober.NewTargetList(prober.TargetConfig{
		Networks: s.Networks, Exclude: s.Exclude, TargetFiles: s.TargetFiles, ExcludeFiles: s.ExcludeFiles,
		LabelsFile: s.LabelsFile, LabelValues: s.LabelValues, Family: s.Family, Shard: s.Shard,
	})
	if err != nil {
		return err
	}
	s.config = prober.Config{
		Plan: plan, Targets: list, IncludeBroadcast: s.IncludeBroadcast,
		Interface: s.Interface, Return: s.ReturnInterfaces, Mark: s.Mark,
		TTL: s.TTL, DSCP: s.DSCP, DontFragment: s.DF, Fragment: s.Fragment,
		Send: s.Send, Threads: s.Threads, RingMiB: s.RingMiB, Stamps: s.Stamps,
		OnLink: s.OnLink, ARPRate: s.ARPRate, ReverseDNS: s.ReverseDNS,
		Warn: s.warn,
	}
	for key, a := range map[string]string{"source": s.Source, "source_ipv6": s.SourceIPv6} {
		if a != "" && s.config.SetSources([]string{a}) != nil {
			return &prober.Problem{Key: key, Text: fmt.Sprintf("%q is no address of its family", a)}
		}
	}
	return s.config.Check()
}

func (s *ICMPSweep) warn(text string) { s.Log.Warnf("%s", text) }

// Start opens sockets and the capture. It sends nothing.
func (s *ICMPSweep) Start(acc telegraf.Accumulator) error {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.halt, s.hurry = newFlag(), newFlag()
	p, err := prober.Open(s.ctx, s.config)
	if err != nil {
		return err
	}
	s.prober, s.acc, s.began = p, acc, time.Now()
	return nil
}

// Gather sweeps once, at once, and returns when the last row is out. The sweep's time is that of its slot, the
// multiple of interval that has passed last; a slot that was under way before Start is not ours, and a sweep
// in it (telegraf --test, --once) has the whole second as its time, and its rows come at once.
func (s *ICMPSweep) Gather(telegraf.Accumulator) error {
	defer s.heedSignals()()
	now := time.Now()
	slot := now.Truncate(s.Interval.Duration)
	if slot.Before(s.began) {
		return s.gather(now.Truncate(time.Second), 0)
	}
	return s.GatherAt(slot)
}

// GatherAt sweeps once for the slot that begins at start, and returns when the last row is out.
func (s *ICMPSweep) GatherAt(start time.Time) error {
	return s.gather(start, time.Duration(emitShare*float64(s.Interval.Duration)))
}

// gather sweeps once. The rows of a large sweep are spread over the time within.
func (s *ICMPSweep) gather(start time.Time, within time.Duration) error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.prober == nil {
		return nil // stopped since it was asked for
	}
	if points(s.prober.Plan()) <= calmPoints {
		within = 0
	}
	sum, err := s.prober.Run(s.ctx, prober.Sweep{
		Start: start, Skipped: s.skipped(start), Emit: s.emit, Halt: s.halt.raised, EmitWithin: within, Hurry: s.hurry.raised,
	})
	switch {
	case errors.Is(err, context.Canceled):
		return nil // stopped before anything was sent
	case err != nil:
		return err
	}
	s.last = start
	s.report(&sum)
	return nil
}

// Sweeps of more points than calmPoints spread them over most of the interval: Telegraf's default buffer holds 10,000.
const (
	calmPoints = 5000
	emitShare  = 0.75
)

// points is how many a sweep may have, retries left out.
func points(p *prober.Plan) int {
	each := len(p.Sizes)
	if p.Samples {
		each += p.Count
	}
	return each * p.Targets.Len()
}

// skipped returns how many slots lie between the last sweep and this one.
func (s *ICMPSweep) skipped(start time.Time) int64 {
	if s.last.IsZero() {
		return 0
	}
	return max(0, int64(start.Sub(s.last)/s.Interval.Duration)-1)
}

func (s *ICMPSweep) emit(row schema.Row) { stanza.Emit(s.acc, row) }

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

// Hurry has the rows of the sweep under way, and of those to come, emitted as soon as they are there.
func (s *ICMPSweep) Hurry() { s.hurry.raise() }

// Stop ends a gather that runs: no more requests, and its rows, partial, one timeout later. Then it closes all.
func (s *ICMPSweep) Stop() { s.StopWithin(s.config.Plan.Timeout + stopMargin) }

// StopWithin is Stop for those who cannot wait: what has not ended after d is emitted as it stands. It may be
// called while Stop runs, to shorten that.
func (s *ICMPSweep) StopWithin(d time.Duration) {
	s.halt.raise()
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
