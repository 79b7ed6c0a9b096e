package service

import (
	"cmp"
	"log/slog"
	"math"
	"slices"

	"echogram/pipeline/block"
	"echogram/pipeline/ledger"
	"echogram/plugins/schema"
)

// analyst feeds a block.Monitor with whole sweeps. It holds the manifests back until their sweeps are over, because only
// then is it known what the points say of the targets that have none.
type analyst struct {
	monitor *block.Monitor
	events  events
	log     *slog.Logger
	want    func(schema.Row) bool // nil: all rows
	closed  int64                 // sweeps that began before it are judged
	open    map[sweepKey]*sweep   // those that are not
	last    sweepKey              // of the point before: mostly the next is of the same
	at      *sweep
	told    map[ledger.Instance]bool // that its points are not enough
}

type sweepKey struct {
	host, instance string
	time           int64
}

// sweep is what is known of a sweep that is not judged.
type sweep struct {
	rows, received int64                 // sums over the points
	manifest       *schema.SweepStatsRow // nil: not seen
}

func newAnalyst(log *slog.Logger) *analyst {
	return &analyst{log: log, events: events{log: log, open: map[string]bool{}}, told: map[ledger.Instance]bool{}}
}

// set begins with a Monitor in whose state all sweeps before closed are.
func (a *analyst) set(m *block.Monitor, closed int64) {
	a.monitor, a.closed, a.open, a.at = m, closed, map[sweepKey]*sweep{}, nil
}

func (a *analyst) sweep(k sweepKey) *sweep {
	if a.at == nil || a.last != k {
		if a.open[k] == nil {
			a.open[k] = &sweep{}
		}
		a.last, a.at = k, a.open[k]
	}
	return a.at
}

// add takes a point. What belongs to a sweep that has been judged comes too late.
func (a *analyst) add(series *schema.RTTSeries, row *schema.SweepRow) {
	if series.Of != "" || row.Time < a.closed {
		return
	}
	s := a.sweep(sweepKey{series.Host, series.Instance, row.Time})
	s.rows++
	s.received += row.Received
	a.monitor.Add(series, row)
}

func (a *analyst) manifest(m *schema.SweepStatsRow) {
	if m.Time < a.closed {
		return
	}
	kept := *m
	a.sweep(sweepKey{m.Host, m.Instance, m.Time}).manifest = &kept
}

// close judges the sweeps that began before a time.
func (a *analyst) close(before int64, emit func(schema.Row) error) error {
	a.hand(before)
	a.closed = max(a.closed, before)
	return a.monitor.Close(before, func(r schema.Row) error { return a.tell(r, emit) })
}

// finish judges what is open as it stands. The Monitor is of no use after it.
func (a *analyst) finish(emit func(schema.Row) error) error {
	a.hand(math.MaxInt64)
	return a.monitor.Finish(func(r schema.Row) error { return a.tell(r, emit) })
}

func (a *analyst) tell(r schema.Row, emit func(schema.Row) error) error {
	if a.want != nil && !a.want(r) {
		return nil
	}
	if event, ok := r.(*schema.BlockOutageRow); ok {
		a.events.tell(event)
	}
	return emit(r)
}

// hand gives the Monitor the manifests of the sweeps that began before a time, in their order.
func (a *analyst) hand(before int64) {
	var keys []sweepKey
	for k := range a.open {
		if k.time < before {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y sweepKey) int {
		return cmp.Or(cmp.Compare(x.time, y.time), cmp.Compare(x.host, y.host), cmp.Compare(x.instance, y.instance))
	})
	for _, k := range keys {
		s := a.open[k]
		delete(a.open, k)
		if s.manifest == nil {
			continue
		}
		if s.manifest.Trust == "" { // of a prober that has no opinion of itself, such as con-ping
			s.manifest.Trust = schema.TrustOK
		}
		if s.thin() {
			s.manifest.Partial = true // says nothing of those that have no point
			a.warn(ledger.Instance{Host: k.host, Name: k.instance})
		}
		a.monitor.Manifest(s.manifest)
	}
	a.at = nil
}

// thin tells whether targets that answered have no point (per_target = "changed" or "none"). Where only silent targets have
// none ("responding"), the points that there are tell all that is known of their targets.
func (s *sweep) thin() bool {
	m := s.manifest
	return !m.Partial && m.Points < m.Targets && s.rows >= m.Points && s.received < m.Received
}

func (a *analyst) warn(i ledger.Instance) {
	if a.told[i] {
		return
	}
	a.told[i] = true
	a.log.Warn(`sweeps in which targets that answered have no point say nothing of blocks: set per_target = "all", or "responding"`,
		"host", i.Host, "instance", i.Name)
}
