package report

import (
	"math"
	"slices"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

const (
	exactValues = 50_000 // so many values are kept as they are
	accuracy    = 0.0001 // relative accuracy of the sketch beyond them: coarser bins would hide the shape of narrow distributions
)

// spread is a distribution of integers: exact up to 50,000 values, then a DDSketch of 0.01 %. The zero value is empty.
type spread struct {
	n         int64
	low, high int64
	whole     bool // all values are whole microseconds: the capture's stamps were
	exact     []int64
	sorted    bool
	sketch    *ddsketch.DDSketch
}

func (s *spread) add(v int64) {
	if s.n == 0 {
		s.low, s.high, s.whole = v, v, true
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
	s.whole = s.whole && v%1000 == 0
	s.n++
	if s.sketch != nil {
		s.put(v)
		return
	}
	s.exact, s.sorted = append(s.exact, v), false
	if len(s.exact) > exactValues {
		s.sketch = newSketch()
		for _, v := range s.exact {
			s.put(v)
		}
		s.exact = nil
	}
}

func newSketch() *ddsketch.DDSketch {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return ddsketch.NewDDSketch(m, store.NewDenseStore(), store.NewDenseStore())
}

func (s *spread) put(v int64) {
	if err := s.sketch.Add(float64(v)); err != nil {
		panic(err) // no int64 lies outside the mapping's range
	}
}

// at returns the p-quantile by nearest rank, 0 < p <= 1; 0 when there are no values.
func (s *spread) at(p float64) float64 {
	if s.n == 0 {
		return 0
	}
	rank := min(max(int64(math.Ceil(p*float64(s.n))), 1), s.n)
	if s.sketch == nil {
		return float64(s.list()[rank-1])
	}
	// The sketch takes the value at floor(x (n - 1)): aim at the middle of our rank, clear of rounding.
	v, err := s.sketch.GetValueAtQuantile(min((float64(rank)-0.5)/float64(s.n-1), 1))
	if err != nil {
		panic(err) // x lies within 0 and 1, and there are values
	}
	return min(max(v, float64(s.low)), float64(s.high))
}

// list is the exact values in order.
func (s *spread) list() []int64 {
	if !s.sorted {
		slices.Sort(s.exact)
		s.sorted = true
	}
	return s.exact
}

// histogram counts values in bins of one width.
type histogram struct {
	from, width  float64
	counts       []float64 // of a sketch's bin that lies across two of ours each gets its share
	below, above float64   // values outside
}

// histogram makes bins over the body of the distribution; a far tail would squeeze all else into one bin, so that it
// is counted as above or below.
func (s *spread) histogram() histogram {
	lo, hi := s.body()
	wanted := 2 * (s.at(0.75) - s.at(0.25)) / math.Cbrt(float64(s.n)) // Freedman and Diaconis, 1981
	width := min(max(wanted, (hi-lo)/maxBins), (hi-lo)/minBins)
	if s.sketch != nil {
		width = max(width, 2*accuracy*math.Abs(hi))
	}
	if s.whole {
		width = math.Max(1, math.Ceil(width/1000)) * 1000
		lo -= 500
	}
	h := histogram{from: lo, width: width, counts: make([]float64, int((hi-lo)/width)+1)}
	for _, v := range s.exact {
		h.add(float64(v), float64(v), 1)
	}
	if s.sketch != nil {
		s.sketch.ForEach(func(v, count float64) bool {
			reach := accuracy * math.Abs(v)
			h.add(max(v-reach, float64(s.low)), min(v+reach, float64(s.high)), count)
			return false
		})
	}
	return h
}

const minBins, maxBins = 12, 150

// body is the range that a histogram shows: all values, unless the outermost hundredths lie far off.
func (s *spread) body() (lo, hi float64) {
	p1, p99 := s.at(0.01), s.at(0.99)
	reach := 1.5 * (p99 - p1)
	lo, hi = max(float64(s.low), p1-reach), min(float64(s.high), p99+reach)
	if least := max(1, 0.001*math.Abs(hi)); hi-lo < least {
		lo, hi = lo-least/2, hi+least/2
	}
	return lo, hi
}

// add counts values that lie evenly between lo and hi.
func (h *histogram) add(lo, hi, count float64) {
	end := h.from + h.width*float64(len(h.counts))
	share := func(from, to float64) float64 {
		if hi == lo {
			return 1
		}
		return max(0, min(hi, to)-max(lo, from)) / (hi - lo)
	}
	if lo == hi && lo < h.from || hi < h.from {
		h.below += count
		return
	}
	if lo >= end {
		h.above += count
		return
	}
	first := max(0, int((lo-h.from)/h.width))
	for i := first; i < len(h.counts); i++ {
		from := h.from + h.width*float64(i)
		if i > first && from >= hi {
			break
		}
		h.counts[i] += count * share(from, from+h.width)
		if lo == hi {
			break
		}
	}
	if lo < hi {
		h.below += count * share(math.Inf(-1), h.from)
		h.above += count * share(end, math.Inf(1))
	}
}
