package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a file format of pictures, and the ending of their names.
type Format string

// The formats.
const (
	PNG  Format = "png"
	SVG  Format = "svg"
	GIF  Format = "gif"  // of animations
	APNG Format = "apng" // of animations
)

// chart is a picture as data.
type chart struct {
	name   string    // of its file, without the ending
	text   string    // what it shows, in a line
	title  string    // what it shows, and of whom
	facts  []string  // below the title
	panels []panel   // one below the other; those that follow each other with one horizontal axis name it once
	bar    *scale    // of tints, at the right; nil: there is none
	tall   vg.Length // height of the panels together; 0: by their number
}

// panel is one pair of axes and what lies between them.
type panel struct {
	x, y   *axis
	layers []layer
}

// Picture is one picture to be written.
type Picture struct {
	Name    string // of its file, without the ending; unique in a report
	Text    string // what it shows, in a line
	chart   *chart
	drawing drawing // instead of a chart
	film    *film   // instead of either
}

// Formats are those that the picture can be written in.
func (p *Picture) Formats() []Format {
	if p.film != nil {
		return []Format{GIF, APNG}
	}
	return []Format{PNG, SVG}
}

// drawing is what can be drawn.
type drawing interface {
	size() (wide, high vg.Length)
	draw(dc draw.Canvas)
}

// Size of pictures in points; at 144 dots an inch a point is two pixels.
const (
	width       = vg.Length(800)
	panelHeight = vg.Length(270)
	headHeight  = vg.Length(70)
	dpi         = 144
)

func (c *chart) size() (wide, high vg.Length) { return width, c.height() }

func (c *chart) height() vg.Length {
	if c.tall > 0 {
		return headHeight + c.tall
	}
	if len(c.panels) == 1 {
		return headHeight + 1.2*panelHeight
	}
	return headHeight + panelHeight*vg.Length(len(c.panels))
}

// Write draws the picture in a format.
func (p *Picture) Write(w io.Writer, f Format) error {
	if !slices.Contains(p.Formats(), f) {
		return fmt.Errorf("report: %s: no format %q", p.Name, f)
	}
	if p.film != nil {
		if err := p.film.write(w, f); err != nil {
			return fmt.Errorf("report: %s.%s: %w", p.Name, f, err)
		}
		return nil
	}
	d := p.drawing
	if d == nil {
		d = p.chart
	}
	wide, high := d.size()
	var out vg.CanvasWriterTo = vgsvg.New(wide, high)
	if f == PNG {
		out = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(dpi))}
	}
	d.draw(draw.New(out))
	var b bytes.Buffer
	_, err := out.WriteTo(&b)
	text := b.Bytes()
	if f == SVG {
		text = sharp(text)
	}
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("report: %s.%s: %w", p.Name, f, err)
	}
	return nil
}

const (
	border  = vg.Length(10)
	barRoom = vg.Length(84)
)

// sharp keeps viewers of SVG from smoothing the pixels of embedded rasters, and gives those the type that they have.
func sharp(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("<image "), []byte(`<image style="image-rendering:pixelated" `))
	return bytes.ReplaceAll(b, []byte("data:image/jpg;"), []byte("data:image/png;"))
}

func (c *chart) draw(dc draw.Canvas) {
	dc.FillPolygon(color.White, []vg.Point{dc.Min, {X: dc.Max.X, Y: dc.Min.Y}, dc.Max, {X: dc.Min.X, Y: dc.Max.Y}})
	dc = draw.Crop(dc, border, -2*border, border, -border)
	body := c.drawHead(dc)
	if c.bar != nil {
		c.bar.draw(draw.Crop(body, body.Max.X-body.Min.X-barRoom+24, 0, 0, 0), barHeight)
		body = draw.Crop(body, 0, -barRoom, 0, 0)
	}
	plots := make([][]*plot.Plot, len(c.panels))
	for i := range c.panels {
		lowest := i == len(c.panels)-1 || c.panels[i+1].x.label != c.panels[i].x.label
		plots[i] = []*plot.Plot{c.panels[i].plot(lowest)}
	}
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: 8}
	for i, row := range plot.Align(plots, tiles, body) {
		plots[i][0].Draw(row[0])
	}
}

// drawHead writes title, facts and legend, and returns what is left below them.
func (c *chart) drawHead(dc draw.Canvas) draw.Canvas {
	dc = heading{c.title, c.facts}.draw(dc)
	return draw.Crop(dc, 0, 0, 0, c.drawLegend(dc, dc.Max.Y)-8-dc.Max.Y)
}

