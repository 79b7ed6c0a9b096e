package outlier

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

const (
	maxBins   = 2048
	maxPoints = 1024 // quantiles that points makes at most
)

// bin counts the values from low to high.
type bin struct {
	low, high   int64
	n           int64
	sum, square float64 // of the distances from the histogram's base
}

// bins is a histogram that follows the values: each has a bin of its own, until there are too many. Then neighbours
// merge that hold few values and lie close together, so that the bulk is seen finely and a spike in the tail is not
// mixed with it. Ascending; none overlap.
type bins struct {
	list []bin
	n    int64
	base float64
}

func (h *bins) add(v int64) {
	if h.n == 0 {
		h.base = float64(v)
	}
	h.n++
	if len(h.list) == maxBins {
		h.compress()
	}
	at, found := slices.BinarySearchFunc(h.list, v, func(b bin, v int64) int {
		if b.low <= v && v <= b.high {
			return 0
		}
		return cmp.Compare(b.low, v)
	})
	if !found {
		h.list = slices.Insert(h.list, at, bin{low: v, high: v})
	}
	d := float64(v) - h.base
	b := &h.list[at]
	b.n, b.sum, b.square = b.n+1, b.sum+d, b.square+d*d
}

// compress merges until a quarter of the bins is free: neighbours that hold at most one value in 512 together, and
// are at most 1/64 apart, or 1/32, ….
func (h *bins) compress() {
	for reach := 1.0 / 64; len(h.list) > maxBins*3/4; reach *= 2 {
		merged := h.list[:1]
		for _, b := range h.list[1:] {
			last := &merged[len(merged)-1]
			gap := float64(distance(last.low, b.high))
			if (last.n+b.n)*512 <= h.n && gap <= reach*max(math.Abs(float64(last.low)), math.Abs(float64(b.high))) {
				last.high, last.n, last.sum, last.square = b.high, last.n+b.n, last.sum+b.sum, last.square+b.square
			} else {
				merged = append(merged, b)
			}
		}
		h.list = merged
	}
}

// middle is a bin's mean.
func (h *bins) middle(b *bin) float64 { return h.base + b.sum/float64(b.n) }

// below returns the number, mean and sample standard deviation of the values of the bins whose mean does not exceed
// limit: at least of the first.
func (h *bins) below(limit float64) (n int, m, sigma float64) {
	end := max(sort.Search(len(h.list), func(i int) bool { return h.middle(&h.list[i]) > limit }), 1)
	var sum float64
	for _, b := range h.list[:end] {
		n, sum = n+int(b.n), sum+b.sum
	}
	m = sum / float64(n)
	var square float64
	for _, b := range h.list[:end] {
		square += max(b.square-m*(2*b.sum-m*float64(b.n)), 0)
	}
	return n, h.base + m, math.Sqrt(square / float64(max(n-1, 1)))
}

// points appends evenly spaced quantiles, at most maxPoints, each by the mean of its bin.
func (h *bins) points(dst []int64) []int64 {
	count := min(h.n, maxPoints)
	at, passed := 0, h.list[0].n
	for i := range count {
		rank := int64((float64(i) + 0.5) / float64(count) * float64(h.n))
		for passed <= rank && at < len(h.list)-1 {
			at++
			passed += h.list[at].n
		}
		dst = append(dst, whole(h.middle(&h.list[at])))
	}
	return dst
}

// whole rounds to an int64, the greatest of which no float64 holds.
func whole(x float64) int64 {
	if x >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(math.Round(max(x, math.MinInt64)))
}
