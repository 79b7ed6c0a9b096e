package report

import "image"

// hilbert is a Hilbert curve through 2^bits cells: a square, or where bits is odd, two squares side by side. It begins at
// the top left and ends at the top right, so that neighbours on the curve are neighbours on the map, and each aligned
// run of 2^n cells is a square or a rectangle of 2:1 (D. Hilbert, Math. Ann. 38, 1891; as a map of addresses:
// R. Munroe, xkcd 195, 2006).
type hilbert struct{ bits int }

// size is the map's width and height in cells.
func (h hilbert) size() (wide, high int) { return 1 << ((h.bits + 1) / 2), 1 << (h.bits / 2) }

// cell is where the curve is after i steps; y points down.
func (h hilbert) cell(i int) (x, y int) {
	_, high := h.size()
	square := i / (high * high)
	for side := 1; side < high; side *= 2 {
		rx := i >> 1 & 1
		ry := (i ^ rx) & 1
		if ry == 0 {
			if rx == 1 {
				x, y = side-1-x, side-1-y
			}
			x, y = y, x
		}
		x, y = x+side*rx, y+side*ry
		i >>= 2
	}
	return x + square*high, y
}

// run is the rectangle of the 2^bits cells from first on, where first is a multiple of 2^bits.
func (h hilbert) run(first, bits int) image.Rectangle {
	if bits%2 == 1 {
		half := h.run(first, bits-1)
		return half.Union(h.run(first+1<<(bits-1), bits-1))
	}
	side := 1 << (bits / 2)
	x, y := h.cell(first)
	x, y = x&^(side-1), y&^(side-1)
	return image.Rect(x, y, x+side, y+side)
}
