package floor

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestFewValues(t *testing.T) {
	for _, c := range []struct {
		rtts        []int64
		floor, err  float64
		kept        int
		errInfinite bool
	}{
		{nil, 0, 0, 0, false},
		{[]int64{500}, 500, 0, 1, true},
		{[]int64{500, 510}, 505, 0, 2, true},
		{[]int64{500, 510, 900_000}, 505, 0, 2, true},
		{[]int64{900_000, 100, 100, 100}, 100, 0, 3, true},
		{[]int64{900_000, 100, 100, 100, 100, 100}, 100, 0, 5, false},
		{[]int64{100, 110, 120, 130, 140}, 120, 10, 5, false}, // sigma 15.81, over the root of 5, by the root of 2
	} {
		e := Of(c.rtts)
		if e.Floor != c.floor || e.Kept != c.kept || math.IsInf(e.Error, 1) != c.errInfinite || !c.errInfinite && math.Abs(e.Error-c.err) > 1e-9 {
			t.Errorf("%v: got %+v", c.rtts, e)
		}
	}
}

// TestTailDoesNotMoveTheFloor adds delays that are far above the floor to many RTTs.
func TestTailDoesNotMoveTheFloor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, share := range []float64{0, .05, .3} {
		var rtts []int64
		for range 2000 {
			rtt := 200_000 + 2000*rng.NormFloat64()
			if rng.Float64() < share {
				rtt += rng.ExpFloat64() * 500_000
			}
			rtts = append(rtts, int64(rtt))
		}
		e := Of(rtts)
		if math.Abs(e.Floor-200_000) > 600 || e.Error > 100 || e.Error < 20 {
			t.Errorf("%.0f %% delayed: %+v", 100*share, e)
		}
	}
}

// TestErrorOfFewHolds: of few RTTs the floor is seldom off by more than three of its errors.
func TestErrorOfFewHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const times = 1000
	for _, n := range []int{5, 7, 10, 15, 20, 50} {
		off := 0
		for range times {
			rtts := make([]int64, n)
			for i := range rtts {
				rtts[i] = 200_000 + int64(2000*rng.NormFloat64())
			}
			if e := Of(rtts); math.Abs(e.Floor-200_000) > 3*e.Error {
				off++
			}
		}
		if off > times/10 {
			t.Errorf("of %d RTTs the floor is off in %d of %d", n, off, times)
		}
	}
}

func TestErrorNarrows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var rtts []int64
	var last float64
	for n := range 4096 {
		rtts = append(rtts, 10_000+int64(100*rng.NormFloat64()))
		if n == 63 {
			last = Of(rtts).Error
		}
	}
	if e := Of(rtts).Error; e > last/6 {
		t.Errorf("64 RTTs give an error of %g, 4096 give %g", last, e)
	}
}
