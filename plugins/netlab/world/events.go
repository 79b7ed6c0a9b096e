package world

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// befall draws what happens to the network: populations that move (one block in 64), and in two weeks three regions that
// are out, a third of the blocks, the halves of one in 12, each for 5 minutes to 12 h, and the prober's uplink every fifth
// day.
func (w *World) befall(r *rand.Rand) {
	weeks := float64(w.cfg.Days) / 14
	n := float64(len(w.blocks))
	for range times(n / 64) {
		w.move(r)
	}
	for i := range times(3 * weeks) {
		w.region(r, i+1)
	}
	for range times(n / 3 * weeks) {
		if b := w.blocks[r.IntN(len(w.blocks))]; b.use != Unused {
			w.strike(b, BlockOutage, 0, w.moment(r, 300, 12*3600))
		}
	}
	for range times(n / 12 * weeks) {
		if b := w.blocks[r.IntN(len(w.blocks))]; b.use != Unused && b.use != Sparse && b.prefix.Addr().Is4() {
			w.strike(b, HalfOutage, 1+r.IntN(2), w.moment(r, 300, 12*3600))
		}
	}
	for i := range max(2, times(float64(w.cfg.Days)/5)) {
		w.breakUplink(r, i)
	}
}

func times(mean float64) int { return max(1, int(mean+.5)) }

// moment is a time of a length between least and most, in s, after the first half day and before the last hour; the
// zero span if there is no room for it.
func (w *World) moment(r *rand.Rand, least, most float64) span {
	length := int64(between(r, least, most))
	from, to := w.span.from/1e9+12*3600, w.span.to/1e9-3600-length
	if to <= from {
		return span{}
	}
	from += r.Int64N(to - from)
	return span{from, from + length}
}

// quiet tells whether nothing else happens to the block within 3 h, and if so has nothing else happen.
func (b *block) quiet(s span) bool {
	const apart = 3 * 3600
	for _, o := range b.busy {
		if o.overlaps(s.from-apart, s.to+apart) {
			return false
		}
	}
	b.busy = append(b.busy, s)
	return true
}

// strike has a block, or its lower (1) or upper (2) half, be silent, if nothing else happens to it.
func (w *World) strike(b *block, kind EventKind, half int, s span) bool {
	first, end, prefix := 0, len(b.places), b.prefix
	if half > 0 {
		first, end = (half-1)*end/2, half*end/2
		prefix = nth(prefix, prefix.Bits()+1, half-1)
	}
	if s == (span{}) || !b.quiet(s) {
		return false
	}
	ns := span{s.from * 1e9, s.to * 1e9}
	b.out = append(b.out, outage{ns, first, end})
	w.note(kind, prefix, ns, b.on(s.from, first, end))
	return true
}

// region silences adjacent blocks, from 2 to an eighth of all and 24, for 10 minutes to 6 h.
func (w *World) region(r *rand.Rand, number int) {
	most := min(24, len(w.blocks)/8)
	if most < 2 {
		return
	}
	n := 2 + r.IntN(most-1)
	first := r.IntN(len(w.blocks) - n + 1)
	s := w.moment(r, 600, 6*3600)
	for _, b := range w.blocks[first : first+n] {
		if b.use != Unused && w.strike(b, RegionOutage, 0, s) {
			w.events[len(w.events)-1].Region = number
		}
	}
}

// breakUplink has the prober's uplink break for 8 to 60 minutes: the first time in mid-sweep, the second until mid-sweep,
// then at any time.
func (w *World) breakUplink(r *rand.Rand, i int) {
	s := w.moment(r, 480, 3600)
	s.from, s.to = s.from*1e9, s.to*1e9
	n := int((s.from - w.span.from) / int64(w.cfg.Interval))
	middle := w.sweepAt(n) + int64((.2+.6*r.Float64())*float64(w.duration(n)))
	switch length := s.to - s.from; {
	case length == 0:
		return
	case i == 0:
		s = span{middle, middle + length}
	case i == 1:
		s = span{middle - length, middle}
	}
	w.uplink = append(w.uplink, s)
	w.note(UplinkOutage, w.cfg.Network, s, 0)
}

// move has the hosts of a block go to another one, which is unused or has room, each within 5 minutes of the first and
// on the way for 30 to 300 s. The way there is as slow as that from where they come.
func (w *World) move(r *rand.Rand) {
	s := w.moment(r, 600, 600)
	for range 100 {
		from, to := w.blocks[r.IntN(len(w.blocks))], w.blocks[r.IntN(len(w.blocks))]
		var room []int
		for p := 1; p < len(to.places)-1; p++ {
			if to.places[p].stays == nil {
				room = append(room, p)
			}
		}
		used := slices.DeleteFunc(slices.Clone(from.places), func(p place) bool { return p.stays == nil })
		roomy := (to.use == Unused || to.use == Sparse) && len(used) <= len(room)
		if s == (span{}) || !roomy || len(used) < 20 || from.moved || to.moved || from.limit > 0 || to == from {
			continue
		}
		w.note(Renumbering, from.prefix, span{s.from * 1e9, s.to * 1e9}, from.on(s.from, 0, len(from.places)))
		w.events[len(w.events)-1].To = to.prefix
		r.Shuffle(len(room), func(i, j int) { room[i], room[j] = room[j], room[i] })
		for p := range from.places {
			if from.places[p].stays != nil {
				to.places[room[0]] = from.places[p].leave(s.from+r.Int64N(300), 30+r.Int64N(270))
				room = room[1:]
			}
		}
		from.moved, to.moved, to.slow = true, true, from.slow
		from.busy, to.busy = append(from.busy, span{s.from, math.MaxInt64 / 2}), append(to.busy, span{0, s.to})
		return
	}
}

// leave cuts a place's stays at the time at, and is what goes on elsewhere after a pause.
func (p *place) leave(at, pause int64) (rest place) {
	rest.slow = p.slow
	var here []stay
	for _, s := range p.stays {
		before, after := s, s
		before.to, after.from = min(s.to, at), max(s.from, at+pause)
		if before.from < before.to {
			here = append(here, before)
		}
		if after.from < after.to {
			rest.stays = append(rest.stays, after)
		}
	}
	p.stays = here
	return rest
}

// note writes an event down, if it lies within the sweeps.
func (w *World) note(kind EventKind, prefix netip.Prefix, s span, responders int) {
	if s.overlaps(w.span.from, w.span.to) {
		w.events = append(w.events, Event{Kind: kind, Prefix: prefix, Begin: w.time(s.from), End: w.time(s.to), Responders: responders})
	}
}

func (w *World) time(ns int64) time.Time { return time.Unix(0, ns).In(w.cfg.Location) }
