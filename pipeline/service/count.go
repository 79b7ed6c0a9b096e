package service

import (
	"context"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/source"
	"echogram/pipeline/window"
)

// count enters manifests and rows into the ledger.
func (s *Service) count(ctx context.Context, of string, from, to, now int64, force bool) error {
	var promised []source.Minute
	if of == "" {
		var err error
		if promised, err = s.Accounts.Manifests(ctx, from, to); err != nil {
			return err
		}
		manifests := make([]ledger.Manifest, len(promised))
		for i, m := range promised {
			manifests[i] = ledger.Manifest{Instance: ledger.Instance{Host: m.Host, Name: m.Instance}, Start: m.Start, Points: m.Rows, Late: m.Late}
		}
		s.ledger.Promise(manifests)
	}
	for _, r := range s.ledger.Uncounted(of, from, to, now, force) {
		found, err := s.counted(ctx, of, r.From, r.To, promised)
		if err != nil {
			return err
		}
		counts := make([]ledger.Count, len(found))
		for i, m := range found {
			counts[i] = ledger.Count{Instance: ledger.Instance{Of: of, Host: m.Host, Name: m.Instance}, Start: m.Start, Rows: m.Rows, Late: m.Late}
		}
		s.ledger.Count(of, r, counts, now)
	}
	return nil
}

// worthTotals is the least stretch of time for which totals are asked first.
const worthTotals = int64(10 * time.Minute)

// counted gives the rows of from <= t < to by the minute. To count them so takes InfluxDB fifty times as long as to count
// all of them: where the totals are what the manifests promise, each minute is taken to hold what its own promise. Reading
// shows where that is not so; those minutes are counted one by one in the next round.
func (s *Service) counted(ctx context.Context, of string, from, to int64, promised []source.Minute) ([]source.Minute, error) {
	if of != "" || s.exact || to-from < worthTotals {
		return s.Accounts.Counts(ctx, of, from, to)
	}
	totals, ok, err := s.Accounts.Totals(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if !ok {
		return s.Accounts.Counts(ctx, of, from, to)
	}
	var within []source.Minute
	for _, m := range promised {
		if m.Start >= from && m.Start < to {
			within = append(within, m)
		}
	}
	if agree(totals, within) {
		return within, nil
	}
	middle := window.Floor(from+(to-from)/2, int64(time.Minute))
	if middle <= from {
		return s.Accounts.Counts(ctx, of, from, to)
	}
	before, err := s.counted(ctx, of, from, middle, promised)
	if err != nil {
		return nil, err
	}
	after, err := s.counted(ctx, of, middle, to, promised)
	return append(before, after...), err
}

// agree tells whether the totals of all instances are the sums of their minutes.
func agree(totals, minutes []source.Minute) bool {
	left := map[ledger.Instance]source.Minute{}
	add := func(m source.Minute, sign int64) {
		i := ledger.Instance{Host: m.Host, Name: m.Instance}
		sum := left[i]
		sum.Rows, sum.Late = sum.Rows+sign*m.Rows, sum.Late+sign*m.Late
		left[i] = sum
	}
	for _, m := range totals {
		add(m, 1)
	}
	for _, m := range minutes {
		add(m, -1)
	}
	for _, sum := range left {
		if sum.Rows != 0 || sum.Late != 0 {
			return false
		}
	}
	return true
}
