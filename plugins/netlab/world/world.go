// Package world is a population to sweep: a seeded network whose hosts are servers, offices and clients of DHCP, with
// what befalls such networks in some weeks. It yields its sweeps as line protocol, answers live, and knows the truth.
//
// Its layers, from the bottom:
//
//   - chance.go, calendar.go: draws, and local time.
//   - dhcp.go: who has which address of a pool, and when all get others. curve.go: how a day slows a network down.
//   - world.go: who lives where. events.go: what happens to them.
//   - reply.go: so what becomes of a request.
//   - lines.go: sweeps as the icmp_sweep input writes them, fast.
//   - truth.go: what there is to find out.
//   - score.go, table.go: how well rows of block analytics have found it out.
//
// All of it is drawn from the seed when the world is made; each reply then hangs on the seed, the target and the time
// alone, so that sweeps can be made in any order and agree with what a live prober sees. Each distribution stands at the
// code that draws from it.
//
// Times are unix seconds where hosts come and go, ns where requests do. It leaves out what an echo cannot tell, and
// what is the prober's business but for its uplink and its capture: late, partial and skipped sweeps.
//
// Addresses are of 198.18.0.0/15 and 2001:2::/48, which RFC 2544 and RFC 5180 set aside for benchmarks.
package world

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"echogram/plugins/schema"
)

// Config says how large a world is and how long. The zero value is a /16 for 14 days, swept every 10 minutes.
type Config struct {
	Seed     uint64
	Network  netip.Prefix   // IPv4: whole blocks of 256, all probed; IPv6: /64 blocks of 24 to 60 targets; 198.18.0.0/16, or 2001:2:0:100::/56
	Start    time.Time      // floored to Interval; 2026-01-12, a Monday, in Location
	Days     int            // of 24 h; 14
	Interval time.Duration  // of the sweeps; 10 min
	Location *time.Location // of its people's days and hours; UTC
	IPv6     bool           // the default of Network is the IPv6 one
}

// Use is what a block is used for.
type Use string

// The uses of blocks.
const (
	Unused      Use = "unused"
	Sparse      Use = "sparse"      // fewer than 15 servers
	Servers     Use = "servers"     // static, always on
	Office      Use = "office"      // static; part always on, part on weekdays in office hours
	Wireless    Use = "wireless"    // DHCP; short sessions, addresses go from hand to hand
	Residential Use = "residential" // DHCP; long sessions, a client keeps its address as long as its lease lasts
	Access      Use = "access"      // DHCP; gateways, most always on, that get other addresses every k · 24 h
	Mixed       Use = "mixed"       // servers in the lower half, residential in the upper
)

// World is a population. One goroutine at a time may use AppendSweep; all else may be used by several at once.
type World struct {
	cfg      Config
	sweeps   int
	span     span // ns
	calendar calendar
	blocks   []*block
	byPrefix map[netip.Prefix]*block
	before   []int     // targets before each group of groupBlocks blocks, and all of them behind the last
	rates    []float64 // requests a second, by day of 24 h
	uplink   []span    // ns; while the prober's uplink is broken
	events   []Event
	lines    lines
}

// groupBlocks is how many blocks are probed at once, in permuted order.
const groupBlocks = 64

// span is a time from <= t < to.
type span struct{ from, to int64 }

func (s span) has(t int64) bool             { return s.from <= t && t < s.to }
func (s span) overlaps(from, to int64) bool { return s.from < to && from < s.to }

// block is one block. Its places are its targets.
type block struct {
	index   int
	prefix  netip.Prefix
	use     Use
	targets []netip.Addr
	places  []place
	base    float64 // ns; the way to the block
	jitter  float64 // ns; mean of what a reply takes longer, exponential
	loss    float64 // share of requests lost at random
	limit   float64 // requests a second that the block answers at most; 0: all
	slow    *curve  // daily latency of the way to the block; nil: none
	daily   bool    // people switch its hosts on and off with the day
	renewal *renewal
	moved   bool
	out     []outage
	busy    []span // s; when nothing else is to happen
}

