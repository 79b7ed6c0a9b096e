package main

import (
	"testing"
	"time"
	"unicode/utf8"

	"echogram/plugins/internal/prober"
)

func TestProgressLine(t *testing.T) {
	p := prober.Progress{Sent: 16_384, Replies: 12_000, Expected: 65_536}
	for width, want := range map[int]string{
		120: "██████░░░░░░░░░░░░░░░░░░  25%  16,384 of 65,536 sent, 12,000 answered, 8,192/s, 7s left",
		79:  "████░░░░░░░░░░░░  25%  16,384 of 65,536 sent, 12,000 answered, 8,192/s, 7s left",
		67:  "█░░░  25%  16,384 of 65,536 sent, 12,000 answered, 8,192/s, 7s left",
		66:  "25%  16,384 of 65,536 sent, 12,000 answered, 8,192/s, 7s left",
		20:  "25%  16,384 of 65,5…",
	} {
		got := progressLine(p, 2*time.Second, 6200*time.Millisecond, width)
		if got != want || utf8.RuneCountInString(got) > width {
			t.Errorf("%d characters:\ngot  %s\nwant %s", width, got, want)
		}
	}
	for _, sent := range []int64{0, 5} { // retries are sent beyond what was expected
		progressLine(prober.Progress{Sent: sent}, 0, 0, 79)
	}
}

func TestTimeLeft(t *testing.T) {
	plan := &prober.Plan{Count: 5, CountInterval: time.Second, Timeout: 2 * time.Second, Retries: 1}
	e := newEstimate(plan)
	for _, c := range []struct {
		sent          int64
		elapsed, want time.Duration
	}{
		{0, 0, 8 * time.Second},                                // four intervals, and two timeouts
		{100, 100 * time.Millisecond, 7900 * time.Millisecond}, // the first round is out at once
		{400, 6 * time.Second, 5500 * time.Millisecond},        // slower than the intervals: by the rate
		{500, 8 * time.Second, 4 * time.Second},                // all out
		{510, 11 * time.Second, time.Second},                   // retries
		{510, 13 * time.Second, 0},                             // late
	} {
		if got := e.at(prober.Progress{Sent: c.sent, Expected: 500}, c.elapsed); got != c.want {
			t.Errorf("%d sent after %v: %v left, want %v", c.sent, c.elapsed, got, c.want)
		}
	}
}
