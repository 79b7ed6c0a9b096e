package block

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"echogram/plugins/schema"
)

// Monitor reads the sweeps of all instances. Each instance (host and instance of the rows) is read apart from the others.
//
// A target that has no row in a sweep is not known in it: of the stanza's per_target, "all" and "responding" can be read,
// "changed" and "none" cannot.
type Monitor struct {
	cfg       Config
	pos       int64
	instances []*instance // by host and instance
	seats     []*seat
	bySeries  map[*schema.RTTSeries]int
	guess     int
}

// New makes a Monitor that knows nothing.
func New(cfg Config) *Monitor {
	return &Monitor{cfg: cfg.withDefaults(), bySeries: map[*schema.RTTSeries]int{}}
}

// Add takes what a sweep found out about one target, in any order. Rows of sweeps before Position are left out, and so
// are series of other measurements than icmp_sweep.
func (m *Monitor) Add(series *schema.RTTSeries, p *schema.SweepRow) {
	s := m.seat(series)
	if s.in == nil || p.Time < m.pos {
		return
	}
	w := s.in.sweepAt(p.Time)
	if s.last != p.Time {
		w.Rows++
		s.last = p.Time
	}
	w.add(s.number, s.place, p)
}

// Manifest takes what closes a sweep.
func (m *Monitor) Manifest(s *schema.SweepStatsRow) {
	if s.Time < m.pos {
		return
	}
	w := m.instance(s.Host, s.Instance).sweepAt(s.Time)
	w.Manifest, w.Promised, w.Trust, w.Partial, w.Rate = true, s.Points, strings.Clone(s.Trust), s.Partial, s.Rate
}

// instance finds or makes an instance.
func (m *Monitor) instance(host, name string) *instance {
	i, found := slices.BinarySearchFunc(m.instances, 0, func(in *instance, _ int) int {
		return cmp.Or(cmp.Compare(in.Host, host), cmp.Compare(in.Instance, name))
	})
	if !found {
		in := &instance{Host: strings.Clone(host), Instance: strings.Clone(name), References: m.cfg.Belief}
		in.begin(m.cfg)
		m.instances = slices.Insert(m.instances, i, in)
	}
	return m.instances[i]
}

// Close judges all sweeps that started before, in order of time, and emits what follows of them. Judgement lags one
// sweep behind: the last one is held until the next is closed, or until it is clear that none comes. An error of emit
// ends it; what it had not emitted is lost.
func (m *Monitor) Close(before int64, emit func(schema.Row) error) error {
	m.pos = max(m.pos, before)
	for {
		in := m.first(before)
		if in == nil {
			break
		}
		in.turn(before)
		if err := m.flush(in, emit); err != nil {
			return err
		}
	}
	for _, in := range m.instances {
		if in.Held == nil && in.Opened && in.Last < before-in.patience() {
			in.advance(before - in.patience())
		}
		if err := m.flush(in, emit); err != nil {
			return err
		}
	}
	return nil
}

// first is the instance of which the earliest sweep can be judged.
func (m *Monitor) first(before int64) (first *instance) {
	earliest := int64(math.MaxInt64)
	for _, in := range m.instances {
		if t, ok := in.due(before); ok && t < earliest {
			first, earliest = in, t
		}
	}
	return first
}

// flush emits the rows of an instance.
func (m *Monitor) flush(in *instance, emit func(schema.Row) error) error {
	if in.dropped {
		in.dropped = false
		m.Forget()
	}
	rows := in.rows
	in.rows = in.rows[:0]
	for _, row := range rows {
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}

// Finish judges what is left, and emits what is open, as it stands: outages, the window, and the day when it holds at
// least 20 h.
func (m *Monitor) Finish(emit func(schema.Row) error) error {
	last := m.pos
	for _, in := range m.instances {
		if n := len(in.open); n > 0 {
			last = max(last, in.open[n-1].Time+1)
		}
	}
	const end = math.MaxInt64
	for in := m.first(end); in != nil; in = m.first(end) {
		in.turn(end)
		if err := m.flush(in, emit); err != nil {
			return err
		}
	}
	m.pos = last
	for _, in := range m.instances {
		in.finish()
		if err := m.flush(in, emit); err != nil {
			return err
		}
	}
	return nil
}

// Position is from when on sweeps are to be read: what lies before it is in the state. It is 0 while nothing is.
func (m *Monitor) Position() int64 { return m.pos }
