package report

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/png"
	"io"
	"time"
)

// writeGIF writes an animated GIF that starts over for ever.
func (f *film) writeGIF(w io.Writer) error {
	out := gif.GIF{}
	err := f.shoot(func(s shot) error {
		if len(out.Image) == 0 {
			out.Config = image.Config{ColorModel: f.palette, Width: s.image.Rect.Dx(), Height: s.image.Rect.Dy()}
		}
		out.Image = append(out.Image, packed(s.image))
		out.Delay = append(out.Delay, int(s.delay/(10*time.Millisecond)))
		out.Disposal = append(out.Disposal, gif.DisposalNone)
		return nil
	})
	if err != nil {
		return err
	}
	return gif.EncodeAll(w, &out)
}

// packed copies the part of a picture, so that the whole can go.
func packed(part *image.Paletted) *image.Paletted {
	out := image.NewPaletted(part.Rect, part.Palette)
	for y := range out.Rect.Dy() {
		copy(out.Pix[y*out.Stride:(y+1)*out.Stride], part.Pix[y*part.Stride:])
	}
	return out
}

// APNG is PNG with three more kinds of chunk: acTL says how many frames there are, fcTL where and for how long each is
// shown, and fdAT holds what IDAT does in the first (PNG Specification, third edition, W3C 2025, 11.3.6).
const (
	pngMagic   = "\x89PNG\r\n\x1a\n"
	disposeNo  = 0 // a frame stays
	blendOver  = 1 // the next one goes over it
	chunkExtra = 12
)

// apng writes chunks and numbers those of the animation.
type apng struct {
	w   *bufio.Writer
	seq uint32
	err error
}

func (a *apng) chunk(kind string, data []byte) {
	var head, foot [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(data)))
	sum := crc32.NewIEEE()
	sum.Write([]byte(kind))
	sum.Write(data)
	binary.BigEndian.PutUint32(foot[:], sum.Sum32())
	for _, b := range [][]byte{head[:], []byte(kind), data, foot[:]} {
		if a.err == nil {
			_, a.err = a.w.Write(b)
		}
	}
}

func (a *apng) number() []byte {
	a.seq++
	return binary.BigEndian.AppendUint32(nil, a.seq-1)
}

// control writes the fcTL of a frame.
func (a *apng) control(s shot) {
	b := a.number()
	for _, v := range []int{s.image.Rect.Dx(), s.image.Rect.Dy(), s.image.Rect.Min.X, s.image.Rect.Min.Y} {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(s.delay.Milliseconds()))
	b = binary.BigEndian.AppendUint16(b, 1000)
	a.chunk("fcTL", append(b, disposeNo, blendOver))
}

// writeAPNG writes an animated PNG that starts over for ever. What knows only PNG shows its first frame.
func (f *film) writeAPNG(w io.Writer) error {
	a := &apng{w: bufio.NewWriter(w)}
	_, a.err = a.w.WriteString(pngMagic)
	first := true
	err := f.shoot(func(s shot) error {
		var b bytes.Buffer
		if err := png.Encode(&b, s.image); err != nil {
			return err
		}
		if first {
			a.first(s, b.Bytes(), len(f.frames))
		} else {
			a.next(s, b.Bytes())
		}
		first = false
		return a.err
	})
	if err != nil {
		return err
	}
	a.chunk("IEND", nil)
	if a.err != nil {
		return a.err
	}
	return a.w.Flush()
}

// first writes the frame that plain PNG has, too, with acTL and fcTL before its data.
func (a *apng) first(s shot, file []byte, frames int) {
	begun := false
	for kind, data := range chunks(file) {
		switch kind {
		case "IEND":
			continue
		case "IDAT":
			if !begun {
				a.control(s)
			}
			begun = true
		}
		a.chunk(kind, data)
		if kind == "IHDR" {
			b := binary.BigEndian.AppendUint32(nil, uint32(frames))
			a.chunk("acTL", binary.BigEndian.AppendUint32(b, 0))
		}
	}
}

func (a *apng) next(s shot, file []byte) {
	a.control(s)
	for kind, data := range chunks(file) {
		if kind == "IDAT" {
			a.chunk("fdAT", append(a.number(), data...))
		}
	}
}

// chunks goes through those of a PNG that was just encoded.
func chunks(file []byte) func(yield func(kind string, data []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for b := file[len(pngMagic):]; len(b) >= chunkExtra; {
			n := int(binary.BigEndian.Uint32(b))
			if !yield(string(b[4:8]), b[8:8+n]) {
				return
			}
			b = b[chunkExtra+n:]
		}
	}
}