// outage is a time, in ns, in which the places first <= p < end are silent.
type outage struct {
	span
	first, end int
}

type place struct {
	stays []stay // by time, apart from each other
	slow  *curve // daily latency of the host alone; nil: none
}

// stay is a time, in s, in which a host is on at a place.
type stay struct {
	span
	host
}

// host is who answers.
type host struct {
	floor float64 // ns; its least RTT
	ttl   int64   // of its replies
}

// New makes the world of a configuration. It panics if the network is not one of whole blocks for benchmarks.
func New(cfg Config) *World {
	cfg.fill()
	w := &World{cfg: cfg, sweeps: int(time.Duration(cfg.Days) * 24 * time.Hour / cfg.Interval), byPrefix: map[netip.Prefix]*block{}}
	w.span = span{cfg.Start.UnixNano(), cfg.Start.UnixNano() + int64(w.sweeps)*int64(cfg.Interval)}
	w.calendar = newCalendar(cfg.Location, w.span)
	r := w.random(0)
	w.draw(r)
	for _, b := range w.blocks {
		(&maker{w: w, b: b, Rand: w.random(uint64(b.index) + 1)}).settle()
	}
	w.befall(r)
	slices.SortStableFunc(w.events, func(a, b Event) int { return a.Begin.Compare(b.Begin) })
	return w
}

func (c *Config) fill() {
	if !c.Network.IsValid() {
		c.Network = netip.MustParsePrefix("198.18.0.0/16")
		if c.IPv6 {
			c.Network = netip.MustParsePrefix("2001:2:0:100::/56")
		}
	}
	c.Days = cmp.Or(c.Days, 14)
	c.Interval = cmp.Or(c.Interval, 10*time.Minute)
	c.Location = cmp.Or(c.Location, time.UTC)
	if c.Start.IsZero() {
		c.Start = time.Date(2026, 1, 12, 0, 0, 0, 0, c.Location)
	}
	c.Start = time.Unix(0, c.Start.UnixNano()/int64(c.Interval)*int64(c.Interval)).In(c.Location)
	c.Network = c.Network.Masked()
	n := c.Network
	if !within(n, "198.18.0.0/15", 24) && !within(n, "2001:2::/48", 64) {
		panic(fmt.Sprintf("world: %v is not of whole blocks of 198.18.0.0/15 or 2001:2::/48", n))
	}
}

// within tells whether n is a part of network of blocks of so many bits.
func within(n netip.Prefix, network string, bits int) bool {
	p := netip.MustParsePrefix(network)
	return p.Contains(n.Addr()) && p.Bits() <= n.Bits() && n.Bits() <= bits
}

func (w *World) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(w.cfg.Seed, stream)) }

// draw makes the blocks and deals out what they are; shares are dealt like cards, so that a small world has some of
// everything. The way to a block takes 1 to 120 ms, its jitter 20 µs to 1 ms (both log-uniform), and it loses 2 to 5 %.
// A day's sweeps are sent at 2,500 or at 10,000 requests a second, in turn but for one day in four.
func (w *World) draw(r *rand.Rand) {
	bits := 24
	if w.cfg.Network.Addr().Is6() {
		bits = 64
	}
	n := 1 << (bits - w.cfg.Network.Bits())
	uses := deal(r, n, []Use{Unused, Sparse, Servers, Office, Wireless, Residential, Access, Mixed},
		[]float64{.18, .08, .22, .12, .09, .12, .12})
	classes := deal(r, n, []string{schema.DailyNone, schema.DailyLow, schema.DailyMild, schema.DailySevere}, []float64{.55, .13, .15})
	for i := range n {
		if i%groupBlocks == 0 {
			w.before = append(w.before, w.targets())
		}
		b := &block{index: i, prefix: nth(w.cfg.Network, bits, i), use: uses[i]}
		b.number(r)
		b.base, b.jitter = between(r, 1e6, 120e6), between(r, 20e3, 1e6)
		b.loss = .02 + .03*r.Float64()
		if b.use != Unused {
			b.slow = newCurve(r, classes[i], b.use)
		}
		w.blocks, w.byPrefix[b.prefix] = append(w.blocks, b), b
	}
	w.before = append(w.before, w.targets())
	for range w.cfg.Days + 1 {
		w.rates = append(w.rates, [...]float64{2500, 10000}[(len(w.rates)+r.IntN(4)/3)%2])
	}
	w.limit(r)
}

