package block

import (
	"math/bits"

	"echogram/plugins/schema"
)

// rttHistogram counts RTTs by their size, 64 bins for each doubling from 1 µs to 4 minutes: a quantile is within 0.8 % of
// the true one. It takes 7 kB a block.
type rttHistogram struct {
	Bins []uint32
	N    int64
}

const (
	rttLeast = 10 // bits of the least RTT that is told from those below
	rttFine  = 6  // bits behind the leading one that tell bins apart
	rttBins  = 28 << rttFine
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
	return min((e-rttLeast)<<rttFine|int(rtt>>(e-rttFine)&(1<<rttFine-1)), rttBins-1)
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
			e := i>>rttFine + rttLeast
			return schema.Some(int64(1<<rttFine+i&(1<<rttFine-1))<<(e-rttFine) + 1<<(e-rttFine-1))
		}
	}
	return schema.Opt{}
}
