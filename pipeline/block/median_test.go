package block

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMedianOfIsTheMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for n := 1; n < 70_000; n += 1 + n/7 {
		for what, draw := range map[string]func(i int) float64{
			"random":     func(int) float64 { return rng.Float64() },
			"few values": func(int) float64 { return float64(rng.IntN(4)) },
			"rising":     func(i int) float64 { return float64(i) },
			"falling":    func(i int) float64 { return -float64(i) },
			"the same":   func(int) float64 { return 1 },
		} {
			x := make([]float64, n)
			for i := range x {
				x[i] = draw(i)
			}
			sorted := slices.Sorted(slices.Values(x))
			if got, want := medianOf(x), (sorted[(n-1)/2]+sorted[n/2])/2; got != want {
				t.Fatalf("%d %s: %v, not %v", n, what, got, want)
			}
		}
	}
	if !math.IsNaN(medianOf(nil)) {
		t.Error("nothing has a median")
	}
}
