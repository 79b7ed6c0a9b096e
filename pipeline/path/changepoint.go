package path

import (
	"math"

	"echogram/pipeline/median"
)

// change is a row of floors that may have stepped: before row[to], or from row[at] on, with at most one window between
// the two in which the step lies. It may as well have begun to climb.
type change struct {
	row       []float64
	sigma     [mostRow]float64 // standard error of each
	to, at    int
	low, high float64 // levels before and after
	learned   int     // windows that sigma is known from
}

// Limits of what is a step.
const (
	significant = 5 // standard errors
	decided     = 5 // log likelihood ratio over a floor that began to climb
)

// changeAt leaves so many windows behind those before, and so many of them after; ok is false with too few before.
func changeAt(row []float64, behind, after int, lows *lows) (c change, ok bool) {
	c.row, c.to, c.at = row, len(row)-behind, len(row)-after
	if c.to < leastBefore {
		return c, false
	}
	c.low, c.high = lows[behind], meanOf(row[c.at:])
	return c, true
}

// hopeless tells of what cannot be a step, whatever the noise is: for that is learned at some cost.
func (c *change) hopeless(least float64) bool {
	if c.size() < least || strewn(c.row[c.at:], c.high, c.size()) {
		return true
	}
	for _, v := range c.row[c.at:] {
		if math.Abs(v-c.low) < c.size()/2 {
			return true
		}
	}
	return false
}

func (c *change) size() float64 { return math.Abs(c.high - c.low) }

// err is the standard error of the step. That of a median is sqrt(π/2) of a mean's. The windows behind may differ more
// than they should: the first of them may have begun before the step.
func (c *change) err() float64 {
	before, after, n := meanOf(c.sigma[:c.to]), meanOf(c.sigma[c.at:len(c.row)]), float64(len(c.row)-c.at)
	for _, v := range c.row[c.at:] {
		after = max(after, math.Abs(v-c.high)*math.Sqrt2)
	}
	return math.Sqrt(math.Pi/2*before*before/float64(c.to) + after*after/n)
}

// loudest is from which noise on a change is no step: its err is no less than that of windows with nothing but noise.
func (c *change) loudest() float64 {
	before, after := float64(c.to), float64(len(c.row)-c.at)
	return 1.001 * c.size() / significant / math.Sqrt(math.Pi/2/before+1/after)
}

// stepped tells whether the floor stepped, and did not begin to climb.
func (c *change) stepped() bool {
	if c.size() < significant*c.err() {
		return false
	}
	for i, v := range c.row[c.at:] {
		if math.Abs(v-c.high) > max(c.size()/10, 2*c.sigma[c.at+i]) || math.Abs(v-c.low) < c.size()/2 {
			return false
		}
	}
	var room [mostRow]point
	points := c.calm(room[:0])
	return !climbs(points, c.to, c.levels(points)+2*decided)
}

// point is a floor at its place in the row.
type point struct{ x, y, sigma float64 }

// calm is the row without lone outliers up to the step: of each three neighbours before it the median, and nothing
// where the window in between lies on neither's way to the other.
func (c *change) calm(points []point) []point {
	for i, v := range c.row {
		switch {
		case i > 0 && i+1 < c.to:
			v = middleOf(c.row[i-1], v, c.row[i+1])
		case i >= c.to && i < c.at && c.beside(v) > 3*c.sigma[i]:
			continue
		}
		points = append(points, point{float64(i), v, c.sigma[i]})
	}
	return points
}

// beside is how far v lies outside of the two levels.
func (c *change) beside(v float64) float64 {
	return max(v-max(c.low, c.high), min(c.low, c.high)-v, 0)
}

// levels is χ² around two levels. What lies between the two in between is no deviation.
func (c *change) levels(points []point) (sum float64) {
	for _, p := range points {
		d := c.beside(p.y)
		switch place := int(p.x); {
		case place < c.to:
			d = p.y - c.low
		case place >= c.at:
			d = p.y - c.high
		}
		sum += d * d / (p.sigma * p.sigma)
	}
	return sum
}

// misfit is χ² around two levels, with a price for a window in between, or each step had one.
func (c *change) misfit() float64 {
	var room [mostRow]point
	return c.levels(c.calm(room[:0])) + float64(c.at-c.to)*4
}

// climbs tells whether a level that bends into a slope somewhere before the step, most likely near it, has a χ² of no
// more than most.
func climbs(points []point, to int, most float64) bool {
	for bend := float64(to) - 0.25; bend >= 0; bend -= 0.25 {
		if kink(points, bend) <= most {
			return true
		}
	}
	return false
}

// kink is χ² around a level up to one place and a slope from there, fitted by least squares.
func kink(points []point, bend float64) (sum float64) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range points {
		x, w := max(0, p.x-bend), 1/(p.sigma*p.sigma)
		n, sx, sy, sxx, sxy = n+w, sx+w*x, sy+w*p.y, sxx+w*x*x, sxy+w*x*p.y
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	level := (sy - slope*sx) / n
	for _, p := range points {
		d := (p.y - level - slope*max(0, p.x-bend)) / p.sigma
		sum += d * d
	}
	return sum
}

// trend is by how much a line through values, fitted by least squares, moves from the first to the last, and the
// standard deviation of one value from it, by the median.
func trend(values []float64) (moved, noise float64) {
	n := float64(len(values))
	middle, level := (n-1)/2, meanOf(values)
	var sxx, sxy float64
	for i, v := range values {
		x := float64(i) - middle
		sxx, sxy = sxx+x*x, sxy+x*v
	}
	var room [settled]float64
	off := room[:0]
	for i, v := range values {
		off = append(off, math.Abs(v-level-sxy/sxx*(float64(i)-middle)))
	}
	return sxy / sxx * (n - 1), normalMAD * median.Of(off)
}

// meanOf is stat.Mean of what stays on the stack.
func meanOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// normalMAD scales a median absolute deviation to the σ of a normal distribution: 1 / Φ⁻¹(3/4).
const normalMAD = 1.4826

// scatter is the standard deviation of one value beside its neighbours, which neither a step nor a slope nor a few
// outliers bend: 1.4826 · MAD of the differences over √2, the greatest of those over one, two and four windows, so that
// a wandering floor counts as noise, too; or one of those that is enough.
func scatter(values []float64, enough float64) (s float64) {
	var room [mostNoise]float64
	d := room[:0]
	for _, lag := range []int{1, 2, 4} {
		d = d[:0]
		for i := lag; i < len(values); i++ {
			d = append(d, values[i]-values[i-lag])
		}
		if len(d) < 3 || s >= enough {
			break
		}
		trend := median.Of(d)
		for i := range d {
			d[i] = math.Abs(d[i] - trend)
		}
		s = max(s, normalMAD/math.Sqrt2*median.Of(d))
	}
	return s
}

func medianOf(values []float64) float64 {
	var room [mostNoise]float64 // on the stack
	return median.Of(append(room[:0], values...))
}

func middleOf(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
