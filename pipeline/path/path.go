// Package path infers what lies between a prober and a target from RTTs: store-and-forward switches, metres of cable,
// and when either changed. It is pure: samples come in, estimates go out, and "cannot be told" is one of them.
//
// Its layers, from the bottom:
//
//   - Measurement: the filtered RTTs of one target, by payload size, and the facts that bend them.
//   - Calibration: measurements of targets whose hops and cable are known.
//   - Estimate: what a measurement tells beside a calibration, by the slope over frame size and by the offset.
//   - Shifts: lasting changes in a row of window floors.
package path

import (
	"time"

	"echogram/pipeline/outlier"
)

// Sample is one probe of a target.
type Sample struct {
	At   int64 // of the request, ns
	Size int   // payload bytes
	RTT  int64 // ns
	TTL  int64 // of the reply; 0: unknown
}

// Facts are what bends RTTs on the prober's side: measurements under different ones cannot be compared.
type Facts struct {
	Interval  time.Duration `json:"interval_ns"`          // between two probes
	RXUsecs   string        `json:"rx_usecs,omitempty"`   // interrupt coalescing, µs; "": unknown
	TXUsecs   string        `json:"tx_usecs,omitempty"`   //
	Adaptive  string        `json:"adaptive,omitempty"`   // adaptive coalescing: on, off
	EEE       string        `json:"eee,omitempty"`        // Energy-Efficient Ethernet: on, off
	Governor  string        `json:"governor,omitempty"`   // CPU frequency governor
	StampKind string        `json:"stamp_kind,omitempty"` // software, hardware
	Awake     bool          `json:"awake"`                // the CPU was held out of deep idle states
}

// Size is what the probes of one payload size tell.
type Size struct {
	Payload int `json:"payload"` // bytes
	Wire    int `json:"wire"`    // bytes of the frame without FCS, at least 60
	outlier.Result
}

// Measurement is what was measured of one target.
type Measurement struct {
	Target string `json:"target"`
	Probes int    `json:"probes"`
	Sizes  []Size `json:"sizes"` // by payload, ascending
	Facts  Facts  `json:"facts"`
	TTL    int64  `json:"ttl,omitempty"` // of all replies; 0: they differ, or it is unknown
	Last   int64  `json:"last_ns"`       // time of the last request
}

// Measure filters the samples of one target. probes counts those that were not answered, too.
func Measure(filter outlier.Config, target string, ipv6 bool, samples []Sample, probes int, facts Facts) *Measurement {
	panic("not written yet")
}

// Known is a measurement of a target whose way is known.
type Known struct {
	Measurement
	Name   string  `json:"name"`
	Hops   int     `json:"hops"`   // store-and-forward switches; -1: unknown
	Metres float64 `json:"metres"` // of cable, one way
}

// Calibration is what estimates are made beside: at least one Known for an offset, two with different hops to learn
// what a switch delays by.
type Calibration struct {
	Known []Known `json:"known"`
}

// Config is what an estimate assumes.
type Config struct {
	HopDelay    time.Duration // RTT that one switch adds; 0: learned from the calibration, else unknown
	NsPerMetre  float64       // RTT; 0: 10
	NsTolerance float64       // relative uncertainty of NsPerMetre; 0: 0.05
	LinkRates   []int64       // bit/s that a slope may stand for; nil: 10M, 100M, 1G, 2.5G, 10G and their mixtures are guessed
	Confidence  float64       // from which a count of hops is told; 0: 0.95
}

// Interval is a value between two limits of 95 %.
type Interval struct {
	Value, Low, High float64
}

// Count is a number of switches.
type Count struct {
	Hops       int
	Confidence float64 // 0 to 1
	RunnerUp   int
	Told       bool   // the confidence suffices
	Why        string // when it was not told
	Rate       int64  // bit/s that a slope was read by
}

// Estimate is what a measurement tells.
type Estimate struct {
	*Measurement
	Reference string    // the calibration's target, "" without one
	Slope     *Interval // ns of RTT a byte; nil with one size
	BySlope   *Count    // nil where there is no slope
	ByOffset  *Count    // nil where nothing calibrates it
	Hops      *Count    // of both; nil when there is neither
	Offset    *Interval // ns beyond the reference; nil without one
	Cable     *Interval // metres one way that Offset stands for beyond the hops; nil when hops are not known
	Told      bool
	Reasons   []string // of all that cannot be told, in plain words
}

// Estimate says what m tells beside cal, which may be nil.
func (cfg *Config) Estimate(m *Measurement, cal *Calibration) *Estimate {
	panic("not written yet")
}

// ErrFacts: two measurements were made under different facts; its text names them.
type ErrFacts struct{ Fact, Here, There string }
