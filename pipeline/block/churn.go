package block

import (
	"slices"
	"time"

	"echogram/plugins/schema"
)

// churn is how the addresses of a block come and go: their sessions, which of them are static, and the hour at which a
// pool hands out new ones. An echo cannot tell one client from the next on the same address: these are sessions of
// addresses.
type churn struct {
	Sessions sessions
	Pages    []page // of the last days, today's last
	Today    today
}

// page is what is kept of a local day, for as many days as Config.Span says.
type page struct {
	Number int           // of the day, counted from 1970, once it is over
	Told   uint64        // slots with a sweep that tells, a bit each
	Dark   uint64        // slots with an outage
	Up     [slots]Set    // places that were up in the last such sweep of the slot
	Came   [ticks]uint16 // sessions that began
	Left   [ticks]uint16 // sessions that ended, by the first sweep that they missed
}

// Parts of a local day.
const (
	slots       = 48  // half hours
	ticks       = 288 // five minutes
	tickSeconds = 24 * 3600 / ticks
	inSlot      = ticks / slots
)

// today is what one day counts.
type today struct {
	Interval         uint32 // s; least between two sweeps
	Answered         Set
	Present          [ticks]uint32 // most that answered at once
	Joined, Sessions int64         // sessions that began, and that ended
	Lengths          lengths       // of those that ended and whose beginning was seen
}

// observe takes in one sweep.
func (c *churn) observe(cfg *Config, l *Look, v Verdict) {
	if len(c.Pages) == 0 {
		c.Pages = append(c.Pages, page{})
	}
	first, now := c.Sessions.Begun == 0, tickOf(cfg, l.Time)
	p, slot := &c.Pages[len(c.Pages)-1], now/inSlot
	if v == Down || v == Part || v == Uncertain {
		p.Dark |= 1 << slot
	}
	if !c.Sessions.observe(cfg, l, v) {
		return
	}
	t := &c.Today
	if passed := uint32(l.Interval / 1e9); passed > 0 && (t.Interval == 0 || passed < t.Interval) {
		t.Interval = passed
	}
	if !first {
		t.Joined += int64(len(c.Sessions.came))
		p.Came[now] += uint16(len(c.Sessions.came))
	}
	for _, e := range c.Sessions.left {
		c.end(cfg, e, now)
	}
	p.Told |= 1 << slot
	p.Up[slot] = append(p.Up[slot][:0], c.Sessions.On...)
	t.Answered.Join(l.Answered)
	t.Present[now] = max(t.Present[now], uint32(l.Answered.Len()))
}

// tickOf is the part of the local day.
func tickOf(cfg *Config, at int64) int {
	hour, minute, second := time.Unix(0, at).In(cfg.Location).Clock()
	return (hour*3600 + minute*60 + second) / tickSeconds
}

// end counts a session, and takes its address out of the slots since: that it was over could not be known yet.
func (c *churn) end(cfg *Config, e ended, now int) {
	c.Today.Sessions++
	if e.whole {
		c.Today.Lengths.add(e.until-e.since, 1)
	}
	if c.Sessions.Last-e.until > 12*3600 { // most of that is not known
		return
	}
	last, at, from := len(c.Pages)-1, tickOf(cfg, int64(e.until)*1e9), 0
	switch {
	case at <= now:
		c.Pages[last].Left[at]++
		from = at / inSlot
	case last > 0: // the day before
		c.Pages[last-1].Left[at]++
		c.Pages[last-1].remove(e.place, at/inSlot, slots)
	}
	c.Pages[last].remove(e.place, from, now/inSlot+1)
}

// remove takes a place out of slots.
func (p *page) remove(place, from, to int) {
	for _, up := range p.Up[from:to] {
		if place>>6 < len(up) {
			up[place>>6] &^= 1 << (place & 63)
		}
	}
}

// day tells of the day that began at start, and begins the next one. It is called as each local day ends. What happens in
// the last two hours of a day is known to be a renumbering only on the next.
func (c *churn) day(cfg *Config, start int64) churnDay {
	if len(c.Pages) == 0 {
		c.Pages = append(c.Pages, page{})
	}
	number := dayNumber(cfg, start)
	c.Pages[len(c.Pages)-1].Number = number
	c.Pages = slices.DeleteFunc(c.Pages, func(p page) bool { return p.Number <= number-cfg.Span || p.Number > number })
	h := historyOf(c.Pages)
	d := churnDay{today: c.Today, addresses: int64(c.Today.Answered.Len()), ever: int64(h.ever.Len()), days: int64(h.days)}
	var moved Set
	if r, ok := h.readdressing(c.Today.Interval); ok {
		d.readdressings, moved = []readdressing{r}, r.moved
	}
	d.static, d.handed = h.kinds(moved)
	d.dynamic = int64(d.handed.Len())
	c.Today = today{}
	c.Pages = append(c.Pages, page{})
	return d
}

// dayNumber counts the local days from 1970.
func dayNumber(cfg *Config, start int64) int {
	year, month, day := time.Unix(0, start).In(cfg.Location).Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 3600))
}

// churnDay is what a day, and those before it, show of a block or of several.
type churnDay struct {
	today
	addresses, ever, days int64
	static, dynamic       int64
	handed                Set            // places of the dynamic ones; of one block
	readdressings         []readdressing // at most one a block
}

// merge adds another block's day.
func (d *churnDay) merge(o *churnDay) {
	for t, n := range o.Present {
		d.Present[t] += n
	}
	d.Joined, d.Sessions = d.Joined+o.Joined, d.Sessions+o.Sessions
	d.Lengths.merge(o.Lengths)
	d.addresses, d.ever, d.days = d.addresses+o.addresses, d.ever+o.ever, max(d.days, o.days)
	d.static, d.dynamic = d.static+o.static, d.dynamic+o.dynamic
	d.readdressings = append(d.readdressings, o.readdressings...)
}

// fill fills in all of the row but its series and time.
func (d *churnDay) fill(row *schema.BlockChurnRow) {
	row.Days, row.Addresses, row.Peak = d.days, d.addresses, int64(slices.Max(d.Present[:]))
	row.Joined, row.Left, row.Sessions = d.Joined, d.Sessions, d.Sessions
	row.SessionP50, row.SessionP90 = quantileOf(d.Lengths, 50), quantileOf(d.Lengths, 90)
	row.Static, row.Dynamic, row.Class = d.static, d.dynamic, d.class()
	if len(d.readdressings) == 0 {
		return
	}
	most := slices.MaxFunc(d.readdressings, func(a, b readdressing) int { return a.moved.Len() - b.moved.Len() })
	row.RenumberingHour = schema.OptFloat{F: most.at / 3600, Set: true}
	if most.period > 0 {
		row.Period = schema.Some(int64(most.period) * int64(24*time.Hour))
	}
	for _, r := range d.readdressings {
		row.Renumbered += r.changed
	}
}

func quantileOf(h lengths, percent uint64) schema.Opt {
	n, ok := h.quantile(percent)
	return schema.Opt{N: n, Set: ok}
}

// Shares of dynamic addresses.
const (
	mostly = 0.7 // from which it is a pool
	hardly = 0.3 // up to which it is none
)

// class is "" while the days are too few.
func (d *churnDay) class() string {
	switch share := float64(d.dynamic) / float64(d.static+d.dynamic); {
	case d.days == 0:
		return ""
	case d.ever == 0:
		return schema.ChurnUnused
	case d.static+d.dynamic == 0:
		return ""
	case share >= mostly:
		return schema.ChurnDHCP
	case share <= hardly:
		return schema.ChurnStatic
	}
	return schema.ChurnMixed
}
