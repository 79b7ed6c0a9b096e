package path

import (
	"math"
	"slices"
)

// idle tells of what most windows are like: the last of all confirms no shift, wherever its run began. Then those before
// need not be read one by one for where it did.
func (s *scan) idle() bool { return s.stepless() && s.driftless() }

// stepless: no row that ends here, however long, may have stepped.
func (s *scan) stepless() bool {
	from := max(0, len(s.values)-mostRow)
	if still(s.values[from:], s.cfg.Least) {
		return true
	}
	for ; from+leastBefore+leastAfter <= len(s.values); from++ {
		if !s.vain(from) {
			return false
		}
	}
	return true
}

// vain tells that each split of the row from a place to the end is hopeless, or of the hour.
func (s *scan) vain(from int) bool {
	row := s.values[from:]
	lows := lowsOf(row)
	for after := leastAfter; after <= mostAfter; after++ {
		for behind := after; behind <= after+1; behind++ {
			if c, ok := changeAt(row, behind, after, &lows); ok && !c.hopeless(s.cfg.Least) && !s.surelyDaily(&c, from) {
				return false
			}
		}
	}
	return true
}

// driftless: from no six windows, of which a run may have begun with any, did the floor drift to where it rests.
func (s *scan) driftless() bool {
	n, least := len(s.values), s.cfg.Least
	if n < 2*settled {
		return true
	}
	homes := s.values[:n-settled-settled/2]
	low, high := slices.Min(homes), slices.Max(homes)
	if last := s.values[n-1]; max(last-low, high-last) < least/2 {
		return true
	}
	r := s.rest(n)
	if max(r.level-low, high-r.level) < max(least, significant*r.noise) || !r.settled(least) {
		return true
	}
	for i := settled / 2; i <= len(homes); i++ {
		if _, ok := s.drifted(&r, medianOf(homes[i-settled/2:i])); ok {
			return false
		}
	}
	return true
}

// still tells that a row, or the end of it, has no step, by what the farthest of the windows before would make of it.
func still(row []float64, least float64) bool {
	n := len(row)
	if n < leastBefore+leastAfter {
		return true
	}
	low, high := slices.Min(row[:n-leastAfter]), slices.Max(row[:n-leastAfter])
	for after := leastAfter; after <= min(mostAfter, n-leastBefore); after++ {
		mean := meanOf(row[n-after:])
		if size := max(mean-low, high-mean); size >= least && !strewn(row[n-after:], mean, size) {
			return false
		}
	}
	return true
}

// strewn tells of windows behind a step of a size that lie too far apart for it.
func strewn(after []float64, mean, size float64) bool {
	farthest := 0.0
	for _, v := range after {
		farthest = max(farthest, math.Abs(v-mean))
	}
	return size < significant*farthest*math.Sqrt2/math.Sqrt(float64(len(after)))
}

// lows are the medians of a row without its last windows, by how many.
type lows [mostBehind + 1]float64

// lowsOf leaves those at 0 that would be of fewer than leastBefore windows.
func lowsOf(row []float64) (l lows) {
	var sorted [mostRow]float64
	n := 0
	for n < len(row)-leastAfter {
		v, i := row[n], n
		for ; i > 0 && sorted[i-1] > v; i-- {
			sorted[i] = sorted[i-1]
		}
		sorted[i] = v
		if n++; n >= leastBefore && len(row)-n <= mostBehind {
			l[len(row)-n] = (sorted[(n-1)/2] + sorted[n/2]) / 2
		}
	}
	return l
}
