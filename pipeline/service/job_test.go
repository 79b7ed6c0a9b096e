package service

import (
	"testing"
	"time"

	"echogram/pipeline/ledger"
)

// TestRuns: windows that follow each other are read together, for a day at most.
func TestRuns(t *testing.T) {
	const m, h = time.Minute, time.Hour
	at := func(start, length time.Duration) ledger.Window {
		return ledger.Window{Start: int64(start), Length: length}
	}
	for name, c := range map[string]struct {
		ws   []ledger.Window
		want int
	}{
		"one":           {[]ledger.Window{at(0, m)}, 1},
		"adjacent":      {[]ledger.Window{at(0, m), at(m, m), at(2*m, m)}, 3},
		"a gap":         {[]ledger.Window{at(0, m), at(2*m, m)}, 1},
		"bridged":       {[]ledger.Window{at(0, m), at(0, h), at(59*m, m), at(h, m)}, 4},
		"a day":         {[]ledger.Window{at(0, h), at(h, 23*h), at(24*h, m)}, 2},
		"a day's later": {[]ledger.Window{at(0, 24*h), at(23*h, h), at(24*h, h)}, 2},
	} {
		s := New(config, ledger.New(accounts), Ends{}, forgetful{})
		if got := s.sameRun(c.ws); got != c.want {
			t.Errorf("%s: %d windows, want %d", name, got, c.want)
		}
	}
}
