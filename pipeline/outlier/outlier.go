// Package outlier tells RTTs that are noise from those that are the path's: pure functions on numbers.
package outlier

import (
	"fmt"
	"sync"
)

// Method is a rule by which RTTs are cut.
type Method uint8

// The methods.
const (
	Sigma   Method = iota // iterative upward cut at mean + 3σ
	Density               // twice the highest-density RTT
	MAD                   // median + k · 1.4826 · MAD
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

// Config says how to filter.
type Config struct {
	Method     Method
	K          float64 // factor of the method; 0: its default
	WarmUp     int     // values before a stream cuts; 0: the default
	Confidence float64 // of the interval; 0: 0.95
}

// OK is Result.Error of a mean whose standard error holds.
const OK = "ok"

// Result is what a filter makes of one window. Durations are ns.
type Result struct {
	N, Kept, Cut int
	Limit        float64 // what lies above was cut
	Mean, Sigma  float64 // of the kept
	StdErr       float64 // of Mean: Sigma · sqrt(Tau / Kept)
	Tau          float64 // integrated autocorrelation time in values, at least 1
	Low, High    float64 // confidence interval of Mean
	Floor        float64 // half-sample mode
	Shorth       float64 // mean of the shortest half
	Error        string  // OK, or why StdErr does not hold, comma-separated
}

var filters = sync.Pool{New: func() any { return new(Filter) }}

// Window filters values that stand in the order of their time. cut, unless nil, is called for each value that is cut.
func Window(cfg Config, values []int64, cut func(i int, v int64, reason string)) Result {
	f := filters.Get().(*Filter)
	defer filters.Put(f)
	return f.Window(cfg, values, cut)
}
