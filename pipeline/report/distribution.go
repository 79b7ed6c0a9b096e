package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// marked are the quantiles that the distribution's pictures name.
var marked = []struct {
	p    float64
	name string
}{{0.5, "median"}, {0.95, "95th percentile"}, {0.99, "99th percentile"}}

// words gives range and quantiles of a distribution.
func (s *spread) words() []string {
	facts := []string{"least " + duration(float64(s.low))}
	for _, q := range marked {
		facts = append(facts, q.name+" "+duration(s.at(q.p)))
	}
	return append(facts, "greatest "+duration(float64(s.high)))
}

// distributionChart shows how RTTs are distributed: a histogram, and the share of echoes up to each RTT below it. It
// is nil for fewer than two RTTs.
func distributionChart(s *echoStream) *chart {
	if s.rtts.n < 2 {
		return nil
	}
	h := s.rtts.histogram()
	end := h.from + h.width*float64(len(h.counts))
	pad := 0.015 * (end - h.from)
	x := &axis{min: h.from - pad, max: end + pad, floor: h.from - pad, label: "RTT (" + unitFor(end).name + ")", ticks: linearTicks}
	c := &chart{
		name:  s.file("rtt_distribution"),
		title: "BFD echo RTT, distribution  " + s.ends(),
		text:  fmt.Sprintf("RTT distribution, %s: %s", s.ends(), counted(s.rtts.n, "echo", "echoes")),
		facts: append(append(s.place(), s.loop(), counted(s.rtts.n, "echo", "echoes"), "bins of "+duration(h.width)), s.rtts.words()...),
	}
	if outside := h.outside(); outside != "" {
		c.facts = append(c.facts, outside)
	}
	quantiles := quantileLayers(&s.rtts)
	bars := layer{mark: areas, color: fade(blue, 0xb0), name: "echoes", runs: h.outline()}
	curve := layer{mark: lines, color: blue, size: 1.6, runs: []plotter.XYs{s.rtts.cumulative(h.from, end)}}
	c.panels = []panel{
		{x: x, y: countAxis("echoes", slices.Max(h.counts)), layers: append([]layer{bars}, quantiles...)},
		{x: x, y: percentAxis("echoes up to this RTT", 0, 1.02), layers: append(quantiles, curve)},
	}
	return c
}

func quantileLayers(s *spread) []layer {
	colors := []layer{{color: green}, {color: orange, dash: dashed}, {color: vermillion, dash: dotted}}
	for i, q := range marked {
		l := &colors[i]
		l.mark, l.size, l.name = rules, 1.4, q.name
		l.xys = plotter.XYs{{X: s.at(q.p)}}
	}
	return colors
}

// outside says what a histogram does not show.
func (h *histogram) outside() string {
	switch {
	case h.below >= 0.5 && h.above >= 0.5:
		return fmt.Sprintf("not shown: %.0f below, %.0f above", h.below, h.above)
	case h.below >= 0.5:
		return fmt.Sprintf("not shown: %.0f below", h.below)
	case h.above >= 0.5:
		return fmt.Sprintf("not shown: %.0f above", h.above)
	}
	return ""
}

// outline is one polygon around all bars: bars of their own would show seams.
func (h *histogram) outline() []plotter.XYs {
	xys := plotter.XYs{{X: h.from}}
	for i, n := range h.counts {
		xys = append(xys, plotter.XY{X: h.from + h.width*float64(i), Y: n}, plotter.XY{X: h.from + h.width*float64(i+1), Y: n})
	}
	return []plotter.XYs{append(xys, plotter.XY{X: xys[len(xys)-1].X})}
}

// cumulativeSteps is how finely the cumulative curve is drawn.
const cumulativeSteps = 500

// cumulative is the share of values up to x, as a stair from lo to hi.
func (s *spread) cumulative(lo, hi float64) plotter.XYs {
	share := 0.0
	xys := plotter.XYs{{X: lo}}
	n := min(s.n, cumulativeSteps)
	for i := range n {
		p := float64(i+1) / float64(n)
		v := s.at(p)
		if v > hi {
			break
		}
		if v >= lo {
			xys = append(xys, plotter.XY{X: v, Y: share}, plotter.XY{X: v, Y: p})
		} else {
			xys[0].Y = p
		}
		share = p
	}
	return append(xys, plotter.XY{X: hi, Y: share})
}
