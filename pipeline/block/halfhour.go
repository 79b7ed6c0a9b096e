package block

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"time"
)

const (
	halfHours  = 30 * time.Minute
	halvesADay = 48
)

// wallHalf numbers the half hours of the local wall clock; at is ns. Each day has 48 of them, also one of 23 or 25 h:
// in spring some are never seen, in autumn some come twice, and then the later ones count.
func wallHalf(loc *time.Location, at int64) int64 {
	t := time.Unix(0, at).In(loc)
	_, offset := t.Zone()
	return (t.Unix() + int64(offset)) / int64(halfHours/time.Second)
}

// code is an RTT in 16 bits: 5 of exponent from 2^10 ns and 11 of fraction, which makes steps of at most 0.05 % from
// 1 µs to 73 minutes. The order of codes is that of RTTs. 0: none.
type code uint16

const (
	codeShift = 52 - 11
	codeBase  = (1023 + 10) << 11
)

func codeOf(ns int64) code {
	if ns <= 0 {
		return 0
	}
	b := (math.Float64bits(float64(ns)) + 1<<(codeShift-1)) >> codeShift
	return code(min(max(b, codeBase+1)-codeBase, math.MaxUint16))
}

func (c code) ns() float64 { return math.Float64frombits((uint64(c) + codeBase) << codeShift) }

// codes are saved as two bytes each, which gob would take three for, and its time.
type codes []code

// GobEncode implements gob.GobEncoder.
func (c codes) GobEncode() ([]byte, error) {
	b := make([]byte, 2*len(c))
	for i, v := range c {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	return b, nil
}

// GobDecode implements gob.GobDecoder.
func (c *codes) GobDecode(b []byte) error {
	if len(b)%2 != 0 {
		return errors.New("block: saved RTTs end in the middle of one")
	}
	*c = make(codes, len(b)/2)
	for i := range *c {
		(*c)[i] = code(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return nil
}

// wallDay is one local day of a block.
type wallDay struct {
	Number    int64              // of the local days, on and on
	Targets   int                // most that a look had a row of
	RTT       codes              // medians, 48 a place
	Answering [halvesADay]uint16 // places that answered, one more than that; 0: unknown
}

// grow makes room for places, and for no more: a /16 has 256 blocks with Span of these each.
func (w *wallDay) grow(places int) {
	if n := places * halvesADay; n > cap(w.RTT) {
		w.RTT = append(make(codes, 0, n), w.RTT...)[:n]
	} else if n > len(w.RTT) {
		w.RTT = w.RTT[:n]
	}
}

// places is how many places days have medians of.
func places(days []*wallDay) (n int) {
	for _, w := range days {
		if w != nil {
			n = max(n, len(w.RTT)/halvesADay)
		}
	}
	return n
}

// of is the day's medians of place, or nil.
func (w *wallDay) of(place int) codes {
	if w == nil || (place+1)*halvesADay > len(w.RTT) {
		return nil
	}
	return w.RTT[place*halvesADay:][:halvesADay]
}

// seen is in how many half hours it is known how many answered.
func (w *wallDay) seen() (n int) {
	for _, a := range w.Answering {
		if a > 0 {
			n++
		}
	}
	return n
}

// mostKept is how many looks of a half hour are kept. Of more than that every second is left out, then every fourth,
// and so on: 16 to 32 looks stand for the half hour, evenly spread, the same ones after a restart.
const mostKept = 32

// halfHour is what the looks of one half hour saw.
type halfHour struct {
	Number  int64 // wallHalf
	Targets int
	Looks   int
	Thinned int      // times that every second was left out
	Kept    []glance // their memory is used again
}

// glance is what remains of a look.
type glance struct {
	RTT       codes // by place
	Answering int   // -1: it does not count
}

func (h *halfHour) begin(number int64) { *h = halfHour{Number: number, Kept: h.Kept[:0]} }

func (h *halfHour) add(l *Look, v Verdict) {
	h.Targets = max(h.Targets, l.Probed.Len())
	n := h.Looks
	h.Looks++
	if n&(1<<h.Thinned-1) != 0 {
		return
	}
	if len(h.Kept) == mostKept {
		h.thin()
	}
	h.keep(l, v)
}

func (h *halfHour) thin() {
	for i := range mostKept / 2 {
		h.Kept[i], h.Kept[2*i] = h.Kept[2*i], h.Kept[i]
	}
	h.Kept = h.Kept[:mostKept/2]
	h.Thinned++
}

func (h *halfHour) keep(l *Look, v Verdict) {
	n := len(h.Kept)
	h.Kept = slices.Grow(h.Kept, 1)[:n+1]
	g := &h.Kept[n]
	g.Answering = l.Answered.Len()
	if v == Part {
		g.Answering = -1
	}
	width := end(l.Answered)
	g.RTT = slices.Grow(g.RTT[:0], width)[:width]
	clear(g.RTT)
	for place := range l.Answered.All {
		g.RTT[place] = codeOf(l.RTT[place])
	}
}

// end is the place behind the last of s.
func end(s Set) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0 {
			return i<<6 + bits.Len64(s[i])
		}
	}
	return 0
}

// settle writes the medians of h into half hour i of day w. Of two in the middle that of the RTTs is the lower, for
// spikes only go up, and that of the answering the higher, for a single sweep in which a pool is handed out anew, or a
// way is changed, is a dip. What is not known overwrites nothing.
func (h *halfHour) settle(w *wallDay, i int) {
	w.Targets = max(w.Targets, h.Targets)
	width, answering := 0, make([]int, 0, mostKept)
	for k := range h.Kept {
		width = max(width, len(h.Kept[k].RTT))
		if n := h.Kept[k].Answering; n >= 0 {
			answering = append(answering, n)
		}
	}
	if n := len(answering); n > 0 {
		slices.Sort(answering)
		w.Answering[i] = uint16(min(answering[n/2]+1, math.MaxUint16))
	}
	w.grow(width)
	for place := range width {
		if c := h.median(place); c != 0 {
			w.RTT[place*halvesADay+i] = c
		}
	}
}

// median of the RTTs of place; 0: it never answered.
func (h *halfHour) median(place int) code {
	var all [mostKept]code
	n := 0
	for k := range h.Kept {
		if r := h.Kept[k].RTT; place < len(r) && r[place] != 0 {
			all[n] = r[place]
			n++
		}
	}
	if n == 0 {
		return 0
	}
	slices.Sort(all[:n])
	return all[(n-1)/2]
}
