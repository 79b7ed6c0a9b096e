package path

import "time"

// Floor is the RTT floor of one target in one window.
type Floor struct {
	Start  int64   // of the window, ns
	N      int     // RTTs behind it
	Floor  float64 // ns
	StdErr float64 // of Floor, ns; 0: unknown
	TTLMin int64   // of the replies; 0: unknown
	TTLMax int64
	Facts  string // what bends RTTs on the prober's side (coalescing, EEE, probe interval); "" is a value like others
	Error  string // outlier.Result's; a floor that is one of several modes, or of few RTTs, tells nothing
}

// ShiftConfig says what is a shift and what it would mean.
type ShiftConfig struct {
	HopDelay   time.Duration // RTT that one switch adds; 0: 20 µs
	NsPerMetre float64       // RTT; 0: 10
	Least      float64       // ns; what moves the floor by less is none; 0: 150
	MinValues  int           // RTTs below which a window tells nothing; 0: 10
}

func (cfg ShiftConfig) withDefaults() ShiftConfig {
	if cfg.HopDelay <= 0 {
		cfg.HopDelay = 20 * time.Microsecond
	}
	if !(cfg.NsPerMetre > 0) {
		cfg.NsPerMetre = 10
	}
	if !(cfg.Least > 0) {
		cfg.Least = 150
	}
	if cfg.MinValues <= 0 {
		cfg.MinValues = 10
	}
	return cfg
}

// Shift is a lasting change of the floor.
type Shift struct {
	At            int64   // start of the first window behind a step, middle of a drift; ns
	Kind          string  // schema.ShiftStep, ShiftDrift, ShiftRoute
	Step          float64 // floor after minus floor before, ns
	Low, High     float64 // 95 % interval of Step
	Before, After float64 // floors, ns
	Hops          float64 // switches that Step would stand for
	Metres        float64 // of cable, one way, that it would stand for
	TTLBefore     int64   // 0: unknown, or not one
	TTLAfter      int64
}

// Shifts lists the shifts that floors show, in the order in which they were confirmed. floors are of one target and
// one length of window, ascending by Start.
func Shifts(cfg ShiftConfig, floors []Floor) (all []Shift) {
	s := scanOf(cfg, floors, nil, nil)
	for s.next() {
		if shift, ok := s.shift(); ok {
			all = append(all, shift)
		}
	}
	return all
}

// Newest lists the shifts that the last of floors has confirmed: over floors that grow window by window, each shift of
// Shifts comes once, as it is there. The last 48 windows do for steps, and for drifts that are over within them; those of
// an hour reach back to the day before, by which a daily peak is known.
func Newest(cfg ShiftConfig, floors []Floor) []Shift {
	var values [48]float64 // on the stack: this is asked of each window of each target
	var places [48]int
	s := scanOf(cfg, floors, values[:0], places[:0])
	n := len(s.places)
	if n == 0 || s.places[n-1] != len(floors)-1 || s.idle() {
		return nil
	}
	for s.next() {
		if shift, ok := s.shift(); ok && s.end == n {
			return []Shift{shift}
		}
	}
	return nil
}
