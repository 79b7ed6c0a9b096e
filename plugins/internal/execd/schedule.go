package execd

import (
	"sync"
	"time"
)

// schedule decides which stanza is due when a newline comes. Slots are the multiples of a stanza's interval.
type schedule struct {
	mu     sync.Mutex
	states []state
	least  time.Duration // the shortest interval
	ran    bool          // anything
}

type state struct {
	input *Input
	slot  time.Time // the last that was run, or that was under way at the start
	asked bool      // a newline came before the first slot
	busy  bool
}

// run is a gather that is due.
type run struct {
	input *Input
	slot  time.Time
}

func newSchedule(inputs []*Input, now time.Time) *schedule {
	s := &schedule{states: make([]state, len(inputs))}
	for i, in := range inputs {
		s.states[i] = state{input: in, slot: now.Truncate(in.Interval)}
		if s.least == 0 || in.Interval < s.least {
			s.least = in.Interval
		}
	}
	return s
}

// patience is how long STDIN may stay silent before the user is told.
func (s *schedule) patience() time.Duration { return 2 * s.least }

// newline returns what is due: the slots that have begun since the last, of stanzas that are not busy. A slot that
// was under way when the process started is another process's.
func (s *schedule) newline(now time.Time) []run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []run
	for i := range s.states {
		st := &s.states[i]
		slot := now.Truncate(st.input.Interval)
		if st.slot.Sub(slot) > st.input.Interval { // the clock was set back by that much
			st.input.Log.Warnf("the clock was set back by about %s", st.slot.Sub(slot))
			st.slot = slot.Add(-st.input.Interval)
		}
		switch {
		case !slot.After(st.slot):
			st.asked = true
		case !st.busy:
			st.slot, st.busy, s.ran = slot, true, true
			due = append(due, run{st.input, slot})
		}
	}
	return due
}

// leftover returns what is to run when STDIN has closed: if nothing has run yet, all that was asked for, with the
// whole second as its slot.
func (s *schedule) leftover(now time.Time) []run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []run
	for i := range s.states {
		if st := &s.states[i]; st.asked && !s.ran {
			st.busy = true
			due = append(due, run{st.input, now.Truncate(time.Second)})
		}
	}
	return due
}

// done notes that a stanza's gather has ended.
func (s *schedule) done(in *Input) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.states {
		if s.states[i].input == in {
			s.states[i].busy = false
		}
	}
}
