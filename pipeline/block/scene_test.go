package block

import (
	"math"
	"math/rand/v2"
	"time"
)

// scene is when and how a block is swept.
type scene struct {
	start    time.Time
	interval time.Duration
	days     int
	loss     float64
	rand     *rand.Rand
}

func newScene(seed uint64, days int) *scene {
	return &scene{
		start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), interval: 10 * time.Minute, days: days,
		rand: rand.New(rand.NewPCG(seed, seed)),
	}
}

// between draws evenly.
func (s *scene) between(low, high float64) float64 { return low + (high-low)*s.rand.Float64() }

func (s *scene) chance(p float64) bool { return s.rand.Float64() < p }

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

func hourOf(at time.Time) float64 { return at.Sub(at.Truncate(24 * time.Hour)).Hours() }

// host is one machine: it is asked once a sweep, in order of time.
type host interface {
	up(s *scene, at time.Time) bool
}

// server is always up but for outages, which are rare.
type server struct {
	every, out time.Duration // means
	back       time.Time
}

func (h *server) up(s *scene, at time.Time) bool {
	if !at.Before(h.back) && s.chance(float64(s.interval)/float64(h.every)) {
		h.back = at.Add(time.Duration(s.rand.ExpFloat64() * float64(h.out)))
	}
	return !at.Before(h.back)
}

// clerk is on at some hours of the day, at about the same ones each day that he is there.
type clerk struct {
	from, to, jitter float64 // hours
	present          float64 // share of the days
	weekends         bool
	today            time.Time
	on, off          float64
}

func officePC(s *scene) host {
	return &clerk{from: s.between(7, 9.5), to: s.between(15.5, 18.5), jitter: s.between(0.25, 0.75), present: s.between(0.88, 1)}
}

func eveningHome(s *scene) host {
	return &clerk{from: s.between(16, 19), to: s.between(21, 23.5), jitter: s.between(1, 2), present: s.between(0.6, 0.95), weekends: true}
}

func (h *clerk) up(s *scene, at time.Time) bool {
	if today := at.Truncate(24 * time.Hour); today != h.today {
		h.today, h.on, h.off = today, 0, 0
		if weekend := at.Weekday()%6 == 0; s.chance(h.present) && (!weekend || h.weekends || s.chance(0.03)) {
			h.on, h.off = h.from+h.jitter*s.rand.NormFloat64(), h.to+h.jitter*s.rand.NormFloat64()
		}
	}
	hour := hourOf(at)
	return h.on <= hour && hour < h.off
}

// visitor comes for a while and goes for a while, more likely around the peak.
type visitor struct {
	stay, away time.Duration // means
	peak, day  float64       // hour; how much it matters, 0 to 1
	begun, on  bool
}

func (h *visitor) up(s *scene, at time.Time) bool {
	if !h.begun {
		h.begun, h.on = true, s.chance(float64(h.stay)/float64(h.stay+h.away))
	}
	like := h.day * math.Cos((hourOf(at)-h.peak)*math.Pi/12)
	if h.on {
		h.on = !s.chance(float64(s.interval) / float64(h.stay) * (1 - like))
	} else {
		h.on = s.chance(float64(s.interval) / float64(h.away) * (1 + like))
	}
	return h.on
}

// population is a block and what is true of it: hosts with addresses of their own, and perhaps a pool.
type population struct {
	class  string
	hour   float64 // of the pool's renumbering
	period int     // days; 0: it has none
	fixed  [256]host
	pool   *pool
}

func (b *population) up(s *scene, at time.Time) Set {
	up := make(Set, 4)
	for place, h := range b.fixed {
		if h != nil && h.up(s, at) {
			up.Add(place)
		}
	}
	if b.pool != nil {
		b.pool.up(s, at, up)
	}
	return up
}

// sweep calls look for each sweep, and night as each day ends.
func (b *population) sweep(s *scene, look func(*Look), night func(start int64)) {
	for day := range s.days {
		start := s.start.AddDate(0, 0, day)
		for at := start; at.Before(start.AddDate(0, 0, 1)); at = at.Add(s.interval) {
			look(&Look{Time: at.UnixNano(), Interval: int64(s.interval), Probed: whole, Answered: s.lose(b.up(s, at))})
		}
		night(start.UnixNano())
	}
}

var whole = Set{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}

// lose takes a share of the answers out.
func (s *scene) lose(up Set) Set {
	if s.loss > 0 {
		for i := s.skip(); i < 64*len(up); i += 1 + s.skip() {
			up[i>>6] &^= 1 << (i & 63)
		}
	}
	return up
}

func (s *scene) skip() int { return int(math.Log(1-s.rand.Float64()) / math.Log(1-s.loss)) }
