package main

import (
	"math"
	"math/bits"
	"strings"

	"echogram/plugins/schema"
)

// tally sums up the rows of one sweep's targets.
type tally struct {
	targets, answered, silent int64
	notSent, noHost           int64
	errors                    map[icmpError]int64 // targets by the error that came for them
	rtts                      histogram
}

// icmpError is what an ICMP error says.
type icmpError struct {
	v6         bool
	kind, code uint8
}

func (e icmpError) String() string { return schema.ErrorText(e.kind, e.code, e.v6) }

func errorOf(r *schema.SweepRow) icmpError {
	return icmpError{strings.Contains(r.Target, ":"), uint8(r.ICMPType.N), uint8(r.ICMPCode.N)}
}

func (t *tally) add(r *schema.SweepRow) {
	t.targets++
	switch r.ResultCode {
	case schema.ResultAnswered:
		t.answered++
	case schema.ResultICMPError:
		if t.errors == nil {
			t.errors = map[icmpError]int64{}
		}
		t.errors[errorOf(r)]++
	case schema.ResultNotSent:
		t.notSent++
	case schema.ResultNoHost:
		t.noHost++
	default:
		t.silent++
	}
	if r.RTT.Set {
		t.rtts.add(r.RTT.N)
	}
}

// histogram counts durations in ns in classes of at most 0.4 % of their value, so that its size does not follow their
// number. Below 512 ns they are exact.
type histogram struct {
	classes     []int64
	n           int64
	least, most int64
}

// classBits is the number of leading bits that a class tells apart.
const classBits = 8

func class(ns int64) int {
	shift := max(0, bits.Len64(uint64(ns))-classBits-1)
	return shift<<classBits + int(ns>>shift)
}

// value is the middle of a class.
func value(class int) int64 {
	shift := max(0, class>>classBits-1)
	first := int64(class-shift<<classBits) << shift
	return first + (int64(1)<<shift-1)/2
}

func (h *histogram) add(ns int64) {
	ns = max(ns, 0)
	if h.n == 0 || ns < h.least {
		h.least = ns
	}
	h.most = max(h.most, ns)
	h.n++
	c := class(ns)
	if c >= len(h.classes) {
		h.classes = append(h.classes, make([]int64, c+1-len(h.classes))...)
	}
	h.classes[c]++
}

// quantile returns the least value that at least q of all do not exceed, 0 if there is none.
func (h *histogram) quantile(q float64) int64 {
	rank := max(1, int64(math.Ceil(q*float64(h.n))))
	for c, n := range h.classes {
		if rank -= n; rank <= 0 {
			return min(max(value(c), h.least), h.most)
		}
	}
	return 0
}
