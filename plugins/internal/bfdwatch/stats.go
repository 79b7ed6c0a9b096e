package bfdwatch

import (
	"math"
	"math/bits"
	"slices"

	"echogram/plugins/schema"
)

// average sums values up: count and mean.
type average struct{ n, sum int64 }

func (a *average) add(v int64) {
	a.n++
	a.sum += v
}

func (a *average) mean() int64 { return a.sum / a.n }

// changes sums changes up: their extremes, and the mean of their sizes.
type changes struct {
	sizes       average
	least, most int64
}

func (c *changes) add(v int64) {
	if c.sizes.n == 0 {
		c.least, c.most = v, v
	}
	c.least, c.most = min(c.least, v), max(c.most, v)
	c.sizes.add(abs(v))
}

// moments sums values up: count, mean, extremes, spread.
type moments struct {
	average
	least, most int64
	origin      int64 // the first value: squares are those of the distances from it
	squares     float64
}

func (m *moments) add(v int64) {
	if m.n == 0 {
		m.origin, m.least, m.most = v, v, v
	}
	m.least, m.most = min(m.least, v), max(m.most, v)
	m.average.add(v)
	d := float64(v - m.origin)
	m.squares += d * d
}

// stddev is the population standard deviation.
func (m *moments) stddev() float64 {
	shift := float64(m.sum)/float64(m.n) - float64(m.origin)
	return math.Sqrt(max(0, m.squares/float64(m.n)-shift*shift))
}

func (m *moments) into(least, mean, most, stddev *schema.Opt) {
	if m.n == 0 {
		return
	}
	*least, *mean, *most = schema.Some(m.least), schema.Some(m.mean()), schema.Some(m.most)
	if stddev != nil {
		*stddev = schema.Some(int64(m.stddev()))
	}
}

// Values are kept as they are up to exactMax, if none has more than 32 bits; beyond, in bins that are no wider than 1/64 of what they hold, so that
// the middle of one is within 1 % of each.
const (
	exactMax  = 512
	binBits   = 6
	binsTotal = 64 << binBits
)

// sample gives quantiles of values that are not negative, in bounded memory.
type sample struct {
	exact []uint32 // while all are small enough
	bins  []uint32
	n     int64

	least, most int64
}

func (s *sample) add(v int64) {
	v = max(v, 0)
	if s.n == 0 {
		s.least, s.most = v, v
	}
	s.least, s.most = min(s.least, v), max(s.most, v)
	s.n++
	if s.bins == nil {
		if len(s.exact) < exactMax && v <= math.MaxUint32 {
			s.exact = append(s.exact, uint32(v))
			return
		}
		s.bins = make([]uint32, binsTotal)
		for _, v := range s.exact {
			s.bins[bin(int64(v))]++
		}
		s.exact = s.exact[:0]
	}
	s.bins[bin(v)]++
}

func (s *sample) reset() {
	s.exact, s.bins, s.n = s.exact[:0], nil, 0
}

// quantiles returns the nearest ranks of percents, which rise.
func (s *sample) quantiles(percents ...int64) []schema.Opt {
	out := make([]schema.Opt, len(percents))
	if s.n == 0 {
		return out
	}
	slices.Sort(s.exact)
	var below int64
	at := -1
	for i, p := range percents {
		rank := max(1, (p*s.n+99)/100)
		if s.bins == nil {
			out[i] = schema.Some(int64(s.exact[rank-1]))
			continue
		}
		for below < rank {
			at++
			below += int64(s.bins[at])
		}
		out[i] = schema.Some(min(max(binMiddle(at), s.least), s.most))
		if rank == s.n {
			out[i] = schema.Some(s.most)
		}
	}
	return out
}

// variation is a sample of delays that are known but for a constant, such as the difference of two clocks: it counts
// from the least of them. Clocks drift apart, so that one of a long time would tell of them and not of delays.
type variation struct {
	first []int64 // as they came, up to exactMax
	least int64   // of these, and of what is above
	above sample  // what came after them
}

func (v *variation) add(d int64) {
	if len(v.first) == 0 {
		v.least = d
	}
	if v.least = min(v.least, d); len(v.first) < exactMax {
		v.first = append(v.first, d)
	} else {
		v.above.add(d - v.least)
	}
}

func (v *variation) reset() {
	v.first = v.first[:0]
	v.above.reset()
}

// quantiles returns those of the sample, to which nothing can be added after that.
func (v *variation) quantiles(percents ...int64) []schema.Opt {
	for _, d := range v.first {
		v.above.add(d - v.least)
	}
	return v.above.quantiles(percents...)
}

// bin is the place of v among bins that double in width with each power of two.
func bin(v int64) int {
	shift := max(0, bits.Len64(uint64(v))-binBits-1)
	return shift<<binBits + int(v>>shift)
}

func binMiddle(i int) int64 {
	if i < 2<<binBits {
		return int64(i)
	}
	shift := i>>binBits - 1
	low := int64(i-shift<<binBits) << shift
	return low + 1<<shift/2
}
