package report

import (
	"image"
	"testing"
)

// TestNeighboursAndBijection: one step on the curve is one step on the map, and each cell belongs to one index.
func TestNeighboursAndBijection(t *testing.T) {
	for bits := range 17 {
		h := hilbert{bits}
		wide, high := h.size()
		if wide*high != 1<<bits || wide != high && wide != 2*high {
			t.Fatalf("%d bits: %d x %d", bits, wide, high)
		}
		seen := make([]bool, 1<<bits)
		var last image.Point
		for i := range 1 << bits {
			x, y := h.cell(i)
			if x < 0 || x >= wide || y < 0 || y >= high || seen[y*wide+x] {
				t.Fatalf("%d bits: cell %d at %d,%d is outside or taken", bits, i, x, y)
			}
			seen[y*wide+x] = true
			at := image.Pt(x, y)
			if d := at.Sub(last); i > 0 && d.X*d.X+d.Y*d.Y != 1 {
				t.Fatalf("%d bits: cell %d at %v, the one before at %v", bits, i, at, last)
			}
			last = at
		}
	}
}

// TestPrefixesAreRectangles: every aligned run fills the rectangle that run says.
func TestPrefixesAreRectangles(t *testing.T) {
	for bits := range 14 {
		h := hilbert{bits}
		for n := range bits + 1 {
			for first := 0; first < 1<<bits; first += 1 << n {
				r := h.run(first, n)
				if r.Dx()*r.Dy() != 1<<n || max(r.Dx(), r.Dy()) > 2*min(r.Dx(), r.Dy()) {
					t.Fatalf("%d bits: run of %d from %d: %v", bits, 1<<n, first, r)
				}
				for i := first; i < first+1<<n; i++ {
					if x, y := h.cell(i); !image.Pt(x, y).In(r) {
						t.Fatalf("%d bits: %d at %d,%d lies outside of %v, from %d", bits, i, x, y, r, first)
					}
				}
			}
		}
	}
}

// TestFirstCells: the map of addresses that people know.
func TestFirstCells(t *testing.T) {
	want := []image.Point{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 2}, {0, 3}, {1, 3}, {1, 2}, {2, 2}, {2, 3}, {3, 3}, {3, 2}, {3, 1}, {2, 1}, {2, 0}, {3, 0}}
	for i, at := range want {
		if x, y := (hilbert{4}).cell(i); image.Pt(x, y) != at {
			t.Errorf("cell %d at %d,%d, want %v", i, x, y, at)
		}
	}
}
