package report

import (
	"net/netip"
	"time"

	"echogram/plugins/schema"
)

// Collection is what a report on networks draws from: pictures and the page read it and nothing else. Fill it with Add,
// Late and Line in any order, then call Finish once; the same rows give the same Collection whatever their order was.
//
// Networks, and in them blocks and targets, come by address; rows of analytics by time.
type Collection struct {
	Networks []*Network
	Groups   []*Group // by label: the rows of block analytics of owners, sites, ASNs

	config  CollectionConfig
	clock   hourClock
	nets    map[networkKey]*Network
	known   map[*schema.RTTSeries]*Target
	groups  map[schema.Tag]*Group
	vantage []schema.BlockOutageRow
	point   schema.Point
	seen    extent
}

// CollectionConfig says what a Collection takes in. The zero value takes everything.
type CollectionConfig struct {
	Network     netip.Prefix   // only what lies in it, as one network; the zero value: networks as they were configured
	Start, Stop int64          // ns; only rows of Start <= time < Stop; Stop 0: no bound
	Location    *time.Location // of days and hours; nil: UTC
	Frames      int            // sweeps of a network that are kept whole, thinned; 0: 600
}

// Network is one network as one prober saw it.
type Network struct {
	Host, Instance string
	Name           string       // as it was configured
	Prefix         netip.Prefix // of IPv4; of IPv6 and of targets of both families the zero value: they lie on the map by their order
	Window         string       // of the rollups that Last and Frames come from; "": they come from sweeps
	Targets        []*Target
	Blocks         []*Block
	Frames         []*Frame                // whole sweeps, by time
	Sweeps         int                     // that there were, kept as Frames or not
	From, To       int64                   // ns; times of the first and of the last sweep
	Use            []Use                   // by hour
	Vantage        []schema.BlockOutageRow // while the prober's own way was suspect
	Analytics

	views  map[string]*view // by window
	blocks map[string]*Block
	use    map[int64]Use                        // by hour, as rows of blocks tell it
	hours  *[24]spread                          // RTTs by hour of the day
	daily  map[netip.Addr]*schema.BlockDailyRow // of single targets
}

// Target is one address.
type Target struct {
	Addr   netip.Addr
	Labels []schema.Tag // owner, site …
	Name   string       // host name, when it was configured by one
	Block  *Block
	Last   Answer                // what its latest row says
	Time   int64                 // ns; of that row
	Daily  *schema.BlockDailyRow // its own daily pattern, the latest; nil: none was found
	view   *view
	place  int // in a Frame
}

// Block is the targets that share a prefix.
type Block struct {
	Name    string
	Prefix  netip.Prefix
	Labels  []schema.Tag // of its rows: what all its targets share
	Targets []*Target
	Probed  int64 // targets that its sweeps say were probed, whether or not each got a row; 0: nothing is said
	Analytics
}

// Group is all targets that share a label's value.
type Group struct {
	Label schema.Tag
	Analytics
}

// Analytics are the rows of block analytics about one block, network or group.
type Analytics struct {
	States  []schema.BlockStateRow
	Outages []schema.BlockOutageRow // outages, renumberings and rate limiting; Network.Vantage has the prober's own
	Churn   []schema.BlockChurnRow
	Daily   []schema.BlockDailyRow
}

// Frame is one sweep, or one window of rollups, of a whole network.
type Frame struct {
	Time    int64
	answers []Answer
}

// Answer is what a target answered in the sweep.
func (f *Frame) Answer(t *Target) Answer {
	if t.place < len(f.answers) {
		return f.answers[t.place]
	}
	return NotProbed
}

// Use is how many targets were probed and how many answered in the sweeps of an hour.
type Use struct {
	Time               int64 // start of the hour, ns
	Probed, Responding float64
}

// Answer is what one target answered in one sweep: an RTT in ns, or one of the constants, none of which is positive.
// Four bytes hold a day of a /16 in 40 MB, and an RTT to seven digits.
type Answer float32

// Answers without an RTT.
const (
	NotProbed Answer = 0  // or no row of it
	Silent    Answer = -1 // nothing came back
	Late      Answer = -2 // only beyond the timeout
	ICMPError Answer = -3 // an ICMP error that quotes the request
	Untimed   Answer = -4 // it answered, and the RTT is not known
)

// RTT is the RTT in ns, if there is one.
func (a Answer) RTT() (ns float64, ok bool) { return float64(a), a > 0 }

// Answered tells whether a reply came in time.
func (a Answer) Answered() bool { return a > 0 || a == Untimed }

// String says it in the words of legends and tables; an RTT with its unit.
func (a Answer) String() string {
	switch a {
	case NotProbed:
		return "not probed"
	case Silent:
		return "silent"
	case Late:
		return "late"
	case ICMPError:
		return "ICMP error"
	case Untimed:
		return "answered"
	}
	return duration(float64(a))
}

// answerOf reads a row of a sweep.
func answerOf(r *schema.SweepRow) Answer {
	switch {
	case r.RTT.Set && r.Received > 0:
		return Answer(max(r.RTT.N, 1))
	case r.Received > 0:
		return Untimed
	case r.Late > 0:
		return Late
	case r.ResultCode == schema.ResultICMPError:
		return ICMPError
	case r.ResultCode == schema.ResultNotSent:
		return NotProbed
	}
	return Silent
}

// rollupAnswer reads a row of a rollup: its median RTT.
func rollupAnswer(r *schema.SweepRollupRow) Answer {
	switch {
	case r.P50.Set && r.Received > 0:
		return Answer(max(r.P50.N, 1))
	case r.Received > 0:
		return Untimed
	case r.Late > 0:
		return Late
	case r.Sent == 0:
		return NotProbed
	}
	return Silent
}
