// Package bfd is Telegraf's view of the BFD watch: a service input that turns TOML into the configuration of a
// watcher, and the watcher's rows into metrics. It opens nothing in Init and decides nothing about sessions.
//
// Rows come when the packets say that a period is over; a gather only has those come that no packet tells of, and
// waits, the first time, until files have been read as far as they go. Every row goes to the accumulator that Start
// was given.
package bfd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs"

	"echogram/plugins/inputs/stanza"
	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
	"echogram/sampleconfig"
	"echogram/sampleconfig/strict"
)

// Name is the plugin's name: [[inputs.bfd]].
const Name = "bfd"

// DefaultEmitRate is the points a second that files give at most: Telegraf's default buffer holds what comes between
// two of its default flushes.
const DefaultEmitRate = 1000

// BFD is one [[inputs.bfd]] stanza. Its options are explained in sampleconfig/bfd.conf.
type BFD struct {
	Interval strict.Duration `toml:"interval"` // required
	Instance string          `toml:"instance"` // value of the tag instance; default "default"

	Interfaces  []string `toml:"interfaces"`
	Promiscuous bool     `toml:"promiscuous"`
	Tunnels     bool     `toml:"tunnels"`
	RingMiB     int      `toml:"ring_mib"`

	Files         []string `toml:"files"`
	Follow        *bool    `toml:"follow"` // default true
	FromBeginning bool     `toml:"from_beginning"`
	StateFile     string   `toml:"state_file"`
	EmitRate      *int     `toml:"emit_rate"` // points per second from files, 0 as fast as it goes; default 1,000

	Tap            string   `toml:"tap"`
	LocalAddresses []string `toml:"local_addresses"`

	Period      strict.Duration `toml:"period"`
	PerEcho     bool            `toml:"per_echo"`
	NearMiss    float64         `toml:"near_miss"`
	MaxSessions int             `toml:"max_sessions"`
	Forget      strict.Duration `toml:"forget"`

	LogEvents []string `toml:"log_events"` // kinds of event; default flaps only

	Log telegraf.Logger `toml:"-"`

	config  prober.WatchConfig
	watcher *prober.Watcher
	acc     telegraf.Accumulator
	full    bool // sessions were left out in the last period

	ctx     context.Context // of everything between Start and Stop
	cancel  context.CancelFunc
	running sync.Mutex // held by a gather, and by the end
}

func init() {
	inputs.Add(Name, func() telegraf.Input { return &BFD{} })
}

// SampleConfig returns the sample stanza.
func (*BFD) SampleConfig() string { return sampleconfig.BFD }

// Init checks the options. What is wrong with one is a *prober.Problem that names it.
func (b *BFD) Init() error {
	switch d := b.Interval.Duration; {
	case d == 0:
		return &prober.Problem{Key: "interval", Text: `is required: write it in this stanza, such as "10s"; points wait for it when no packet comes`}
	case d < time.Second || d%time.Second != 0:
		return &prober.Problem{Key: "interval", Text: fmt.Sprintf("%s is not a whole number of seconds of at least 1", b.Interval)}
	}
	var err error
	if b.Instance, err = stanza.Instance(b.Instance); err != nil {
		return err
	}
	if b.LogEvents == nil {
		b.LogEvents = []string{schema.BFDEventFlap}
	}
	for _, kind := range b.LogEvents {
		if !slices.Contains(kinds, kind) {
			return &prober.Problem{Key: "log_events", Text: fmt.Sprintf("%q is none of %s", kind, strings.Join(kinds, ", "))}
		}
	}
	b.configure()
	return b.config.Check()
}

// kinds of event.
var kinds = []string{
	schema.BFDEventState, schema.BFDEventFlap, schema.BFDEventAdminDown, schema.BFDEventUp, schema.BFDEventNearMiss,
	schema.BFDEventSilent, schema.BFDEventDiscriminator, schema.BFDEventTimers,
}

