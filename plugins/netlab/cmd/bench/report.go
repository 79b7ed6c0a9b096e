package main

import (
	"encoding/json"
	"io"
	"slices"

	"echogram/plugins/netlab/witness"
)

// all is how many addresses the target network has. Every one of them answers.
const all = 1 << 16

// Names of the contenders against which the others are set.
const (
	nameLimit = "bare C, AF_PACKET"
	nameFping = "fping"
)

// run is what one run of a contender came to. The JSON names are for machines that keep results.
type run struct {
	Seconds float64 `json:"seconds"` // from its start to its end
	Rate    float64 `json:"packets_per_second"`
	Sent    int64   `json:"frames_sent"` // by the link, ARP included
	Found   int     `json:"found"`
	Lost    int     `json:"false_loss"`
	CPU     float64 `json:"cpu_seconds"`
	Peak    int64   `json:"peak_bytes"`
}

// result is what all runs of a contender came to.
type result struct {
	Name      string   `json:"name"`
	Version   string   `json:"version,omitempty"`
	Command   []string `json:"command"`
	Targets   int      `json:"targets"`
	Runs      []*run   `json:"runs"` // by round; null: it failed
	Median    *run     `json:"median,omitempty"`
	Ended     int      `json:"ended"`    // runs that did not fail
	Complete  int      `json:"complete"` // of these, the runs that found all targets
	OverLimit float64  `json:"rate_over_bare_c,omitempty"`
	OverFping float64  `json:"rate_over_fping,omitempty"`
}

// witnessed is one sweep beside tcpdump.
type witnessed struct {
	Name    string `json:"name"`
	Rate    string `json:"rate"`
	Dropped int    `json:"tcpdump_dropped"`
	witness.Agreement
}

// report is all that a bench has measured.
type report struct {
	Machine machine     `json:"machine"`
	Rounds  int         `json:"rounds"`
	Results []*result   `json:"results"`
	RTT     []witnessed `json:"rtt"`
	Notes   []string    `json:"notes"`
}

// note adds a remark, once.
func (r *report) note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// finish computes what compares runs with each other.
func (r *report) finish() {
	find := func(name string) []*run {
		for _, res := range r.Results {
			if res.Name == name {
				return res.Runs
			}
		}
		return nil
	}
	limit, fping := find(nameLimit), find(nameFping)
	for _, res := range r.Results {
		res.Median = medianRun(res.Runs)
		res.OverLimit, res.OverFping = medianRatio(res.Runs, limit), medianRatio(res.Runs, fping)
		for _, run := range res.Runs {
			if run != nil {
				res.Ended++
			}
			if run != nil && run.Lost == 0 {
				res.Complete++
			}
		}
	}
}

func (r *report) writeJSON(w io.Writer) error { return indented(w, r) }

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// medianRun is the median of each number by itself, over the runs that did not fail; nil when there is none.
func medianRun(runs []*run) *run {
	runs, of := medians(runs)
	if len(runs) == 0 {
		return nil
	}
	return &run{
		Seconds: of(func(r *run) float64 { return r.Seconds }),
		Rate:    of(func(r *run) float64 { return r.Rate }),
		Sent:    int64(of(func(r *run) float64 { return float64(r.Sent) })),
		Found:   int(of(func(r *run) float64 { return float64(r.Found) })),
		Lost:    int(of(func(r *run) float64 { return float64(r.Lost) })),
		CPU:     of(func(r *run) float64 { return r.CPU }),
		Peak:    int64(of(func(r *run) float64 { return float64(r.Peak) })),
	}
}

// medianRatio is the median of the ratios of the rates of the same round, 0 when no round has both.
func medianRatio(a, b []*run) float64 {
	return pairedRatio(a, b, func(r *run) float64 { return r.Rate })
}

func pairedRatio[R any](a, b []*R, rate func(*R) float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if a[i] != nil && b[i] != nil && rate(b[i]) > 0 {
			ratios = append(ratios, rate(a[i])/rate(b[i]))
		}
	}
	return median(ratios)
}

// medians gives the runs that did not fail, and what takes the median of one number over them.
func medians[R any](runs []*R) (kept []*R, of func(value func(*R) float64) float64) {
	kept = slices.DeleteFunc(slices.Clone(runs), func(r *R) bool { return r == nil })
	return kept, func(value func(*R) float64) float64 {
		var values []float64
		for _, r := range kept {
			values = append(values, value(r))
		}
		return median(values)
	}
}

// median sorts values; of an even number it is the mean of the middle two, of none 0.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}
