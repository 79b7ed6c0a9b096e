package rollup

import (
	"math/bits"

	"echogram/pipeline/window"
)

// wide is an integer of 128 bits in two's complement. The squares of RTTs below 18 minutes cannot overflow it before
// there are 2^47 of them.
type wide struct{ hi, lo uint64 }

func (w *wide) add(o wide) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, o.lo, 0)
	w.hi, _ = bits.Add64(w.hi, o.hi, carry)
}

func (w *wide) sub(o wide) {
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, o.lo, 0)
	w.hi, _ = bits.Sub64(w.hi, o.hi, borrow)
}

func (w *wide) addSquare(v int64) { w.add(product(magnitude(v), magnitude(v))) }

func product(a, b uint64) wide {
	hi, lo := bits.Mul64(a, b)
	return wide{hi, lo}
}

// times is w * m, modulo 2^128.
func (w wide) times(m uint64) wide {
	p := product(w.lo, m)
	p.hi += w.hi * m
	return p
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// div is w / d, rounded down, and the remainder. w is not negative.
func (w wide) div(d uint64) (q wide, r uint64) {
	q.hi, r = w.hi/d, w.hi%d
	q.lo, r = bits.Div64(r, w.lo, d)
	return q, r
}

// root is the square root, rounded down. w is not negative.
func (w wide) root() (r uint64) {
	for bit := uint64(1) << 63; bit != 0; bit >>= 1 {
		if s := product(r|bit, r|bit); s.hi < w.hi || s.hi == w.hi && s.lo <= w.lo {
			r |= bit
		}
	}
	return r
}

// moments are mean and population standard deviation of n > 0 values, both rounded down.
func moments(n, sum int64, squares wide) (mean, stddev int64) {
	mean = window.Floor(sum, n) / n
	rest := uint64(sum - mean*n)
	// D = Σ(x - mean)² = Σx² - n mean² - 2 mean rest.
	d := squares
	d.sub(product(magnitude(mean), uint64(n)).times(magnitude(mean)))
	if mixed := product(2*magnitude(mean), rest); mean < 0 {
		d.add(mixed)
	} else {
		d.sub(mixed)
	}
	// The variance is D/n - (rest/n)²: its root rounded down is the greatest s with s² n <= D - rest²/n.
	less, r := product(rest, rest).div(uint64(n))
	if r > 0 {
		less.add(wide{lo: 1})
	}
	d.sub(less)
	variance, _ := d.div(uint64(n))
	return mean, int64(variance.root())
}
