package block

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestLengthsAreRight(t *testing.T) {
	for _, seconds := range []uint32{0, 1, 15, 16, 31, 32, 33, 299, 300, 3600, 86400, 1209600, math.MaxUint32} {
		var h lengths
		h.add(seconds, 3)
		got, ok := h.quantile(50)
		if want := float64(seconds) * 1e9; !ok || math.Abs(float64(got)-want) > 0.032*want {
			t.Errorf("%d s: got %d ns, %t", seconds, got, ok)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h, other lengths
	if _, ok := h.quantile(50); ok {
		t.Error("the median of nothing")
	}
	for _, n := range rand.New(rand.NewPCG(1, 1)).Perm(1000) {
		if n%2 == 0 {
			h.add(uint32(n)*60, 1)
		} else {
			other.add(uint32(n)*60, 1)
		}
	}
	h.merge(other)
	for percent, want := range map[uint64]float64{50: 500 * 60e9, 90: 900 * 60e9} {
		if got, _ := h.quantile(percent); math.Abs(float64(got)-want) > 0.035*want {
			t.Errorf("quantile %d: got %d, want %.0f", percent, got, want)
		}
	}
}
