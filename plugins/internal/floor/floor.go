// Package floor estimates the floor of a series of round-trip times: what the path takes when nothing stands in
// the way. It is pure.
//
// Delays only ever add to the floor, so that RTTs have a dense lower end and a long upper tail. The half-sample mode
// (Robertson and Cryer, 1974; Bickel and Frühwirth, 2006) finds the densest place whatever the tail is. What lies
// above twice that RTT is cut. What lies below the mode was not delayed, so its spread about the mode is that of the
// noise alone, and what lies more than three of it above the mode is cut, too. The mean of the rest is the floor,
// and the standard deviation of the rest over the root of its number is the error of that mean.
//
// Of a few RTTs the two that happen to lie closest would pass for the mode and for all of the noise. So while there
// are fewer than 20, the noise is taken to be no less than the shortest half of them says, the error is widened to
// the standard deviation of Student's t, and there is none for fewer than five.
package floor

import (
	"math"
	"slices"
)

// Estimate is what a series of RTTs says of its floor.
type Estimate struct {
	Floor float64 // ns, the mean of the RTTs that were kept
	Error float64 // ns, its standard error; +Inf where fewer than five were kept
	Kept  int     // RTTs below the cuts
}

const (
	few       = 20 // RTTs
	leastKept = 5  // of which an error can be told
)

// Of estimates the floor of RTTs in nanoseconds, which it does not change. The zero Estimate means none.
func Of(rtts []int64) Estimate {
	if len(rtts) == 0 {
		return Estimate{}
	}
	sorted := slices.Clone(rtts)
	slices.Sort(sorted)
	mode := halfSampleMode(sorted)
	kept := below(sorted, 2*mode)
	noise := spreadBelow(kept, mode)
	if len(rtts) < few {
		noise = max(noise, spreadOfHalf(kept))
	}
	if noise > 0 {
		kept = below(kept, mode+3*noise)
	}
	mean, sigma := moments(kept)
	e := Estimate{Floor: mean, Error: math.Inf(1), Kept: len(kept)}
	if n := float64(len(kept)); n >= leastKept {
		e.Error = sigma / math.Sqrt(n) * math.Sqrt((n-1)/(n-3))
	}
	return e
}

// shortestHalf returns the half of sorted values that spans least; the lowest of equals.
func shortestHalf(sorted []int64) []int64 {
	half := (len(sorted) + 1) / 2
	best := 0
	for i := range len(sorted) - half + 1 {
		if sorted[i+half-1]-sorted[i] < sorted[best+half-1]-sorted[best] {
			best = i
		}
	}
	return sorted[best : best+half]
}

// halfSampleMode halves sorted values again and again, to the half that spans least.
func halfSampleMode(sorted []int64) float64 {
	for len(sorted) > 3 {
		sorted = shortestHalf(sorted)
	}
	if len(sorted) == 3 {
		switch low, high := sorted[1]-sorted[0], sorted[2]-sorted[1]; {
		case low < high:
			sorted = sorted[:2]
		case high < low:
			sorted = sorted[1:]
		default:
			return float64(sorted[1])
		}
	}
	return (float64(sorted[0]) + float64(sorted[len(sorted)-1])) / 2
}

// below returns the sorted values that do not exceed a limit, at least one.
func below(sorted []int64, limit float64) []int64 {
	n, _ := slices.BinarySearchFunc(sorted, limit, func(v int64, l float64) int {
		if float64(v) <= l {
			return -1
		}
		return 1
	})
	return sorted[:max(n, 1)]
}

// spreadBelow is the root mean square of the distances to the mode of the values that do not exceed it.
func spreadBelow(sorted []int64, mode float64) float64 {
	var squares float64
	n := 0
	for ; n < len(sorted) && float64(sorted[n]) <= mode; n++ {
		squares += (mode - float64(sorted[n])) * (mode - float64(sorted[n]))
	}
	return math.Sqrt(squares / float64(max(n, 1)))
}

// spreadOfHalf is the standard deviation of normal values whose shortest half spans as much as that of these.
func spreadOfHalf(sorted []int64) float64 {
	half := shortestHalf(sorted)
	return float64(half[len(half)-1]-half[0]) / 1.349
}

// moments returns mean and sample standard deviation.
func moments(values []int64) (mean, sigma float64) {
	for _, v := range values {
		mean += float64(v)
	}
	mean /= float64(len(values))
	var squares float64
	for _, v := range values {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	if len(values) > 1 {
		sigma = math.Sqrt(squares / float64(len(values)-1))
	}
	return mean, sigma
}
