package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// viridis are eleven even stops of the palette of that name: its lightness grows evenly with the value, for colour-blind
// people, too (S. van der Walt, N. Smith, BIDS 2015, CC0; stops as viridisLite's viridis(11) has them).
var viridis = []color.NRGBA{
	{0x44, 0x01, 0x54, 0xff}, {0x48, 0x25, 0x76, 0xff}, {0x41, 0x44, 0x87, 0xff}, {0x35, 0x60, 0x8d, 0xff},
	{0x2a, 0x78, 0x8e, 0xff}, {0x21, 0x90, 0x8c, 0xff}, {0x22, 0xa8, 0x84, 0xff}, {0x43, 0xbf, 0x71, 0xff},
	{0x7a, 0xd1, 0x51, 0xff}, {0xbb, 0xdf, 0x27, 0xff}, {0xfd, 0xe7, 0x25, 0xff},
}

// shade is the palette's colour at 0 <= part <= 1.
func shade(part float64) color.NRGBA {
	at := min(max(part, 0), 1) * float64(len(viridis)-1)
	i := min(int(at), len(viridis)-2)
	a, b, f := viridis[i], viridis[i+1], at-float64(i)
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + f*(float64(y)-float64(x)))) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// Places in the palette of maps: answers without an RTT, then steps of the scale.
const (
	silentColor = iota
	notProbedColor
	lateColor
	icmpErrorColor
	untimedColor
	firstShade
	shades = 128
)

// answerPalette is the palette of maps.
func answerPalette() color.Palette {
	p := color.Palette{silentColor: color.NRGBA{0xff, 0xff, 0xff, 0xff}, notProbedColor: pale,
		lateColor: vermillion, icmpErrorColor: purple, untimedColor: color.NRGBA{0x90, 0x90, 0x90, 0xff}}
	for i := range shades {
		p = append(p, shade(float64(i)/(shades-1)))
	}
	return p
}

// scale says which colour an RTT has.
type scale struct {
	axis
	below, above bool // some values lie outside and have the colours of the ends
	empty        bool // there are no values
}

// scaleOf spans the RTTs of s from the first to the 99th hundredth, so that a few far ones do not squeeze all others into
// one colour; up to top ns if that is given. It is logarithmic where they differ widely.
func scaleOf(s *spread, top float64) *scale {
	if s.n == 0 {
		return &scale{empty: true}
	}
	lo, hi := roundTo(s.at(0.01), math.Floor), roundTo(s.at(0.99), math.Ceil)
	if top > 0 {
		hi = top
	}
	lo = min(lo, 0.9*hi)
	c := &scale{axis: axis{log: lo > 0 && hi/lo >= logFrom, ticks: linearTicks}}
	switch {
	case c.log:
		c.ticks = logTicks
	case lo < hi/4:
		lo = 0
	}
	c.min, c.max, c.floor = lo, hi, lo
	c.below, c.above = float64(s.low) < lo, float64(s.high) > hi
	c.label = "RTT (" + unitFor(hi).name + ")"
	return c
}

// roundTo rounds to two significant digits.
func roundTo(v float64, round func(float64) float64) float64 {
	if v <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return round(v/unit) * unit
}

// part is where on the scale a value lies, 0 to 1.
func (c *scale) part(v float64) float64 {
	if c.log {
		return min(max(math.Log(v/c.min)/math.Log(c.max/c.min), 0), 1)
	}
	return min(max((v-c.min)/(c.max-c.min), 0), 1)
}

// color is the place of an answer's colour in the palette of maps.
func (c *scale) color(a Answer) uint8 {
	if ns, ok := a.RTT(); ok {
		return firstShade + uint8(math.Round(c.part(ns)*(shades-1)))
	}
	return map[Answer]uint8{Silent: silentColor, NotProbed: notProbedColor, Late: lateColor, ICMPError: icmpErrorColor, Untimed: untimedColor}[a]
}

// Sizes of a bar.
const (
	barWidth = vg.Length(14)
	barTip   = vg.Length(8) // the points at its ends, where values lie outside
)

// draw draws the scale as an upright bar from the top left of dc down, its ticks at the right, and returns where it ends.
func (c *scale) draw(dc draw.Canvas, high vg.Length) vg.Length {
	if c.empty {
		return dc.Max.Y
	}
	name, ticks := style(textSize+0.5, black), style(textSize, black)
	dc.FillText(name, vg.Point{X: dc.Min.X, Y: dc.Max.Y}, c.label)
	left, right := dc.Min.X, dc.Min.X+barWidth
	top := dc.Max.Y - name.Height(c.label) - 6 - barTip
	y := func(part float64) vg.Length { return top - high + vg.Length(part)*high }
	for i := range shades {
		dc.FillPolygon(shade(float64(i)/(shades-1)), box(left, y(float64(i)/shades), right, y(min(1, (float64(i)+1.3)/shades))))
	}
	if c.above {
		dc.FillPolygon(shade(1), []vg.Point{{X: left, Y: top}, {X: right, Y: top}, {X: (left + right) / 2, Y: top + barTip}})
	}
	if c.below {
		dc.FillPolygon(shade(0), []vg.Point{{X: left, Y: y(0)}, {X: right, Y: y(0)}, {X: (left + right) / 2, Y: y(0) - barTip}})
	}
	for _, t := range c.ticks(&c.axis) {
		at := y(c.part(t.Value))
		long := vg.Length(2)
		if t.Label != "" {
			long = 4
			ticks.YAlign = -0.5
			dc.FillText(ticks, vg.Point{X: right + 7, Y: at}, t.Label)
		}
		dc.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.6}, right, at, right+long, at)
	}
	return y(0) - barTip
}

// box is a rectangle as a polygon.
func box(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// percent writes a part of one: "17.2 %".
func percent(part float64) string {
	digits := 1
	if part > 0 && part < 0.001 || part < 1 && part > 0.999 {
		digits = 3
	}
	return strconv.FormatFloat(100*part, 'f', digits, 64) + " %"
}

// share writes how many of all, and which part: "705 of 4,096 (17.2 %)".
func share(n, of int) string {
	return fmt.Sprintf("%s of %s (%s)", thousands(int64(n)), thousands(int64(of)), percent(float64(n)/float64(max(of, 1))))
}
