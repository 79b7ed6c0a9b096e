package block

import (
	"math"
	"slices"

	"echogram/plugins/schema"
)

// Series by half hour: whole days, NaN where nothing is known.

// Limits of what may be unknown in a span of days.
const (
	widestGap  = halvesADay // half hours at a stretch
	knownShare = 0.75       // of the span, and of its first day, that must be known
)

// wholeDays is how many of the last days of x are known well enough, 0 when these are fewer than fewest. A gap that is
// too wide ends the span, so that it begins behind it.
func wholeDays(x []float64, fewest int) (days int) {
	seen, ofDay, gap := 0, 0, 0
	for n := 1; n <= len(x) && gap <= widestGap; n++ {
		if math.IsNaN(x[len(x)-n]) {
			gap++
		} else {
			seen, ofDay, gap = seen+1, ofDay+1, 0
		}
		if n%halvesADay == 0 {
			if float64(ofDay) >= knownShare*halvesADay && float64(seen) >= knownShare*float64(n) {
				days = n / halvesADay
			}
			ofDay = 0
		}
	}
	if days < fewest {
		return 0
	}
	return days
}

// known is how many values of x are.
func known(x []float64) (n int) {
	for _, v := range x {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

// bridged is x without gaps: over each, what differs from the typical day is interpolated linearly, so that a gap
// neither hides the swing of the day nor makes one.
func bridged(x []float64) []float64 {
	usual := typicalDay(x)
	out := slices.Clone(x)
	for i := range out {
		out[i] -= usual[i%halvesADay]
	}
	interpolate(out)
	for i := range out {
		out[i] += usual[i%halvesADay]
	}
	return out
}

// interpolate draws lines over the gaps of x; those at its ends keep the nearest value.
func interpolate(x []float64) {
	last := -1
	for i, v := range x {
		if math.IsNaN(v) {
			continue
		}
		from := v
		if last >= 0 {
			from = x[last]
		}
		for k := last + 1; k < i; k++ {
			x[k] = from + (v-from)*float64(k-last)/float64(i-last)
		}
		last = i
	}
	for k := last + 1; last >= 0 && k < len(x); k++ {
		x[k] = x[last]
	}
}

// typicalDay is the median over the days of how far each half hour lies above the median of its day: neither a spike nor
// a lasting change of the level is typical. Days of which too little is known do not count. A half hour that is never known
// is interpolated.
func typicalDay(x []float64) []float64 {
	var columns [halvesADay][]float64
	room := make([]float64, 0, halvesADay)
	for from := 0; from < len(x); from += halvesADay {
		day := x[from:][:halvesADay]
		room = appendKnown(room[:0], day)
		if float64(len(room)) < knownShare*halvesADay {
			continue
		}
		level := middle(room)
		for i, v := range day {
			columns[i] = appendKnown(columns[i], []float64{v - level})
		}
	}
	usual := make([]float64, halvesADay)
	for i := range usual {
		usual[i] = middle(columns[i])
	}
	interpolate(usual)
	return usual
}

func appendKnown(to, x []float64) []float64 {
	for _, v := range x {
		if !math.IsNaN(v) {
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
	smooth := make([]float64, halvesADay)
	for i := range smooth {
		for k := 1 - smoothing/2; k < smoothing/2; k++ {
			weight := (1 + math.Cos(2*math.Pi*float64(k)/smoothing)) / smoothing
			smooth[i] += weight * usual[(i+k+halvesADay)%halvesADay]
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
