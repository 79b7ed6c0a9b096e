package block

import "echogram/plugins/schema"

// blocks are kinds of blocks, with what varies drawn by the seed.
var blocks = []struct {
	name  string
	build func(s *scene) *population
}{
	{"servers", servers}, {"office PCs", office}, {"office PCs and servers", officeAndServers}, {"unused", idle},
	{"guests, short leases", guests}, {"homes, all day", homes}, {"homes, evenings", evenings}, {"crowded pool", crowded},
	{"stays of days", stays}, {"sticky leases", sticky}, {"office PCs in a pool", officePool},
	{"renumbered every day", func(s *scene) *population { return renumbered(s, 1) }},
	{"renumbered every 2 days", func(s *scene) *population { return renumbered(s, 2) }},
	{"renumbered every 7 days", func(s *scene) *population { return renumbered(s, 7) }},
	{"half pool, half fixed", mixed},
	{"half renumbered, half fixed", renumberedAndServers},
}

func servers(s *scene) *population {
	b, every := &population{class: schema.ChurnStatic}, hours(24*s.between(10, 60))
	b.fix(s, 3+s.rand.IntN(220), 0, func(*scene) host { return &server{every: every, out: hours(3)} })
	return b
}

// fix gives n hosts addresses of their own at places from low on.
func (b *population) fix(s *scene, n, low int, h func(*scene) host) {
	for range n {
		b.fixed[low+s.rand.IntN(256-low)] = h(s)
	}
}

func office(s *scene) *population {
	b := &population{class: schema.ChurnStatic}
	b.fix(s, 30+s.rand.IntN(180), 0, officePC)
	return b
}

func officeAndServers(s *scene) *population {
	b := servers(s)
	b.fix(s, 30+s.rand.IntN(100), 100, officePC)
	return b
}

func idle(*scene) *population { return &population{class: schema.ChurnUnused} }

func pooled(s *scene, size int, share, lease, sticky float64, h func(*scene) host) *population {
	return &population{class: schema.ChurnDHCP, pool: newPool(s, size, int(share*float64(size)), lease, sticky, h)}
}

// visitors stay for some hours, drawn evenly, and are away for away times as long.
func visitors(low, high, away, peak, day float64) func(*scene) host {
	return func(s *scene) host {
		stay := s.between(low, high)
		return &visitor{stay: hours(stay), away: hours(away * stay), peak: peak, day: day}
	}
}

func guests(s *scene) *population {
	return pooled(s, 100+s.rand.IntN(140), s.between(0.8, 2), s.between(0.2, 2), s.between(0, 0.8), visitors(0.5, 3, 4, 13, 0.9))
}

func homes(s *scene) *population {
	return pooled(s, 150+s.rand.IntN(100), s.between(0.7, 1.3), s.between(1, 12), s.between(0, 0.9), visitors(3, 12, 1, 20, 0.5))
}

func evenings(s *scene) *population {
	return pooled(s, 150+s.rand.IntN(100), s.between(0.7, 1.4), s.between(1, 12), s.between(0, 0.9), eveningHome)
}

func crowded(s *scene) *population {
	return pooled(s, 150+s.rand.IntN(100), 1.4, 0.5, 0, visitors(4, 24, 0.33, 20, 0.2))
}

func stays(s *scene) *population {
	return pooled(s, 150+s.rand.IntN(100), s.between(0.7, 1.2), s.between(1, 24), s.between(0, 0.5), visitors(24, 72, 0.33, 20, 0.2))
}

func sticky(s *scene) *population {
	return pooled(s, 200+s.rand.IntN(50), s.between(0.5, 0.9), s.between(4, 24), 0.95, visitors(5, 24, 0.5, 19, 0.5))
}

// officePool has free addresses, of which any but the lowest is taken: else each morning looks like the one before.
func officePool(s *scene) *population {
	b := pooled(s, 200+s.rand.IntN(50), s.between(0.4, 0.8), s.between(1, 8), s.between(0, 0.5), officePC)
	b.pool.pick = policies[0]
	return b
}

// renumbered is a pool of clients who are on for long. Where the lowest address is taken nobody sees them move.
func renumbered(s *scene, period int) *population {
	b := pooled(s, 150+s.rand.IntN(100), s.between(0.5, 1), s.between(1, 24), s.between(0, 0.9), visitors(12, 100, 0.1, 20, 0.2))
	b.hour, b.period, b.pool.pick = float64(s.rand.IntN(24)), period, policies[2*s.rand.IntN(2)]
	b.pool.renumber(s, b.hour, period, s.between(0.05, 0.4))
	return b
}

func mixed(s *scene) *population {
	size := 100 + s.rand.IntN(50)
	b := pooled(s, size, s.between(0.6, 1), s.between(1, 12), s.between(0, 0.9), visitors(3, 12, 1, 20, 0.5))
	b.class = schema.ChurnMixed
	b.fix(s, 60, size+5, officePC)
	b.fix(s, 40, size+5, func(*scene) host { return &server{every: hours(24 * 30), out: hours(3)} })
	return b
}

func renumberedAndServers(s *scene) *population {
	b := pooled(s, 100, s.between(0.5, 0.8), 4, s.between(0, 0.5), visitors(12, 100, 0.1, 20, 0.2))
	b.class, b.hour, b.period, b.pool.pick = schema.ChurnMixed, float64(s.rand.IntN(24)), 1, policies[0]
	b.pool.renumber(s, b.hour, 1, 0.2)
	b.fix(s, 120, 110, func(*scene) host { return &server{every: hours(24 * 30), out: hours(3)} })
	return b
}
