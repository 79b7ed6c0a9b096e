package block

import (
	"cmp"
	"fmt"
	"math"

	"echogram/plugins/schema"
)

// hardlyEver is a probability so small that it befalls no block of a /16 in years of sweeps.
const hardlyEver = 1e-11

// settle ends and decides the silences of a block.
func (in *instance) settle(s *span, b *blockState) {
	l, next := s.cur.look(b.number), s.look(b.number)
	w := &b.Whole
	in.wake(s, b, w, l, next)
	if w.pending {
		in.decide(s, b, w)
	}
	for i, h := range b.units[1:] {
		in.wake(s, b, h, l, next)
		switch {
		case h.Mood == silent && w.Mood == empty:
			h.follow()
		case !h.pending || w.Mood != standing || w.woke:
		case !b.Halves[1-i].goesOn(h.Sweeps):
			h.follow()
		case b.Limit.On && !b.outweighs(&b.Halves[1-i], h.Sweeps):
			if h.Sweeps > fresh {
				h.follow()
			}
		default:
			in.decide(s, b, h)
		}
	}
}

// look is what the next sweep saw of a block.
func (s *span) look(number int) *Look {
	if s.next == nil {
		return &Look{}
	}
	return s.next.look(number)
}

// outweighs tells whether it is no chance that all answers that a limit lets through are of one half, in so many sweeps: of
// so many addresses as it has, as many answers as it gives would hardly ever leave the other half out.
func (b *blockState) outweighs(half *unit, sweeps int) bool {
	return math.Pow(float64(half.Ever)/float64(b.Whole.Ever), float64(half.count*sweeps)) < hardlyEver
}

// goesOn tells whether a half answers as it did so many sweeps ago: else what silenced the other half did not stop at its
// border.
func (u *unit) goesOn(sweeps int) bool {
	return 2*u.count >= int(u.Recent[min(sweeps, recentCounts)-1])
}

// wake ends the silence of a unit that answers.
func (in *instance) wake(s *span, b *blockState, u *unit, l, next *Look) {
	switch {
	case u.Mood == out && u.Belief >= s.cfg.Up:
		in.endOutage(s, u)
	case u.Mood == empty && u.count > 0:
		if b.Whole.woke {
			break // it is told of the whole
		}
		if u.returned(s, l, next) {
			u.Row = in.outageRow(b, u)
			u.Row.Reason = "silent at an hour at which that is usual, but the same addresses are back at once"
			in.endOutage(s, u)
		} else {
			u.noteEmpty(s)
		}
		if s.time-u.Begin > int64(resettled) {
			u.Least = hourly{}
		}
	default:
		return
	}
	u.Mood, u.woke, u.Belief = standing, true, max(u.Belief, s.cfg.Belief)
}

// decide says why a unit is silent.
func (in *instance) decide(s *span, b *blockState, u *unit) {
	if u.Falling || u.Least.usual(s.hourOf(u.Begin)) {
		u.rest()
		return
	}
	if to := in.moved(s, b, u); to != nil {
		in.renumbered(b, u, to)
		return
	}
	u.Mood, u.Row = out, in.outageRow(b, u)
	in.begun = append(in.begun, u)
}

// outageRow begins the row of a unit's outage.
func (in *instance) outageRow(b *blockState, u *unit) *schema.BlockOutageRow {
	return &schema.BlockOutageRow{BlockSeries: in.seriesOf(b), Event: schema.EventOutage, Time: u.Begin, Prefix: b.prefix(u), Open: true,
		Uncertain: u.Uncertain, Addresses: int64(u.Ref.Len()), Blocks: 1, BeliefLow: u.Low}
}

// endOutage emits the row of an outage that is over.
func (in *instance) endOutage(s *span, u *unit) {
	u.Row.Open, u.Row.Duration = false, cmp.Or(u.Heard, s.time)-u.Begin
	u.Row.Uncertain = max(u.Row.Uncertain, s.time-s.before)
	u.Row.BeliefLow = u.Low
	in.emitEvent(u.Row)
	u.Row, u.Ended = nil, s.time
}

// emitBegun emits the outages that were decided in this sweep, with the number of blocks that are out since the same one.
func (in *instance) emitBegun(s *span) {
	for _, u := range in.begun {
		n := 0
		for _, b := range in.Blocks {
			if b != nil && b.outSince(u.Begin) {
				n++
			}
		}
		u.Row.Blocks, u.Row.Duration = int64(n), s.time-u.Begin
		u.Row.Reason = fmt.Sprintf("none of %d addresses answers, %d blocks at once", u.Row.Addresses, n)
		in.emitEvent(u.Row)
	}
	in.begun = in.begun[:0]
}

// outSince tells whether an outage of the block or of a half began at t.
func (b *blockState) outSince(t int64) bool {
	for _, u := range b.units {
		if u.Mood == out && u.Begin == t {
			return true
		}
	}
	return false
}
