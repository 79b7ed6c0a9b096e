package report

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot/plotter"

	"echogram/plugins/schema"
)

// controlStream is what one end of a session sends as control packets, by periods.
type controlStream struct {
	about
	packets, late, early, missing, flaps, nearMisses int64

	min, mean, max series  // ns
	lates, earlies series  // ns
	window         series  // ns; the agreed interval
	upper          float64 // end of the window in parts of it
	margin         series  // parts of the detection time
}

func newControlStream(row *schema.BFDSeries) func(string) *controlStream {
	return func(key string) *controlStream { return &controlStream{about: aboutOf(key, row)} }
}

func (s *controlStream) add(r *schema.BFDSessionRow) {
	s.packets += r.Packets
	s.late += r.Late
	s.early += r.Early
	s.missing += r.Missing
	s.flaps += r.Flaps
	s.nearMisses += r.NearMisses
	addOpt(&s.min, r.Time, r.Min)
	addOpt(&s.mean, r.Time, r.Mean)
	addOpt(&s.max, r.Time, r.Max)
	addOutside(&s.lates, &s.earlies, r.Time, &r.Intervals)
	if r.Interval.Set && r.Mean.Set {
		s.window.add(r.Time, float64(r.Interval.N))
		s.upper = windowHigh
		if r.DetectMult == 1 {
			s.upper = windowHighOne
		}
	}
	if r.DetectMargin.Set {
		s.margin.add(r.Time, r.DetectMargin.F)
	}
}

// controlChart shows what one end sends as control packets: the times between them by periods against the agreed
// window, and how much of the detection time was left. It is nil if the session was Up in no period.
func controlChart(s *controlStream, e *events) *chart {
	c := &chart{name: s.file("control"), title: "BFD control packets  " + s.ends(), facts: append(s.place(),
		counted(s.packets, "packet", "packets"), thousands(s.late)+" late", thousands(s.early)+" early",
		thousands(s.missing)+" missing", counted(s.nearMisses, "near miss", "near misses"), counted(s.flaps, "flap", "flaps"))}
	t := e.widen(span{}.cover(&s.mean, &s.margin).withPeriod(max(s.mean.step, s.margin.step)))
	if s.mean.n > 0 {
		i := intervals{&s.min, &s.mean, &s.max, &s.lates, &s.earlies}
		c.panels = append(c.panels, i.panel(t, e, window{&s.window, s.upper}))
		c.text = "interval of control packets against its window"
		if s.window.n > 0 {
			c.facts = append(c.facts, "T = "+s.window.values())
		}
	}
	if s.margin.n > 0 {
		c.panels = append(c.panels, marginPanel(t, s, e))
		c.facts = append(c.facts, fmt.Sprintf("least detection margin %.1f %%, true at the peer's tap", 100*s.margin.low))
		c.text = strings.TrimPrefix(c.text+" and detection margin", " and ")
	}
	if len(c.panels) == 0 {
		return nil
	}
	c.text += fmt.Sprintf(", %s: %s", s.ends(), counted(max(s.mean.n, s.margin.n), "period", "periods"))
	return c
}

// marginPanel shows the part of the detection time that the longest gap of each period left.
func marginPanel(t span, s *controlStream, e *events) panel {
	return panel{x: t.axis(), y: percentAxis("detection margin", min(-0.02, s.margin.low-0.05), 1.02), layers: append(e.layers(t),
		layer{mark: lines, name: "detection margin", color: green, size: 1.6, runs: t.steps(&s.margin)},
		layer{mark: floors, name: "nothing left: the session is lost", color: vermillion, dash: dashed, xys: plotter.XYs{{}}},
	)}
}
