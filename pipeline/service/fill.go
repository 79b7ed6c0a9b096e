package service

import (
	"context"
	"io"

	"echogram/pipeline/checkpoint"
	"echogram/pipeline/ledger"
	"echogram/pipeline/window"
)

// Filler rolls up stretches of the past out of InfluxDB, whatever was done before. It remembers nothing.
type Filler struct {
	Ends
	Config Config
	Ledger ledger.Config
}

// fill rolls up the windows of the longest windows that lie between from and to, or partly so, if want takes them,
// as they stand at the time now.
func (f *Filler) fill(ctx context.Context, from, to, now int64, want func(*ledger.Window) bool) error {
	s := New(f.Config, ledger.New(f.Ledger), f.Ends, forgetful{})
	s.want = want
	longest := s.longest()
	from, to = window.Floor(from, longest), min(window.Floor(to+longest-1, longest), now)
	s.ledger.Begin(from)
	if err := s.span(ctx, from, to, now, true); err != nil {
		return err
	}
	return s.failed
}

// Backfill rolls up every window that overlaps start <= t < stop, whole: what lies before or behind counts in, too.
// Windows that began before the oldest raw point are left out, because something better may be stored of them already,
// unless partial says that what is left of their points is good enough.
func (f *Filler) Backfill(ctx context.Context, start, stop, now int64, partial bool) error {
	oldest, ok, err := f.Points.Oldest(ctx)
	if err != nil {
		return err
	}
	if !ok || oldest >= stop {
		f.Config.Log.Warn("there are no points")
		return nil
	}
	left := 0
	err = f.fill(ctx, max(start, oldest), stop, now, func(w *ledger.Window) bool {
		old := w.Start < window.Floor(oldest, int64(f.Ledger.Lengths[0])) && !partial
		within := w.End() > start && w.Start < stop
		if within && old {
			left++
		}
		return within && !old
	})
	if left > 0 {
		f.Config.Log.Warn("windows that began before the oldest point are left out: --partial takes them as they are", "windows", left, "oldest", stamp(oldest))
	}
	if err != nil {
		return err
	}
	return f.blocks(ctx, start, stop, oldest, now)
}

// forgetful is a Store that keeps nothing.
type forgetful struct{}

func (forgetful) Save(any) error { return nil }

func (forgetful) SaveStream(string, func(io.Writer) error) error { return nil }

func (forgetful) LoadStream(string, func(io.Reader) error) error { return checkpoint.ErrNone }
