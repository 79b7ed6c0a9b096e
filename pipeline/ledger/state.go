package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// State is the lasting form of a Ledger, as the checkpoint holds it. Times are whole seconds since the Unix epoch.
// Fields may be added to it; none may change its meaning.
type State struct {
	Cursor    int64           `json:"cursor"`
	Floor     int64           `json:"floor"`
	Instances []InstanceState `json:"instances"`
}

// InstanceState is the account of one instance.
type InstanceState struct {
	Of       string        `json:"of,omitempty"`
	Host     string        `json:"host"`
	Instance string        `json:"instance"`
	Minutes  []WindowState `json:"minutes"` // settled ones that no rolled minute says the same of
	Windows  []LengthState `json:"windows"`
}

// LengthState holds the windows of one length as they were rolled up last.
type LengthState struct {
	Seconds int64         `json:"seconds"`
	Rolled  []WindowState `json:"rolled"`
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

// State returns the lasting form, in a fixed order.
func (l *Ledger) State() *State {
	s := &State{Cursor: l.cursor / second, Floor: l.floor / second, Instances: []InstanceState{}}
	for i, b := range l.books {
		is := InstanceState{Of: i.Of, Host: i.Host, Instance: i.Name, Minutes: b.accounts(l.cursor), Windows: b.windows()}
		if len(is.Minutes)+len(is.Windows) > 0 {
			s.Instances = append(s.Instances, is)
		}
	}
	slices.SortFunc(s.Instances, func(x, y InstanceState) int {
		return cmp.Or(cmp.Compare(x.Of, y.Of), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Instance, y.Instance))
	})
	return s
}

// accounts lists the minutes before the cursor whose tallies windows does not tell.
func (b *book) accounts(cursor int64) []WindowState {
	list := []WindowState{}
	for _, start := range slices.Sorted(maps.Keys(b.minutes)) {
		t := b.minutes[start].tally
		if r, ok := b.rolled[span{start, time.Minute}]; start < cursor && t != (Tally{}) && !(ok && r.tally == t) {
			list = append(list, WindowState{start / second, t, t.Rows == t.Points})
		}
	}
	return list
}

// windows lists what was rolled up, by length and start.
func (b *book) windows() []LengthState {
	list := []LengthState{}
	spans := slices.SortedFunc(maps.Keys(b.rolled), func(x, y span) int {
		return cmp.Or(cmp.Compare(x.length, y.length), cmp.Compare(x.start, y.start))
	})
	for _, s := range spans {
		seconds, r := int64(s.length)/second, b.rolled[s]
		if n := len(list); n == 0 || list[n-1].Seconds != seconds {
			list = append(list, LengthState{Seconds: seconds})
		}
		last := &list[len(list)-1]
		last.Rolled = append(last.Rolled, WindowState{s.start / second, r.tally, r.complete})
	}
	return list
}

// Restore makes a Ledger that goes on from s.
func Restore(cfg Config, s *State) *Ledger {
	l := New(cfg)
	l.cursor, l.floor = s.Cursor*second, s.Floor*second
	for _, is := range s.Instances {
		b := l.book(Instance{is.Of, is.Host, is.Instance})
		for _, length := range is.Windows {
			for _, w := range length.Rolled {
				b.rolled[span{w.Start * second, time.Duration(length.Seconds * second)}] = rolled{w.Tally, w.Complete}
				if length.Seconds*second == minute {
					b.page(w.Start*second).restore(w, l.cursor)
				}
			}
		}
		for _, w := range is.Minutes {
			b.page(w.Start*second).restore(w, l.cursor)
		}
	}
	return l
}

func (p *page) restore(w WindowState, cursor int64) {
	p.tally, p.kept, p.checked = w.Tally, w.Tally.Rows, 0
	if w.Complete && w.Start*second < cursor {
		p.checked = cursor // settled; any other minute is counted anew
	}
}
