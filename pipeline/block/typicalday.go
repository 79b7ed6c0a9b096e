package block

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"echogram/plugins/schema"
)

// Series by half hour: whole days, NaN where nothing is known.

// Limits of what may be unknown in a span of days, half hours at a stretch.
const (
	shortGap   = 3          // a line is drawn over it, and it counts as known: sweeps may be up to two hours apart
	widestGap  = halvesADay // a span begins behind a wider one
	knownShare = 0.75       // of the span, and of its first day, that must be known
)

// wholeDays is how many of the last days of x are known well enough, and how many half hours of these are known; 0 when
// the days are fewer than fewest.
func wholeDays(x []float64, fewest int) (days, slots int) {
	seen, covered, before, gap := 0, 0, 0, 0
	for n := 1; n <= len(x) && gap <= widestGap; n++ {
		if math.IsNaN(x[len(x)-n]) {
			gap++
		} else {
			if gap <= shortGap {
				covered += gap
			}
			seen, covered, gap = seen+1, covered+1, 0
		}
		if n%halvesADay == 0 {
			if float64(covered-before) >= knownShare*halvesADay && float64(covered) >= knownShare*float64(n) {
				days, slots = n/halvesADay, seen
			}
			before = covered
		}
	}
	if days < fewest {
		return 0, 0
	}
	return days, slots
}

// bridge closes the gaps of x. Over a wide one what differs from the typical day is interpolated, so that the gap neither
// hides the swing of the day nor makes one.
func bridge(x []float64) {
	if interpolate(x, shortGap); !floats.HasNaN(x) {
		return
	}
	usual := typicalDay(x)
	for i := range x {
		x[i] -= usual[i%halvesADay]
	}
	interpolate(x, len(x))
	for i := range x {
		x[i] += usual[i%halvesADay]
	}
}

// interpolate draws lines over the gaps of x that are not wider than widest; those at its ends keep the nearest value.
func interpolate(x []float64, widest int) {
	last := -1
	for i := 0; i <= len(x); i++ {
		if i < len(x) && math.IsNaN(x[i]) {
			continue
		}
		if gap := x[last+1 : i]; len(gap) <= widest && len(gap) < len(x) {
			from, to := x[max(last, 0)], x[min(i, len(x)-1)]
			if last < 0 {
				from = to
			}
			if i == len(x) {
				to = from
			}
			for k := range gap {
				gap[k] = from + (to-from)*float64(k+1)/float64(len(gap)+1)
			}
		}
		last = i
	}
}

// typicalDay is the median over the days of how far each half hour lies above the median of its day: neither a spike nor
// a lasting change of the level is typical. Days of which too little is known do not count. A half hour that is never
// known is interpolated.
func typicalDay(x []float64) []float64 {
	apart, room := slices.Clone(x), make([]float64, 0, halvesADay)
	for from := 0; from < len(x); from += halvesADay {
		day := apart[from:][:halvesADay]
		room = appendKnown(room[:0], day, 1)
		level := math.NaN()
		if float64(len(room)) >= knownShare*halvesADay {
			level = medianOf(room)
		}
		floats.AddConst(-level, day)
	}
	usual := make([]float64, halvesADay)
	for i := range usual {
		room = appendKnown(room[:0], apart[i:], halvesADay)
		usual[i] = medianOf(room)
	}
	interpolate(usual, halvesADay)
	return usual
}

// appendKnown appends every stride-th value of x, if it is known.
func appendKnown(to, x []float64, stride int) []float64 {
	for i := 0; i < len(x); i += stride {
		if v := x[i]; !math.IsNaN(v) {
			to = append(to, v)
		}
	}
	return to
}

// smoothing is the length of the window, in half hours, through which the peak of a day is sought: 8 h, half of it at
// half height. Wider than the peaks of an evening it finds their middle, and that of office hours, which have no peak.
const smoothing = 16

// peak is the hour of day at which a typical day is highest, and how far it lies there above its lowest.
func peak(usual []float64) (hour schema.OptFloat, swing float64) {
	var weights [smoothing - 1]float64
	for k := range weights {
		weights[k] = (1 - math.Cos(2*math.Pi*float64(k+1)/smoothing)) / smoothing
	}
	smooth := make([]float64, halvesADay)
	for i := range smooth {
		for k, w := range weights {
			smooth[i] += w * usual[(i+k+1-smoothing/2+halvesADay)%halvesADay]
		}
	}
	top := 0
	for i, v := range smooth {
		if v > smooth[top] {
			top = i
		}
	}
	before, at, behind := smooth[(top+halvesADay-1)%halvesADay], smooth[top], smooth[(top+1)%halvesADay]
	middle := float64(top) + 0.5
	if bend := before - 2*at + behind; bend < 0 {
		middle += (before - behind) / 2 / bend // the vertex of the parabola through the three
	}
	hour = schema.OptFloat{F: math.Mod(middle/2+24, 24), Set: true}
	return hour, at - slices.Min(smooth)
}
