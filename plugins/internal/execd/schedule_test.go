package execd

import (
	"io"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func TestSchedule(t *testing.T) {
	ten, minute := &Input{Interval: 10 * time.Second}, &Input{Interval: time.Minute}
	s := newSchedule([]*Input{ten, minute}, at(3))
	if s.patience() != 20*time.Second {
		t.Errorf("patience is %v", s.patience())
	}
	for _, c := range []struct {
		at   float64
		done bool // the gathers before have ended
		want []run
	}{
		{3.5, true, nil}, // the slot under way at the start
		{10.1, true, []run{{ten, at(10)}}},
		{10.2, false, nil}, // a second newline in the slot
		{20, false, nil},   // still busy
		{30, true, []run{{ten, at(30)}}},
		{60, true, []run{{ten, at(60)}, {minute, at(60)}}},
		{85, true, []run{{ten, at(80)}}},
	} {
		if c.done {
			s.done(ten)
			s.done(minute)
		}
		got := s.newline(at(c.at))
		if len(got) != len(c.want) {
			t.Fatalf("at %v s: %d are due, want %d", c.at, len(got), len(c.want))
		}
		for i := range got {
			if got[i].input != c.want[i].input || !got[i].slot.Equal(c.want[i].slot) {
				t.Errorf("at %v s: slot %v, want %v", c.at, got[i].slot, c.want[i].slot)
			}
		}
	}
	if left := s.leftover(at(90)); left != nil {
		t.Errorf("%d are left over after a normal life", len(left))
	}
}

func TestClockSetBack(t *testing.T) {
	in := &Input{Interval: 10 * time.Second, Log: NewLogger(io.Discard)}
	s := newSchedule([]*Input{in}, at(3))
	if len(s.newline(at(10))) != 1 {
		t.Fatal("the first slot is not due")
	}
	s.done(in)
	if due := s.newline(at(-3600)); len(due) != 1 || !due[0].slot.Equal(at(-3600)) {
		t.Errorf("an hour back: %v", due)
	}
}

func TestLeftover(t *testing.T) {
	in := &Input{Interval: time.Minute}
	s := newSchedule([]*Input{in}, at(3))
	if left := s.leftover(at(4)); left != nil {
		t.Errorf("nothing was asked for, and %d are left over", len(left))
	}
	s.newline(at(4))
	left := s.leftover(at(5.7))
	if len(left) != 1 || !left[0].slot.Equal(at(5)) {
		t.Errorf("got %v, want one at the whole second", left)
	}
}
