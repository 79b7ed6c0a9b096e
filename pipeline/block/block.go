// Package block reads sweeps over time: how each block is used, when it was out, how its addresses come and go, and what a
// day does to its RTTs. It is an engine: sweeps come in, rows come out, and time is that of the data.
//
// Its layers, from the bottom:
//
//   - Set: places in a block, a bit each.
//   - gather: points in any order -> sweeps, whole and in order.
//   - judge: the belief that a block is up, by the block's own history; what the sweep says of all blocks together decides
//     whether it was the blocks, a renumbering, or the prober's own way (Trinocular, SIGCOMM '13; IAS, PAM '24).
//   - use, churn, daily: what the judged sweeps tell of one block.
//   - Monitor: drives these, sums up networks and labels, and keeps its state through a restart.
//
// A sweep that is not trusted or partial changes no belief, ends no session and counts as no loss. Judgement lags one
// sweep behind, since the sweep in which the prober's own way breaks is cut in two.
package block

import (
	"cmp"
	"time"
)

// Config holds all thresholds. Zero means the default, which stands at each with its source.
type Config struct {
	Window   time.Duration  // of block_state; 1 h
	Location *time.Location // of days and hours; UTC
	Labels   []string       // keys of labels by which blocks are summed up, too

	// Outages.
	Belief     float64  // that a block is up, to begin with; 0.99 (Trinocular, 4.2)
	Up, Down   float64  // beliefs from which a block is up, or down; 0.9, 0.1 (Trinocular, 4.2)
	Responders int      // answering addresses below which nothing is believed; 15 (Trinocular, 3.1)
	Vantage    float64  // share of the blocks that answered which, silent at once, is the prober's own doing; 0.5
	References []string // targets that must answer, or the prober's own way is suspect

	// Use (Heidemann et al. 2008, Cai and Heidemann 2010).
	Stable     float64       // A above which an address is always there; 0.95
	Volatile   float64       // and V below which; 0.0016
	LongUptime time.Duration // U from which it is sometimes stable; 6 h
	Underused  float64       // A below which it is underused; 0.1
	Classified float64       // share of a block that must answer for a class; 0.2

	// Daily patterns (Fontugne et al. 2020; Quan et al. 2014).
	Days              int           // least and so many of the last days; 3
	Span              int           // days that are kept; 14
	Low, Mild, Severe time.Duration // amplitude; 0.5 ms, 1 ms, 3 ms
	Targets           int           // least of a group; 3
	Top               int           // single targets with a row a day: those with the largest amplitudes beyond their block's; 100
}

// withDefaults returns c with defaults in place of what is zero.
func (c Config) withDefaults() Config {
	if c.Location == nil {
		c.Location = time.UTC
	}
	return Config{
		Window: cmp.Or(c.Window, time.Hour), Location: c.Location, Labels: c.Labels,
		Belief: cmp.Or(c.Belief, 0.99), Up: cmp.Or(c.Up, 0.9), Down: cmp.Or(c.Down, 0.1),
		Responders: cmp.Or(c.Responders, 15), Vantage: cmp.Or(c.Vantage, 0.5), References: c.References,
		Stable: cmp.Or(c.Stable, 0.95), Volatile: cmp.Or(c.Volatile, 0.0016), LongUptime: cmp.Or(c.LongUptime, 6*time.Hour),
		Underused: cmp.Or(c.Underused, 0.1), Classified: cmp.Or(c.Classified, 0.2),
		Days: cmp.Or(c.Days, 3), Span: cmp.Or(c.Span, 14),
		Low: cmp.Or(c.Low, 500*time.Microsecond), Mild: cmp.Or(c.Mild, time.Millisecond), Severe: cmp.Or(c.Severe, 3*time.Millisecond),
		Targets: cmp.Or(c.Targets, 3), Top: cmp.Or(c.Top, 100),
	}
}

// Look is what one sweep saw of one block.
type Look struct {
	Time     int64 // scheduled start of the sweep, ns
	Interval int64 // ns from the sweep before; 0: it is the first
	Probed   Set   // places with a row
	Answered Set
	RTT      []int64 // ns by place, of those that answered; 0: unknown
	Out      Set     // places of which an outage is the reason that they are silent: of Part those of the half
}

// Verdict is what a sweep says of a block.
type Verdict uint8

// Verdicts.
const (
	Up         Verdict = iota
	Down               // the whole block
	Part               // a half of it
	Uncertain          // the belief lies between
	Unmeasured         // too few addresses answer
	Doubted            // the sweep says nothing: not trusted, partial, or the prober's own way is suspect
)
