package block

import (
	"math/rand/v2"
	"time"

	"echogram/plugins/schema"
)

// makers build one block each of a kind.
var makers = []struct {
	name string
	make func(s *scene) *population
}{
	{"servers", servers}, {"office", offices}, {"offices and servers", officeServers},
	{"guests", guests}, {"homes", homes}, {"evenings", evenings}, {"full pool", fullPool}, {"long leases", longLeases},
	{"office pool", officePool}, {"sticky pool", stickyPool},
	{"daily", daily1}, {"weekly", daily7}, {"every other day", daily2}, {"mixed", mixed}, {"unused", unused},
}

func unit(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

func servers(s *scene) *population {
	b := &population{truth: truth{schema.ChurnStatic, -1, 0}}
	every := hours(24 * unit(s.Rand, 7, 60))
	for range 3 + s.Rand.IntN(220) {
		b.fix(s.Rand.IntN(256), &server{every: every, out: hours(3)})
	}
	return b
}

func offices(s *scene) *population {
	b := &population{truth: truth{schema.ChurnStatic, -1, 0}}
	for range 30 + s.Rand.IntN(180) {
		b.fix(s.Rand.IntN(256), newOffice(s))
	}
	return b
}

func officeServers(s *scene) *population {
	b := offices(s)
	for range 10 + s.Rand.IntN(60) {
		b.fix(s.Rand.IntN(256), &server{every: hours(24 * 30), out: hours(3)})
	}
	return b
}

func dhcp(s *scene, from, size int, share, lease, sticky float64, h func() host) *population {
	return &population{truth: truth{schema.ChurnDHCP, -1, 0}, pools: []*pool{newPool(s, from, size, share, hours(lease), sticky, h)}}
}

func guests(s *scene) *population {
	stay := unit(s.Rand, 0.5, 3)
	return dhcp(s, 10, 100+s.Rand.IntN(140), unit(s.Rand, 0.8, 2), unit(s.Rand, 0.2, 2), unit(s.Rand, 0, 0.8), func() host {
		return &visitor{stay: hours(stay), away: hours(stay * 4), peak: 13, day: 0.9}
	})
}

func homes(s *scene) *population {
	stay := unit(s.Rand, 3, 12)
	return dhcp(s, 1, 150+s.Rand.IntN(100), unit(s.Rand, 0.7, 1.3), unit(s.Rand, 1, 12), unit(s.Rand, 0, 0.9), func() host {
		return &visitor{stay: hours(stay), away: hours(stay), peak: 20, day: unit(s.Rand, 0.2, 0.8)}
	})
}

func evenings(s *scene) *population {
	return dhcp(s, 1, 150+s.Rand.IntN(100), unit(s.Rand, 0.7, 1.4), unit(s.Rand, 1, 12), unit(s.Rand, 0, 0.9), func() host { return newEvening(s) })
}

func fullPool(s *scene) *population {
	stay := unit(s.Rand, 4, 24)
	return dhcp(s, 1, 150+s.Rand.IntN(100), 1.4, 0.5, 0, func() host {
		return &visitor{stay: hours(stay), away: hours(stay / 3), peak: 20, day: 0.2}
	})
}

func longLeases(s *scene) *population {
	stay := unit(s.Rand, 24, 72)
	return dhcp(s, 1, 150+s.Rand.IntN(100), unit(s.Rand, 0.7, 1.2), unit(s.Rand, 1, 24), unit(s.Rand, 0, 0.5), func() host {
		return &visitor{stay: hours(stay), away: hours(stay / 3), peak: 20, day: 0.2}
	})
}

func officePool(s *scene) *population {
	return dhcp(s, 1, 200+s.Rand.IntN(50), unit(s.Rand, 0.4, 0.8), unit(s.Rand, 1, 8), unit(s.Rand, 0, 0.5), func() host { return newOffice(s) })
}

func stickyPool(s *scene) *population {
	stay := unit(s.Rand, 5, 24)
	return dhcp(s, 1, 200+s.Rand.IntN(50), unit(s.Rand, 0.5, 0.9), unit(s.Rand, 4, 24), 0.95, func() host {
		return &visitor{stay: hours(stay), away: hours(stay / 2), peak: 19, day: 0.5}
	})
}

func renumbered(s *scene, period int) *population {
	stay := unit(s.Rand, 12, 100)
	b := dhcp(s, 1, 150+s.Rand.IntN(100), unit(s.Rand, 0.4, 1), unit(s.Rand, 1, 24), unit(s.Rand, 0, 0.9), func() host {
		return &visitor{stay: hours(stay), away: hours(stay / 10), peak: 20, day: 0.2}
	})
	p := b.pools[0]
	p.hour, p.period, p.spread = float64(s.Rand.IntN(24)), period, hours(unit(s.Rand, 0.05, 0.4))
	b.hour, b.period = p.hour, period
	return b
}

func daily1(s *scene) *population { return renumbered(s, 1) }
func daily2(s *scene) *population { return renumbered(s, 2) }
func daily7(s *scene) *population { return renumbered(s, 7) }

func mixed(s *scene) *population {
	b := homes(s)
	b.class = schema.ChurnMixed
	p := b.pools[0]
	half := 100 + s.Rand.IntN(50)
	p.places, p.clients = p.places[:half], p.clients[:half*2/3]
	for range 60 + s.Rand.IntN(40) {
		place := 160 + s.Rand.IntN(96)
		if s.Rand.IntN(2) == 0 {
			b.fix(place, newOffice(s))
		} else {
			b.fix(place, &server{every: hours(24 * 30), out: hours(3)})
		}
	}
	return b
}

func unused(*scene) *population { return &population{truth: truth{schema.ChurnUnused, -1, 0}} }