// limit has 3 % of the blocks answer no more requests a second than 0.8 to 1.3 times what a sweep at 2,500/s asks.
func (w *World) limit(r *rand.Rand) {
	left := (len(w.blocks) + 16) / 32
	for _, i := range r.Perm(len(w.blocks)) {
		if b := w.blocks[i]; left > 0 && (b.use == Servers || b.use == Office || b.use == Access) {
			b.limit = w.asked(b, 2500) * (.8 + .5*r.Float64())
			left--
		}
	}
}

// asked is how many requests a second block b gets in a sweep of so many a second.
func (w *World) asked(b *block, rate float64) float64 {
	g := b.index / groupBlocks
	return rate * float64(len(b.targets)) / float64(w.before[g+1]-w.before[g])
}

func (w *World) targets() (n int) {
	for _, b := range w.blocks {
		n += len(b.targets)
	}
	return n
}

// number makes the targets: all of an IPv4 block; of an IPv6 one 24 to 60 that somebody has collected.
func (b *block) number(r *rand.Rand) {
	if b.prefix.Addr().Is4() {
		a := b.prefix.Addr()
		for range 256 {
			b.targets = append(b.targets, a)
			a = a.Next()
		}
	} else {
		a := b.prefix.Addr().As16()
		for range 24 + r.IntN(37) {
			binary.BigEndian.PutUint64(a[8:], r.Uint64())
			b.targets = append(b.targets, netip.AddrFrom16(a))
		}
		slices.SortFunc(b.targets, netip.Addr.Compare)
	}
	b.places = make([]place, len(b.targets))
}

// maker settles a block.
type maker struct {
	*rand.Rand
	w *World
	b *block
}

// settle fills the places, but not the first and last, which name an IPv4 network and its broadcasts. Servers and offices
// take from little to all of a block; a quarter to half of an office is always on. Of the wireless and the mixed blocks
// half follow the day, of the residential two in three, of the access ones one in three: there more gateways are switched
// off.
func (m *maker) settle() {
	first, end := 1, len(m.b.places)-1
	size := end - first
	places := m.Perm(size)
	for i := range places {
		places[i] += first
	}
	switch m.b.use {
	case Sparse:
		m.servers(places[:1+m.IntN(14)])
	case Servers:
		m.servers(places[:16+m.IntN(size-16)])
	case Office:
		n := max(20, size/4) + m.IntN(size-max(20, size/4))
		fixed := n * (25 + m.IntN(25)) / 100 // printers, phones, servers
		m.servers(places[:fixed])
		m.b.daily = true
		for _, p := range places[fixed:n] {
			m.desk(p)
		}
	case Wireless:
		m.b.daily = m.IntN(2) == 0
		m.lease(first, end, pool{clients: m.scaled(size, 1.2, 2.2), sessions: 7, median: 81 * 60, sigma: 1, lease: 3600 * (1 + m.Int64N(4)), curve: daytime})
	case Residential:
		m.b.daily = m.IntN(3) > 0
		m.lease(first, end, m.homes(size))
	case Access:
		m.b.daily = m.IntN(3) == 0
		m.b.renewal = newRenewal(m)
		p := m.homes(size)
		p.clients, p.always = m.scaled(size, .5, .85), .85
		if m.b.daily {
			p.always = .4
		}
		m.lease(first, end, p)
	case Mixed:
		m.b.daily = m.IntN(2) == 0
		half := len(m.b.places) / 2
		lower := slices.DeleteFunc(places, func(p int) bool { return p >= half })
		m.servers(lower[:max(len(lower)/2, len(lower)-m.IntN(len(lower)))])
		m.lease(half, end, m.homes(end-half))
	}
}

