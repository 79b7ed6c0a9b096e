package report

import (
	"cmp"
	"maps"
	"slices"
)

// columns is how many columns of time a series keeps at most: about one for each pixel across a picture.
const columns = 1500

// sample is one value at one time.
type sample struct {
	at int64 // Unix ns
	v  float64
}

func compareSamples(a, b sample) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.v, b.v)) }

// column keeps of all samples of a span of time the first, the last, the lowest and the highest: what a line through
// all of them would show in one column of pixels (M4: Jugel et al., VLDB 2014). Ties are broken by value and time, so
// that the order in which samples come does not matter.
type column struct{ first, last, low, high sample }

func (c column) join(d column) column {
	lower := func(a, b sample) bool { return cmp.Or(cmp.Compare(a.v, b.v), cmp.Compare(a.at, b.at)) < 0 }
	if compareSamples(d.first, c.first) < 0 {
		c.first = d.first
	}
	if compareSamples(d.last, c.last) > 0 {
		c.last = d.last
	}
	if lower(d.low, c.low) {
		c.low = d.low
	}
	if lower(c.high, d.high) {
		c.high = d.high
	}
	return c
}

// series is a thinned time series. Up to columns distinct times it is exact; then columns grow wider by halves, so
// that memory is bounded without knowing the span in advance, and no extreme is ever lost. The zero value is empty.
type series struct {
	n         int64
	low, high float64
	step      int64 // ns; the least time between a sample and the one before it; 0 while unknown
	prev      int64
	shift     uint // a column spans 1<<shift ns
	cols      map[int64]column
}

func (s *series) add(at int64, v float64) {
	if s.n == 0 {
		s.cols, s.low, s.high = map[int64]column{}, v, v
	} else if d := at - s.prev; d > 0 && (s.step == 0 || d < s.step) {
		s.step = d
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
	s.n++
	s.prev = at
	p := sample{at, v}
	put(s.cols, at>>s.shift, column{p, p, p, p})
	for len(s.cols) > columns {
		s.widen()
	}
}

func put(cols map[int64]column, key int64, c column) {
	if old, ok := cols[key]; ok {
		c = old.join(c)
	}
	cols[key] = c
}

func (s *series) widen() {
	wide := make(map[int64]column, len(s.cols))
	for key, c := range s.cols {
		put(wide, key>>1, c)
	}
	s.cols = wide
	s.shift++
}

// samples returns what is kept, in order of time: at most four samples a column.
func (s *series) samples() []sample {
	var all []sample
	for _, key := range slices.Sorted(maps.Keys(s.cols)) {
		c := s.cols[key]
		four := []sample{c.first, c.low, c.high, c.last}
		slices.SortFunc(four, compareSamples)
		all = append(all, slices.Compact(four)...)
	}
	return all
}

// span is the time of the first and of the last sample.
func (s *series) span() (from, to int64) {
	all := s.samples()
	if len(all) == 0 {
		return 0, 0
	}
	return all[0].at, all[len(all)-1].at
}

// breaks is how many steps without a sample make a gap, which no line crosses.
const breaks = 2.5

// runs cuts the samples at gaps.
func (s *series) runs() [][]sample {
	gap := int64(breaks * float64(max(s.step, int64(1)<<s.shift)))
	var runs [][]sample
	for i, p := range s.samples() {
		if last := len(runs) - 1; i > 0 && p.at-runs[last][len(runs[last])-1].at <= gap {
			runs[last] = append(runs[last], p)
		} else {
			runs = append(runs, []sample{p})
		}
	}
	return runs
}

// facts says whether what is drawn of single values was thinned.
func (s *series) facts() []string {
	if s.shift == 0 {
		return nil
	}
	return []string{"thinned for drawing; all extremes are there"}
}

// values writes durations that hardly change: one, or the least and the greatest.
func (s *series) values() string {
	if s.low == s.high {
		return duration(s.low)
	}
	return duration(s.low) + " to " + duration(s.high)
}
