package rollup

import (
	"math"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// DefaultRTTs is Config.FilterRTTs where that is 0.
const DefaultRTTs = 16384

// spread is what quantiles and filter make of one target's RTTs in one window.
type spread struct {
	schema.RTTQuantiles
	schema.Filtered
}

// spreader computes spreads; it keeps scratch memory.
type spreader struct {
	filter    outlier.Config
	most      int // Config.FilterRTTs
	quantiles Quantiles
	thin      []int64
}

// of takes RTTs in the order of their time.
func (s *spreader) of(rtts []int64) spread {
	s.quantiles.Reset()
	for _, v := range rtts {
		s.quantiles.Add(v)
	}
	return s.join(&s.quantiles, s.thinned(rtts))
}

// join takes quantiles of all RTTs, and those RTTs that the filter is to see.
func (s *spreader) join(q *Quantiles, rtts []int64) spread {
	return spread{q.row(), filtered(outlier.Window(s.filter, rtts, nil))}
}

// thinned leaves so many as the filter gets, or fewer.
func (s *spreader) thinned(rtts []int64) []int64 {
	stride := 1
	for (len(rtts)-1)/stride >= s.most {
		stride *= 2
	}
	if stride == 1 {
		return rtts
	}
	s.thin = s.thin[:0]
	for i := 0; i < len(rtts); i += stride {
		s.thin = append(s.thin, rtts[i])
	}
	return s.thin
}

func filtered(r outlier.Result) schema.Filtered {
	f := schema.Filtered{N: int64(r.N), Cut: int64(r.Cut), Error: r.Error}
	if r.Kept > 0 {
		f.Mean, f.Floor = schema.Rounded(r.Mean), schema.Rounded(r.Floor)
	}
	if r.Kept > 1 {
		f.Stddev, f.StdErr = schema.Rounded(r.Sigma), schema.Rounded(r.StdErr)
	}
	return f
}

// running is a window of more RTTs than the filter gets, as they come in, in the order of their time. It ends in what
// spreader.of makes of them all.
type running struct {
	quantiles Quantiles
	most      int // that the filter gets
	n, stride int
	kept      words
}

func (r *running) add(v int64) {
	r.quantiles.Add(v)
	if r.n%r.stride == 0 {
		if r.n/r.stride == r.most {
			r.halve()
		}
		if r.n%r.stride == 0 {
			r.kept = r.kept.add(v)
		}
	}
	r.n++
}

// halve leaves every second of the kept.
func (r *running) halve() {
	all := r.kept.all(nil)
	r.kept, r.stride = r.kept[:0], r.stride*2
	for i := 0; i < len(all); i += 2 {
		r.kept = r.kept.add(all[i])
	}
}

// words holds numbers, in four bytes where they are below 2^32-1 (RTTs up to 4.29 s), else in twelve.
type words []uint32

const escape = math.MaxUint32

func (w words) add(v int64) words {
	if len(w)+3 > cap(w) {
		w = append(make(words, 0, cap(w)+cap(w)/8+16), w...) // append's own doubling is too coarse for one a target
	}
	if v >= 0 && v < escape {
		return append(w, uint32(v))
	}
	return append(w, escape, uint32(v), uint32(v>>32))
}

// all appends the numbers to dst.
func (w words) all(dst []int64) []int64 {
	for i := 0; i < len(w); i++ {
		if w[i] != escape {
			dst = append(dst, int64(w[i]))
			continue
		}
		dst = append(dst, int64(w[i+1])|int64(w[i+2])<<32)
		i += 2
	}
	return dst
}
