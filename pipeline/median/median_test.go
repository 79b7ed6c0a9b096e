package median

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
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
			if got, want := Of(x), (sorted[(n-1)/2]+sorted[n/2])/2; got != want {
				t.Fatalf("%d %s: %v, not %v", n, what, got, want)
			}
		}
	}
	if !math.IsNaN(Of(nil)) {
		t.Error("nothing has a median")
	}
}

func BenchmarkMedianOf(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	x := make([]float64, 1<<16)
	for i := range x {
		x[i] = rng.ExpFloat64()
	}
	for _, n := range []int{8, 14, 256, 1 << 16} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			room := make([]float64, n)
			for i := 0; b.Loop(); i++ {
				from := i * n % (len(x) - n + 1)
				copy(room, x[from:])
				Of(room)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
		})
	}
}
