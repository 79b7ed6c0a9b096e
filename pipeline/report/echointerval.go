package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// echoIntervalChart shows the times between the echoes of a stream against the window that the peer's Required Min
// Echo RX and the sender's jitter make: each echo, or each period. It is nil if there are no intervals.
func echoIntervalChart(s *echoStream, e *events) *chart {
	c := &chart{name: s.file("echo_interval"), title: "BFD echo, send interval  " + s.ends(), facts: s.place()}
	p := &s.periods
	switch {
	case s.interval.n > 0:
		c.panels = []panel{sendsPanel(s, e)}
		c.text = counted(s.interval.n, "interval", "intervals")
		c.facts = slices.Concat(append(c.facts, c.text), s.window.facts(s.late.n, s.early.n), s.interval.facts())
	case p.intervalMean.n > 0:
		t := e.widen(span{}.cover(&p.intervalMean).withPeriod(p.intervalMean.step))
		i := intervals{&p.intervalMin, &p.intervalMean, &p.intervalMax, p.window.lates(&p.late), &p.early}
		c.panels = []panel{i.panel(t, e, window{&p.window.series, windowHigh})}
		c.facts = append(c.facts, p.window.facts(p.lates, p.earlies)...)
		c.text = counted(p.intervalMean.n, "period", "periods")
	default:
		return nil
	}
	c.text = fmt.Sprintf("send interval of echoes against its window, %s: %s", s.ends(), c.text)
	return c
}

// facts says what T is and how many intervals were outside of the window.
func (p *pace) facts(late, early int64) []string {
	if p.n == 0 {
		return []string{"the peer's Required Min Echo RX is not known: no window"}
	}
	facts := []string{"T = " + p.values() + " (the peer's Required Min Echo RX)", thousands(early) + " early"}
	if p.slower() {
		return append(facts, "the sender is slower than the peer's minimum, as it may be: none is called late")
	}
	return append(facts, thousands(late)+" late")
}

// lates is what is to be marked as late.
func (p *pace) lates(s *series) *series {
	if p.slower() {
		return new(series)
	}
	return s
}

func sendsPanel(s *echoStream, e *events) panel {
	t := e.widen(span{}.cover(&s.interval))
	w := window{&s.window.series, windowHigh}
	below := slices.Concat(w.shade(t), w.edges(t), e.layers(t))
	return panel{x: t.axis(), y: w.axis(s.interval.low, s.interval.high), layers: append(below, present(
		layer{mark: dots, name: "interval", color: fade(blue, 0xb0), xys: t.points(&s.interval)},
		layer{mark: dots, name: "late", color: vermillion, glyph: triangle{}, size: 3, xys: t.points(s.window.lates(&s.late))},
		layer{mark: dots, name: "early", color: purple, glyph: triangle{down: true}, size: 3, xys: t.points(&s.early)},
	)...)}
}

// intervals are those of a stream by periods.
type intervals struct{ low, mean, high, late, early *series }

// panel shows least, mean and greatest interval of each period against the window.
func (i *intervals) panel(t span, e *events, w window) panel {
	band := layer{mark: areas, name: "least to greatest", color: fade(sky, 0x80), runs: t.band(i.low, i.high)}
	below := slices.Concat(w.shade(t), present(band), w.edges(t), e.layers(t))
	return panel{x: t.axis(), y: w.axis(i.low.low, i.high.high), layers: append(below, present(
		layer{mark: lines, name: "mean", color: blue, size: 1.6, runs: t.steps(i.mean)},
		layer{mark: dots, name: "late", color: vermillion, glyph: triangle{}, size: 3, xys: t.middles(i.late, i.mean.step)},
		layer{mark: dots, name: "early", color: purple, glyph: triangle{down: true}, size: 3, xys: t.middles(i.early, i.mean.step)},
	)...)}
}

// window is where intervals belong: from 0.75 of the agreed one to upper of it.
type window struct {
	agreed *series // ns
	upper  float64
}

// axis is one of intervals from lo to hi ns on which the window has room.
func (w window) axis(lo, hi float64) *axis {
	if w.agreed.n > 0 {
		lo, hi = min(lo, windowLow*w.agreed.low), max(hi, w.upper*w.agreed.high)
	}
	a, _ := durationAxis("interval", lo, hi, false)
	return a
}

// edges are the window's bounds, which a band over the window would hide.
func (w window) edges(t span) []layer {
	l := layer{mark: lines, color: green, dash: dashed, size: 0.9}
	for _, area := range w.shade(t) {
		for _, p := range area.runs {
			l.runs = append(l.runs, plotter.XYs{p[0], p[3]}, plotter.XYs{p[1], p[2]})
		}
	}
	return present(l)
}

// shade is the window's area, if there is one. It holds until it changes: gaps do not break it.
func (w window) shade(t span) []layer {
	l := layer{mark: areas, name: fmt.Sprintf("window: %g to %g T", windowLow, w.upper), color: fade(green, 0x38)}
	all := w.agreed.samples()
	for i, p := range all {
		from, to := t.x(p.at), t.x(t.to)
		if i == 0 {
			from = t.x(t.from)
		}
		if i+1 < len(all) {
			to = t.x(all[i+1].at)
		}
		low, high := windowLow*p.v, w.upper*p.v
		if n := len(l.runs); n > 0 && l.runs[n-1][0].Y == low {
			l.runs[n-1][2].X, l.runs[n-1][3].X = to, to
			continue
		}
		l.runs = append(l.runs, plotter.XYs{{X: from, Y: low}, {X: from, Y: high}, {X: to, Y: high}, {X: to, Y: low}})
	}
	return present(l)
}
