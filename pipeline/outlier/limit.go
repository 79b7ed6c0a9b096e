package outlier

import (
	"math"
	"sort"
)

var factors = [...]float64{Sigma: 3, Density: 2, MAD: 3}

// K is the method's default of Config.K.
func (m Method) K() float64 { return factors[m] }

var reasons = [...]string{Sigma: "above mean + kσ", Density: "above k times the mode", MAD: "above median + k MAD"}

// normal scales a median absolute deviation to the σ of a normal distribution: 1 / Φ⁻¹(3/4).
const normal = 1.4826

// limit is what the method cuts above; it is never less than the least value.
func (f *Filter) limit(cfg Config) float64 {
	limit := float64(f.sorted[0])
	switch cfg.Method {
	case Sigma:
		limit = max(limit, f.sigmaLimit(cfg.K))
	case Density:
		limit = max(limit, densityLimit(f.sorted, cfg.K))
	case MAD:
		limit = max(limit, madLimit(f.sorted, cfg.K))
	}
	return limit
}

// sigmaLimit cuts above mean + kσ, again and again until nothing more is cut. What is cut is always an end of the
// sorted values, so that a round is a look into running sums. A sole value is at most (n-1)/√n σ from the mean
// (Samuelson 1968): of ten values or fewer none lies above 3σ, and outliers of a tenth or more hide each other.
func (f *Filter) sigmaLimit(k float64) float64 {
	for n := len(f.sorted); ; {
		m := f.sums[n-1] / float64(n)
		variance := max(f.squares[n-1]-m*f.sums[n-1], 0) / float64(max(n-1, 1))
		limit := f.base + m + k*math.Sqrt(variance)
		kept := max(below(f.sorted[:n], limit), 1)
		if kept == n {
			return max(limit, float64(f.sorted[n-1])) // rounding may place the mean of equal values below them
		}
		n = kept
	}
}

// densityLimit cuts above k times the half-sample mode. A mode that is no RTT (a clock stepped back) cuts nothing.
func densityLimit(sorted []int64, k float64) float64 {
	mode := HalfSampleMode(sorted)
	if mode <= 0 {
		return float64(sorted[len(sorted)-1])
	}
	return max(k, 1) * mode
}

// madLimit cuts above median + k · 1.4826 · MAD (Hampel 1974). Where more than half of the values are equal, MAD
// is 0 and √(π/2) · mean absolute deviation takes the place of 1.4826 MAD (Iglewicz and Hoaglin 1993).
func madLimit(sorted []int64, k float64) float64 {
	middle := mean(sorted[(len(sorted)-1)/2 : len(sorted)/2+1])
	if spread := normal * deviation(sorted, middle); spread > 0 {
		return middle + k*spread
	}
	var sum float64
	for _, v := range sorted {
		sum += math.Abs(float64(v) - middle)
	}
	return middle + k*math.Sqrt(math.Pi/2)*sum/float64(len(sorted))
}

// deviation is the median absolute deviation from middle: the greatest of the lower half of the deviations, which
// are merged from both sides of middle.
func deviation(sorted []int64, middle float64) (d float64) {
	right := sort.Search(len(sorted), func(i int) bool { return float64(sorted[i]) >= middle })
	left := right - 1
	for range (len(sorted) + 1) / 2 {
		if right == len(sorted) || left >= 0 && middle-float64(sorted[left]) < float64(sorted[right])-middle {
			d = middle - float64(sorted[left])
			left--
		} else {
			d = float64(sorted[right]) - middle
			right++
		}
	}
	return d
}

// below counts the sorted values that do not exceed limit.
func below(sorted []int64, limit float64) int {
	return sort.Search(len(sorted), func(i int) bool { return float64(sorted[i]) > limit })
}
