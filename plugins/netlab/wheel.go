package netlab

import "time"

// A wheel turns by one slot a tick. A reply leaves at the first tick after it is due, never before.
const (
	tick       = 250 * time.Microsecond
	wheelSlots = 1 << 15
)

// MaxDelay is the longest that the wild network holds back a reply. The wheel spans 192 ms more, for those who add
// late.
const MaxDelay = 8 * time.Second

// held is a reply on its wheel. Times are since the wheel's start.
type held struct {
	packet  []byte
	fate    Fate
	account *account
	asked   time.Duration
	due     time.Duration
}

// wheel holds replies until they are due: adding and firing cost the same however many it holds.
type wheel struct {
	slots [wheelSlots][]held
	next  int64 // the tick to fire next
	n     int
}

// add takes a reply that is due at most a turn of the wheel after the last fire.
func (w *wheel) add(h held) {
	at := max(int64((h.due+tick-1)/tick), w.next)
	slot := &w.slots[at%wheelSlots]
	*slot = append(*slot, h)
	w.n++
}

// fire hands what is due at now to send, in order of ticks.
func (w *wheel) fire(now time.Duration, send func(held)) {
	for last := int64(now / tick); w.next <= last; w.next++ {
		if w.n == 0 {
			w.next = last + 1
			return
		}
		slot := &w.slots[w.next%wheelSlots]
		for _, h := range *slot {
			send(h)
		}
		w.n -= len(*slot)
		clear(*slot)
		*slot = (*slot)[:0]
	}
}

// wait is the time until something is due; ok is false when the wheel is empty.
func (w *wheel) wait(now time.Duration) (d time.Duration, ok bool) {
	if w.n == 0 {
		return 0, false
	}
	at := w.next
	for len(w.slots[at%wheelSlots]) == 0 {
		at++
	}
	return max(time.Duration(at)*tick-now, 0), true
}
