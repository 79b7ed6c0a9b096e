package rollup

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 99, 511, 512, 513, 5000, 100000} {
		var q Quantiles
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(1000 * (1 + rng.ExpFloat64()*500))
			q.Add(values[i])
		}
		slices.Sort(values)
		for _, p := range []float64{0.001, 0.5, 0.9, 0.99, 1} {
			got := q.At(p)
			if n == 0 {
				if got.Set {
					t.Error("a quantile of nothing")
				}
				continue
			}
			exact := values[max(int(float64(n)*p+0.999999), 1)-1]
			tolerance := float64(exact) * accuracy
			if n <= exactValues {
				tolerance = 0
			}
			if d := float64(got.N - exact); d > tolerance+1 || -d > tolerance+1 {
				t.Errorf("n %d p %v: %d, want %d", n, p, got.N, exact)
			}
		}
	}
}

func TestQuantilesOfOddValues(t *testing.T) {
	var q Quantiles
	for i := range int64(2000) {
		q.Add(i - 1000)
	}
	q.Add(1 << 62)
	if got := q.At(1); got.N < 1<<62-1<<56 || got.N > 1<<62 {
		t.Errorf("max %d", got.N)
	}
	if got := q.At(0.25).N; got < -510 || got > -490 {
		t.Errorf("p25 %d", got)
	}
}

// TestMergeIsAdding splits values at random places and merges them in random order.
func TestMergeIsAdding(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	parts := make([]Quantiles, 7)
	for _, n := range []int{0, 1, 500, 512, 513, 3000, 20000} {
		var whole, merged Quantiles
		for i := range parts {
			parts[i].Reset()
		}
		few := 1 + rng.IntN(len(parts))
		for range n {
			v := rng.Int64N(1e9) - 1e6
			whole.Add(v)
			parts[rng.IntN(few)].Add(v)
		}
		for _, i := range rng.Perm(len(parts)) {
			merged.Merge(&parts[i])
		}
		if merged.row() != whole.row() || merged.At(0.001) != whole.At(0.001) || merged.At(1) != whole.At(1) {
			t.Errorf("n %d: merged %+v, added %+v", n, merged.row(), whole.row())
		}
	}
}

func TestMomentsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for round := range 500 {
		scale := int64(1) << (1 + rng.IntN(55))
		n := 1 + rng.IntN(40)
		var squares wide
		sum := int64(0)
		total, deviations := new(big.Int), new(big.Int)
		values := make([]int64, n)
		for i := range values {
			values[i] = rng.Int64N(scale) - scale/4*int64(round%3)
			sum += values[i]
			squares.addSquare(values[i])
			total.Add(total, big.NewInt(values[i]))
		}
		count := big.NewInt(int64(n))
		for _, v := range values {
			d := new(big.Int).Mul(count, big.NewInt(v))
			d.Sub(d, total)
			deviations.Add(deviations, d.Mul(d, d)) // n² (v - mean)²
		}
		deviations.Div(deviations, new(big.Int).Exp(count, big.NewInt(3), nil))
		mean, stddev := moments(int64(n), sum, squares)
		if want := total.Div(total, count).Int64(); mean != want {
			t.Fatalf("mean of %v: %d, want %d", values, mean, want)
		}
		if want := deviations.Sqrt(deviations).Int64(); stddev != want {
			t.Fatalf("deviation of %v: %d, want %d", values, stddev, want)
		}
	}
}

func TestWordsKeepAnyNumber(t *testing.T) {
	want := []int64{0, 1, -1, math.MaxUint32 - 1, math.MaxUint32, math.MaxUint32 + 1, math.MinInt64, math.MaxInt64, 5}
	var w words
	for _, v := range want {
		w = w.add(v)
	}
	if got := w.all(nil); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
