package service

import (
	"context"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/source"
)

// counter counts how rows were asked for.
type counter struct {
	*memory
	exact int
}

func (c *counter) Counts(ctx context.Context, of string, from, to int64) ([]source.Minute, error) {
	c.exact++
	return c.memory.Counts(ctx, of, from, to)
}

// TestCountsAreExactOnlyWhereTotalsDiffer holds what counted gives against the rows by the minute.
func TestCountsAreExactOnlyWhereTotalsDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		lost int // a sweep of which a row is not there; -1: none
		most int // ranges that are counted exactly
	}{"all there": {-1, 0}, "a row is missing": {17, 2}} {
		s, m := fixture()
		for sweep := range 60 {
			m.add(noon.Add(time.Duration(sweep)*time.Minute), 6)
		}
		if c.lost >= 0 {
			m.rows = append(m.rows[:6*c.lost], m.rows[6*c.lost+1:]...)
		}
		accounts := &counter{memory: m}
		s.Accounts = accounts
		promised, _ := m.Manifests(t.Context(), noon.UnixNano(), noon.Add(time.Hour).UnixNano())
		found, err := s.counted(t.Context(), "", noon.UnixNano(), noon.Add(time.Hour).UnixNano(), promised)
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := m.Counts(t.Context(), "", noon.UnixNano(), noon.Add(time.Hour).UnixNano())
		rows := map[int64]int64{}
		for _, e := range exact {
			rows[e.Start] = e.Rows
		}
		for _, f := range found {
			if f.Rows != rows[f.Start/int64(time.Minute)*int64(time.Minute)] {
				t.Errorf("%s: %d rows at %s, want %d", name, f.Rows, stamp(f.Start), rows[f.Start])
			}
		}
		if len(found) != 60 || accounts.exact > c.most {
			t.Errorf("%s: %d minutes, counted exactly %d times", name, len(found), accounts.exact)
		}
	}
}

// TestReadingCorrectsTotals: what one minute lacks and another has too much, so that the total is right, is found when
// both are read.
func TestReadingCorrectsTotals(t *testing.T) {
	s, m := fixture()
	for sweep := range 30 {
		m.add(noon.Add(time.Duration(sweep)*time.Minute), 6)
	}
	m.rows[6*17].Time += int64(time.Minute + time.Second)
	if err := s.Once(t.Context(), noon.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	incomplete := map[string]bool{}
	for line := range m.lines {
		if strings.Contains(line, "window=1m") && strings.Contains(line, "complete=false") {
			incomplete[line[strings.LastIndex(line, " "):]] = true
		}
	}
	if len(incomplete) != 2 {
		t.Errorf("%d incomplete minutes, want 2: %v", len(incomplete), incomplete)
	}
}
