package sweep

import (
	"time"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// History is what a stanza remembers of its targets from sweep to sweep. The zero value remembers nothing. It is
// also what tells the sweeps of one stanza from those of another. The engine's mutex guards it.
type History struct {
	prev     bitSet // targets that answered in the last complete sweep; nil before the first
	fresh    bitSet // targets that the last complete sweep did not have; nil: none
	answered []int64
	written  []int64 // start of the sweep of each target's last row, ns; 0: none
	state    []uint8 // of each target's last row
	origin   *History
}

// same tells whether h and o are of one stanza.
func (h *History) same(o *History) bool { return h.root() == o.root() }

func (h *History) root() *History {
	if h.origin != nil {
		return h.origin
	}
	return h
}

// moved returns the history for another set of targets.
func (h *History) moved(from, to *targets.Set) *History {
	m := &History{origin: h.root()}
	if h.prev != nil {
		m.prev, m.fresh = newBitSet(to.Len()), newBitSet(to.Len())
	}
	if h.answered != nil {
		m.answered = make([]int64, to.Len())
	}
	if h.written != nil {
		m.written, m.state = make([]int64, to.Len()), make([]uint8, to.Len())
	}
	for i := range to.Len() {
		old, known := from.Index(to.At(i))
		if m.fresh != nil && (!known || h.fresh != nil && h.fresh.has(old)) {
			m.fresh.set(i)
		}
		if !known {
			continue
		}
		if m.prev != nil && h.prev.has(old) {
			m.prev.set(i)
		}
		if m.answered != nil {
			m.answered[i] = h.answered[old]
		}
		if m.written != nil {
			m.written[i], m.state[i] = h.written[old], h.state[old]
		}
	}
	return m
}

// compare tells whether a target has joined those that answer, or left them, since the last complete sweep. Nothing is
// known of targets that this one did not have.
func (h *History) compare(target int, now bool) (joined, left int64) {
	if h.prev == nil || h.fresh != nil && h.fresh.has(target) {
		return 0, 0
	}
	switch was := h.prev.has(target); {
	case now && !was:
		return 1, 0
	case was && !now:
		return 0, 1
	}
	return 0, 0
}

// wants tells whether a target's rows of the sweep that began at start are to be written, and remembers it.
func (h *History) wants(p *Plan, target int, rows []schema.SweepRow, start int64) bool {
	switch p.PerTarget {
	case PerNone:
		return false
	case PerResponding:
		return h.responding(p, target, rows, start)
	case PerChanged:
		return h.changed(p, target, rows, start)
	}
	return true
}

func (h *History) responding(p *Plan, target int, rows []schema.SweepRow, start int64) bool {
	if h.answered == nil {
		h.answered = make([]int64, p.Targets.Len())
	}
	if received(rows) {
		h.answered[target] = start
		return true
	}
	last := h.answered[target]
	return last != 0 && start-last <= int64(p.Remember)
}

func (h *History) changed(p *Plan, target int, rows []schema.SweepRow, start int64) bool {
	if h.written == nil {
		h.written, h.state = make([]int64, p.Targets.Len()), make([]uint8, p.Targets.Len())
	}
	state := stateOf(rows)
	if last := h.written[target]; last != 0 && h.state[target] == state && time.Duration(start-last) < p.Refresh {
		return false
	}
	h.written[target], h.state[target] = start, state
	return true
}

// stateOf sums up the results of a target's rows, one for each size: a change of one is a change.
func stateOf(rows []schema.SweepRow) uint8 {
	state := uint8(0)
	for i := range rows {
		state = state*31 + uint8(rows[i].ResultCode) + 1
	}
	return state
}

func received(rows []schema.SweepRow) bool {
	for i := range rows {
		if rows[i].Received > 0 {
			return true
		}
	}
	return false
}

// bitSet is one bit a target.
type bitSet []uint64

func newBitSet(n int) bitSet    { return make(bitSet, (n+63)/64) }
func (b bitSet) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitSet) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
