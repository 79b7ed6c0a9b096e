package world

import (
	"cmp"
	"math"
	"slices"
)

// homes are clients with about two long sessions a day, leases of 4 to 12 h, and not many more than addresses.
func (m *maker) homes(size int) pool {
	return pool{clients: m.scaled(size, 1, 1.7), sessions: 6, median: 4 * 3600, sigma: .7, lease: 3600 * (4 + m.Int64N(9)), curve: evening}
}

// pool is a stock of addresses that DHCP hands out.
type pool struct {
	clients  int
	always   float64 // share of them that is always on
	sessions float64 // that each other client may begin in a day, mean; the hour decides whether it does
	median   float64 // s; of the length of sessions, log-normal (81 minutes: Cai, Heidemann 2010)
	sigma    float64 // of its logarithm
	lease    int64   // s; how long an address is kept for a client that is off
	curve    func(hour float64, weekend bool) float64
}

// daytime and evening are how likely people begin a session at an hour, anytime how likely machines do.
func daytime(hour float64, weekend bool) float64 {
	if weekend {
		return .08
	}
	return .06 + .94*hill(hour-12.5, 6, 6)
}

func evening(hour float64, weekend bool) float64 {
	if weekend {
		return .08 + .92*hill(hour-18, 8, 5)
	}
	return .08 + .92*hill(hour-19, 5, 4)
}

const anytime = .3

// session is a time in which a client is on. broken says that it ends because the client loses its address.
type session struct {
	span
	client int
	broken bool
}

// lease has DHCP hand out the places first <= p < end to the clients of p as they come: the address that a client had
// if its lease still runs, else a random free one; an address still kept for another if there is none; none if all are on.
func (m *maker) lease(first, end int, p pool) {
	var sessions []session
	hosts := make([]host, p.clients)
	for c := range hosts {
		hosts[c] = m.newHost()
		sessions = append(sessions, m.renew(m.presence(c, p))...)
	}
	slices.SortStableFunc(sessions, func(a, b session) int { return cmp.Compare(a.from, b.from) })
	type held struct {
		client   int
		on, kept int64 // until when
	}
	stock := make([]held, end-first)
	had := make([]int, p.clients)
	for i := range stock {
		stock[i].client = -1
	}
	for _, s := range sessions {
		a := had[s.client]
		if stock[a].client != s.client || stock[a].kept <= s.from {
			free := func(a int) bool { return stock[a].kept <= s.from }
			if a = m.pick(len(stock), free); a < 0 {
				a = m.pick(len(stock), func(a int) bool { return stock[a].on <= s.from })
			}
		}
		if a < 0 {
			continue
		}
		kept := s.to
		if !s.broken {
			kept = m.b.renewal.before(s.to, s.to+p.lease)
		}
		stock[a], had[s.client] = held{s.client, s.to, kept}, a
		m.stay(first+a, stay{s.span, hosts[s.client]})
	}
}

// pick is a random one of n that is good; -1: none is.
func (m *maker) pick(n int, good func(int) bool) int {
	from := m.IntN(n)
	for i := range n {
		if a := (from + i) % n; good(a) {
			return a
		}
	}
	return -1
}

// presence is when a client is on, by time, with pauses of 2 minutes or more.
func (m *maker) presence(client int, p pool) (on []session) {
	if m.Float64() < p.always {
		return []session{{span: span{m.dawn(), m.dusk()}, client: client}}
	}
	first, _ := m.w.calendar.local(m.dawn())
	last, _ := m.w.calendar.local(m.dusk())
	for day := first; day < last; day++ {
		for n := m.ExpFloat64() * p.sessions; n > .5; n-- {
			hour, likely := 24*m.Float64(), anytime
			if m.b.daily {
				likely = p.curve(hour, weekend(day))
			}
			if m.Float64() < likely {
				from := m.w.calendar.unix(day, hour)
				length := int64(p.median * math.Exp(p.sigma*m.NormFloat64()))
				on = append(on, session{span: span{from, from + min(max(length, 300), 16*3600)}, client: client})
			}
		}
	}
	slices.SortFunc(on, func(a, b session) int { return cmp.Compare(a.from, b.from) })
	whole := on[:0]
	for _, s := range on {
		if n := len(whole); n > 0 && s.from < whole[n-1].to+120 {
			whole[n-1].to = max(whole[n-1].to, s.to)
		} else {
			whole = append(whole, s)
		}
	}
	return whole
}

// renewal is when the clients of a pool lose their addresses and get others.
type renewal struct {
	at     []int64 // s; when it begins
	spread int64   // s; each client is cut off at a moment of its own within
	days   int
	hour   float64 // local
}

// newRenewal: each day, or every second, third or seventh; between 1 and 5 in the morning in two thirds of the pools, at
// any hour in others; within 4 to 20 minutes.
func newRenewal(m *maker) *renewal {
	r := &renewal{days: [...]int{1, 1, 1, 1, 1, 2, 3, 7}[m.IntN(8)], spread: 240 + m.Int64N(960), hour: 1 + 4*m.Float64()}
	if m.IntN(3) == 0 {
		r.hour = 23.5 * m.Float64()
	}
	first, _ := m.w.calendar.local(m.dawn())
	last, _ := m.w.calendar.local(m.dusk())
	for day := first + m.IntN(r.days); day < last; day += r.days {
		r.at = append(r.at, m.w.calendar.unix(day, r.hour))
	}
	return r
}

// before is the end of a lease that would run from from to to: none outlives a renewal.
func (r *renewal) before(from, to int64) int64 {
	if r == nil {
		return to
	}
	if i, _ := slices.BinarySearch(r.at, from); i < len(r.at) {
		to = min(to, r.at[i])
	}
	return to
}

// renew cuts a client's sessions where it loses its address; it comes back within 20 to 90 s.
func (m *maker) renew(on []session) (cut []session) {
	if m.b.renewal == nil {
		return on
	}
	for _, s := range on {
		for _, t := range m.b.renewal.at {
			t += m.Int64N(m.b.renewal.spread)
			if back := t + 20 + m.Int64N(70); s.from < t && back < s.to {
				cut = append(cut, session{span{s.from, t}, s.client, true})
				s.from = back
			}
		}
		cut = append(cut, s)
	}
	return cut
}
