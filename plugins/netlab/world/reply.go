package world

import (
	"math"
	"net/netip"
	"slices"
	"time"
)

// at is who is on at a place at the time t, in s.
func (p *place) at(t int64) *stay {
	lo, hi := 0, len(p.stays)
	for lo < hi {
		if mid := (lo + hi) / 2; p.stays[mid].to <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(p.stays) && p.stays[lo].from <= t {
		return &p.stays[lo]
	}
	return nil
}

// Reply says what a request to target brings back that leaves at the time at. It knows the prober's uplink, but not
// what its capture drops.
func (w *World) Reply(target netip.Addr, at time.Time) (rtt time.Duration, ok bool) {
	b := w.byPrefix[blockOf(netip.PrefixFrom(target, target.BitLen()))]
	if b == nil || w.cut(at.UnixNano()) {
		return 0, false
	}
	p, known := slices.BinarySearchFunc(b.targets, target, netip.Addr.Compare)
	if !known {
		return 0, false
	}
	ns, _, ok := w.answer(b, p, at.UnixNano())
	return time.Duration(ns), ok
}

// cut tells whether the prober's uplink is broken.
func (w *World) cut(at int64) bool {
	for _, s := range w.uplink {
		if s.has(at) {
			return true
		}
	}
	return false
}

// answer is what becomes of a request that has passed the uplink at the time at: nobody is there, it is lost, it is one
// too many, or it is answered.
func (w *World) answer(b *block, p int, at int64) (rtt, ttl int64, ok bool) {
	s := b.places[p].at(at / 1e9)
	if s == nil {
		return 0, 0, false
	}
	for _, o := range b.out {
		if o.has(at) && o.first <= p && p < o.end {
			return 0, 0, false
		}
	}
	h := mix(mix(w.cfg.Seed^uint64(b.index)<<16^uint64(p)) ^ uint64(at))
	if unit(h) < b.loss {
		return 0, 0, false
	}
	h = mix(h)
	if b.limit > 0 && unit(h) >= b.limit/w.asked(b, w.rate(at)) {
		return 0, 0, false
	}
	return w.rtt(b, &b.places[p], s, at, mix(h)), s.ttl, true
}

// rtt is the floor, what the hour adds, an exponential share of jitter, and in one of a hundred a delay of 5 to 200 ms.
func (w *World) rtt(b *block, p *place, s *stay, at int64, h uint64) int64 {
	v := s.floor - b.jitter*math.Log1p(-unit(h))
	h = mix(h)
	if b.slow != nil || p.slow != nil {
		day, hour := w.calendar.local(at / 1e9)
		v += (b.slow.at(day, hour) + p.slow.at(day, hour)) * (.85 + .3*unit(h))
	}
	if h = mix(h); unit(h) < .01 {
		v += 5e6 * math.Pow(40, 100*unit(h))
	}
	return int64(v)
}

// rate is how many requests a second are sent at a time: a prober has one a day.
func (w *World) rate(at int64) float64 {
	day := (at - w.span.from) / (24 * int64(time.Hour))
	return w.rates[min(max(day, 0), int64(len(w.rates)-1))]
}

// sweepAt is the start of sweep n, duration how long it sends, both ns.
func (w *World) sweepAt(n int) int64 { return w.span.from + int64(n)*int64(w.cfg.Interval) }
func (w *World) duration(n int) int64 {
	return int64(float64(w.before[len(w.before)-1]) / w.rate(w.sweepAt(n)) * 1e9)
}

// sentAt is when sweep n sends its request to a place, ns: groups of blocks come one after the other, their targets in
// permuted order.
func (w *World) sentAt(n int, b *block, p int) int64 {
	g := b.index / groupBlocks
	h := mix(mix(^w.cfg.Seed^uint64(n)) ^ uint64(b.index)<<16 ^ uint64(p))
	index := float64(w.before[g]) + unit(h)*float64(w.before[g+1]-w.before[g])
	start := w.sweepAt(n)
	return start + int64(index/w.rate(start)*1e9)
}

// on is how many of the places first <= p < end have a host at the time t, in s.
func (b *block) on(t int64, first, end int) (n int) {
	for p := first; p < end; p++ {
		if b.places[p].at(t) != nil {
			n++
		}
	}
	return n
}
