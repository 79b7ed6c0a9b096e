package world

import (
	"net/netip"
	"slices"
	"time"

	"echogram/plugins/schema"
)

// Truth is what a world knows of itself.
type Truth struct {
	Start    time.Time
	Interval time.Duration
	Sweeps   int
	Location *time.Location
	Blocks   []BlockTruth // by prefix
	Events   []Event      // by begin
	Doubted  []int        // sweeps, ascending, of which the prober's own capture lost replies
	Targets  []TargetTruth
}

// BlockTruth is what a block is.
type BlockTruth struct {
	Prefix          netip.Prefix
	Use             Use
	Targets         int             // that are probed
	Ever            int             // addresses that are ever on
	Responders      float64         // addresses that are on, mean over time
	Availability    float64         // A: share of requests to those ever on that bring a reply; outages aside
	Loss            float64         // share of replies lost at random
	RateLimited     bool            //
	Moved           bool            // its population left for another block, or another's came
	Churn           string          // schema.Churn…
	RenumberingHour schema.OptFloat // local; the middle of the minutes in which its clients get other addresses
	Period          time.Duration   // between renumberings, k · 24 h
	Renumberings    int             // while there are sweeps
	Diurnal         bool            // people switch its hosts on and off with the day
	Swing           float64         // percent of Responders; peak to peak of the daily fundamental of those on
	Daily           Daily           // of latency
}

// Daily is the daily pattern of latency: class and amplitude by the daily fundamental of the noise-free curve.
type Daily struct {
	Class     string        // schema.Daily…
	Hour      float64       // local, of the highest RTT; without meaning if the class is none
	Amplitude time.Duration // peak to peak
}

// TargetTruth is a host with a daily pattern of latency that is not its block's.
type TargetTruth struct {
	Target netip.Addr
	Daily
}

// Event is something that befell a block, a host or the prober.
type Event struct {
	Kind       EventKind
	Prefix     netip.Prefix // the host, half or block; of RegionOutage one of its blocks; of UplinkOutage the network
	Begin, End time.Time    // of Renumbering: when the first host leaves and the last has come
	Region     int          // numbers the regions from 1
	To         netip.Prefix // of Renumbering: the block where the hosts come to be
	Responders int          // hosts that were on when it began
	// Of outages of halves, blocks, regions and the uplink: how many sweeps lie in it with all their requests to Prefix and
	// can be trusted, which is the first of them, and which the first behind it that can be trusted.
	Sweeps, First, Behind int
}

// EventKind is a kind of event.
type EventKind string

// The kinds of event.
const (
	HostOutage   EventKind = "host"
	HalfOutage   EventKind = "half"
	BlockOutage  EventKind = "block"
	RegionOutage EventKind = "region" // of adjacent blocks at once; an event for each that is in use
	UplinkOutage EventKind = "uplink" // the prober's own
	Renumbering  EventKind = "renumbering"
)

// Truth is what the world knows of itself.
func (w *World) Truth() *Truth {
	t := &Truth{Start: w.cfg.Start, Interval: w.cfg.Interval, Sweeps: w.sweeps, Location: w.cfg.Location}
	for _, b := range w.blocks {
		t.Blocks = append(t.Blocks, w.truthOf(b))
		for p := range b.places {
			if c := b.places[p].slow; c != nil && !b.moved {
				t.Targets = append(t.Targets, TargetTruth{b.targets[p], c.Daily})
			}
		}
	}
	for n := range w.sweeps {
		if w.drop(n).share > 0 {
			t.Doubted = append(t.Doubted, n)
		}
	}
	t.Events = slices.Clone(w.events)
	for i := range t.Events {
		w.reach(&t.Events[i])
	}
	return t
}

// reach fills in which sweeps an outage has.
func (w *World) reach(e *Event) {
	if e.Kind == HostOutage || e.Kind == Renumbering {
		return
	}
	out := span{e.Begin.UnixNano(), e.End.UnixNano()}
	e.First = -1
	for n := max(0, int((out.from-w.span.from)/int64(w.cfg.Interval))); n < w.sweeps; n++ {
		e.Behind = n
		asked, whole := w.asks(n, e)
		switch {
		case e.Kind != UplinkOutage && (w.drop(n).share > 0 || w.cutWithin(asked)):
		case asked.from >= out.to:
			return
		case whole:
			e.Sweeps++
			if e.First < 0 {
				e.First = n
			}
		}
	}
}

