package report

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/png"
	"net/netip"
	"testing"
	"time"
)

var brief = worldConfig{network: netip.MustParsePrefix("198.18.16.0/21"), sweeps: 12, interval: 4 * time.Hour, seed: 3}

// TestFramesAddUp: what frames change, one over the other, is each sweep as it would be drawn by itself.
func TestFramesAddUp(t *testing.T) {
	n := brief.collected(t, CollectionConfig{}).Networks[0]
	f, alone := newFilm(n, 0), newFilm(n, 0)
	alone.stage()
	var sum *image.Paletted
	shots := 0
	err := f.shoot(func(s shot) error {
		if sum == nil {
			sum = packed(s.image)
		}
		for y := s.image.Rect.Min.Y; y < s.image.Rect.Max.Y; y++ {
			for x := s.image.Rect.Min.X; x < s.image.Rect.Max.X; x++ {
				if c := s.image.ColorIndexAt(x, y); c != seeThrough {
					sum.SetColorIndex(x, y, c)
				}
			}
		}
		one := image.NewPaletted(sum.Rect, f.palette)
		alone.m.fill(f.frames[shots].Answer)
		for i, a := range alone.m.cells {
			alone.paint(one, i, f.m.scale.color(a))
		}
		inside := f.place
		for y := inside.Min.Y; y < inside.Max.Y; y++ {
			for x := inside.Min.X; x < inside.Max.X; x++ {
				if sum.ColorIndexAt(x, y) != one.ColorIndexAt(x, y) {
					t.Fatalf("frame %d differs at %d,%d", shots, x, y)
				}
			}
		}
		shots++
		return nil
	})
	if err != nil || shots != brief.sweeps {
		t.Errorf("%d frames, %v", shots, err)
	}
}

func TestGIF(t *testing.T) {
	p, ok := animationPicture(brief.collected(t, CollectionConfig{}).Networks[0], 0)
	var b bytes.Buffer
	if err := p.Write(&b, GIF); err != nil || !ok {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != brief.sweeps || g.LoopCount != 0 || g.Delay[0] != 50 || g.Delay[brief.sweeps-1] != 200 {
		t.Errorf("%d frames, loops %d, delays %v", len(g.Image), g.LoopCount, g.Delay)
	}
}

// TestAPNG: chunks, their order and numbers are as the specification wants them, and every frame is a PNG.
func TestAPNG(t *testing.T) {
	p, _ := animationPicture(brief.collected(t, CollectionConfig{}).Networks[0], 0)
	var b bytes.Buffer
	if err := p.Write(&b, APNG); err != nil {
		t.Fatal(err)
	}
	first, err := png.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var head, palette []byte
	var controls, seq uint32
	frames := map[uint32]*bytes.Buffer{}
	for kind, data := range chunks(b.Bytes()) {
		number := func() {
			if got := binary.BigEndian.Uint32(data); got != seq {
				t.Errorf("%s has number %d, want %d", kind, got, seq)
			}
			seq++
		}
		switch kind {
		case "IHDR":
			head = bytes.Clone(data)
		case "PLTE", "tRNS":
			palette = append(palette, framed(kind, data)...)
		case "acTL":
			if n := binary.BigEndian.Uint32(data); n != uint32(brief.sweeps) || head == nil {
				t.Errorf("acTL says %d frames", n)
			}
		case "fcTL":
			number()
			controls++
			at := image.Rect(0, 0, int(binary.BigEndian.Uint32(data[4:])), int(binary.BigEndian.Uint32(data[8:]))).
				Add(image.Pt(int(binary.BigEndian.Uint32(data[12:])), int(binary.BigEndian.Uint32(data[16:]))))
			if !at.In(first.Bounds()) || controls == 1 && at != first.Bounds() {
				t.Errorf("frame %d at %v", controls, at)
			}
			copy(head, data[4:12])
			frames[controls] = bytes.NewBuffer(append(append([]byte(pngMagic), framed("IHDR", head)...), palette...))
		case "IDAT":
			frames[controls].Write(framed("IDAT", data))
		case "fdAT":
			number()
			frames[controls].Write(framed("IDAT", data[4:]))
		}
	}
	if controls != uint32(brief.sweeps) {
		t.Errorf("%d frames", controls)
	}
	for i, f := range frames {
		f.Write(framed("IEND", nil))
		if _, err := png.Decode(f); err != nil {
			t.Errorf("frame %d: %v", i, err)
		}
	}
}

func framed(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// TestThinned: films have an even step and no more frames than they may.
func TestThinned(t *testing.T) {
	for _, k := range [][3]int{{1, 300, 1}, {300, 300, 300}, {301, 300, 151}, {600, 300, 300}, {7, 3, 3}} {
		all := make([]*Frame, k[0])
		for i := range all {
			all[i] = &Frame{Time: int64(i)}
		}
		some := thinned(all, k[1])
		if len(some) != k[2] {
			t.Errorf("%d of %d, want %d", len(some), k[0], k[2])
		}
		for i := 2; i < len(some); i++ {
			if some[i].Time-some[i-1].Time != some[1].Time-some[0].Time {
				t.Errorf("uneven steps of %d", k[0])
			}
		}
	}
}

// TestFilmKeepsWhatLiesOverCells: names and lines are there in every frame, and the clock has its own place.
func TestFilmKeepsWhatLiesOverCells(t *testing.T) {
	f := newFilm(brief.collected(t, CollectionConfig{}).Networks[0], 0)
	stage := f.stage()
	marked := 0
	for _, o := range f.over {
		if o != 0 && f.blends[o][silentColor] != silentColor {
			marked++
		}
	}
	if marked < 500 || !f.place.In(stage.Rect) || !f.clock.In(stage.Rect) || f.clock.Overlaps(f.place) {
		t.Errorf("%d pixels of names and lines, map at %v, clock at %v in %v", marked, f.place, f.clock, stage.Rect)
	}
}

func BenchmarkAnimation(b *testing.B) {
	w := worldConfig{network: netip.MustParsePrefix("198.18.16.0/20"), sweeps: 82, interval: 10 * time.Minute, seed: 1}
	c := NewCollection(CollectionConfig{})
	w.rows(c.Add)
	c.Finish()
	for _, f := range []Format{GIF, APNG} {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				p, _ := animationPicture(c.Networks[0], 0)
				var out bytes.Buffer
				if err := p.Write(&out, f); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(out.Len()), "bytes")
			}
		})
	}
}
