// Package path infers what lies between a prober and a target from RTTs: store-and-forward switches, metres of cable,
// and when either changed. It is pure: samples come in, estimates go out, and "cannot be told" is one of them.
//
// Its layers, from the bottom:
//
//   - Level: where the floor of a set of RTTs lies, and how well that is known.
//   - Measurement: the filtered RTTs of one target, by payload size, and the Facts that bend them.
//   - Calibration: measurements of targets whose hops and cable are known.
//   - Estimate: what a measurement tells beside a calibration, by the slope over frame size and by the offset.
//   - Shifts: lasting changes in a row of window floors.
//
// A hop is a switch that takes in a frame whole before it passes it on. Cut-through switches do not show in a slope;
// their delay shows in an offset. All RTTs are ns.
package path

import (
	"fmt"
	"strconv"
	"time"

	"echogram/pipeline/outlier"
)

// Sample is one answered probe. It must have been the first of its burst: one behind others waits for them.
type Sample struct {
	At   int64 // of the request, ns
	Size int   // payload bytes
	RTT  int64 // ns
	TTL  int64 // of the reply; 0: unknown
}

// Facts are what bends RTTs on the prober's side. RTTs that were measured under different ones cannot be compared.
type Facts struct {
	Interval  time.Duration `json:"interval_ns"`          // between two probes of one target; 0: unknown
	RXUsecs   string        `json:"rx_usecs,omitempty"`   // interrupt coalescing, µs; "": unknown, as in all below
	TXUsecs   string        `json:"tx_usecs,omitempty"`   //
	Adaptive  string        `json:"adaptive,omitempty"`   // adaptive coalescing: on, off
	EEE       string        `json:"eee,omitempty"`        // Energy-Efficient Ethernet: on, off
	Governor  string        `json:"governor,omitempty"`   // CPU frequency governor
	StampKind string        `json:"stamp_kind,omitempty"` // software, hardware
	Awake     bool          `json:"awake"`                // the CPU was held out of deep idle states
}

// FactsError: a measurement and its reference were made under different facts.
type FactsError struct {
	Fact, Here, There string
	Reference         string
}

// Error names the fact, both its values, and the way out.
func (e *FactsError) Error() string {
	return fmt.Sprintf("path: %s is %s here and %s at the reference %q: RTTs of the two cannot be compared; measure both under the same", e.Fact, e.Here, e.There, e.Reference)
}

// Differ returns the first fact in which f and o differ, as far as both are known; nil when there is none.
func (f *Facts) Differ(o *Facts) *FactsError {
	for _, c := range []struct{ fact, here, there string }{
		{"the interval between probes", interval(f.Interval), interval(o.Interval)},
		{"interrupt coalescing (rx_usecs)", f.RXUsecs, o.RXUsecs},
		{"interrupt coalescing (tx_usecs)", f.TXUsecs, o.TXUsecs},
		{"adaptive coalescing", f.Adaptive, o.Adaptive},
		{"Energy-Efficient Ethernet", f.EEE, o.EEE},
		{"the CPU frequency governor", f.Governor, o.Governor},
		{"the kind of stamps", f.StampKind, o.StampKind},
		{"holding the CPU awake", fmt.Sprint(f.Awake), fmt.Sprint(o.Awake)},
	} {
		if c.here != "" && c.there != "" && c.here != c.there {
			return &FactsError{Fact: c.fact, Here: c.here, There: c.there}
		}
	}
	return nil
}

func interval(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// coalescing is how long the adapter may hold a received frame back, ns; 0 when it does not, or nobody knows.
func (f *Facts) coalescing() float64 {
	us, err := strconv.ParseFloat(f.RXUsecs, 64)
	if err != nil || f.StampKind == "hardware" {
		return 0
	}
	return us * 1e3
}

// Size is what the probes of one payload size tell.
type Size struct {
	Payload int            `json:"payload"` // bytes
	Wire    int            `json:"wire"`    // bytes of the frame without FCS
	Filter  outlier.Result `json:"filter"`
	Level   Level          `json:"level"`
}

// Measurement is what was measured of one target.
type Measurement struct {
	Target string `json:"target"`
	Probes int    `json:"probes"` // requests, unanswered ones too
	Sizes  []Size `json:"sizes"`  // by payload, ascending
	Facts  Facts  `json:"facts"`
	TTL    int64  `json:"ttl,omitempty"` // of all replies; 0: they differ, or it is unknown
	Last   int64  `json:"last_ns"`       // time of the last request
}

// Known is a measurement of a target whose way is known.
type Known struct {
	Measurement
	Name   string  `json:"name"`
	Hops   int     `json:"hops"`   // switches; negative: unknown, yet the same for ever
	Metres float64 `json:"metres"` // of cable, one way

	// Paired: it was measured in the same run, in turn with the target, so that what drifts moves both.
	Paired bool `json:"-"`
}

// Calibration is what estimates are made beside: one Known for an offset, two with different hops to learn what a
// switch delays by.
type Calibration struct {
	Known []Known `json:"known"`
}

// Config is what an estimate assumes.
type Config struct {
	HopDelay   time.Duration // RTT that one switch adds; 0: learned from the calibration, else unknown
	HopScatter float64       // relative standard deviation of one switch's delay; 0: 0.03
	NsPerMetre float64       // RTT of a metre of cable; 0: 10
	Velocity   float64       // relative uncertainty of NsPerMetre; 0: 0.05
	MostCable  float64       // metres, one way, that a count of switches may leave to cable; 0: 100
	LinkRates  []int64       // bit/s of all links on the way; nil: guessed, one rate for all
	Confidence float64       // from which a number of switches is told; 0: 0.95
}

func (cfg Config) withDefaults() Config {
	for _, d := range []struct {
		v   *float64
		def float64
	}{{&cfg.HopScatter, 0.03}, {&cfg.NsPerMetre, 10}, {&cfg.Velocity, 0.05}, {&cfg.MostCable, 100}, {&cfg.Confidence, 0.95}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	return cfg
}

// Interval is a value between the limits of its 95 % interval.
type Interval struct {
	Value, Low, High float64
}

// Count is a number of switches, or why there is none.
type Count struct {
	Told       bool
	Hops       int     // the most likely number, told or not
	Confidence float64 // probability of Hops, 0 to 1
	RunnerUp   int     // the next most likely
	Rate       int64   // bit/s of the links, by a slope; 0: of several rates
	Why        string  // that it is not told
}

// Estimate is what a measurement tells.
type Estimate struct {
	*Measurement
	Reference string    // the calibration's target that Offset is measured from; "": none
	Slope     *Interval // ns of RTT for each byte; nil with one frame size
	SlopeErr  float64   // its standard error
	BySlope   *Count    // nil without a slope
	ByOffset  *Count    // nil without a calibration of known hops
	Hops      *Count    // of both; nil when there is neither
	Offset    *Interval // ns beyond the reference; nil without one
	Cable     *Interval // metres, one way; nil when it cannot be told
	HopDelay  *Interval // ns of RTT a switch, as configured or learned; nil when unknown
	Told      bool      // all that was asked for: hops where there is a slope or a calibration, metres where there is a reference
	Reasons   []string  // why something cannot be told, a sentence each; nil when Told
	Notes     []string  // what was assumed, a sentence each
}
