package block

import "time"

// pool hands addresses out to its clients.
type pool struct {
	places  []int
	clients []client
	taken   map[int]bool
	freed   map[int]time.Time
	pick    func(p *pool, s *scene, free []int) int
	lease   time.Duration // that an address is kept for a client who is away
	sticky  float64       // share that gets its last address again if that is free
}

type client struct {
	host
	place, last int // -1: none
	gone        time.Time
	moves       []time.Time // when it is renumbered
	back        time.Time
}

// policies of pools: any address, the lowest, that which is free for longest.
var policies = []func(p *pool, s *scene, free []int) int{
	func(_ *pool, s *scene, free []int) int { return free[s.rand.IntN(len(free))] },
	func(_ *pool, _ *scene, free []int) int { return free[0] },
	func(p *pool, _ *scene, free []int) int {
		longest := free[0]
		for _, place := range free {
			if p.freed[place].Before(p.freed[longest]) {
				longest = place
			}
		}
		return longest
	},
}

func newPool(s *scene, size, clients int, lease, sticky float64, h func(*scene) host) *pool {
	p := &pool{
		taken: map[int]bool{}, freed: map[int]time.Time{}, pick: policies[s.rand.IntN(len(policies))],
		lease: hours(lease), sticky: sticky,
	}
	for i := range size {
		p.places = append(p.places, 1+i)
	}
	for range clients {
		p.clients = append(p.clients, client{host: h(s), place: -1, last: -1})
	}
	return p
}

// renumber lets all clients move within spread around the hour of each period's day.
func (p *pool) renumber(s *scene, hour float64, period int, spread float64) {
	for day := s.rand.IntN(period); day < s.days; day += period {
		for i := range p.clients {
			at := s.start.AddDate(0, 0, day).Add(hours(hour + s.between(-spread/2, spread/2)))
			p.clients[i].moves = append(p.clients[i].moves, at)
		}
	}
}

func (p *pool) up(s *scene, at time.Time, up Set) {
	for i := range p.clients {
		c := &p.clients[i]
		if len(c.moves) > 0 && !at.Before(c.moves[0]) {
			c.moves, c.back = c.moves[1:], at.Add(hours(s.between(0, 0.1)))
			if s.chance(0.97) {
				p.release(c, at)
				c.last = -1
			}
		}
		switch on := c.host.up(s, at) && !at.Before(c.back); {
		case on:
			p.serve(c, s, up)
			c.gone = at
		case at.Sub(c.gone) > p.lease:
			p.release(c, at)
		}
	}
}

func (p *pool) release(c *client, at time.Time) {
	if c.place >= 0 {
		p.taken[c.place], p.freed[c.place] = false, at
		c.last, c.place = c.place, -1
	}
}

func (p *pool) serve(c *client, s *scene, up Set) {
	if c.place < 0 {
		c.place = p.choose(c, s)
	}
	if c.place >= 0 {
		p.taken[c.place] = true
		up.Add(c.place)
	}
}

func (p *pool) choose(c *client, s *scene) int {
	if c.last >= 0 && !p.taken[c.last] && s.chance(p.sticky) {
		return c.last
	}
	var free []int
	for _, place := range p.places {
		if !p.taken[place] {
			free = append(free, place)
		}
	}
	if len(free) == 0 {
		return -1
	}
	return p.pick(p, s, free)
}
