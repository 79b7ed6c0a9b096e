package block

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"echogram/pipeline/median"
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

// lastDays are the whole days at the end of x, without gaps, and a swing of them that is not yet told; ok is false when
// they are too few.
func lastDays(x []float64, fewest int, none string) (days []float64, s swing, ok bool) {
	n, slots := wholeDays(x, fewest)
	if n == 0 {
		return nil, swing{}, false
	}
	days = x[len(x)-n*halvesADay:]
	if slots < len(days) {
		bridge(days)
	}
	return days, swing{days: n, slots: slots, class: none}, true
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
			level = median.Of(room)
		}
		floats.AddConst(-level, day)
	}
	usual := make([]float64, halvesADay)
	for i := range usual {
		room = appendKnown(room[:0], apart[i:], halvesADay)
		usual[i] = median.Of(room)
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

// The peak of a day is sought through a window of so many half hours, half of it at half height, and lies in the middle of
// what is within a tenth of the top: so it is found in noise, and so are office hours, which are flat.
const (
	smoothing = 16
	top       = 0.1 // of the swing
)

// peak is the hour of day at which a typical day is highest, and how far it lies there above its lowest.
func peak(usual []float64) (hour schema.OptFloat, swing float64) {
	smooth := smoothDay(usual)
	highest := floats.MaxIdx(smooth)
	swing = smooth[highest] - floats.Min(smooth)
	limit := smooth[highest] - top*swing
	var sum, weights float64
	for _, step := range []int{-1, 1} {
		for k := 0; k < halvesADay/2; k++ {
			above := smooth[(highest+k*step+halvesADay)%halvesADay] - limit
			if above < 0 {
				break
			}
			sum, weights = sum+above*float64(k*step), weights+above
		}
	}
	middle := float64(highest) + 0.5
	if weights > 0 {
		middle += sum / (weights - top*swing) // the highest was counted twice
	}
	return schema.OptFloat{F: math.Mod(middle/2+24, 24), Set: true}, swing
}

// smoothDay is usual through a Hann window, around midnight, too.
func smoothDay(usual []float64) []float64 {
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
	return smooth
}
