package outlier

import (
	"math"
	"slices"
	"strings"
)

// The words of Result.Error.
const (
	OK             = "ok"             // StdErr and the interval hold
	Few            = "few"            // fewer than 10 values are left
	Autocorrelated = "autocorrelated" // they tell no more than 10 independent ones would
	Modes          = "modes"          // they stand in two clusters: the mean lies where hardly any value does
)

// independent is how many independent values an error needs.
const independent = 10

// Filter is Window with memory that it uses again. The zero value is ready; it serves one goroutine.
type Filter struct {
	sorted        []int64
	sums, squares []float64 // of the sorted values' distances from base, running
	base          float64   // the median
	batches       batches
}

// Window filters values that stand in the order of their time, exactly. cut, unless nil, is called for each value
// that is cut, in their order. Without values all of the result is zero but Error.
func (f *Filter) Window(cfg Config, values []int64, cut func(i int, v int64, reason string)) Result {
	if len(values) == 0 {
		return Result{Error: Few}
	}
	cfg = cfg.defaults()
	f.sort(values)
	r := Result{N: len(values), Limit: f.limit(cfg)}
	r.Kept = below(f.sorted, r.Limit)
	r.Cut = r.N - r.Kept
	kept := f.sorted[:r.Kept]
	r.Floor, r.Shorth = HalfSampleMode(kept), Shorth(kept)
	r.Mean, r.Sigma = moments(kept)
	f.batches.fill(values, r.Mean, r.Limit)
	f.conclude(cfg, &f.batches, &r)
	if cut != nil && r.Cut > 0 {
		report(cfg.Method, values, r.Limit, cut)
	}
	return r
}

// sort takes over values, ascending, and makes their running sums.
func (f *Filter) sort(values []int64) {
	f.sorted = append(f.sorted[:0], values...)
	slices.Sort(f.sorted)
	f.sums, f.squares = slices.Grow(f.sums[:0], len(values)), slices.Grow(f.squares[:0], len(values))
	f.base = float64(f.sorted[len(f.sorted)/2])
	var sum, square float64
	for _, v := range f.sorted {
		d := float64(v) - f.base
		sum += d
		square += d * d
		f.sums, f.squares = append(f.sums, sum), append(f.squares, square)
	}
}

// report calls cut for the values above limit.
func report(m Method, values []int64, limit float64, cut func(int, int64, string)) {
	for i, v := range values {
		if float64(v) > limit {
			cut(i, v, reasons[m])
		}
	}
}

// moments returns mean and sample standard deviation.
func moments(values []int64) (m, sigma float64) {
	m = mean(values)
	var square float64
	for _, v := range values {
		d := float64(v) - m
		square += d * d
	}
	return m, math.Sqrt(square / float64(max(len(values)-1, 1)))
}

// conclude states how far the mean of r is to be trusted, from the batches of the series and the sorted values.
func (f *Filter) conclude(cfg Config, b *batches, r *Result) {
	e := b.estimate(cfg.K, f.pull(cfg, r))
	r.Tau = min(max(e.tau, 1), float64(r.Kept))
	r.StdErr = r.Sigma * math.Sqrt(r.Tau/float64(r.Kept))
	half := e.half(cfg.Confidence, r)
	r.Low, r.High = r.Mean-half, r.Mean+half
	var why []string
	switch {
	case r.Kept < independent:
		why = append(why, Few)
	case float64(r.Kept) < independent*r.Tau && e.tau > surprising(e.freedom):
		why = append(why, Autocorrelated)
	}
	if f.modes(below(f.sorted, r.Limit)) {
		why = append(why, Modes)
	}
	if r.Error = OK; len(why) > 0 {
		r.Error = strings.Join(why, ",")
	}
}
