// Package outlier tells RTTs that are noise from those that are the path's: pure functions on numbers.
package outlier

// Method is a rule by which RTTs are cut.
type Method uint8

// The methods.
const (
	Sigma   Method = iota // iterative upward cut at mean + 3σ
	Density               // twice the highest-density RTT
	MAD                   // median + k · 1.4826 · MAD
)

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

// Window filters values that stand in the order of their time. cut, unless nil, is called for each value that is cut.
func Window(cfg Config, values []int64, cut func(i int, v int64, reason string)) Result {
	panic("not written yet")
}
