package report

import (
	"fmt"
	"image"
	"image/color"
	imagedraw "image/draw"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of a map.
const (
	mapWidth    = vg.Length(640) // at most, but larger networks have a pixel a cell
	cellMost    = vg.Length(80)
	legendWidth = vg.Length(126) // beside it
	legendLeast = vg.Length(372) // height of bar, names and a clock
	mapGap      = vg.Length(14)  // between map and legend
	barHeight   = vg.Length(170)
)

// pixel is the size of one in points.
func (m *netMap) pixel() vg.Length { return vg.Inch / vg.Length(m.dpi) }

// cellSize is the side of a cell: whole pixels, so that all are alike.
func (m *netMap) cellSize() vg.Length {
	wide, _ := m.curve.size()
	return max(1, vg.Length(int(min(mapWidth/vg.Length(wide), cellMost)/m.pixel()))) * m.pixel()
}

// extent is the size of the map itself.
func (m *netMap) extent() (wide, high vg.Length) {
	x, y := m.curve.size()
	return vg.Length(x) * m.cellSize(), vg.Length(y) * m.cellSize()
}

func (m *netMap) heading() heading {
	return heading{title: "RTT map  " + m.network.Name, facts: m.facts}
}

// size implements drawing.
func (m *netMap) size() (wide, high vg.Length) {
	wide, high = m.extent()
	wide = max(width, wide+mapGap+legendWidth+2*border)
	return wide, m.heading().height(wide-2*border) + max(high, legendLeast) + 2*border
}

// draw implements drawing.
func (m *netMap) draw(dc draw.Canvas) {
	at := m.frame(dc)
	counts, _ := m.counts()
	m.legend(dc, at, counts)
	raster(dc, at, m.image())
	m.overlay(dc, at)
}

// frame draws what is around the map, and returns where the map goes.
func (m *netMap) frame(dc draw.Canvas) vg.Rectangle {
	dc.FillPolygon(color.White, box(dc.Min.X, dc.Min.Y, dc.Max.X, dc.Max.Y))
	body := m.heading().draw(draw.Crop(dc, border, -border, border, -border))
	wide, high := m.extent()
	whole := func(v vg.Length) vg.Length { return vg.Length(int(v/m.pixel())) * m.pixel() }
	left, top := whole(body.Min.X), dc.Max.Y-whole(dc.Max.Y-body.Max.Y)
	return vg.Rectangle{Min: vg.Point{X: left, Y: top - high}, Max: vg.Point{X: left + wide, Y: top}}
}

// image is the map, a pixel a cell.
func (m *netMap) image() *image.Paletted {
	wide, high := m.curve.size()
	img := image.NewPaletted(image.Rect(0, 0, wide, high), answerPalette())
	for i := range m.cells {
		x, y := m.curve.cell(i)
		img.Pix[y*img.Stride+x] = m.color(i)
	}
	return img
}

// color is the place of a cell's colour in the palette; what lies behind the end of a list is as white as the paper.
func (m *netMap) color(cell int) uint8 {
	if m.region(cell) == beyond {
		return silentColor
	}
	return m.scale.color(m.cells[cell])
}

// overlay draws outlines and names over the map.
func (m *netMap) overlay(dc draw.Canvas, at vg.Rectangle) {
	cell := m.cellSize()
	place := func(p image.Point) vg.Point {
		return vg.Point{X: at.Min.X + vg.Length(p.X)*cell, Y: at.Max.Y - vg.Length(p.Y)*cell}
	}
	thin := draw.LineStyle{Color: fade(grey, 0x90), Width: 0.5}
	for _, l := range m.outlines() {
		dc.StrokeLines(thin, []vg.Point{place(l.from), place(l.to)})
	}
	text := style(labelSize, black)
	for _, l := range m.labels {
		p := place(l.at.Min)
		dc.FillPolygon(fade(white, 0xc4), box(p.X+1.5, p.Y-2, p.X+text.Width(l.text)+4, p.Y-text.Height(l.text)-4))
		dc.FillText(text, vg.Point{X: p.X + 2.5, Y: p.Y - 2.5}, l.text)
	}
}

// legendNames are the answers without an RTT, as a legend has them.
var legendNames = []struct {
	answer Answer
	name   string
}{{Silent, "silent"}, {Late, "late"}, {ICMPError, "ICMP error"}, {Untimed, "answered, no RTT"}, {NotProbed, "not probed, no row"}}

// legend draws the scale and the answers that have no RTT, with their numbers if there are any, and returns where it ends.
func (m *netMap) legend(dc draw.Canvas, at vg.Rectangle, counts map[Answer]int) vg.Length {
	dc = draw.Crop(dc, at.Max.X+mapGap-dc.Min.X, 0, 0, at.Max.Y-dc.Max.Y)
	y := m.scale.draw(dc, barHeight)
	if !m.scale.empty {
		y -= 14
	}
	text, number := style(textSize, black), style(textSize, grey)
	for _, l := range legendNames {
		if l.answer == Untimed && counts[Untimed] == 0 {
			continue
		}
		thumb := box(dc.Min.X, y-9, dc.Min.X+barWidth, y)
		dc.FillPolygon(answerPalette()[m.scale.color(l.answer)], thumb)
		dc.StrokeLines(draw.LineStyle{Color: grey, Width: 0.5}, append(thumb, thumb[0]))
		x := dc.Min.X + barWidth + 6
		dc.FillText(text, vg.Point{X: x, Y: y}, l.name)
		if counts != nil {
			dc.FillText(number, vg.Point{X: x, Y: y - 11}, thousands(int64(counts[l.answer])))
			y -= 11
		}
		y -= 16
	}
	return y
}

var white = color.NRGBA{0xff, 0xff, 0xff, 0xff}

// raster draws img so that each of its pixels is a sharp square. Where dc is made of pixels it is copied there, at could
// the library only smooth it; else it is embedded.
func raster(dc draw.Canvas, at vg.Rectangle, img *image.Paletted) {
	pixels, ok := dc.Canvas.(interface {
		Image() imagedraw.Image
		DPI() float64
	})
	if !ok {
		dc.DrawImage(at, img)
		return
	}
	to := pixels.Image()
	size := img.Bounds().Size()
	scale := int(at.Size().X.Dots(pixels.DPI())/float64(size.X) + 0.5)
	left, top := int(at.Min.X.Dots(pixels.DPI())+0.5), to.Bounds().Dy()-int(at.Max.Y.Dots(pixels.DPI())+0.5)
	for y := range size.Y {
		for x := range size.X {
			c := image.NewUniform(img.Palette[img.Pix[y*img.Stride+x]])
			imagedraw.Draw(to, image.Rect(left+x*scale, top+y*scale, left+(x+1)*scale, top+(y+1)*scale), c, image.Point{}, imagedraw.Src)
		}
	}
}

// mapPicture is the map of a network; ok is false where there is nothing to be seen.
func mapPicture(n *Network, top float64) (p Picture, ok bool) {
	m := latestMap(n, top)
	if m == nil {
		return p, false
	}
	counts, rtts := m.counts()
	return Picture{Name: n.file("map"), drawing: m,
		Text: fmt.Sprintf("RTT map of %s: %s answer", n.Name, share(answering(counts, rtts)))}, true
}
