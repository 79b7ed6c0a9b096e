package report

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"net/netip"
	"testing"

	"echogram/plugins/schema"
)

// network collects one row for each address of p, as answer says.
func network(p netip.Prefix, answer func(i int) schema.SweepRow) *Network {
	c := NewCollection(CollectionConfig{})
	for i := range 1 << (p.Addr().BitLen() - p.Bits()) {
		addr := p.Addr()
		if addr.Is4() {
			addr = addrAt(p, i)
		} else {
			b := addr.As16()
			b[15] = byte(i)
			b[7] = byte(i >> 4) // sixteen targets a /64
			addr = netip.AddrFrom16(b)
		}
		row := answer(i)
		row.Time = begun
		c.Add(&schema.RTTSeries{Series: schema.Series{Host: "edge1", Instance: "lab", Network: p.String(), Target: addr.String()}}, &row)
	}
	c.Finish()
	return c.Networks[0]
}

func answered(ns int64) schema.SweepRow {
	return schema.SweepRow{Sent: 1, Received: 1, RTT: schema.Some(ns)}
}

// TestMapsOfAnyLength: each target's cell has its colour, whatever the length and the family.
func TestMapsOfAnyLength(t *testing.T) {
	rows := []schema.SweepRow{answered(2e6), {Sent: 1, ResultCode: schema.ResultSilent}, {Sent: 1, Late: 1}, answered(40e6),
		{Sent: 1, ResultCode: schema.ResultICMPError}, {ResultCode: schema.ResultNotSent}, {Sent: 1, Received: 1}, {ResultCode: schema.ResultNoHost}}
	want := []Answer{2e6, Silent, Late, 40e6, ICMPError, NotProbed, Untimed, Silent}
	for _, name := range []string{"198.18.0.7/32", "198.18.0.6/31", "198.18.0.0/27", "198.18.1.0/24", "198.18.0.0/21", "198.18.0.0/18", "2001:db8::/121"} {
		n := network(netip.MustParsePrefix(name), func(i int) schema.SweepRow { return rows[i*5%8] })
		m := latestMap(n, 0)
		img := m.image()
		wide, high := m.curve.size()
		if img.Bounds().Size() != image.Pt(wide, high) || wide*high != len(n.Targets) {
			t.Fatalf("%s: %d targets on %v", name, len(n.Targets), img.Bounds())
		}
		for i := range n.Targets {
			x, y := m.curve.cell(i)
			if a := want[i*5%8]; n.Targets[i].Last != a || img.ColorIndexAt(x, y) != m.scale.color(a) {
				t.Fatalf("%s: target %d is %v in colour %d, want %v in %d", name, i, n.Targets[i].Last, img.ColorIndexAt(x, y), a, m.scale.color(a))
			}
		}
		for _, f := range []Format{PNG, SVG} {
			p, ok := mapPicture(n, 0)
			var b bytes.Buffer
			if err := p.Write(&b, f); err != nil || !ok || b.Len() < 5000 {
				t.Errorf("%s.%s: %d bytes, %v", name, f, b.Len(), err)
			}
		}
	}
}

