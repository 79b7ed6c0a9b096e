package main

import (
	"testing"
	"time"
)

func TestBackfillFlags(t *testing.T) {
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	good := backfillFlags{config: "c", start: "2026-01-10T10:00:00Z"}
	if start, stop, err := good.parse(now); err != nil || !start.Equal(now.Add(-2*time.Hour)) || !stop.Equal(now) {
		t.Errorf("%v, %v, %v", start, stop, err)
	}
	for want, f := range map[string]backfillFlags{
		"--config is missing": {start: "0"},
		"--start is missing":  {config: "c"},
		`--stop "late" is neither an RFC 3339 time nor seconds since the epoch`:         {config: "c", start: "0", stop: "late"},
		"--start 2026-01-10T10:00:00Z does not lie before --stop, 2026-01-10T09:00:00Z": {config: "c", start: good.start, stop: "2026-01-10T09:00:00Z"},
	} {
		if _, _, err := f.parse(now); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
