package report

import (
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
)

func labels(ticks []plot.Tick) string {
	var all []string
	for _, t := range ticks {
		if t.Label != "" {
			all = append(all, t.Label)
		}
	}
	return strings.Join(all, " ")
}

func TestDurationAxes(t *testing.T) {
	for _, k := range []struct {
		lo, hi      float64
		strip       bool
		label, want string
	}{
		{12_000, 14_000, false, "RTT (µs)", "12.0 12.5 13.0 13.5 14.0"},
		{12_300_000, 12_800_000, true, "RTT (ms)", "12.3 12.4 12.5 12.6 12.7 12.8"},
		{200e6, 900e6, false, "RTT (ms)", "0 200 400 600 800"},
		{13_000, 775_000, true, "RTT, logarithmic (µs)", "20 50 100 200 500"},
		{-20, 10, false, "RTT (ns)", "-20 -15 -10 -5 0 5 10"},
		{500e6, 500e6, false, "RTT (ms)", "499.6 499.8 500.0 500.2 500.4"},
	} {
		a, stripY := durationAxis("RTT", k.lo, k.hi, k.strip)
		if got := labels(a.Ticks(0, 0)); got != k.want || a.label != k.label {
			t.Errorf("%v to %v: %q with %s, want %q with %s", k.lo, k.hi, a.label, got, k.label, k.want)
		}
		if a.min > k.lo || a.max <= k.hi || k.strip && (stripY <= a.min || stripY >= k.lo) {
			t.Errorf("%v to %v: from %v to %v, strip at %v", k.lo, k.hi, a.min, a.max, stripY)
		}
	}
}

func TestTimeAxes(t *testing.T) {
	for length, want := range map[time.Duration][2]string{
		40 * time.Millisecond: {"12:00:00.000 12:00:00.005 12:00:00.010 12:00:00.015 12:00:00.020 12:00:00.025 12:00:00.030 12:00:00.035 12:00:00.040", "time (UTC), 2026-01-10"},
		time.Minute:           {"12:00:00 12:00:10 12:00:20 12:00:30 12:00:40 12:00:50 12:01:00", "time (UTC), 2026-01-10"},
		2 * time.Hour:         {"12:00 12:15 12:30 12:45 13:00 13:15 13:30 13:45 14:00", "time (UTC), 2026-01-10"},
		30 * time.Hour:        {"Jan 10 12:00 Jan 10 18:00 Jan 11 00:00 Jan 11 06:00 Jan 11 12:00 Jan 11 18:00", "time (UTC), 2026-01-10 to 2026-01-11"},
	} {
		a := span{begin, begin + int64(length)}.axis()
		if got := labels(a.Ticks(0, 0)); got != want[0] || a.label != want[1] {
			t.Errorf("%v: %q, %s", length, a.label, got)
		}
	}
	for _, by := range timeSteps {
		a := span{begin, begin + int64(by)*wantTimeTicks}.axis()
		if n := len(a.Ticks(0, 0)); n > wantTimeTicks+2 {
			t.Errorf("%d ticks %v apart", n, by)
		}
	}
}
