package report

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// Path is what was measured of the way to one target, and what that tells. RTTs are ns.
type Path struct {
	Target string
	Facts  []string // what stands below the title
	Probes []Probe  // of one size, in order of time
	Limit  float64  // RTTs above were cut
	Mean   float64  // of the others
	Floor  float64
	Fit    *SlopeFit  // nil with one frame size
	Offset *OffsetFit // nil without a calibration of known hops; drawn where there is no Fit
}

// Probe is one answered probe.
type Probe struct {
	At  int64 // Unix ns
	RTT int64
	Cut bool // as noise
}

// Picture draws the distribution of the RTTs with the cut, the RTTs over time, and the fit.
func (p *Path) Picture() Picture {
	c := &chart{name: "path_" + strings.Map(fileRune, p.Target), title: "Path to " + p.Target, facts: p.Facts, text: "path to " + p.Target}
	if len(p.Probes) > 0 {
		lo, hi, beyond := p.reach()
		if beyond > 0 {
			c.facts = append(slices.Clone(c.facts), "not shown: "+thousands(int64(beyond))+" RTTs above "+duration(hi))
		}
		c.panels = append(c.panels, p.distribution(lo, hi), p.overTime(lo, hi))
	}
	switch {
	case p.Fit != nil:
		c.panels = append(c.panels, p.Fit.panel())
	case p.Offset != nil:
		c.panels = append(c.panels, p.Offset.panel())
	}
	return Picture{Name: c.name, Text: c.text, chart: c}
}

// reach is the range of RTTs that is shown: those kept, and as much again for what was cut; and how many lie above.
func (p *Path) reach() (lo, hi float64, beyond int) {
	kept, greatest := math.Inf(-1), math.Inf(-1)
	lo = math.Inf(1)
	for i := range p.Probes {
		v := float64(p.Probes[i].RTT)
		lo, greatest = min(lo, v), max(greatest, v)
		if !p.Probes[i].Cut {
			kept = max(kept, v)
		}
	}
	kept = max(kept, lo)
	hi = min(greatest, kept+max(kept-lo, 0.02*math.Abs(kept), 10))
	for i := range p.Probes {
		if float64(p.Probes[i].RTT) > hi {
			beyond++
		}
	}
	if least := max(1, 0.001*math.Abs(hi)); hi-lo < least {
		lo, hi = lo-least/2, hi+least/2
	}
	return lo, hi, beyond
}

const pathBins = 120

// distribution is a histogram whose counts are logarithmic, so that single RTTs show beside thousands.
func (p *Path) distribution(lo, hi float64) panel {
	width := max((hi-lo)/pathBins, 1)
	empty := func() histogram {
		return histogram{from: lo, width: width, counts: make([]float64, int((hi-lo)/width)+1)}
	}
	kept, cut := empty(), empty()
	for i := range p.Probes {
		h, v := &kept, float64(p.Probes[i].RTT)
		if p.Probes[i].Cut {
			h = &cut
		}
		h.add(v, v, 1)
	}
	pad := 0.015 * (hi - lo)
	x := &axis{min: lo - pad, max: hi + width + pad, floor: lo - pad, label: "RTT (" + unitFor(hi).name + ")", ticks: linearTicks}
	return panel{x: x, y: logCountAxis("RTTs, logarithmic", max(slices.Max(kept.counts), slices.Max(cut.counts))), layers: append([]layer{
		{mark: areas, name: "kept", color: fade(blue, 0xb0), runs: kept.outline()},
		{mark: areas, name: "cut as noise", color: fade(vermillion, 0xb0), runs: cut.outline()},
	}, p.marks(rules, hi)...)}
}

// marks are floor, mean and limit as lines.
func (p *Path) marks(m mark, hi float64) []layer {
	all := []layer{
		{name: "floor", color: green, xys: plotter.XYs{{X: p.Floor, Y: p.Floor}}},
		{name: "mean of the kept", color: black, dash: dashed, xys: plotter.XYs{{X: p.Mean, Y: p.Mean}}},
	}
	if p.Limit <= hi {
		all = append(all, layer{name: "cut above", color: vermillion, dash: dotted, xys: plotter.XYs{{X: p.Limit, Y: p.Limit}}})
	}
	for i := range all {
		all[i].mark, all[i].size = m, 1.4
	}
	return all
}

// logCountAxis is a logarithmic axis for counts from 0 to hi: what is empty lies at its foot.
func logCountAxis(name string, hi float64) *axis {
	return &axis{label: name, log: true, min: 0.5, max: max(hi, 2) * 1.6, floor: 1, ticks: func(a *axis) []plot.Tick {
		ticks := logTicks(&axis{floor: a.floor, max: min(a.max, 999)}) // in plain numbers: no unit of durations
		for v := 1000.0; v <= a.max; v *= 10 {
			ticks = append(ticks, plot.Tick{Value: v, Label: thousands(int64(v))})
		}
		return ticks
	}}
}

// overTime is each RTT at its time; what lies above the range stands at its upper edge.
func (p *Path) overTime(lo, hi float64) panel {
	var kept, cut, above series
	for i := range p.Probes {
		b := &p.Probes[i]
		switch v := float64(b.RTT); {
		case v > hi:
			above.add(b.At, hi)
		case b.Cut:
			cut.add(b.At, v)
		default:
			kept.add(b.At, v)
		}
	}
	t := span{}.cover(&kept, &cut, &above)
	return panel{x: t.axis(), y: plainAxis("RTT", lo, hi), layers: append(present(
		layer{mark: dots, name: "kept", color: fade(blue, 0xb0), xys: t.points(&kept)},
		layer{mark: dots, name: "cut as noise", color: vermillion, xys: t.points(&cut)},
		layer{mark: dots, name: "cut, farther up", color: vermillion, glyph: triangle{}, size: 2.6, xys: t.points(&above)},
	), p.marks(floors, hi)...)}
}
