package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mark is how a layer is drawn.
type mark uint8

const (
	dots   mark = iota // xys, one glyph each
	lines              // runs, a line each
	areas              // runs, a filled polygon each
	rules              // xys, a vertical line at each x
	floors             // xys, a horizontal line at each y
)

// layer is one kind of thing in a panel. A layer without a name is not in the legend.
type layer struct {
	mark  mark
	name  string
	color color.NRGBA
	glyph draw.GlyphDrawer
	size  vg.Length // of glyphs: radius; of lines: width
	dash  []vg.Length
	xys   plotter.XYs
	runs  []plotter.XYs
	tints []color.NRGBA // of areas, one a run, instead of color
}

// present keeps the layers that have something to show.
func present(all ...layer) []layer {
	var some []layer
	for _, l := range all {
		if len(l.xys)+len(l.runs) > 0 {
			some = append(some, l)
		}
	}
	return some
}

// points puts a series into a chart's coordinates.
func (t span) points(s *series) plotter.XYs {
	var xys plotter.XYs
	for _, p := range s.samples() {
		xys = append(xys, plotter.XY{X: t.x(p.at), Y: p.v})
	}
	return xys
}

// middles are the points of a series in the middle of their periods.
func (t span) middles(s *series, step int64) plotter.XYs {
	xys := t.points(s)
	for i := range xys {
		xys[i].X += float64(periodOf(step)) / 2e9
	}
	return xys
}

// level puts points at one height.
func level(xys plotter.XYs, y float64) plotter.XYs {
	for i := range xys {
		xys[i].Y = y
	}
	return xys
}

// steps are lines on which each value holds until the next, the last of a run for one period.
func (t span) steps(s *series) []plotter.XYs {
	period := periodOf(s.step)
	var out []plotter.XYs
	for _, run := range s.runs() {
		var xys plotter.XYs
		for i, p := range run {
			end := p.at + period
			if i+1 < len(run) {
				end = run[i+1].at
			}
			xys = append(xys, plotter.XY{X: t.x(p.at), Y: p.v}, plotter.XY{X: t.x(end), Y: p.v})
		}
		out = append(out, xys)
	}
	return out
}

// band is the area between the steps of two series that have the same times.
func (t span) band(low, high *series) []plotter.XYs {
	lower, upper := t.steps(low), t.steps(high)
	var out []plotter.XYs
	for i := range min(len(lower), len(upper)) {
		polygon := append(plotter.XYs{}, upper[i]...)
		for j := len(lower[i]) - 1; j >= 0; j-- {
			polygon = append(polygon, lower[i][j])
		}
		out = append(out, polygon)
	}
	return out
}

// Plot implements plot.Plotter.
func (l *layer) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	switch l.mark {
	case dots:
		for _, xy := range l.xys {
			c.DrawGlyph(l.glyphStyle(), vg.Point{X: x(xy.X), Y: y(xy.Y)})
		}
	case rules:
		for _, xy := range l.xys {
			c.StrokeLines(l.lineStyle(), []vg.Point{{X: x(xy.X), Y: c.Min.Y}, {X: x(xy.X), Y: c.Max.Y}})
		}
	case floors:
		for _, xy := range l.xys {
			c.StrokeLines(l.lineStyle(), []vg.Point{{X: c.Min.X, Y: y(xy.Y)}, {X: c.Max.X, Y: y(xy.Y)}})
		}
	default:
		for i, run := range l.runs {
			l.plotRun(&c, i, run, x, y)
		}
	}
}

func (l *layer) plotRun(c *draw.Canvas, i int, run plotter.XYs, x, y func(float64) vg.Length) {
	points := make([]vg.Point, len(run))
	for j, xy := range run {
		points[j] = vg.Point{X: x(xy.X), Y: y(xy.Y)}
	}
	if l.mark == areas {
		fill := l.color
		if l.tints != nil {
			fill = l.tints[i]
		}
		c.FillPolygon(fill, c.ClipPolygonXY(points))
	} else {
		c.StrokeLines(l.lineStyle(), c.ClipLinesXY(points)...)
	}
}

func (l *layer) glyphStyle() draw.GlyphStyle {
	g := draw.GlyphStyle{Color: l.color, Radius: l.size, Shape: l.glyph}
	if g.Shape == nil {
		g.Shape = draw.CircleGlyph{}
	}
	if g.Radius == 0 {
		g.Radius = 1.6
	}
	return g
}

func (l *layer) lineStyle() draw.LineStyle {
	s := draw.LineStyle{Color: l.color, Width: l.size, Dashes: l.dash}
	if s.Width == 0 {
		s.Width = 1.1
	}
	return s
}

// key draws what the legend shows of the layer into c.
func (l *layer) key(c draw.Canvas) {
	middle := c.Center()
	switch l.mark {
	case dots:
		g := l.glyphStyle()
		g.Radius = max(g.Radius, 2.2)
		c.DrawGlyphNoClip(g, middle)
	case rules:
		c.StrokeLines(l.lineStyle(), []vg.Point{{X: middle.X, Y: c.Min.Y}, {X: middle.X, Y: c.Max.Y}})
	case areas:
		c.FillPolygon(l.color, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	default:
		c.StrokeLines(l.lineStyle(), []vg.Point{{X: c.Min.X, Y: middle.Y}, {X: c.Max.X, Y: middle.Y}})
	}
}

// triangle is a filled triangle that points up, or down.
type triangle struct{ down bool }

// DrawGlyph implements draw.GlyphDrawer.
func (t triangle) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	tip := s.Radius
	if t.down {
		tip = -tip
	}
	wide := s.Radius * vg.Length(math.Sqrt(3)/2)
	c.FillPolygon(s.Color, []vg.Point{
		{X: at.X, Y: at.Y + tip}, {X: at.X - wide, Y: at.Y - tip/2}, {X: at.X + wide, Y: at.Y - tip/2},
	})
}

// pointer is a filled triangle that points to the right.
type pointer struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (pointer) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	high := s.Radius
	c.FillPolygon(s.Color, []vg.Point{{X: at.X, Y: at.Y + high}, {X: at.X, Y: at.Y - high}, {X: at.X + 1.4*s.Radius, Y: at.Y}})
}
