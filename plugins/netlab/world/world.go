// Package world is a population to sweep: a seeded network whose hosts are servers, offices and clients of DHCP, with
// what befalls such networks in some weeks. It yields its sweeps as line protocol, answers live, and knows the truth.
//
// Its layers, from the bottom:
//
//   - world.go: who lives where and when, what happens to them, and so what becomes of a request. All of it is drawn
//     from the seed when the world is made; each reply then hangs on the seed, the target and the time alone, so that
//     sweeps can be made in any order and agree with what a live prober sees.
//   - lines.go: sweeps as the icmp_sweep input writes them, fast.
//   - truth.go: what there is to find out.
//   - score.go, table.go: how well rows of block analytics have found it out.
//
// Times are unix seconds where hosts come and go, ns where requests do. It leaves out what an echo cannot tell, and
// what is the prober's business but for its uplink and its capture: late, partial and skipped sweeps.
//
// Addresses are of 198.18.0.0/15 and 2001:2::/48, which RFC 2544 and RFC 5180 set aside for benchmarks.
package world

import (
	"cmp"
	"encoding/binary"
	"math"
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

// New makes the world of a configuration.
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
}

func (w *World) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(w.cfg.Seed, stream)) }

// draw makes the blocks and deals out what they are. Shares are dealt like cards, so that a small world has some of
// everything.
func (w *World) draw(r *rand.Rand) {
	bits := 24
	if w.cfg.Network.Addr().Is6() {
		bits = 64
	}
	n := 1 << max(0, bits-w.cfg.Network.Bits())
	uses := deal(r, n, []Use{Unused, Sparse, Servers, Office, Wireless, Residential, Access, Mixed},
		[]float64{.18, .08, .24, .13, .10, .11, .16})
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
	for range w.cfg.Days + 1 { // in turn, but for one day in four
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

// settle fills the places, but not the first and last, which name an IPv4 network and its broadcasts.
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

// homes are clients for one or two long sessions a day, mostly in the evening, with leases of 4 to 12 h.
func (m *maker) homes(size int) pool {
	return pool{clients: m.scaled(size, .9, 1.4), sessions: 4.5, median: 4 * 3600, sigma: .7, lease: 3600 * (4 + m.Int64N(9)), curve: evening}
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
	s := stay{host: h}
	for day := first; day < last; day++ {
		if weekend(day) || m.IntN(8) == 0 {
			continue
		}
		if s.to == 0 { // else it is still on
			s.from = m.w.calendar.unix(day, comes+m.NormFloat64()/3)
		}
		if s.to = 0; m.IntN(12) == 0 {
			s.to = s.from
			continue
		}
		m.stay(p, stay{span{s.from, m.w.calendar.unix(day, goes+m.NormFloat64()/3)}, h})
	}
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

// curve is a daily pattern of latency without its noise: a hill that rises over 2 to 6.5 h and falls over 1.4 to 5, so
// that it is 2 to 5 h wide at half its height, and in one of four a lower one some hours before it.
type curve struct {
	Daily
	height     float64 // ns
	rise, fall float64 // h
	shoulder   float64 // height of the lower hill, as a share
	lead       float64 // h; by which it comes earlier
	weekend    float64 // share of the height that is left on weekends
	seed       uint64
}

// newCurve draws a pattern whose daily fundamental is of a class. People at home slow a network down in the evening,
// those in an office by day; servers are busy by day or make their backups at night.
func newCurve(r *rand.Rand, class string, use Use) *curve {
	amplitude := between(r, .62e6, .85e6)
	switch class {
	case schema.DailyNone:
		amplitude = .3e6 * max(0, 2*r.Float64()-1)
	case schema.DailyMild:
		amplitude = between(r, 1.3e6, 2.4e6)
	case schema.DailySevere:
		amplitude = between(r, 4e6, 25e6)
	}
	c := &curve{weekend: 1, seed: r.Uint64()}
	hour := 19 + 3.5*r.Float64()
	switch night := r.IntN(3) == 0; {
	case use == Office:
		hour, c.weekend = 10+5*r.Float64(), .3
	case (use == Servers || use == Sparse) && night:
		hour = 1 + 4*r.Float64()
	case use == Servers || use == Sparse:
		hour = 10 + 6*r.Float64()
	}
	width := 2 + 3*r.Float64()
	c.rise = width * (1 + .3*r.Float64())
	c.fall = 2*width - c.rise
	if r.IntN(4) == 0 {
		c.shoulder, c.lead = .2+.1*r.Float64(), 5+4*r.Float64()
	}
	c.Daily, c.height = Daily{class, hour, time.Duration(amplitude)}, 1
	c.height = amplitude / c.fundamental()
	return c
}

func (c *curve) class() string {
	if c == nil {
		return schema.DailyNone
	}
	return c.Class
}

// mean is the curve at an hour of a local day, without noise.
func (c *curve) mean(hour float64, weekend bool) float64 {
	v := c.height * hill(hour-c.Hour, c.rise, c.fall)
	if c.shoulder > 0 {
		v += c.height * c.shoulder * hill(hour-c.Hour+c.lead, c.rise, c.fall)
	}
	if weekend {
		v *= c.weekend
	}
	return v
}

// fundamental is the peak to peak amplitude of the curve's part of one cycle a day, over whole weeks.
func (c *curve) fundamental() float64 {
	return swing(func(hour float64) float64 { return (5*c.mean(hour, false) + 2*c.mean(hour, true)) / 7 })
}

// swing is the peak to peak amplitude of the daily fundamental of f, which is looked at every half hour.
func swing(f func(hour float64) float64) float64 {
	var re, im float64
	for i := range 48 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 48)
		v := f(float64(i) / 2)
		re, im = re+v*cos, im+v*sin
	}
	return 4 * math.Hypot(re, im) / 48
}

// hill rises from 0 at -rise to 1 at 0 and falls to 0 at fall, as a squared cosine; x is in hours, round the clock.
func hill(x, rise, fall float64) float64 {
	if x -= 24 * math.Round(x/24); x < 0 {
		x, fall = -x, rise
	}
	if x >= fall {
		return 0
	}
	c := math.Cos(math.Pi / 2 * x / fall)
	return c * c
}

// befall draws what happens to the network: populations that move (one in 64 blocks), regions, blocks (a third of them in
// two weeks), halves (one in 12), and the prober's uplink (every fifth day).
func (w *World) befall(r *rand.Rand) {
	weeks := float64(w.cfg.Days) / 14
	n := float64(len(w.blocks))
	for range times(n / 64) {
		w.move(r)
	}
	for range times(3 * weeks) {
		w.region(r)
	}
	for range times(n / 3 * weeks) {
		if b := w.blocks[r.IntN(len(w.blocks))]; b.use != Unused {
			w.strike(b, BlockOutage, 0, w.moment(r, 300, 12*3600))
		}
	}
	for range times(n / 12 * weeks) {
		if b := w.blocks[r.IntN(len(w.blocks))]; b.use != Unused && b.prefix.Addr().Is4() {
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

// region silences adjacent blocks, from 2 to an eighth of all.
func (w *World) region(r *rand.Rand) {
	most := min(24, len(w.blocks)/8)
	if most < 2 {
		return
	}
	n := 2 + r.IntN(most-1)
	first := r.IntN(len(w.blocks) - n + 1)
	s := w.moment(r, 600, 6*3600)
	for _, b := range w.blocks[first : first+n] {
		if b.use != Unused {
			w.strike(b, RegionOutage, 0, s)
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

// on is how many of the places first <= p < end have a host at the time t, in s.
func (b *block) on(t int64, first, end int) (n int) {
	for p := first; p < end; p++ {
		if b.places[p].at(t) != nil {
			n++
		}
	}
	return n
}

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
	bits := 24
	if target.Is6() {
		bits = 64
	}
	prefix, err := target.Prefix(bits)
	b := w.byPrefix[prefix]
	if err != nil || b == nil || w.cut(at.UnixNano()) {
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

// at is the curve at an hour of a day: days differ by up to a quarter.
func (c *curve) at(day int, hour float64) float64 {
	if c == nil || c.height == 0 {
		return 0
	}
	v := c.mean(hour, weekend(day))
	if v > 0 {
		v *= .75 + .5*unit(mix(c.seed^uint64(day)))
	}
	return v
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

// calendar turns times into local ones faster than a time.Location.
type calendar struct {
	location *time.Location
	steps    []step
}

// step is an offset from UTC, from a time on, both s.
type step struct{ from, offset int64 }

func newCalendar(location *time.Location, ns span) calendar {
	c := calendar{location: location}
	for t := time.Unix(0, ns.from).In(location).AddDate(0, 0, -4); ; {
		_, offset := t.Zone()
		c.steps = append(c.steps, step{t.Unix(), int64(offset)})
		_, end := t.ZoneBounds()
		if end.IsZero() || end.UnixNano() > ns.to {
			return c
		}
		t = end
	}
}

// local is the day since 1970-01-01 and the hour at the time t, in s.
func (c *calendar) local(t int64) (day int, hour float64) {
	i := len(c.steps) - 1
	for i > 0 && t < c.steps[i].from {
		i--
	}
	t += c.steps[i].offset
	return int(t / 86400), float64(t%86400) / 3600
}

// unix is the time, in s, of an hour of a local day. Hours beyond the day are those of the next or last.
func (c *calendar) unix(day int, hour float64) int64 {
	return time.Date(1970, 1, 1+day, 0, 0, int(hour*3600), 0, c.location).Unix()
}

// weekend tells whether a day since 1970-01-01, a Thursday, is a Saturday or Sunday.
func weekend(day int) bool { return (day+4)%7 == 6 || (day+4)%7 == 0 }

// deal gives n cards, each kind by its share and the last kind the rest, shuffled.
func deal[T any](r *rand.Rand, n int, kinds []T, shares []float64) []T {
	cards := make([]T, n)
	for i := range cards {
		u, k := (float64(i)+.5)/float64(n), 0
		for k < len(shares) && u >= shares[k] {
			u -= shares[k]
			k++
		}
		cards[i] = kinds[k]
	}
	r.Shuffle(n, func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
	return cards
}

// nth is the nth prefix of so many bits in p, which has at most 56 fewer.
func nth(p netip.Prefix, bits, n int) netip.Prefix {
	a := p.Addr().As16()
	shift := p.Addr().BitLen() - bits // of n, from the end of the address
	if p.Addr().Is4() {
		v := binary.BigEndian.Uint32(a[12:]) + uint32(n)<<shift
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, v))), bits)
	}
	binary.BigEndian.PutUint64(a[:], binary.BigEndian.Uint64(a[:])+uint64(n)<<(shift-64))
	return netip.PrefixFrom(netip.AddrFrom16(a), bits)
}

// between draws from least to most, their logarithms evenly.
func between(r *rand.Rand, least, most float64) float64 {
	return least * math.Pow(most/least, r.Float64())
}

// unit maps a draw to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014) behind its increment.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
