package block

import (
	"math"
	"slices"
)

// medianOf is the median of x, which it reorders; NaN of nothing.
func medianOf(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	k := len(x) / 2
	pick(x, 0, len(x)-1, k)
	if len(x)%2 == 1 {
		return x[k]
	}
	return (slices.Max(x[:k]) + x[k]) / 2
}

// sampled is from how many values on a sample of them is worth its own selection.
const sampled = 600

// pick reorders x[low:high+1] so that x[k] is what it would be if they were sorted, with nothing larger before and nothing
// smaller behind it: Algorithm 489 (Floyd, Rivest 1975), which looks at each value one and a half times.
func pick(x []float64, low, high, k int) {
	for low < high {
		if n := float64(high - low + 1); n > sampled {
			part := math.Exp(2*math.Log(n)/3) / 2
			beside := math.Copysign(math.Sqrt(math.Log(n)*part*(n-part)/n)/2, float64(k-low)-n/2)
			at := float64(k-low) * part / n
			pick(x, max(low, k-int(at-beside)), min(high, k+int(part-at+beside)), k)
		}
		pivot, i, j := x[k], low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		if j < k {
			low = i
		}
		if i > k {
			high = j
		}
	}
}
