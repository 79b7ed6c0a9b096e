// Package outlier tells RTTs that are noise from those that are the path's, and says how far the mean of what is
// left is to be trusted: pure functions on numbers.
//
// In layers: limit (where each method cuts), floor (half-sample mode, shorth), batches and spread (the error of the
// mean of an autocorrelated series, and whether that error holds), Filter and Window (exact, on one window), bins and
// Stream (the same with bounded memory). What the values are, where windows begin and who wants to know is left to
// others.
package outlier

import (
	"fmt"
	"math"
	"sync"
)

// Method is a rule by which RTTs are cut.
type Method uint8

// The methods. Sigma is the default: its limit hangs on moments alone, so that it settles as fast as the mean does
// and its share in the mean's error is known (Filter.pull). The half-sample mode settles as n^(-1/3) only, and MAD
// jumps where the RTTs have two levels. But ten values or fewer Sigma cannot cut, nor outliers of a tenth or more:
// there the other two can, of which up to half of the values may be outliers.
const (
	Sigma   Method = iota // mean + kσ, again and again until nothing more is cut; k = 3
	Density               // k times the half-sample mode; k = 2
	MAD                   // median + k · 1.4826 · median absolute deviation; k = 3
)

var methods = [...]string{Sigma: "sigma", Density: "density", MAD: "mad"}

func (m Method) String() string {
	if int(m) < len(methods) {
		return methods[m]
	}
	return fmt.Sprintf("Method(%d)", uint8(m))
}

// ParseMethod is the inverse of Method.String.
func ParseMethod(s string) (Method, error) {
	for m, name := range methods {
		if s == name {
			return Method(m), nil
		}
	}
	return 0, fmt.Errorf("outlier: method %q is none of sigma, density, mad", s)
}

// Config says how to filter. What is out of range is taken for its default.
type Config struct {
	Method     Method
	K          float64 // factor of the method; 0: its default
	WarmUp     int     // values before a stream cuts; 0: 100
	Confidence float64 // of the interval; 0: 0.95
}

// defaults fills in what is not set.
func (c Config) defaults() Config {
	if int(c.Method) >= len(methods) {
		c.Method = Sigma
	}
	if !(c.K > 0 && c.K <= math.MaxFloat64) {
		c.K = c.Method.K()
	}
	if c.WarmUp <= 0 {
		c.WarmUp = 100
	}
	if !(c.Confidence > 0 && c.Confidence < 1) {
		c.Confidence = 0.95
	}
	return c
}

// Result is what a filter makes of one window. Durations are ns. Below two values that are kept Sigma, StdErr and the
// interval are of no width, which says nothing.
type Result struct {
	N, Kept, Cut int
	Limit        float64 // what lies above was cut
	Mean, Sigma  float64 // of the kept; sample standard deviation
	StdErr       float64 // of Mean: Sigma · sqrt(Tau / Kept)
	Tau          float64 // integrated autocorrelation time in values, at least 1; holds what the limit's motion adds, too
	Low, High    float64 // confidence interval of Mean, by Student's t with the degrees of freedom that Tau has
	Floor        float64 // half-sample mode of the kept
	Shorth       float64 // mean of the shortest half of the kept
	Error        string  // OK, or why StdErr does not hold, comma-separated
}

var filters = sync.Pool{New: func() any { return new(Filter) }}

// Window is Filter.Window with memory from a pool.
func Window(cfg Config, values []int64, cut func(i int, v int64, reason string)) Result {
	f := filters.Get().(*Filter)
	defer filters.Put(f)
	return f.Window(cfg, values, cut)
}
