// Package median finds medians without sorting. It is pure.
package median

import (
	"math"
	"slices"
)

// Of is the median of x, which it reorders; NaN of nothing.
func Of(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	k, odd := len(x)/2, len(x)%2 == 1
	for found := len(x) > 4*sampled; found && len(x) > 4*sampled; {
		x, k, found = narrow(x, k)
	}
	pick(x, k)
	if odd {
		return x[k]
	}
	return (slices.Max(x[:k]) + x[k]) / 2
}

const sampled = 31

// narrow brings what lies between two values of a sample to the front of x, and returns that with k's place in it. It did
// not find, and returns x, when k or the one before is not among these: once in a hundred times. There is no branch in its
// loop for a processor to guess wrong, which with values in no order is most of the time that a median takes.
func narrow(x []float64, k int) (between []float64, at int, found bool) {
	var sample [sampled]float64
	for i := range sample {
		sample[i] = x[i*len(x)/sampled]
	}
	slices.Sort(sample[:])
	low, high := sample[sampled/4], sample[sampled-1-sampled/4]
	n, notBelow := 0, 0
	for i, v := range x {
		x[i], x[n] = x[n], v
		above, below := 0, 0
		if v >= low {
			above = 1
		}
		if v <= high {
			below = 1
		}
		notBelow += above
		n += above & below
	}
	at = k - (len(x) - notBelow)
	if at < 1 || at >= n || n == len(x) {
		return x, k, false
	}
	return x[:n], at, true
}

// pick reorders x so that x[k] is what it would be if x were sorted, with nothing larger before and nothing smaller
// behind it (Hoare's FIND).
func pick(x []float64, k int) {
	for low, high := 0, len(x)-1; low < high; {
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