// asks is when sweep n sends its requests to what e strikes, and whether that lies in e.
func (w *World) asks(n int, e *Event) (s span, inside bool) {
	from, to := 0, len(w.before)-1
	if b := w.byPrefix[e.block()]; b != nil {
		from, to = b.index/groupBlocks, b.index/groupBlocks+1
	}
	start := w.sweepAt(n)
	s.from = start + int64(float64(w.before[from])/w.rate(start)*1e9)
	s.to = start + int64(float64(w.before[to])/w.rate(start)*1e9)
	return s, e.Begin.UnixNano() <= s.from && s.to <= e.End.UnixNano()
}

func (w *World) cutWithin(s span) bool {
	return slices.ContainsFunc(w.uplink, func(cut span) bool { return cut.overlaps(s.from, s.to) })
}

// block is where e befell hosts; invalid of the uplink.
func (e *Event) block() netip.Prefix {
	if e.Kind == UplinkOutage {
		return netip.Prefix{}
	}
	return blockOf(e.Prefix)
}

// blockOf is the block of an address, a half or a block.
func blockOf(p netip.Prefix) netip.Prefix {
	bits := 24
	if p.Addr().Is6() {
		bits = 64
	}
	return netip.PrefixFrom(p.Addr(), bits).Masked()
}

func (w *World) truthOf(b *block) BlockTruth {
	t := BlockTruth{Prefix: b.prefix, Use: b.use, Targets: len(b.targets), Loss: b.loss, RateLimited: b.limit > 0, Moved: b.moved, Diurnal: b.daily}
	whole := span{w.span.from / 1e9, w.span.to / 1e9}
	var on int64
	for _, p := range b.places {
		if s := p.time(whole); s > 0 {
			t.Ever++
			on += s
		}
	}
	seconds := whole.to - whole.from
	t.Responders = float64(on) / float64(seconds)
	if t.Ever > 0 {
		t.Availability = t.Responders / float64(t.Ever) * (1 - b.loss) * w.passed(b)
		t.Swing = 100 * w.swing(b) / t.Responders
	}
	t.Churn = map[Use]string{Unused: schema.ChurnUnused, Sparse: schema.ChurnStatic, Servers: schema.ChurnStatic, Office: schema.ChurnStatic,
		Wireless: schema.ChurnDHCP, Residential: schema.ChurnDHCP, Access: schema.ChurnDHCP, Mixed: schema.ChurnMixed}[b.use]
	if r := b.renewal; r != nil {
		t.RenumberingHour = schema.OptFloat{F: r.hour + float64(r.spread)/7200, Set: true}
		t.Period = time.Duration(r.days) * 24 * time.Hour
		for _, at := range r.at {
			if whole.has(at) {
				t.Renumberings++
			}
		}
	}
	t.Daily.Class = b.slow.class()
	if b.slow != nil {
		t.Daily = b.slow.Daily
	}
	return t
}

// passed is the share of requests that the limit of a block lets pass, mean over the days.
func (w *World) passed(b *block) (share float64) {
	if b.limit == 0 {
		return 1
	}
	for _, rate := range w.rates[:w.cfg.Days] {
		share += min(1, b.limit/w.asked(b, rate)) / float64(w.cfg.Days)
	}
	return share
}

// time is for how long somebody is on within s.
func (p *place) time(s span) (sum int64) {
	for _, stay := range p.stays {
		sum += max(0, min(stay.to, s.to)-max(stay.from, s.from))
	}
	return sum
}

// swing is that of the number of hosts on, by the mean over all days.
func (w *World) swing(b *block) float64 {
	var sum, n [48]float64
	for t := w.span.from / 1e9; t < w.span.to/1e9; t += 1800 {
		_, hour := w.calendar.local(t)
		slot := int(hour * 2)
		sum[slot] += float64(b.on(t, 0, len(b.places)))
		n[slot]++
	}
	return swing(func(hour float64) float64 { return sum[int(hour*2)] / max(1, n[int(hour*2)]) })
}
