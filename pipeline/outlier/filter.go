package outlier

import (
	"math"
	"slices"
	"strings"
)

// Filter is Window with memory that is used again; the zero value is ready. It is for one goroutine.
type Filter struct {
	sorted        []int64
	sums, squares []float64
	scores        []float64
}

// Window is the package's Window.
func (f *Filter) Window(cfg Config, values []int64, cut func(i int, v int64, reason string)) Result {
	cfg = cfg.defaults()
	r := Result{N: len(values)}
	if r.N == 0 {
		r.Error = Few
		return r
	}
	f.sorted = append(f.sorted[:0], values...)
	slices.Sort(f.sorted)
	r.Limit = f.limit(cfg)
	r.Kept = max(below(f.sorted, r.Limit), 1)
	r.Cut = r.N - r.Kept
	kept := f.sorted[:r.Kept]
	r.Floor, r.Shorth = HalfSampleMode(kept), Shorth(kept)
	r.Mean, r.Sigma = moments(kept)
	f.report(cfg, values, r.Limit, cut)
	f.spread(cfg, values, &r)
	return r
}

func (f *Filter) limit(cfg Config) float64 {
	switch cfg.Method {
	case Density:
		return densityLimit(f.sorted, cfg.K)
	case MAD:
		return madLimit(f.sorted, cfg.K)
	}
	return f.sigmaLimit(cfg.K)
}

func (f *Filter) report(cfg Config, values []int64, limit float64, cut func(int, int64, string)) {
	if cut == nil {
		return
	}
	for i, v := range values {
		if float64(v) > limit {
			cut(i, v, cfg.Method.reason())
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

// The words of Result.Error.
const (
	Few            = "few"            // fewer than 10 values
	Autocorrelated = "autocorrelated" // they tell no more than 10 independent ones would
	Modes          = "modes"          // they stand in two clusters
)

func (f *Filter) spread(cfg Config, values []int64, r *Result) {
	f.scores = grown(f.scores, len(values))
	for i, v := range values {
		if d := float64(v) - r.Mean; float64(v) <= r.Limit {
			f.scores[i] = d
		} else {
			f.scores[i] = 0
		}
	}
	r.Tau = tau(f.scores)
	r.StdErr = r.Sigma * math.Sqrt(r.Tau/float64(r.Kept))
	half := student(cfg.Confidence, float64(r.Kept)/r.Tau-1) * r.StdErr
	r.Low, r.High = r.Mean-half, r.Mean+half
	var why []string
	if r.Kept < 10 {
		why = append(why, Few)
	} else if float64(r.Kept) < 10*r.Tau {
		why = append(why, Autocorrelated)
	}
	if f.modes(r.Kept) {
		why = append(why, Modes)
	}
	if r.Error = OK; len(why) > 0 {
		r.Error = strings.Join(why, ",")
	}
}

func (f *Filter) modes(kept int) bool { return false }

// tau by Geyer's initial positive sequence.
func tau(x []float64) float64 {
	n := len(x)
	if n < 4 {
		return 1
	}
	cov := func(k int) (s float64) {
		for i := range x[k:] {
			s += x[i] * x[i+k]
		}
		return s
	}
	c0 := cov(0)
	if c0 == 0 {
		return 1
	}
	sum, last := 0.0, math.Inf(1)
	for k := 0; k+1 < n/2; k += 2 {
		g := cov(k) + cov(k+1)
		if g <= 0 {
			break
		}
		g = min(g, last)
		last = g
		sum += g
	}
	return min(max(2*sum/c0-1, 1), float64(n))
}

// student is the two-sided quantile of Student's t (Cornish-Fisher expansion; Abramowitz and Stegun 26.7.5).
func student(confidence, df float64) float64 {
	df = max(df, 2)
	z := math.Sqrt2 * math.Erfinv(confidence)
	z2 := z * z
	return z * (1 + ((z2+1)/4+((5*z2+16)*z2+3)/96/df+(((3*z2+19)*z2+17)*z2-15)/384/(df*df))/df)
}

func (m Method) reason() string {
	return [...]string{Sigma: "above mean + 3σ", Density: "above twice the mode", MAD: "above median + 3 MAD"}[m]
}

func (c Config) defaults() Config {
	if !(c.K > 0) {
		c.K = factors[c.Method]
	}
	if !(c.Confidence > 0 && c.Confidence < 1) {
		c.Confidence = 0.95
	}
	return c
}

func grown(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}
