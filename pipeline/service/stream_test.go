package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// text are the lines of a sweep each ten minutes over three targets.
func text(begin time.Time, sweeps int) string {
	var b []byte
	_, m := fixture()
	for k := range sweeps {
		m.rows, m.stats = nil, nil
		at := begin.Add(time.Duration(k) * 10 * time.Minute)
		m.add(at, 3)
		for _, r := range m.rows {
			b, _ = schema.AppendLine(b, r)
		}
		b, _ = schema.AppendLine(b, &schema.SweepStatsRow{Host: "h", Instance: "i", Time: at.UnixNano(), Points: 3, Trust: schema.TrustOK})
	}
	return string(b)
}

func streamConfig(now func() time.Time) StreamConfig {
	cfg := config
	cfg.Lateness = 12 * time.Minute
	return StreamConfig{Config: cfg, Sweep: 10 * time.Minute, Now: now}
}

// pour reads all of text and ends.
func pour(t *testing.T, s *Stream, text string) error {
	t.Helper()
	if err := s.Read(t.Context(), lines.NewReader(strings.NewReader(text), nil)); err != nil {
		t.Fatal(err)
	}
	return s.End(t.Context())
}

// TestStreamOfFilesEqualsTheService: lines from a file give the rows that the same points give out of a database.
func TestStreamOfFilesEqualsTheService(t *testing.T) {
	s, m := fixture()
	for k := range 18 {
		m.add(noon.Add(time.Duration(k)*10*time.Minute), 3)
	}
	if err := s.Once(t.Context(), noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, streamed := fixture()
	if err := pour(t, NewStream(streamConfig(nil), Closed{}, streamed, nil, nil), text(noon, 18)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(streamed.lines) != fmt.Sprint(m.lines) || len(m.lines) == 0 {
		t.Errorf("the stream gives\n%v\nthe service\n%v", streamed.lines, m.lines)
	}
}

func clock() time.Time { return noon.Add(24 * time.Hour) }

// TestLiveStreamKnowsWhatItDidNotSee: windows that began before it and those that it cuts are not complete.
func TestLiveStreamKnowsWhatItDidNotSee(t *testing.T) {
	_, m := fixture()
	if err := pour(t, NewStream(streamConfig(clock), Closed{}, m, m, nil), text(noon.Add(30*time.Minute), 18)); err != nil {
		t.Fatal(err)
	}
	complete := map[string]bool{}
	for line := range m.lines {
		for _, at := range m.written("icmp_sweep_network_rollup") {
			if strings.HasPrefix(line, "icmp_sweep_network_rollup,host=h,instance=i,window="+at[:2]) && strings.HasSuffix(line, fmt.Sprintf(" %d\n", clockAt(at).UnixNano())) {
				complete[at] = strings.Contains(line, "complete=true")
			}
		}
	}
	for at, want := range map[string]bool{"1h 12:00": false, "1h 13:00": true, "1h 14:00": true, "1h 15:00": false,
		"1m 12:30": false, "1m 12:40": true, "1m 15:00": true, "1m 15:20": false} {
		if got, ok := complete[at]; !ok || got != want {
			t.Errorf("%s: complete %v, there %v", at, got, ok)
		}
	}
	if !slices.Contains(m.events, "save") {
		t.Error("nothing was saved")
	}
}

func clockAt(at string) time.Time {
	t, err := time.Parse("15:04", at[3:])
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 1, 10, t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// TestLiveStreamFillsTheGap: what a former process left open, and what came by since, comes out of the database; all
// rows are then those of a service that has seen everything.
func TestLiveStreamFillsTheGap(t *testing.T) {
	s, whole := fixture()
	for k := range 24 {
		whole.add(noon.Add(time.Duration(k)*10*time.Minute), 3)
	}
	if err := s.Once(t.Context(), noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, m := fixture()
	m.rows, m.stats = whole.rows, whole.stats
	filler := &Filler{Ends: Ends{Accounts: m, Points: m, Sink: m}, Config: config, Ledger: accounts}
	first := NewStream(streamConfig(clock), Closed{}, m, m, nil)
	if err := first.Read(t.Context(), lines.NewReader(strings.NewReader(text(noon, 5)), nil)); err != nil {
		t.Fatal(err)
	}
	m.lines = map[string]bool{} // the process is killed
	state := Closed{Closed: first.closed / int64(time.Second)}
	if err := NewStream(streamConfig(clock), state, m, m, filler).Read(t.Context(),
		lines.NewReader(strings.NewReader(text(noon.Add(80*time.Minute), 16)), nil)); err != nil {
		t.Fatal(err)
	}
	for line := range m.lines {
		if !whole.lines[line] {
			t.Errorf("not in the whole: %s", line)
		}
	}
	got := m.written("icmp_sweep_network_rollup")
	for _, want := range []string{"1h 12:00", "1h 13:00", "1h 14:00", "1m 12:30", "1m 12:40", "1m 13:00", "1m 13:10", "1m 13:20", "1m 13:30", "1m 15:30"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not there: %v", want, got)
		}
	}
}

// TestTimeAheadOfTheClock does not close the windows of all others.
func TestTimeAheadOfTheClock(t *testing.T) {
	_, m := fixture()
	far := text(noon.Add(365*24*time.Hour), 1)
	if err := pour(t, NewStream(streamConfig(clock), Closed{}, m, m, nil), text(noon, 2)+far+text(noon.Add(20*time.Minute), 4)); err != nil {
		t.Fatal(err)
	}
	if n := len(m.written("icmp_sweep_network_rollup")); n != 7 {
		t.Errorf("%d rows of the network, want 6 minutes and an hour", n)
	}
}
