package report

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestQuantilesAndBins(t *testing.T) {
	for name, n := range map[string]int{"exact": 1000, "sketch": 120_000} {
		var s spread
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range n {
			s.add(12_000_000 + int64(i)*1_000_000/int64(n) + rng.Int64N(3))
		}
		s.add(900_000_000)
		s.add(1)
		for p, want := range map[float64]float64{0.5: 12_500_000, 0.95: 12_950_000, 0.99: 12_990_000, 1: 900_000_000} {
			if got := s.at(p); math.Abs(got-want) > 2*accuracy*want {
				t.Errorf("%s: quantile %v is %v, want %v", name, p, got, want)
			}
		}
		h := s.histogram()
		sum := h.below + h.above
		for _, c := range h.counts {
			sum += c
		}
		if math.Abs(sum-float64(n+2)) > 1e-6*float64(n) || math.Abs(h.below-1) > 1e-9 || math.Abs(h.above-1) > 1e-9 {
			t.Errorf("%s: %v values in all, %v below, %v above", name, sum, h.below, h.above)
		}
		if len(h.counts) < minBins || len(h.counts) > maxBins+1 {
			t.Errorf("%s: %d bins", name, len(h.counts))
		}
		// Evenly spread values fill evenly: a sketch's bins leave no comb.
		for i, c := range h.counts {
			from, to := h.from+float64(i)*h.width, h.from+float64(i+1)*h.width
			if want := float64(n) * h.width / 1e6; from > 12_030_000 && to < 12_970_000 && math.Abs(c-want) > 0.2*want+2 {
				t.Errorf("%s: bin %d of %v ns holds %v, want about %v", name, i, h.width, c, want)
			}
		}
	}
}

// TestWholeMicroseconds: stamps of microseconds would make a comb in bins that are no multiple of them.
func TestWholeMicroseconds(t *testing.T) {
	var s spread
	for i := range int64(3000) {
		s.add((13 + i%3) * 1000)
	}
	h := s.histogram()
	for i, c := range h.counts[:3] {
		if c != 1000 || h.width != 1000 || h.from != 12_500 {
			t.Errorf("bin %d from %v, %v wide: %v", i, h.from, h.width, c)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -123: "-123", -1234: "-1,234"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestOneValue(t *testing.T) {
	var s spread
	s.add(77)
	s.add(77)
	h := s.histogram()
	sum := 0.0
	for _, c := range h.counts {
		sum += c
	}
	if sum != 2 || h.outside() != "" {
		t.Errorf("%+v", h)
	}
}
