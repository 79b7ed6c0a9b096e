// Package service runs the pipeline: it is the one place that brings the engines (ledger, rollup) and the edges
// (source, sink, checkpoint) together.
//
// A round counts, decides, reads, writes and remembers, in that order:
//
//  1. It asks what manifests promise and what rows there are, as far as either may have changed, and enters both into
//     the ledger.
//  2. The ledger says which windows are due.
//  3. These are rolled up hour by hour, each block read once for all windows of its hour, and the rows written.
//  4. When the sink has acknowledged them, the ledger is saved.
//
// A process may be killed anywhere in between: what was not saved is done again, and writing a row twice is writing
// it once. Rows depend on the data alone.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// Accounts tells what is promised and what is there.
type Accounts interface {
	Newest(ctx context.Context, before int64) ([]source.Minute, error)
	Manifests(ctx context.Context, from, to int64) ([]source.Minute, error)
	Counts(ctx context.Context, from, to int64) ([]source.Minute, error)
}

// Points gives the raw rows, block by block. Read is called by several goroutines at once.
type Points interface {
	Oldest(ctx context.Context) (t int64, ok bool, err error)
	Blocks(ctx context.Context, from, to int64) ([]string, error)
	Read(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.Series, *schema.SweepRow)) error
}

// Sink takes lines of line protocol; it returns nil when they are stored.
type Sink interface {
	Write(ctx context.Context, lines []byte) error
}

// Store keeps the ledger's state.
type Store interface {
	Save(state any) error
}

// ErrShort: a read gave fewer rows than were counted before. InfluxDB 1.8 breaks a CSV answer off like that when the
// query fails half way. The windows stay due.
var ErrShort = errors.New("service: fewer rows were read than were counted")

// Config is what a Service needs to know.
type Config struct {
	Interval time.Duration // pause between two rounds of Run
	Readers  int           // blocks read at the same time, at least 1
	Batch    int           // lines in a write
	Log      *slog.Logger
}

// Service rolls one source up into one sink. It is used by one goroutine, and
// joins those that it starts.
type Service struct {
	cfg      Config
	ledger   *ledger.Ledger
	accounts Accounts
	points   Points
	sink     Sink
	store    Store
}

// New makes a Service that goes on from l.
func New(cfg Config, l *ledger.Ledger, accounts Accounts, points Points, sink Sink, store Store) *Service {
	return &Service{cfg: cfg, ledger: l, accounts: accounts, points: points, sink: sink, store: store}
}

// Once rolls up everything before until as it stands. Windows that are not over carry complete=false.
func (s *Service) Once(ctx context.Context, until time.Time) error {
	return s.round(ctx, until.UnixNano(), true)
}

// Run rolls windows up as they close, until ctx ends (nil) or something is wrong that time will not mend.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		err := s.round(ctx, time.Now().UnixNano(), false)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrShort):
			s.cfg.Log.Warn(err.Error())
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// chunk is how much a round counts at once: whole hours.
const chunk = int64(24 * time.Hour)

func (s *Service) round(ctx context.Context, now int64, force bool) error {
	if s.ledger.Fresh() {
		oldest, ok, err := s.points.Oldest(ctx)
		if err != nil || !ok || oldest >= now {
			return err
		}
		s.cfg.Log.Info("reading from the oldest point", "time", stamp(oldest))
		s.ledger.Begin(oldest)
	}
	newest, err := s.accounts.Newest(ctx, now)
	if err != nil {
		return err
	}
	for _, m := range newest {
		s.ledger.Newest(ledger.Instance{Host: m.Host, Name: m.Instance}, m.Start)
	}
	for from := s.ledger.From(now); from < now; from += chunk {
		if err := s.chunk(ctx, from, min(from+chunk, now), now, force); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) chunk(ctx context.Context, from, to, now int64, force bool) error {
	if err := s.count(ctx, from, to, now, force); err != nil {
		return err
	}
	due := s.ledger.Due(from, to, now, force)
	for len(due) > 0 {
		n := sameHour(due)
		if err := s.rollUp(ctx, due[:n], now); err != nil {
			return err
		}
		s.ledger.Done(due[:n])
		if err := s.store.Save(s.ledger.State()); err != nil {
			return err
		}
		due = due[n:]
	}
	if s.ledger.Settle(to, now) {
		return s.store.Save(s.ledger.State())
	}
	return nil
}

// sameHour is how many of the first windows lie in one hour.
func sameHour(ws []ledger.Window) int {
	for i := range ws {
		if ws[i].Start/int64(time.Hour) != ws[0].Start/int64(time.Hour) {
			return i
		}
	}
	return len(ws)
}

// count enters manifests and rows into the ledger.
func (s *Service) count(ctx context.Context, from, to, now int64, force bool) error {
	promised, err := s.accounts.Manifests(ctx, from, to)
	if err != nil {
		return err
	}
	manifests := make([]ledger.Manifest, len(promised))
	for i, m := range promised {
		manifests[i] = ledger.Manifest{Instance: ledger.Instance{Host: m.Host, Name: m.Instance}, Start: m.Start, Points: m.Rows, Late: m.Late}
	}
	s.ledger.Promise(manifests)
	for _, r := range s.ledger.Uncounted(from, to, now, force) {
		found, err := s.accounts.Counts(ctx, r.From, r.To)
		if err != nil {
			return err
		}
		counts := make([]ledger.Count, len(found))
		for i, m := range found {
			counts[i] = ledger.Count{Instance: ledger.Instance{Host: m.Host, Name: m.Instance}, Start: m.Start, Rows: m.Rows, Late: m.Late}
		}
		s.ledger.Count(r, counts, now)
	}
	return nil
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }

func short(w *ledger.Window, read int64) error {
	return fmt.Errorf("%w: %d of %d, window of %v at %s, host %q, instance %q", ErrShort, read, w.Rows, w.Length, stamp(w.Start), w.Host, w.Name)
}
