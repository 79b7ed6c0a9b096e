// Package service runs the pipeline: it is the one place that brings the engines (ledger, rollup, path, block) and the edges
// (source, sink, checkpoint) together.
//
// Its layers, from the bottom:
//
//   - shifter: floors of a target in, path_shift rows out.
//   - job: one run of windows, each part (a block, some targets) read once for all of them.
//   - analyst: points and manifests in, rows of blocks and a log line for each of their events out.
//   - blocks: the analyst beside rollups, with a position and a state of its own.
//   - Service: rounds over InfluxDB. A round counts, decides, reads, writes and remembers, in that order; it asks what
//     manifests promise and what rows there are, enters both into the ledger, rolls up the windows that this says are
//     due, and saves the ledger when the sink has acknowledged their rows.
//   - Filler: the same for a stretch of the past, without a memory.
//   - Stream: lines as they come in, from STDIN or files, with a Filler for what it did not see.
//
// A Service may be killed anywhere: what was not saved is done again, and writing a row twice is writing it once. Rows
// depend on the data alone.
package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"echogram/pipeline/block"
	"echogram/pipeline/influx"
	"echogram/pipeline/ledger"
	"echogram/pipeline/path"
	"echogram/pipeline/rollup"
	"echogram/pipeline/source"
	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// Accounts tells what is promised and what is there.
type Accounts interface {
	Newest(ctx context.Context, before int64) ([]source.Minute, error)
	Manifests(ctx context.Context, from, to int64) ([]source.Minute, error)
	Counts(ctx context.Context, of string, from, to int64) ([]source.Minute, error)
	// Totals are the rows of sweeps, not by the minute; ok is false where they are no cheaper than Counts.
	Totals(ctx context.Context, from, to int64) (all []source.Minute, ok bool, err error)
	// Doubted are the sweeps that are not trusted, each with its time for Start.
	Doubted(ctx context.Context, from, to int64) ([]source.Minute, error)
	// Sweeps are the manifests one by one.
	Sweeps(ctx context.Context, from, to int64) ([]schema.SweepStatsRow, error)
}

