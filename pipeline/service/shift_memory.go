package service

import (
	"maps"
	"slices"
	"time"

	"echogram/pipeline/path"
	"echogram/plugins/schema"
)

// memorised are the floors that cannot be read back.
type memorised struct {
	recent
	references map[string]*schema.Series // those of reference targets, by their keys
	waiting    map[string]*waiting       // by the keys of their series
	room       []path.Floor
}

// waiting are windows of a series that have not been looked at.
type waiting struct {
	series schema.Series
	starts []int64
}

func newMemorised(length time.Duration) memorised {
	return memorised{recent: recent{reach: uint32(shiftWindows * length / time.Minute), series: map[string][]kept{}},
		references: map[string]*schema.Series{}, waiting: map[string]*waiting{}}
}

// add keeps the floor of one row, and returns the shifts that it confirms. Beside references it waits for rest, since theirs
// may come later: what is told does not depend on the order in which rows come.
func (s *shifter) add(r *schema.SweepRollupRow) []schema.Row {
	f, ok := s.floor(&r.Series, r)
	if !ok || r.Window != s.window {
		return nil
	}
	m, key := &s.kept, r.Series.Key()
	m.put(key, &f)
	if len(s.references) == 0 {
		m.room = m.upTo(m.room[:0], key, r.Time)
		m.trim(key)
		return s.newest(&r.Series, m.room)
	}
	w := m.waiting[key]
	if w == nil {
		w = &waiting{series: r.Series}
		m.waiting[key] = w
	}
	w.starts = append(w.starts, r.Time)
	if slices.Contains(s.references, r.Target) {
		m.references[key] = &w.series
	}
	return nil
}

// rest returns the shifts of what waits, when all rows of its windows have come, in an order of its own.
func (s *shifter) rest() (rows []schema.Row) {
	m := &s.kept
	beside := s.newReferences()
	for key, series := range m.references {
		if all := m.series[key]; all != nil {
			beside.add(series, m.floors(nil, all))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.waiting)) {
		w := m.waiting[key]
		slices.Sort(w.starts)
		for _, start := range slices.Compact(w.starts) {
			m.room = m.upTo(m.room[:0], key, start)
			rows = append(rows, s.newest(&w.series, beside.floors(m.room, &w.series, m.room))...)
		}
	}
	for key := range m.waiting {
		m.trim(key)
	}
	clear(m.waiting)
	m.forget()
	return rows
}