// configure makes the watcher's configuration of the options.
func (b *BFD) configure() {
	b.config = prober.WatchConfig{
		Instance: b.Instance, Interfaces: b.Interfaces, Promiscuous: b.Promiscuous, Tunnels: b.Tunnels, RingMiB: b.RingMiB,
		Files: b.Files, Follow: true, FromBeginning: b.FromBeginning, StateFile: b.StateFile, EmitRate: DefaultEmitRate,
		Tap: b.Tap, Local: b.LocalAddresses,
		Period: b.Period.Duration, PerEcho: b.PerEcho, NearMiss: b.NearMiss, MaxSessions: b.MaxSessions, Forget: b.Forget.Duration,
		Emit:  b.emit,
		Warn:  func(text string) { b.Log.Warnf("%s", text) },
		Info:  func(text string) { b.Log.Infof("%s", text) },
		Debug: func(text string) { b.Log.Debugf("%s", text) },
	}
	if b.Follow != nil {
		b.config.Follow = *b.Follow
	}
	if b.EmitRate != nil {
		b.config.EmitRate = *b.EmitRate
	}
}

// Start opens captures, or files, and begins to watch.
func (b *BFD) Start(acc telegraf.Accumulator) error {
	b.acc = acc
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if len(b.Files) > 0 && b.config.Follow && !b.FromBeginning {
		b.Log.Infof("what files hold at the first start is passed over, unless from_beginning is set")
	}
	var err error
	b.watcher, err = prober.OpenWatch(b.ctx, b.config)
	return err
}

// Gather is GatherAt, and heeds the signals by which Telegraf is ended: Telegraf stops its inputs only when their
// gathers have returned, and the first one of a stanza with files lasts until these are read.
func (b *BFD) Gather(telegraf.Accumulator) error {
	ctx, stop := signal.NotifyContext(b.ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return b.gather(ctx)
}

// GatherAt has the points come of periods that are over. The first time it waits until files have been read as far as
// they go; after Hurry (--once, --test) also until a live capture has lasted a period.
func (b *BFD) GatherAt(time.Time) error { return b.gather(b.ctx) }

func (b *BFD) gather(ctx context.Context) error {
	b.running.Lock()
	defer b.running.Unlock()
	if b.ctx.Err() != nil {
		return nil // stopped since it was asked for
	}
	b.watcher.Flush(time.Now())
	return b.watcher.Settle(ctx)
}

// emit takes a row of the watcher's, one at a time.
func (b *BFD) emit(row schema.Row) {
	switch r := row.(type) {
	case *schema.BFDEventRow:
		b.report(r)
	case *schema.BFDStatsRow:
		b.reportRoom(r)
	}
	stanza.Emit(b.acc, row)
}

// report logs an event that the user wants logged.
func (b *BFD) report(r *schema.BFDEventRow) {
	if !slices.Contains(b.LogEvents, r.Event) {
		return
	}
	where := ""
	if r.Tap != "" {
		where = " on " + r.Tap
	}
	at := time.Unix(0, r.Time).Format("2006-01-02T15:04:05.000Z07:00")
	b.Log.Infof("%s: %s, session %s to %s%s: %s", at, r.Event, r.Local, r.Peer, where, r.Text)
}

// reportRoom warns, once, that there are more sessions than may be kept.
func (b *BFD) reportRoom(r *schema.BFDStatsRow) {
	if r.NoRoom > 0 && !b.full {
		b.Log.Warnf("there are more sessions, or streams of echoes, than are kept: the packets of further ones are counted as no_room in bfd_stats; raise max_sessions")
	}
	b.full = r.NoRoom > 0
}

// Hurry has the points of files come as fast as they can.
func (b *BFD) Hurry() { b.watcher.Hurry() }

// Stop ends the watch. What is open comes as partial, but for what a state file has the next run read again.
func (b *BFD) Stop() {
	b.cancel()
	b.running.Lock() // the gather has ended
	defer b.running.Unlock()
	b.watcher.Close()
}

// StopWithin is Stop, which waits for nothing but those who take the points.
func (b *BFD) StopWithin(time.Duration) { b.Stop() }
