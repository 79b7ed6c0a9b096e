package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// State is the lasting form of a Ledger, as the checkpoint holds it. Times are whole seconds since the Unix epoch.
// Fields may be added to it; none may change its meaning.
type State struct {
	Cursor    int64           `json:"cursor"`
	Floor     int64           `json:"floor"`
	Instances []InstanceState `json:"instances"`
}

// InstanceState holds the windows of one instance as they were rolled up last.
type InstanceState struct {
	Host     string        `json:"host"`
	Instance string        `json:"instance"`
	Minutes  []WindowState `json:"minutes"`
	Hours    []WindowState `json:"hours"`
}

// WindowState is written as [start, points, promised late, rows, late, complete (1 or 0)].
type WindowState struct {
	Start    int64 // seconds
	Tally    Tally
	Complete bool
}

// MarshalJSON implements json.Marshaler.
func (w WindowState) MarshalJSON() ([]byte, error) {
	a := [6]int64{w.Start, w.Tally.Points, w.Tally.PromisedLate, w.Tally.Rows, w.Tally.Late, 0}
	if w.Complete {
		a[5] = 1
	}
	return json.Marshal(a)
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *WindowState) UnmarshalJSON(data []byte) error {
	var a []int64
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	if len(a) < 6 {
		return fmt.Errorf("ledger: a window has %d numbers, want 6", len(a))
	}
	*w = WindowState{Start: a[0], Tally: Tally{Points: a[1], PromisedLate: a[2], Rows: a[3], Late: a[4]}, Complete: a[5] != 0}
	return nil
}

const second = int64(1e9)

// State returns the lasting form, in a fixed order.
func (l *Ledger) State() *State {
	s := &State{Cursor: l.cursor / second, Floor: l.floor / second, Instances: []InstanceState{}}
	for i, b := range l.books {
		is := InstanceState{Host: i.Host, Instance: i.Name, Minutes: []WindowState{}, Hours: []WindowState{}}
		for _, start := range slices.Sorted(maps.Keys(b.minutes)) {
			p := b.minutes[start]
			switch {
			case p.rolled != nil:
				is.Minutes = append(is.Minutes, WindowState{start / second, p.rolled.tally, p.rolled.complete})
			case p.tally.Rows == 0 && p.tally.Points > 0 && start < l.cursor:
				is.Minutes = append(is.Minutes, WindowState{start / second, p.tally, false}) // all of it is missing
			}
		}
		for _, start := range slices.Sorted(maps.Keys(b.hours)) {
			r := b.hours[start]
			is.Hours = append(is.Hours, WindowState{start / second, r.tally, r.complete})
		}
		if len(is.Minutes)+len(is.Hours) > 0 {
			s.Instances = append(s.Instances, is)
		}
	}
	slices.SortFunc(s.Instances, func(x, y InstanceState) int {
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.Instance, y.Instance))
	})
	return s
}

// Restore makes a Ledger that goes on from s.
func Restore(cfg Config, s *State) *Ledger {
	l := New(cfg)
	l.cursor, l.floor = s.Cursor*second, s.Floor*second
	for _, is := range s.Instances {
		b := l.book(Instance{is.Host, is.Instance})
		for _, m := range is.Minutes {
			p := b.page(m.Start * second)
			p.tally = m.Tally
			if m.Tally.Rows > 0 {
				p.rolled = &rolled{m.Tally, m.Complete}
			}
			if m.Complete && m.Start*second < l.cursor {
				p.checked = l.cursor // settled; any other minute is counted anew
			}
		}
		for _, h := range is.Hours {
			b.hours[h.Start*second] = &rolled{h.Tally, h.Complete}
		}
	}
	return l
}
