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
