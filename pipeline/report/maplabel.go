package report

import (
	"image"
	"net/netip"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// label is a name at the top left of a rectangle of cells.
type label struct {
	text string
	at   image.Rectangle
}

const (
	labelSize = vg.Length(7)
	labelRoom = vg.Length(6) // beside the text
	blockBits = 8            // host bits of a block of IPv4
)

// outline chooses which prefixes are outlined and named: the smallest whose names fit, addresses themselves or blocks
// and what is larger.
func (m *netMap) outline() {
	if m.blocks != nil {
		m.labelBlocks()
		return
	}
	for _, grid := range m.grids() {
		for _, name := range []func(netip.Prefix) string{full, m.short} {
			if labels := m.labelGrid(grid, name); labels != nil {
				m.grid, m.labels = grid, labels
				return
			}
		}
	}
	m.grid = m.curve.bits
}

// grids are the host bits of prefixes that may be outlined.
func (m *netMap) grids() []int {
	all := []int{0}
	for bits := blockBits; bits < m.curve.bits; bits++ {
		all = append(all, bits)
	}
	return all
}

// labelGrid names all prefixes with so many host bits; nil if one of the names does not fit.
func (m *netMap) labelGrid(grid int, name func(netip.Prefix) string) []label {
	var labels []label
	for first := 0; first < len(m.cells); first += 1 << grid {
		l := label{name(m.prefix(first, grid)), m.curve.run(first, grid)}
		if !m.fits(l) {
			return nil
		}
		labels = append(labels, l)
	}
	return labels
}

func (m *netMap) fits(l label) bool {
	text := style(labelSize, black)
	cell := m.cellSize()
	return text.Width(l.text)+labelRoom <= vg.Length(l.at.Dx())*cell && text.Height(l.text)+labelRoom <= vg.Length(l.at.Dy())*cell
}

// prefix is that of the cells from first on.
func (m *netMap) prefix(first, grid int) netip.Prefix {
	return netip.PrefixFrom(addrAt(m.network.Prefix, first), 32-grid)
}

func addrAt(p netip.Prefix, i int) netip.Addr {
	v := v4(p.Addr()) + uint32(i)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// full is a prefix, or a single address without its length.
func full(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// short leaves the octets out that all addresses of the network share, and of a single address its length.
func (m *netMap) short(p netip.Prefix) string {
	octets := strings.SplitAfter(p.Addr().String(), ".")
	text := "." + strings.Join(octets[min(m.network.Prefix.Bits()/8, 3):], "")
	if p.IsSingleIP() {
		return text
	}
	return text + p.String()[strings.IndexByte(p.String(), '/'):]
}

// labelBlocks names blocks of a list where they hold an aligned run that is large enough.
func (m *netMap) labelBlocks() {
	for from := 0; from < len(m.blocks); {
		to := from + 1
		for to < len(m.blocks) && m.blocks[to] == m.blocks[from] {
			to++
		}
		if b := m.blocks[from]; b != beyond {
			l := label{m.network.Blocks[b].Name, m.curve.run(largestRun(from, to))}
			if m.fits(l) {
				m.labels = append(m.labels, l)
			}
		}
		from = to
	}
}

// largestRun is the first of the largest aligned runs within from <= i < to.
func largestRun(from, to int) (first, bits int) {
	for size := 0; 1<<size <= to-from; size++ {
		if aligned := (from + 1<<size - 1) >> size << size; aligned+1<<size <= to {
			first, bits = aligned, size
		}
	}
	return first, bits
}

// region tells cells apart between which a line is drawn.
func (m *netMap) region(i int) int32 {
	if m.blocks != nil {
		return m.blocks[i]
	}
	return int32(i >> m.grid)
}

// beyond is the region around the map, and behind the end of a list.
const beyond = -1

// regions are those of all cells, row by row from the top, with one more cell on each side.
func (m *netMap) regions() (grid [][]int32) {
	wide, high := m.curve.size()
	grid = make([][]int32, high+2)
	for y := range grid {
		grid[y] = slices.Repeat([]int32{beyond}, wide+2)
	}
	for i := range m.cells {
		x, y := m.curve.cell(i)
		grid[y+1][x+1] = m.region(i)
	}
	return grid
}

// line is one between cells, from and to its ends in cells.
type line struct{ from, to image.Point }

// outlines are the lines between and around regions, as long as they are straight.
func (m *netMap) outlines() (lines []line) {
	grid := m.regions()
	wide, high := m.curve.size()
	for x := range wide + 1 {
		lines = append(lines, straight(high, func(y int) bool { return grid[y+1][x+1] != grid[y+1][x] },
			func(y int) image.Point { return image.Pt(x, y) })...)
	}
	for y := range high + 1 {
		lines = append(lines, straight(wide, func(x int) bool { return grid[y+1][x+1] != grid[y][x+1] },
			func(x int) image.Point { return image.Pt(x, y) })...)
	}
	return lines
}

// straight joins steps between which there is a line.
func straight(n int, on func(int) bool, at func(int) image.Point) (lines []line) {
	for i := 0; i < n; i++ {
		if !on(i) {
			continue
		}
		from := i
		for i < n && on(i) {
			i++
		}
		lines = append(lines, line{at(from), at(i)})
	}
	return lines
}
