package outlier

import (
	"math"
	"testing"
)

// TestStreamIsNearTheWindow: exact while it warms up; then mean, σ and limit by 1,024 quantiles.
func TestStreamIsNearTheWindow(t *testing.T) {
	for m := Sigma; m <= MAD; m++ {
		values := draw(50_000, spiky, 9)
		cfg := Config{Method: m}
		s := NewStream(cfg)
		for i, v := range values {
			verdict := s.Add(v)
			switch {
			case i < 99 && verdict != Warming, i >= 99 && verdict == Warming:
				t.Fatalf("%v: value %d is %v", m, i, verdict)
			case i >= 99 && v > 1e8 && verdict != Cut, i >= 99 && v < 200_000 && verdict != Kept:
				t.Fatalf("%v: value %d, %d ns, is %v", m, i, v, verdict)
			case i == 98:
				if got, want := s.Result(), Window(cfg, values[:99], nil); got != want {
					t.Fatalf("%v: warming %+v, want %+v", m, got, want)
				}
			}
		}
		got, want := s.Result(), Window(cfg, values, nil)
		near := func(what string, got, want, within float64) {
			if math.Abs(got-want) > within {
				t.Errorf("%v: %s %v, want %v ± %v", m, what, got, want, within)
			}
		}
		near("cut", float64(got.Cut), float64(want.Cut), 60)
		near("limit", got.Limit, want.Limit, want.Limit/500)
		near("mean", got.Mean, want.Mean, 5)
		near("sigma", got.Sigma, want.Sigma, 10)
		near("standard error", got.StdErr, want.StdErr, want.StdErr/2)
		near("shorth", got.Shorth, want.Shorth, 200)
		near("floor", got.Floor, want.Floor, 1000)
		if got.Error != OK || got.Low > got.Mean || got.High < got.Mean {
			t.Errorf("%v: %+v", m, got)
		}
	}
}

// TestStreamIsBounded: neither the memory nor the result depend on when results are asked for.
func TestStreamIsBounded(t *testing.T) {
	a, b := NewStream(Config{}), NewStream(Config{})
	for i, v := range draw(200_000, spiky, 4) {
		a.Add(v)
		b.Add(v)
		if i%1000 == 0 {
			a.Result()
		}
	}
	if got, want := a.Result(), b.Result(); got != want {
		t.Errorf("%+v\n%+v", got, want)
	}
	if n, m := len(a.bins.list), len(a.batches.list); n > maxBins || m > maxBatches || a.held != nil {
		t.Errorf("%d bins, %d batches, %d held", n, m, len(a.held))
	}
}
