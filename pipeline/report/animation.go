package report

import (
	"fmt"
	"image"
	"image/color"
	imagedraw "image/draw"
	"io"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// film is a map of a network over its sweeps: a picture for each, of which all but the first hold only what changed.
type film struct {
	m       *netMap
	frames  []*Frame
	palette color.Palette
	nearest map[color.NRGBA]uint8
	place   image.Rectangle // of the map in the picture
	cell    int             // pixels
	over    []uint8         // of each pixel of the map: which of blends lies over it; 0: none
	blends  [][]uint8       // by colour of the cell: the colour under that piece of overlay
	clock   image.Rectangle // of what is written anew for each frame
}

const (
	filmDPI     = 96
	filmFrames  = 300
	seeThrough  = 255 // place in the palette of what shows the frame before
	clockHeight = vg.Length(66)
)

// newFilm makes a film of a network; nil where there are not two frames.
func newFilm(n *Network, top float64) *film {
	m := newMap(n)
	if m == nil || len(n.Frames) < 2 {
		return nil
	}
	m.dpi = filmDPI
	f := &film{m: m, frames: thinned(n.Frames, filmFrames), nearest: map[color.NRGBA]uint8{}, palette: filmPalette()}
	var rtts spread
	for _, frame := range f.frames {
		for _, a := range frame.answers {
			if ns, ok := a.RTT(); ok {
				rtts.add(int64(ns))
			}
		}
	}
	m.scale = scaleOf(&rtts, top)
	m.facts = append(n.place(), fmt.Sprintf("%s of %s, %s to %s", counted(int64(len(f.frames)), "frame", "frames"),
		n.sweeps(), stamp(n.From), stamp(n.To)))
	m.facts = append(append(m.facts, rttWords(&rtts)...), m.order())
	m.outline()
	return f
}

// thinned takes every second, third … frame, so that there are at most so many.
func thinned(all []*Frame, most int) (some []*Frame) {
	every := (len(all) + most - 1) / most
	for i := 0; i < len(all); i += every {
		some = append(some, all[i])
	}
	return some
}

// sweeps says how many there were.
func (n *Network) sweeps() string {
	if n.Window != "" {
		return counted(int64(n.Sweeps), "window", "windows") + " of " + n.Window
	}
	return counted(int64(n.Sweeps), "sweep", "sweeps")
}

// filmPalette is that of maps, with greys for text, and with the colours under names and lines.
func filmPalette() color.Palette {
	p := answerPalette()
	for i := range 28 {
		v := uint8(0x22 + i*(0xff-0x22)/27)
		p = append(p, color.NRGBA{v, v, v, 0xff})
	}
	for i := range 32 {
		c := shade(float64(i) / 31)
		p = append(p, mix(c, white, 0.77), mix(c, grey, 0.56))
	}
	for len(p) < seeThrough {
		p = append(p, black)
	}
	return append(p, color.NRGBA{})
}

// mix puts part of b over a.
func mix(a, b color.NRGBA, part float64) color.NRGBA {
	of := func(x, y uint8) uint8 { return uint8(float64(x) + part*(float64(y)-float64(x)) + 0.5) }
	return color.NRGBA{of(a.R, b.R), of(a.G, b.G), of(a.B, b.B), 0xff}
}

// index is the nearest colour of the palette.
func (f *film) index(c color.NRGBA) uint8 {
	i, ok := f.nearest[c]
	if !ok {
		i = uint8(f.palette[:seeThrough].Index(c))
		f.nearest[c] = i
	}
	return i
}

// shot is one frame of a film: what changed, and for how long it is shown.
type shot struct {
	image *image.Paletted
	delay time.Duration
}

// shoot hands all shots to take, one at a time.
func (f *film) shoot(take func(shot) error) error {
	whole := f.stage()
	old := make([]uint8, len(f.m.cells))
	for i, frame := range f.frames {
		f.m.fill(frame.Answer)
		next := image.NewPaletted(whole.Rect, f.palette)
		if i == 0 {
			copy(next.Pix, whole.Pix)
		} else {
			for j := range next.Pix {
				next.Pix[j] = seeThrough
			}
		}
		changed := f.clock
		for j := range f.m.cells {
			if c := f.m.color(j); i == 0 || c != old[j] {
				changed = changed.Union(f.paint(next, j, c))
				old[j] = c
			}
		}
		f.tell(next, i)
		if i == 0 {
			changed = whole.Rect
		}
		if err := take(shot{next.SubImage(changed).(*image.Paletted), f.delay(i)}); err != nil {
			return err
		}
	}
	return nil
}

// delay is how long frame i is shown: some 16 s for all, and the last one for a while.
func (f *film) delay(i int) time.Duration {
	if i == len(f.frames)-1 {
		return 2 * time.Second
	}
	return min(max(16*time.Second/time.Duration(len(f.frames)), 60*time.Millisecond), 500*time.Millisecond).Truncate(10 * time.Millisecond)
}

// stage draws all that stays, and takes note of what lies over cells.
func (f *film) stage() *image.Paletted {
	wide, high := f.m.size()
	canvas := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(filmDPI))
	dc := draw.New(canvas)
	at := f.m.frame(dc)
	end := f.m.legend(dc, at, nil)
	size := canvas.Image().Bounds().Size()
	dots := func(v vg.Length) int { return int(v.Dots(filmDPI) + 0.5) }
	left := dots(at.Max.X + mapGap)
	f.clock = image.Rect(left, size.Y-dots(end-6), min(left+dots(legendWidth), size.X), size.Y-dots(end-6-clockHeight))
	f.cell = dots(f.m.cellSize())
	x, y := f.m.curve.size()
	corner := image.Pt(dots(at.Min.X), size.Y-dots(at.Max.Y))
	f.place = image.Rectangle{corner, corner.Add(image.Pt(x*f.cell, y*f.cell))}

	above := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(filmDPI), vgimg.UseBackgroundColor(color.Transparent))
	f.m.overlay(draw.New(above), at)
	f.overlay(above.Image())
	imagedraw.Draw(canvas.Image(), canvas.Image().Bounds(), above.Image(), image.Point{}, imagedraw.Over)
	return f.convert(canvas.Image())
}