// TestMapPixels: the PNG shows the cells where the map says.
func TestMapPixels(t *testing.T) {
	n := network(netip.MustParsePrefix("198.18.0.0/24"), func(i int) schema.SweepRow { return answered(int64(1e6 + 1e5*i)) })
	p, _ := mapPicture(n, 0)
	var b bytes.Buffer
	if err := p.Write(&b, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	m := p.drawing.(*netMap)
	wide, _ := m.size()
	cell := int(m.cellSize() / m.pixel())
	top := int((m.heading().height(wide-2*border) + border) / m.pixel())
	for i, a := range m.cells {
		x, y := m.curve.cell(i)
		got := img.At(int(border/m.pixel())+x*cell+cell*3/4, top+y*cell+cell*3/4)
		r, g, bl, _ := got.RGBA()
		wr, wg, wb, _ := m.image().Palette[m.scale.color(a)].RGBA()
		if r != wr || g != wg || bl != wb {
			t.Fatalf("cell %d of %v is %v", i, a, got)
		}
	}
}

// TestUnseenAddressesOfCountedBlocks: where a block's sweeps counted all its addresses, those without rows were silent.
func TestUnseenAddressesOfCountedBlocks(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	s := &schema.RTTSeries{Series: schema.Series{Network: "198.18.0.0/23", Target: "198.18.0.1"}}
	row := answered(1e6)
	c.Add(s, &row)
	c.Row(&schema.SweepBlockRow{Network: "198.18.0.0/23", Block: "198.18.0.0/24", Targets: 256, Responding: 1})
	c.Finish()
	counts, rtts := latestMap(c.Networks[0], 0).counts()
	if counts[Silent] != 255 || counts[NotProbed] != 256 || rtts.n != 1 {
		t.Errorf("%v, %d RTTs", counts, rtts.n)
	}
}

func TestLabels(t *testing.T) {
	silent := func(int) schema.SweepRow { return schema.SweepRow{Sent: 1, ResultCode: schema.ResultSilent} }
	for _, k := range []struct {
		network     string
		n           int
		first, last string
	}{
		{"198.18.0.0/32", 1, "198.18.0.0/32", "198.18.0.0/32"},
		{"198.18.0.0/24", 256, ".0", ".255"},
		{"198.18.0.0/23", 2, "198.18.0.0/24", "198.18.1.0/24"},
		{"198.18.16.0/20", 16, "198.18.16.0/24", "198.18.31.0/24"},
		{"198.18.0.0/16", 256, ".0.0/24", ".255.0/24"},
		{"198.18.0.0/15", 32, "198.18.0.0/20", "198.19.240.0/20"},
		{"2001:db8::/120", 16, "2001:db8::/64", "2001:db8:0:f::/64"},
	} {
		m := latestMap(network(netip.MustParsePrefix(k.network), silent), 0)
		if n := len(m.labels); n != k.n || m.labels[0].text != k.first || m.labels[n-1].text != k.last {
			t.Errorf("%s: %d labels, %v to %v", k.network, n, m.labels[0], m.labels[n-1])
		}
		for _, l := range m.labels {
			if !m.fits(l) {
				t.Errorf("%s: %v does not fit", k.network, l)
			}
		}
	}
}

func TestOutlines(t *testing.T) {
	m := latestMap(network(netip.MustParsePrefix("198.18.16.0/20"), func(int) schema.SweepRow { return answered(1) }), 0)
	length := 0
	for _, l := range m.outlines() {
		d := l.to.Sub(l.from)
		if d.X != 0 && d.Y != 0 {
			t.Errorf("%v is not straight", l)
		}
		length += d.X + d.Y
	}
	if length != 6*64 || len(m.outlines()) != 6 {
		t.Errorf("%d lines of %d cells, want three each way of 64", len(m.outlines()), length)
	}
}

func TestLargestRun(t *testing.T) {
	for _, k := range [][4]int{{0, 16, 0, 4}, {1, 16, 8, 3}, {3, 4, 3, 0}, {5, 11, 6, 1}, {5, 13, 8, 2}} {
		if first, bits := largestRun(k[0], k[1]); first != k[2] || bits != k[3] {
			t.Errorf("within %d to %d: %d, %d bits, want %d, %d", k[0], k[1], first, bits, k[2], k[3])
		}
	}
}

func TestScale(t *testing.T) {
	for _, k := range []struct {
		rtts         []int64
		top          float64
		min, max     float64
		log          bool
		below, above bool
	}{
		{[]int64{10e6, 11e6, 12e6}, 0, 10e6, 12e6, false, false, false},
		{[]int64{1e6, 1e6, 4_310_000}, 0, 0, 4_400_000, false, false, false},
		{[]int64{1e6, 100e6}, 0, 1e6, 100e6, true, false, false},
		{[]int64{200e6, 500e6}, 350e6, 200e6, 350e6, false, false, true},
		{[]int64{500e6, 600e6}, 350e6, 315e6, 350e6, false, false, true},
		{[]int64{7}, 0, 6.3, 7, false, false, false},
	} {
		var s spread
		for _, v := range k.rtts {
			s.add(v)
		}
		c := scaleOf(&s, k.top)
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }
		if !near(c.min, k.min) || !near(c.max, k.max) || c.log != k.log || c.below != k.below || c.above != k.above {
			t.Errorf("%v up to %v: %v to %v, logarithmic %v, below %v, above %v", k.rtts, k.top, c.min, c.max, c.log, c.below, c.above)
		}
		if a, b := c.color(Answer(max(c.min, 1))), c.color(Answer(c.max*2)); a != firstShade || b != firstShade+shades-1 {
			t.Errorf("colours %d to %d", a, b)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	for _, name := range []string{"198.18.0.0/16", "198.16.0.0/12"} {
		n := network(netip.MustParsePrefix(name), func(i int) schema.SweepRow { return answered(int64(1e6 + i%977*1e5)) })
		for _, f := range []Format{PNG, SVG} {
			b.Run(name+"."+string(f), func(b *testing.B) {
				for b.Loop() {
					p, _ := mapPicture(n, 0)
					if err := p.Write(new(bytes.Buffer), f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
