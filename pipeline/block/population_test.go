package block

import (
	"math"
	"math/rand/v2"
	"time"
)

// scene is a generator of one block's truth: for each sweep the set of places that are up.
type scene struct {
	Start    time.Time
	Interval time.Duration
	Days     int
	Rand     *rand.Rand
}

func (s *scene) sweeps() int { return s.Days * int(24*time.Hour/s.Interval) }

// truth is what a block is.
type truth struct {
	class  string
	hour   float64 // of its renumbering; -1: none
	period int     // days
}

// host is somebody who is up at times.
type host interface {
	up(s *scene, at time.Time) bool
}

// server is always up, but for an outage now and then.
type server struct {
	every, out time.Duration
	until      time.Time
}

func (h *server) up(s *scene, at time.Time) bool {
	if at.Before(h.until) {
		return false
	}
	if h.every > 0 && s.Rand.Float64() < float64(s.Interval)/float64(h.every) {
		h.until = at.Add(time.Duration(s.Rand.ExpFloat64() * float64(h.out)))
		return false
	}
	return true
}

// office is a PC that is on by day from Monday to Friday.
type office struct {
	from, to, jitter, present, night float64 // hours; shares
	day                              int
	on, off                          float64
	here, stays                      bool
}

func newOffice(s *scene) *office {
	return &office{
		from: 7 + 2.5*s.Rand.Float64(), to: 15.5 + 3*s.Rand.Float64(), jitter: 0.25 + 0.5*s.Rand.Float64(),
		present: 0.88 + 0.12*s.Rand.Float64(), night: 0.04 * s.Rand.Float64(), day: -1,
	}
}

func (h *office) up(s *scene, at time.Time) bool {
	if at.YearDay() != h.day {
		h.day = at.YearDay()
		weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
		stayed := h.stays
		h.here = s.Rand.Float64() < h.present && !weekend || weekend && s.Rand.Float64() < 0.03
		h.on, h.off = h.from+h.jitter*s.Rand.NormFloat64(), h.to+h.jitter*s.Rand.NormFloat64()
		h.stays = h.here && s.Rand.Float64() < h.night
		if stayed {
			h.on = 0
			if !h.here {
				h.here, h.off = true, 8
			}
		}
		if h.stays {
			h.off = 24
		}
	}
	t := hourOf(at)
	return h.here && t >= h.on && t < h.off
}

func hourOf(at time.Time) float64 {
	return float64(at.Hour()) + float64(at.Minute())/60 + float64(at.Second())/3600
}

// visitor is up for a while and away for a while, by the hour of day.
type visitor struct {
	stay, away time.Duration // means
	peak, day  float64       // hour, and how much the day matters, 0 to 1
	on         bool
	begun      bool
}

func (h *visitor) up(s *scene, at time.Time) bool {
	like := 1 + h.day*math.Cos((hourOf(at)-h.peak)*math.Pi/12) // 1-day to 1+day
	if !h.begun {
		h.begun, h.on = true, s.Rand.Float64() < float64(h.stay)/float64(h.stay+h.away)
	}
	switch dt := float64(s.Interval); {
	case h.on && s.Rand.Float64() < dt/float64(h.stay)*(2-like):
		h.on = false
	case !h.on && s.Rand.Float64() < dt/float64(h.away)*like:
		h.on = true
	}
	return h.on
}

// evening is a home that is on in the evening.
type evening struct{ office }

func newEvening(s *scene) *evening {
	return &evening{office{from: 16 + 3*s.Rand.Float64(), to: 21 + 2.5*s.Rand.Float64(), jitter: 1 + s.Rand.Float64(), present: 0.6 + 0.35*s.Rand.Float64(), day: -1}}
}

// pool hands addresses out to its clients.
type pool struct {
	places  []int
	clients []client
	owner   map[int]int // place -> client that holds it
	lease   time.Duration
	sticky  float64 // share that gets its last address again when that is free
	policy  int     // 0 any, 1 lowest, 2 longest free
	freed   map[int]time.Time
	hour    float64 // of the renumbering; -1: none
	period  int     // days
	spread  time.Duration
}

type client struct {
	host
	place int // -1: none
	last  int
	gone  time.Time // when it went away
	move  time.Time // when it is renumbered next; zero: not
	back  time.Time
}