func (m *maker) scaled(n int, least, most float64) int {
	return int(float64(n) * (least + (most-least)*m.Float64()))
}

// newHost draws a host of the block: the last mile takes 0.1 to 15 ms.
func (m *maker) newHost() host {
	initial := [...]int64{64, 64, 128, 255}[m.IntN(4)]
	return host{floor: m.b.base + between(m.Rand, 1e5, 15e6), ttl: initial - 5 - int64(m.b.base/6e6) - m.Int64N(3)}
}

// dawn and dusk bound what is settled, in s: two days before the first sweep, so that nothing begins with it.
func (m *maker) dawn() int64 { return m.w.span.from/1e9 - 2*86400 }
func (m *maker) dusk() int64 { return m.w.span.to/1e9 + 86400 }

// servers are always on, but for restarts (2 to 20 minutes, one in 40 days each) and failures (1 to 24 h, one in 150).
// 3 % come or go for good. 1.5 %, where the way is never slow, have a slow hour of their own.
func (m *maker) servers(places []int) {
	for _, p := range places {
		s := stay{span{m.dawn(), m.dusk()}, m.newHost()}
		if some := m.w.span.from/1e9 + m.Int64N((m.w.span.to-m.w.span.from)/1e9); m.Float64() < .03 {
			if s.to = some; m.IntN(2) == 0 {
				s.from, s.to = some, m.dusk()
			}
		}
		for t := s.from + m.wait(32); t < s.to; t = s.from + m.wait(32) {
			off := int64(between(m.Rand, 120, 1200))
			if m.Float64() < .21 {
				off = int64(between(m.Rand, 3600, 86400))
			}
			m.stay(p, stay{span{s.from, t}, s.host})
			s.from = min(t+off, s.to)
			m.w.note(HostOutage, netip.PrefixFrom(m.b.targets[p], m.b.targets[p].BitLen()), span{t * 1e9, s.from * 1e9}, 1)
		}
		m.stay(p, s)
		if m.b.slow.class() == schema.DailyNone && m.b.use != Mixed && m.Float64() < .015 {
			m.b.places[p].slow = newCurve(m.Rand, [...]string{schema.DailyMild, schema.DailySevere}[m.IntN(2)], Servers)
		}
	}
}

// wait is a time to the next of events that come once in so many days, in s.
func (m *maker) wait(days float64) int64 { return int64(days * 86400 * m.ExpFloat64()) }

func (m *maker) stay(p int, s stay) {
	if s.from < s.to {
		m.b.places[p].stays = append(m.b.places[p].stays, s)
	}
}

// desk is a computer with an address of its own, on from about 8:30 to 17:15 on weekdays. Each person has habits, and
// is 20 minutes off them; is absent one day in eight, and leaves it on overnight one day in twelve.
func (m *maker) desk(p int) {
	h := m.newHost()
	comes, goes := 8.5+.7*m.NormFloat64(), 17.25+.8*m.NormFloat64()
	first, _ := m.w.calendar.local(m.dawn())
	last, _ := m.w.calendar.local(m.dusk())
	since := int64(0) // when it was switched on; 0: it is off
	for day := first; day < last; day++ {
		if weekend(day) || m.IntN(8) == 0 {
			continue
		}
		if since == 0 {
			since = m.w.calendar.unix(day, comes+m.NormFloat64()/3)
		}
		if m.IntN(12) > 0 {
			m.stay(p, stay{span{since, m.w.calendar.unix(day, goes+m.NormFloat64()/3)}, h})
			since = 0
		}
	}
	if since > 0 {
		m.stay(p, stay{span{since, m.dusk()}, h})
	}
}