// convert brings a picture into the palette.
func (f *film) convert(img image.Image) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), f.palette)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			out.Pix[y*out.Stride+x] = f.index(color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0xff})
		}
	}
	return out
}

// overlay works out what each colour of the map becomes under each piece of names and lines. Colours of pieces are
// rounded to eight greys and sixteen grades of cover, so that there are at most 128.
func (f *film) overlay(img image.Image) {
	f.over = make([]uint8, f.place.Dx()*f.place.Dy())
	f.blends = [][]uint8{nil}
	known := map[color.NRGBA]uint8{}
	for y := range f.place.Dy() {
		for x := range f.place.Dx() {
			c := color.NRGBAModel.Convert(img.At(f.place.Min.X+x, f.place.Min.Y+y)).(color.NRGBA)
			if c.A < 16 {
				continue
			}
			tone := uint8(int(c.R>>5) * 0xff / 7) // all of it is some grey
			piece := color.NRGBA{tone, tone, tone, c.A | 15}
			i, ok := known[piece]
			if !ok {
				i = uint8(len(f.blends))
				known[piece] = i
				f.blends = append(f.blends, f.blend(piece))
			}
			f.over[y*f.place.Dx()+x] = i
		}
	}
}

func (f *film) blend(piece color.NRGBA) []uint8 {
	all := make([]uint8, firstShade+shades)
	for i := range all {
		all[i] = f.index(mix(f.palette[i].(color.NRGBA), piece, float64(piece.A)/0xff))
	}
	return all
}

// paint gives a cell its colour, and returns where it lies.
func (f *film) paint(img *image.Paletted, cell int, c uint8) image.Rectangle {
	x, y := f.m.curve.cell(cell)
	at := image.Rect(x*f.cell, y*f.cell, (x+1)*f.cell, (y+1)*f.cell)
	for y := at.Min.Y; y < at.Max.Y; y++ {
		over := f.over[y*f.place.Dx()+at.Min.X : y*f.place.Dx()+at.Max.X]
		out := img.Pix[img.PixOffset(f.place.Min.X+at.Min.X, f.place.Min.Y+y):]
		for i, o := range over {
			if o == 0 {
				out[i] = c
			} else {
				out[i] = f.blends[o][c]
			}
		}
	}
	return at.Add(f.place.Min)
}

// tell writes the time of frame i, how many answer in it, and how far the film has come.
func (f *film) tell(img *image.Paletted, i int) {
	size := f.clock.Size()
	canvas := vgimg.NewWith(vgimg.UseWH(vg.Length(size.X)*f.m.pixel(), vg.Length(size.Y)*f.m.pixel()), vgimg.UseDPI(filmDPI))
	dc := draw.New(canvas)
	counts, rtts := f.m.counts()
	answered, probed := answering(counts, rtts)
	at := time.Unix(0, f.frames[i].Time).UTC()
	y := dc.Max.Y
	for _, l := range []struct {
		size vg.Length
		text string
	}{
		{textSize, at.Format(time.DateOnly)}, {titleSize, at.Format("15:04:05 UTC")},
		{textSize, fmt.Sprintf("%s answer (%s)", thousands(int64(answered)), percent(float64(answered)/float64(max(1, probed))))},
	} {
		text := style(l.size, black)
		dc.FillText(text, vg.Point{X: dc.Min.X, Y: y}, l.text)
		y -= text.Height(l.text) + 5
	}
	wide := dc.Max.X - dc.Min.X - 10
	dc.FillPolygon(pale, box(dc.Min.X, y-4, dc.Min.X+wide, y))
	dc.FillPolygon(blue, box(dc.Min.X, y-4, dc.Min.X+wide*vg.Length(i+1)/vg.Length(len(f.frames)), y))
	part := f.convert(canvas.Image())
	for row := range min(size.Y, part.Rect.Dy()) {
		copy(img.Pix[img.PixOffset(f.clock.Min.X, f.clock.Min.Y+row):], part.Pix[row*part.Stride:row*part.Stride+min(size.X, part.Rect.Dx())])
	}
}

// write encodes the film.
func (f *film) write(w io.Writer, format Format) error {
	if format == APNG {
		return f.writeAPNG(w)
	}
	return f.writeGIF(w)
}

// animationPicture is the film of a network; ok is false where there are not two sweeps.
func animationPicture(n *Network, top float64) (p Picture, ok bool) {
	f := newFilm(n, top)
	if f == nil {
		return p, false
	}
	return Picture{Name: n.file("animation"), film: f, Text: fmt.Sprintf("RTT map of %s over %s: %s", n.Name, n.sweeps(),
		counted(int64(len(f.frames)), "frame", "frames"))}, true
}