// heading is what stands above a picture.
type heading struct {
	title string
	facts []string
}

// Distances below lines of a heading.
const (
	belowTitle = vg.Length(5)
	belowFact  = vg.Length(3)
	belowHead  = vg.Length(4)
)

// lines are the facts in lines that fit.
func (h heading) lines(wide vg.Length) []string {
	facts := style(textSize, grey)
	return wrap(h.facts, " · ", func(s string) bool { return facts.Width(s) <= wide })
}

// height is what it needs where there is so much width.
func (h heading) height(wide vg.Length) vg.Length {
	high := style(titleSize, black).Height(h.title) + belowTitle + belowHead
	for _, line := range h.lines(wide) {
		high += style(textSize, grey).Height(line) + belowFact
	}
	return high
}

// draw writes it and returns what is left below.
func (h heading) draw(dc draw.Canvas) draw.Canvas {
	title, facts := style(titleSize, black), style(textSize, grey)
	y := dc.Max.Y
	dc.FillText(title, vg.Point{X: dc.Min.X, Y: y}, h.title)
	y -= title.Height(h.title) + belowTitle
	for _, line := range h.lines(dc.Max.X - dc.Min.X) {
		dc.FillText(facts, vg.Point{X: dc.Min.X, Y: y}, line)
		y -= facts.Height(line) + belowFact
	}
	return draw.Crop(dc, 0, 0, 0, y-belowHead-dc.Max.Y)
}

// wrap joins parts to lines that fit.
func wrap(parts []string, separator string, fits func(string) bool) []string {
	var out []string
	for _, p := range parts {
		if n := len(out); n > 0 && fits(out[n-1]+separator+p) {
			out[n-1] += separator + p
		} else {
			out = append(out, p)
		}
	}
	return out
}

// drawLegend writes the names of all layers from left to right, from y down, and returns where it ends.
func (c *chart) drawLegend(dc draw.Canvas, y vg.Length) vg.Length {
	const thumb, gap, after = vg.Length(16), vg.Length(4), vg.Length(14)
	sty := style(textSize, black)
	high := sty.Height("X")
	x := dc.Min.X
	seen := map[string]bool{}
	for i := range c.panels {
		for j := range c.panels[i].layers {
			l := &c.panels[i].layers[j]
			if l.name == "" || seen[l.name] {
				continue
			}
			seen[l.name] = true
			wide := thumb + gap + sty.Width(l.name)
			if x > dc.Min.X && x+wide > dc.Max.X {
				x, y = dc.Min.X, y-high-4
			}
			l.key(draw.Canvas{Canvas: dc.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: y - high}, Max: vg.Point{X: x + thumb, Y: y - 1.5},
			}})
			dc.FillText(sty, vg.Point{X: x + thumb + gap, Y: y}, l.name)
			x += wide + after
		}
	}
	return y - high
}

// plot makes the library's plot; only the lowest panel of those that share a horizontal axis names it.
func (p *panel) plot(lowest bool) *plot.Plot {
	out := plot.New()
	out.BackgroundColor = nil
	setAxis(&out.X, p.x)
	setAxis(&out.Y, p.y)
	if !lowest {
		out.X.Label.Text = ""
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = pale, pale
	out.Add(grid)
	for i := range p.layers {
		out.Add(&p.layers[i])
	}
	return out
}

func setAxis(to *plot.Axis, a *axis) {
	to.Min, to.Max = a.min, a.max
	to.Padding = 0
	to.Color = grey
	to.Label.Text = strings.TrimSpace(a.label)
	label, ticks := style(textSize+0.5, black), style(textSize, black)
	to.Label.TextStyle.Font, to.Label.TextStyle.Color = label.Font, label.Color
	to.Label.Padding = 4
	to.Tick.Label.Font, to.Tick.Label.Color = ticks.Font, ticks.Color
	to.Tick.Color = grey
	to.Tick.Marker = a
	if a.log {
		to.Scale = logScale{}
	}
}

// logScale is logarithmic, with what has no place on it (a row whose median lies below its least value) at its end.
type logScale struct{ plot.LogScale }

// Normalize implements plot.Normalizer.
func (l logScale) Normalize(low, high, x float64) float64 {
	return l.LogScale.Normalize(low, high, max(x, low))
}
