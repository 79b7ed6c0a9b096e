package world

import (
	"net/netip"
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
	Ever            int             // addresses that are ever on
	Responders      float64         // addresses that are on, mean over time
	Availability    float64         // A: share of requests to those ever on that bring a reply, outages aside
	Loss            float64         // share of replies lost at random
	RateLimited     bool            //
	Moved           bool            // its population left for another block, or another's came
	Churn           string          // schema.Churn…
	RenumberingHour schema.OptFloat // local; the middle of the minutes in which its clients get other addresses
	Period          time.Duration   // between renumberings, k · 24 h
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
	t := &Truth{Start: w.cfg.Start, Interval: w.cfg.Interval, Sweeps: w.sweeps, Location: w.cfg.Location, Events: w.events}
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
	return t
}

func (w *World) truthOf(b *block) BlockTruth {
	t := BlockTruth{Prefix: b.prefix, Use: b.use, Loss: b.loss, RateLimited: b.limit > 0, Moved: b.moved, Diurnal: b.daily}
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
		t.Availability = t.Responders / float64(t.Ever) * (1 - b.loss)
		t.Swing = 100 * w.swing(b) / t.Responders
	}
	t.Churn = map[Use]string{Unused: schema.ChurnUnused, Sparse: schema.ChurnStatic, Servers: schema.ChurnStatic, Office: schema.ChurnStatic,
		Wireless: schema.ChurnDHCP, Residential: schema.ChurnDHCP, Access: schema.ChurnDHCP, Mixed: schema.ChurnMixed}[b.use]
	if r := b.renewal; r != nil {
		t.RenumberingHour = schema.OptFloat{F: r.hour + float64(r.spread)/7200, Set: true}
		t.Period = time.Duration(r.days) * 24 * time.Hour
	}
	t.Daily.Class = b.slow.class()
	if b.slow != nil {
		t.Daily = b.slow.Daily
	}
	return t
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
