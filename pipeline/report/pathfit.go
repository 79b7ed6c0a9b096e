package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Reading is a value with the limits of its interval, ns.
type Reading struct{ Value, Low, High float64 }

// SlopeFit is RTT floors against the length of the frame.
type SlopeFit struct {
	Floors []SizedFloor
	Lines  []Line // the fit first, then what else it could be
}

// SizedFloor is the floor of one frame size.
type SizedFloor struct {
	Wire int // bytes of the frame
	Reading
}

// Line is ns = At + Slope · x, x in bytes or switches.
type Line struct {
	Name      string
	At, Slope float64
}

// OffsetFit is the target's floor beside those of targets whose switches are known.
type OffsetFit struct {
	Known    []KnownFloor
	Line     *Line // what a switch adds; nil: unknown
	Target   Reading
	Hops     int // told; negative: not
	RunnerUp int // negative: none
}

// KnownFloor is the floor of a target whose switches are known.
type KnownFloor struct {
	Hops int
	Reading
}

// lineStyles tell lines apart.
var lineStyles = []layer{{color: green, size: 1.6}, {color: orange, dash: dashed}, {color: purple, dash: dotted}}

func (f *SlopeFit) panel() panel {
	var points plotter.XYs
	var bars []plotter.XYs
	lo, hi := f.Floors[0].Low, f.Floors[0].High
	least, most := f.Floors[0].Wire, f.Floors[0].Wire
	for i := range f.Floors {
		s := &f.Floors[i]
		x := float64(s.Wire)
		points = append(points, plotter.XY{X: x, Y: s.Value})
		bars = append(bars, plotter.XYs{{X: x, Y: s.Low}, {X: x, Y: s.High}})
		lo, hi, least, most = min(lo, s.Low), max(hi, s.High), min(least, s.Wire), max(most, s.Wire)
	}
	x := wholeAxis("frame (bytes)", float64(least), float64(most))
	y := plainAxis("floor", lo, hi)
	var layers []layer
	for i, line := range f.Lines {
		l := lineStyles[min(i, len(lineStyles)-1)]
		l.mark, l.name, l.runs = lines, line.Name, []plotter.XYs{line.over(x)}
		layers = append(layers, l)
	}
	return panel{x: x, y: y, layers: append(layers,
		layer{mark: lines, color: blue, runs: bars},
		layer{mark: dots, name: "floor of a size", color: blue, size: 3, xys: points})}
}

func (l *Line) over(x *axis) plotter.XYs {
	return plotter.XYs{{X: x.min, Y: l.At + l.Slope*x.min}, {X: x.max, Y: l.At + l.Slope*x.max}}
}

func (f *OffsetFit) panel() panel {
	var points plotter.XYs
	var bars []plotter.XYs
	lo, hi, most := f.Target.Low, f.Target.High, max(f.Hops, f.RunnerUp, 1)
	for i := range f.Known {
		k := &f.Known[i]
		x := float64(k.Hops)
		points = append(points, plotter.XY{X: x, Y: k.Value})
		bars = append(bars, plotter.XYs{{X: x, Y: k.Low}, {X: x, Y: k.High}})
		lo, hi, most = min(lo, k.Low), max(hi, k.High), max(most, k.Hops)
	}
	x := wholeAxis("switches", 0, float64(most))
	y := plainAxis("floor", lo, hi)
	var layers []layer
	if f.Line != nil {
		layers = append(layers, layer{mark: lines, name: f.Line.Name, color: green, size: 1.6, runs: []plotter.XYs{f.Line.over(x)}})
	}
	layers = append(layers,
		layer{mark: areas, color: fade(vermillion, 0x40), runs: []plotter.XYs{{
			{X: x.min, Y: f.Target.Low}, {X: x.max, Y: f.Target.Low}, {X: x.max, Y: f.Target.High}, {X: x.min, Y: f.Target.High}}}},
		layer{mark: floors, name: "floor of the target", color: vermillion, xys: plotter.XYs{{Y: f.Target.Value}}},
		layer{mark: lines, color: blue, runs: bars},
		layer{mark: dots, name: "floor of a reference", color: blue, size: 3, xys: points})
	return panel{x: x, y: y, layers: append(layers, f.told()...)}
}

// told marks the number of switches that was told, and the runner-up.
func (f *OffsetFit) told() []layer {
	at := func(hops int) plotter.XYs {
		if f.Hops < 0 || hops < 0 {
			return nil
		}
		return plotter.XYs{{X: float64(hops), Y: f.Target.Value}}
	}
	return present(
		layer{mark: dots, name: "the target", color: vermillion, glyph: draw.PyramidGlyph{}, size: 4, xys: at(f.Hops)},
		layer{mark: rules, name: "next best number", color: orange, dash: dashed, xys: at(f.RunnerUp)})
}

// wholeAxis is an axis for whole numbers.
func wholeAxis(label string, lo, hi float64) *axis {
	pad := max(0.04*(hi-lo), 0.2)
	return &axis{label: label, min: lo - pad, max: hi + pad, floor: lo - pad, ticks: func(a *axis) []plot.Tick {
		by := max(1, step((hi-lo)/wantTicks))
		var ticks []plot.Tick
		for v := math.Ceil(a.min/by) * by; v <= a.max; v += by {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v+0, 'f', 0, 64)})
		}
		return ticks
	}}
}

// plainAxis is a vertical axis for durations that is never logarithmic: what is a line stays one.
func plainAxis(name string, lo, hi float64) *axis {
	pad := max((hi-lo)*margin, 1)
	a := &axis{min: lo - pad, max: hi + pad, floor: lo - pad, ticks: linearTicks}
	a.label = name + " (" + unitFor(a.max).name + ")"
	return a
}
