package service

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/lines"
)

// TestStrays: a point that lies years ahead closes no window, wherever it stands; a gap in the data is no stray.
func TestStrays(t *testing.T) {
	whole := text(noon, 18)
	line, _, _ := strings.Cut(whole, "\n")
	at := strings.LastIndexByte(line, ' ') + 1
	stray := line[:at] + fmt.Sprint(noon.AddDate(10, 0, 0).UnixNano()) + "\n"
	middle := strings.Index(whole, text(noon.Add(90*time.Minute), 1))
	later := text(noon.AddDate(0, 0, 9), 12)
	for name, c := range map[string]struct {
		input, same string
		left        int
	}{
		"none":              {whole, whole, 0},
		"first":             {stray + whole, whole, 1},
		"within":            {whole[:middle] + stray + whole[middle:], whole, 1},
		"twice":             {stray + whole[:middle] + stray + whole[middle:], whole, 2},
		"a gap":             {whole + later, whole + later, 0},
		"a gap and a stray": {whole + stray + later, whole + later, 1},
		"last":              {whole + stray, whole + stray, 0},
		"far back":          {whole + strings.Replace(stray, " 2", " -2", 1), whole + strings.Replace(stray, " 2", " -2", 1), 0},
	} {
		pourAll := func(input string) (string, string) {
			_, m := fixture()
			var log bytes.Buffer
			cfg := streamConfig(nil)
			cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			if err := pour(t, NewStream(cfg, Closed{}, m, nil, nil), input); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(m.lines), log.String()
		}
		got, log := pourAll(c.input)
		if want, _ := pourAll(c.same); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		said := strings.Contains(log, "far ahead of those around them") && strings.Contains(log, fmt.Sprintf("count=%d", c.left)) && strings.Contains(log, "icmp_sweep,")
		if said != (c.left > 0) {
			t.Errorf("%s: %s", name, log)
		}
	}
}

// TestStrayBetweenFiles: the last line of a file waits for the first of the next.
func TestStrayBetweenFiles(t *testing.T) {
	_, m := fixture()
	s := NewStream(streamConfig(nil), Closed{}, m, nil, nil)
	first, second := text(noon, 3), text(noon.Add(30*time.Minute), 9)
	line, _, _ := strings.Cut(first, "\n")
	r := lines.NewReader(strings.NewReader(first+line[:strings.LastIndexByte(line, ' ')]+" 9000000000000000000\n"), nil)
	if err := s.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Reset(strings.NewReader(second))
	if err := s.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := s.End(t.Context()); err != nil || s.stray.n != 1 || s.rollup.TooLate() != 0 {
		t.Errorf("%v: %d strays, %d too late", err, s.stray.n, s.rollup.TooLate())
	}
}
