package block

import "math/bits"

// lengths is a histogram of how long something lasted. Its bins are spaced by their ratio, 16 an octave of seconds, so
// that a quantile is right to 3 %.
type lengths []uint32

const octave = 16 // bins

// add counts n times a length in seconds.
func (h *lengths) add(seconds, n uint32) {
	bin := binOf(seconds)
	for bin >= len(*h) {
		*h = append(*h, 0)
	}
	(*h)[bin] += n
}

// binOf: below an octave's worth of seconds each has its own bin; from there on the five leading bits tell.
func binOf(seconds uint32) int {
	if seconds < octave {
		return int(seconds)
	}
	shift := bits.Len32(seconds) - 5
	return shift*octave + int(seconds>>shift)
}

// middle is the length in ns in the middle of a bin.
func middle(bin int) int64 {
	if bin < 2*octave {
		return int64(bin) * 1e9
	}
	shift := bin/octave - 1
	return (int64(bin%octave+octave)<<shift)*1e9 + int64(1)<<shift*5e8
}

// quantile returns the length in ns that percent of them do not exceed, and false when there are none.
func (h lengths) quantile(percent uint64) (int64, bool) {
	var total, sum uint64
	for _, n := range h {
		total += uint64(n)
	}
	for bin, n := range h {
		if sum += uint64(n); sum > 0 && sum*100 >= total*percent {
			return middle(bin), true
		}
	}
	return 0, false
}

// merge adds o to h.
func (h *lengths) merge(o lengths) {
	for len(*h) < len(o) {
		*h = append(*h, 0)
	}
	for i, n := range o {
		(*h)[i] += n
	}
}

// halve makes h count half of what it did.
func (h lengths) halve() {
	for i := range h {
		h[i] /= 2
	}
}
