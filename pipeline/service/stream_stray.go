package service

import (
	"context"
	"fmt"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// A value whose time is wrong by years would close every window, and all that follows would come too late. A gap in the
// data looks the same at first: what comes next tells. So a value that lies more than a day and the lateness ahead of all
// before it waits for the next one, and is left out when that one falls back by as much. A clock is not asked: the same
// lines give the same rows whenever they are read.

// held is a value that waits for the next one.
type held struct {
	value
	row   schema.SweepRow
	stats schema.SweepStatsRow
	line  int64
	text  string
}

// strays are the values that were left out.
type strays struct {
	n     int64
	line  int64  // of the first
	first string // quoted
}

// far tells whether t lies too far ahead of a time to be believed at once.
func (s *Stream) far(t, of int64) bool {
	return t > of && uint64(t)-uint64(of) > uint64(day+int64(s.cfg.Lateness))
}

// quotedBytes is how much of a line is shown.
const quotedBytes = 120

func (s *Stream) hold(v value, r *lines.Reader) {
	text := r.Text()
	h := &held{value: v, row: *v.row, stats: *v.stats, line: r.Lines(), text: string(text[:min(len(text), quotedBytes)])}
	h.value.row, h.value.stats = &h.row, &h.stats
	s.held = h
}

// decide takes the value that waits, or leaves it out, by the time of the next one.
func (s *Stream) decide(ctx context.Context, next int64) error {
	h := s.held
	if h == nil {
		return nil
	}
	s.held = nil
	if s.far(h.time(), next) {
		if s.stray.n++; s.stray.n == 1 {
			s.stray.line, s.stray.first = h.line, fmt.Sprintf("%q", h.text)
		}
		return nil
	}
	_, err := s.take(ctx, h.value)
	return err
}
