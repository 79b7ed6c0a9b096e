package block

import (
	"math"
	"testing"
)

func TestMedianRTTIsRight(t *testing.T) {
	for rtt := 1100.0; rtt < 2e11; rtt *= 1.0007 {
		var h, group rttHistogram
		h.add(int64(rtt))
		group.merge(&h)
		if got := group.median(); !got.Set || math.Abs(float64(got.N)/rtt-1) > 0.008 {
			t.Fatalf("%.0f ns: got %d", rtt, got.N)
		}
	}
	var none rttHistogram
	if none.add(0); none.median().Set {
		t.Error("a median of nothing")
	}
}