func (p *pool) step(s *scene, at time.Time, up *Set) {
	for i := range p.clients {
		c := &p.clients[i]
		p.renumber(s, at, i)
		if at.Before(c.back) {
			continue
		}
		if !c.up(s, at) {
			if c.place >= 0 && c.gone.IsZero() {
				c.gone = at
			}
			if c.place >= 0 && at.Sub(c.gone) >= p.lease {
				p.release(i, at)
			}
			continue
		}
		c.gone = time.Time{}
		if c.place < 0 {
			p.assign(s, i)
		}
		if c.place >= 0 {
			up.Add(c.place)
		}
	}
}

func (p *pool) release(i int, at time.Time) {
	c := &p.clients[i]
	delete(p.owner, c.place)
	p.freed[c.place] = at
	c.last, c.place = c.place, -1
}

func (p *pool) assign(s *scene, i int) {
	c := &p.clients[i]
	if _, taken := p.owner[c.last]; c.last >= 0 && !taken && s.Rand.Float64() < p.sticky {
		c.place = c.last
		p.owner[c.place] = i
		return
	}
	var free []int
	for _, place := range p.places {
		if _, taken := p.owner[place]; !taken {
			free = append(free, place)
		}
	}
	if len(free) == 0 {
		return
	}
	place := free[s.Rand.IntN(len(free))]
	switch p.policy {
	case 1:
		place = free[0]
	case 2:
		for _, f := range free {
			if p.freed[f].Before(p.freed[place]) {
				place = f
			}
		}
	}
	c.place = place
	p.owner[place] = i
}

func (p *pool) renumber(s *scene, at time.Time, i int) {
	if p.hour < 0 {
		return
	}
	c := &p.clients[i]
	day := at.Add(-time.Duration(p.hour * float64(time.Hour)))
	if c.move.IsZero() {
		c.move = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location()).Add(time.Duration(p.hour * float64(time.Hour)))
		for c.move.Before(at) {
			c.move = c.move.AddDate(0, 0, p.period)
		}
		c.move = c.move.Add(time.Duration((s.Rand.Float64() - 0.5) * float64(p.spread)))
	}
	_ = day
	if at.Before(c.move) {
		return
	}
	c.move = time.Time{}
	c.back = at.Add(time.Duration(s.Rand.Float64() * float64(p.spread) / 4))
	if c.place >= 0 && s.Rand.Float64() < 0.95 {
		p.release(i, at)
		c.last = -1
	}
	// Beyond the spread's end: the next one is a period ahead.
	c.move = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location()).Add(time.Duration(p.hour*float64(time.Hour))).
		AddDate(0, 0, p.period).Add(time.Duration((s.Rand.Float64() - 0.5) * float64(p.spread)))
	if hourOf(at) > p.hour+12 {
		c.move = c.move.AddDate(0, 0, 1)
	}
	if hourOf(at) < p.hour-12 {
		c.move = c.move.AddDate(0, 0, -1)
	}
}

func newPool(s *scene, from, size int, share float64, lease time.Duration, sticky float64, make func() host) *pool {
	p := &pool{owner: map[int]int{}, freed: map[int]time.Time{}, lease: lease, sticky: sticky, policy: s.Rand.IntN(3), hour: -1}
	for i := range size {
		p.places = append(p.places, from+i)
	}
	for range int(share * float64(size)) {
		p.clients = append(p.clients, client{host: make(), place: -1, last: -1})
	}
	return p
}

// population is a block: hosts with addresses of their own, and pools.
type population struct {
	truth
	fixed map[int]host
	order []int
	pools []*pool
}

func (b *population) fix(place int, h host) {
	if b.fixed == nil {
		b.fixed = map[int]host{}
	}
	b.fixed[place] = h
	b.order = append(b.order, place)
}

func (b *population) step(s *scene, at time.Time) Set {
	up := make(Set, 4)
	for _, place := range b.order {
		if b.fixed[place].up(s, at) {
			up.Add(place)
		}
	}
	for _, p := range b.pools {
		p.step(s, at, &up)
	}
	return up
}

var full = Set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// run drives look for every sweep.
func (b *population) run(s *scene, loss float64, look func(l *Look, up Set)) {
	for n := range s.sweeps() {
		at := s.Start.Add(time.Duration(n) * s.Interval)
		up := b.step(s, at)
		l := &Look{Time: at.UnixNano(), Probed: full, Answered: lose(s, up, loss)}
		if n > 0 {
			l.Interval = int64(s.Interval)
		}
		look(l, up)
	}
}

func lose(s *scene, up Set, loss float64) Set {
	out := append(Set(nil), up...)
	if loss == 0 {
		return out
	}
	for i := int(s.Rand.ExpFloat64() / loss); i < len(out)*64; i += 1 + int(s.Rand.ExpFloat64()/loss) {
		out[i>>6] &^= 1 << (i & 63)
	}
	return out
}
