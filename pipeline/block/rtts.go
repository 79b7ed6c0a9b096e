package block

import (
	"math/bits"

	"echogram/plugins/schema"
)

// rttHistogram counts RTTs by their size, sixteen bins for each doubling from 1 µs on: a quantile is within 3 % of the
// true one.
type rttHistogram struct {
	Bins []uint32
	N    int64
}

const (
	rttLeast = 10 // bits of the least RTT that is told from those below
	rttBins  = 28 * 16
)

func (h *rttHistogram) add(rtt int64) {
	if rtt <= 0 {
		return
	}
	if h.Bins == nil {
		h.Bins = make([]uint32, rttBins)
	}
	h.Bins[rttBin(rtt)]++
	h.N++
}

func rttBin(rtt int64) int {
	e := bits.Len64(uint64(rtt)) - 1
	if e < rttLeast {
		return 0
	}
	return min((e-rttLeast)<<4|int(rtt>>(e-4)&15), rttBins-1)
}

func (h *rttHistogram) merge(o *rttHistogram) {
	if o.N == 0 {
		return
	}
	if h.Bins == nil {
		h.Bins = make([]uint32, rttBins)
	}
	for i, n := range o.Bins {
		h.Bins[i] += n
	}
	h.N += o.N
}

func (h *rttHistogram) reset() {
	clear(h.Bins)
	h.N = 0
}

// median is the middle of the bin that holds the median.
func (h *rttHistogram) median() schema.Opt {
	below := int64(0)
	for i, n := range h.Bins {
		if below += int64(n); h.N > 0 && 2*below >= h.N {
			e := i>>4 + rttLeast
			return schema.Some(int64(16+i&15)<<(e-4) + 1<<(e-5))
		}
	}
	return schema.Opt{}
}
