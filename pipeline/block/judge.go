package block

import (
	"cmp"
	"time"

	"echogram/plugins/schema"
)

// tells tells whether a sweep says something of the blocks: it is whole, and its loss is the network's.
func (in *instance) tells(w *sweep) bool {
	if !w.Manifest {
		return !in.Manifests
	}
	return w.Rows >= w.Promised && !w.Partial && w.Trust == schema.TrustOK
}

// judge says what a sweep tells of each block. next is the sweep after it, or nil.
func (in *instance) judge(w, next *sweep) {
	in.advance(w.Time)
	if in.DayBegin < in.Day {
		in.DayBegin = w.Time
	}
	in.Manifests = in.Manifests || w.Manifest
	interval := in.pace(w.Time)
	s := in.span(w, next)
	told := in.tells(w)
	ownWay := in.ownWay(s, told)
	doubted := ownWay || !told
	if !doubted {
		in.settleAll(s)
		in.Told = w.Time
	}
	for _, b := range in.Blocks {
		if b == nil {
			continue
		}
		l := w.look(b.number)
		if l.Probed.Len() == 0 {
			continue
		}
		l.Time, l.Interval, b.LastSeen = w.Time, interval, w.Time
		in.tally(b, l, doubted)
		if doubted {
			for _, u := range b.units {
				u.overhear(w.Time, l, ownWay)
			}
			b.observe(&in.cfg, l, Doubted)
		} else {
			in.conclude(s, b, l)
		}
	}
	in.tallyGroups(doubted)
}

// pace returns the time since the sweep before, and follows what it is as a rule.
func (in *instance) pace(t int64) (interval int64) {
	if in.Last != 0 {
		interval = t - in.Last
		if in.Step == 0 || interval < in.Step {
			in.Step = interval
		} else {
			in.Step += min(interval-in.Step, in.Step) / 8
		}
	}
	in.Last = t
	return interval
}

func (in *instance) span(w, next *sweep) *span {
	after := next
	if next != nil && !in.tells(next) {
		next = nil
	}
	_, zone := time.Unix(0, w.Time).In(in.cfg.Location).Zone()
	s := &span{cfg: &in.cfg, time: w.Time, before: cmp.Or(in.Told, w.Time), offset: int64(zone) * int64(time.Second),
		now: minutes(w.Time), cur: w, after: after, next: next}
	s.hour = s.hourOf(w.Time)
	for _, b := range in.Blocks {
		if b == nil || s.hour == in.Hour {
			continue
		}
		for _, u := range b.units {
			u.Least.forget(in.Hour, s.hour)
		}
	}
	in.Hour = s.hour
	return s
}

// settleAll follows the beliefs of all blocks and decides why those are silent that are.
func (in *instance) settleAll(s *span) {
	in.eachProbed(s.cur, func(b *blockState, l *Look) {
		for _, u := range b.units {
			u.believe(s, b, l)
		}
	})
	in.eachProbed(s.cur, func(b *blockState, _ *Look) { in.settle(s, b) })
	in.emitBegun(s)
}

func (in *instance) eachProbed(w *sweep, f func(*blockState, *Look)) {
	for _, b := range in.sorted() {
		if l := w.look(b.number); l.Probed.Len() > 0 {
			f(b, l)
		}
	}
}

// conclude learns from a sweep what its verdict allows, and hands it to the analysers.
func (in *instance) conclude(s *span, b *blockState, l *Look) {
	falls := b.learn(s, l)
	b.Verdict = b.verdict(s.cfg)
	if b.Whole.Mood == standing {
		in.limit(s, b, falls)
	}
	for _, u := range b.units {
		u.keep(s)
	}
	switch b.Verdict {
	case Down:
		l.Out = l.Probed
	case Part:
		l.Out = b.outPlaces(l.Probed)
	}
	b.observe(s.cfg, l, b.Verdict)
}

// observe hands a sweep to the analysers.
func (b *blockState) observe(cfg *Config, l *Look, v Verdict) {
	b.Use.observe(cfg, l, v)
	b.Daily.observe(cfg, l, v)
	if b.Limit.rationed() {
		v = Doubted
	}
	b.Churn.observe(cfg, l, v)
}

// learn takes a sweep into what is known of the addresses. It returns how many of those that had answered before do not.
func (b *blockState) learn(s *span, l *Look) (falls int) {
	if n := len(l.Probed) * 64; n > len(b.Places) {
		b.Places = append(b.Places, make([]placeState, n-len(b.Places))...)
	}
	was, quiet, backs := 0, 0, 0
	ever := [2]int{}
	for place := range b.Places {
		p, half := &b.Places[place], place/halfBlock&1
		if l.Probed.Has(place) {
			answered := l.Answered.Has(place)
			standing := b.Whole.Mood == standing && b.Halves[half].Mood == standing
			switch {
			case p.Seen == 0 || !standing:
			case p.Quiet == 0:
				was++
				if !answered {
					falls++
				}
			case p.Quiet < fresh:
				quiet++
				if answered {
					backs++
				}
			}
			if standing {
				p.observe(s.cfg, answered, s.now, &b.Typical)
			} else {
				p.note(s.cfg, answered, s.now)
			}
		}
		if p.ever(s.cfg, s.now) {
			ever[half]++
		}
	}
	b.Halves[0].Ever, b.Halves[1].Ever, b.Whole.Ever = ever[0], ever[1], ever[0]+ever[1]
	if b.Whole.Mood == standing {
		b.Typical.learn(was, falls, quiet, backs)
	}
	return falls
}

// verdict is what the sweep says of the block.
func (b *blockState) verdict(cfg *Config) Verdict {
	w, low, high := &b.Whole, b.Halves[0].Mood, b.Halves[1].Mood
	switch {
	case w.Mood == out:
		return Down
	case w.Mood == silent:
		return Uncertain
	case w.Mood == empty:
		return Unmeasured
	case low == out || high == out:
		return Part
	case w.Ever < cfg.Responders:
		return Unmeasured
	case low == silent || high == silent || w.Belief < cfg.Up:
		return Uncertain
	}
	return Up
}

// outPlaces are those of the halves that are out.
func (b *blockState) outPlaces(probed Set) (places Set) {
	for i := range b.Halves {
		if h := &b.Halves[i]; h.Mood == out {
			probed.All(func(place int) bool {
				if h.in(place) {
					places.Add(place)
				}
				return true
			})
		}
	}
	return places
}