// Points gives the raw rows, part by part. Read is called by several goroutines at once.
type Points interface {
	Oldest(ctx context.Context) (t int64, ok bool, err error)
	Parts(ctx context.Context, of string, from, to int64) ([]source.Part, error)
	Read(ctx context.Context, part source.Part, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error
	// Answers is Read for the points of a block, with the fields that tell who answers.
	Answers(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error
	Facts(ctx context.Context, from, to int64, length time.Duration) ([]source.Facts, error)
}

// Floors gives stored rollups of targets back. It is called by several goroutines at once.
type Floors interface {
	Floors(ctx context.Context, block, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error
	// TargetFloors is Floors for some targets, whatever their blocks are.
	TargetFloors(ctx context.Context, targets []string, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error
}

// Sink takes lines of line protocol; it returns nil when they are stored.
type Sink interface {
	Write(ctx context.Context, lines []byte) error
}

// Store keeps what the next process needs to go on.
type Store interface {
	Save(state any) error
	SaveStream(name string, write func(io.Writer) error) error
	LoadStream(name string, read func(io.Reader) error) error // checkpoint.ErrNone: there is nothing
}

// Config is what a Service needs to know.
type Config struct {
	Interval     time.Duration // pause between two rounds of Run
	Readers      int           // parts read at the same time, at least 1
	Batch        int           // lines in a write
	TargetFields []string      // of rollups of targets; none: all
	Rollup       rollup.Config
	Of           []string          // measurements besides icmp_sweep
	Shifts       *path.ShiftConfig // nil: they are not looked for
	References   []string          // targets beside which shifts are looked for
	Blocks       *block.Config     // with all defaults filled in; nil: they are not looked at
	Lateness     time.Duration     // by how much a point may come late; a ledger has its own
	Progress     func(string)      // told what is being read; nil: nobody is
	Log          *slog.Logger
}

// Ends are what a Service works between.
type Ends struct {
	Accounts Accounts
	Points   Points
	Sink     Sink
	Floors   Floors // nil: rollups cannot be read back, and floors are kept in memory
}

// Service rolls one source up into one sink. It is used by one goroutine, and joins those that it starts.
type Service struct {
	Ends
	refusals
	cfg     Config
	ledger  *ledger.Ledger
	store   Store
	want    func(*ledger.Window) bool // nil: all
	shifter *shifter                  // nil: none
	blocks  *blocks                   // nil: none
	misled  []ledger.Window           // of which this round has read another number of rows than it had counted
	exact   bool                      // the one before has: rows are counted minute by minute
	told    map[string]int64          // malformed points of a run, by measurement, when it was last said
}

// New makes a Service that goes on from l.
func New(cfg Config, l *ledger.Ledger, ends Ends, store Store) *Service {
	s := &Service{Ends: ends, refusals: refusals{log: cfg.Log}, cfg: cfg, ledger: l, store: store, shifter: newShifter(cfg), told: map[string]int64{}}
	s.blocks = newBlocks(cfg, ends, store, &s.refusals)
	return s
}

// Once rolls up everything before until as it stands. Windows that are not over carry complete=false. What went wrong
// with single windows or lines is returned when all others are done.
func (s *Service) Once(ctx context.Context, until time.Time) error {
	s.failed = nil
	err := s.round(ctx, until.UnixNano(), true)
	if err == nil && len(s.misled) > 0 { // no later round would mend it
		s.failed = nil
		err = s.round(ctx, until.UnixNano(), true)
	}
	if err == nil && s.blocks != nil {
		err = s.blocks.once(ctx, until.UnixNano())
	}
	if err != nil {
		return err
	}
	return s.failed
}

// Run rolls windows up as they close, until ctx ends (nil) or something is wrong that time will not mend.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.blocks != nil {
		defer func() { err = errors.Join(err, s.blocks.keep(true)) }()
	}
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		s.failed = nil
		err := s.round(ctx, time.Now().UnixNano(), false)
		if err == nil && s.blocks != nil {
			err = s.blocks.round(ctx, time.Now().UnixNano(), worthReading)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case errors.Is(s.failed, ErrShort):
			s.log.Warn(s.failed.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// worthReading is how much of the data a round of a service reads for blocks at least: each costs a query a block.
const worthReading = time.Minute

func (s *Service) round(ctx context.Context, now int64, force bool) error {
	if s.ledger.Fresh() {
		oldest, ok, err := s.Points.Oldest(ctx)
		if err != nil || !ok || oldest >= now {
			return err
		}
		s.log.Info("reading from the oldest point", "time", stamp(oldest))
		s.ledger.Begin(oldest)
	}
	return s.span(ctx, s.ledger.From(now), now, now, force)
}

// span deals with the windows that start between from and to, chunk by chunk: each holds whole longest windows.
func (s *Service) span(ctx context.Context, from, to, now int64, force bool) error {
	s.exact, s.misled = len(s.misled) > 0, nil
	newest, err := s.Accounts.Newest(ctx, now)
	if err != nil {
		return err
	}
	for _, m := range newest {
		s.ledger.Newest(ledger.Instance{Host: m.Host, Name: m.Instance}, m.Start)
	}
	for from < to {
		end := min(window.Floor(from, s.chunk())+s.chunk(), to)
		if err := s.part(ctx, from, end, now, force); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// chunk is how much is counted at once: a day or more, in longest windows.
func (s *Service) chunk() int64 {
	longest := s.longest()
	return max(1, (day+longest-1)/longest) * longest
}

const day = int64(24 * time.Hour)

func (s *Service) longest() int64 { return int64(s.cfg.Rollup.Lengths[len(s.cfg.Rollup.Lengths)-1]) }

func (s *Service) part(ctx context.Context, from, to, now int64, force bool) error {
	for _, of := range append([]string{""}, s.cfg.Of...) {
		if err := s.count(ctx, of, from, to, now, force); err != nil {
			return err
		}
		due := s.due(of, from, to, now, force)
		for len(due) > 0 {
			n := s.sameRun(due)
			done, err := s.rollUp(ctx, of, due[:n], now)
			if err != nil {
				return err
			}
			s.ledger.Done(done)
			for i := range s.misled {
				s.ledger.Doubt(&s.misled[i])
			}
			if err := s.store.Save(s.ledger.State()); err != nil {
				return err
			}
			due = due[n:]
		}
	}
	if s.ledger.Settle(to, now) {
		return s.store.Save(s.ledger.State())
	}
	return nil
}

func (s *Service) due(of string, from, to, now int64, force bool) []ledger.Window {
	due := s.ledger.Due(of, from, to, now, force)
	if s.want == nil {
		return due
	}
	var wanted []ledger.Window
	for i := range due {
		if s.want(&due[i]) {
			wanted = append(wanted, due[i])
		}
	}
	return wanted
}

// sameRun is how many of the first windows follow each other without a gap, and lie in a day or one longest window.
func (s *Service) sameRun(ws []ledger.Window) int {
	to := ws[0].End()
	for i := range ws {
		if ws[i].Start > to || ws[i].End()-ws[0].Start > max(day, s.longest()) {
			return i
		}
		to = max(to, ws[i].End())
	}
	return len(ws)
}

// refusals keeps the first thing that went wrong with single lines or windows.
type refusals struct {
	log    *slog.Logger
	failed error
}

// refused takes note of lines that the server did not take, and says so: all others are stored.
func (r *refusals) refused(err error) error {
	if !errors.Is(err, influx.ErrRefused) {
		return err
	}
	r.log.Error(err.Error())
	r.fail(err)
	return nil
}

func (r *refusals) fail(err error) {
	if r.failed == nil {
		r.failed = err
	}
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }
