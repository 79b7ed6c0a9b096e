//go:build integration

package dashboards

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// The population of points: two networks of two blocks, four targets each, and one BFD session.
const (
	pointsHost     = "prober-1"
	pointsInstance = "lab"
	targetsOfBlock = 4
)

var pointsNetworks = map[string][]string{
	"198.18.0.0/23": {"198.18.0.0/24", "198.18.1.0/24"},
	"198.18.8.0/23": {"198.18.8.0/24", "198.18.9.0/24"},
}

// points makes rows of every measurement that dashboards ask for, up to a time: the same ones for the same time.
type points struct {
	t           *testing.T
	rng         *rand.Rand
	end         time.Time
	raw, rollup []byte
}

func newPoints(t *testing.T, end time.Time) *points {
	p := &points{t: t, rng: rand.New(rand.NewPCG(7, 11)), end: end}
	for at := range p.times(12*time.Hour, 10*time.Minute) {
		p.sweep(at)
	}
	for at := range p.times(time.Hour, 10*time.Second) {
		p.bfd(at)
	}
	p.events()
	for window, span := range map[time.Duration]time.Duration{10 * time.Minute: 12 * time.Hour, time.Hour: 48 * time.Hour} {
		for at := range p.times(span, window) {
			p.rollups(at, window)
		}
	}
	for at := range p.times(48*time.Hour, time.Hour) {
		p.states(at)
	}
	for at := range p.times(4*24*time.Hour, 24*time.Hour) {
		p.days(at)
	}
	p.outages()
	p.paths()
	return p
}

// times goes from span before the end to the last multiple of step before it.
func (p *points) times(span, step time.Duration) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		for at := p.end.Add(-span).Truncate(step); at.Add(step).Before(p.end); at = at.Add(step) {
			if !yield(at.UnixNano()) {
				return
			}
		}
	}
}

func (p *points) add(to *[]byte, row schema.Row) {
	var err error
	if *to, err = schema.AppendLine(*to, row); err != nil {
		p.t.Fatal(err)
	}
}

// rtt is some 5 ms.
func (p *points) rtt() schema.Opt { return schema.Some(5e6 + p.rng.Int64N(1e6)) }

// eachBlock calls f for each block with the targets in it.
func eachBlock(f func(network, block string, targets []string)) {
	for network, blocks := range pointsNetworks {
		for _, block := range blocks {
			address := netip.MustParsePrefix(block).Addr()
			var targets []string
			for range targetsOfBlock {
				address = address.Next()
				targets = append(targets, address.String())
			}
			f(network, block, targets)
		}
	}
}

func series(network, block, target string) schema.Series {
	return schema.Series{Host: pointsHost, Instance: pointsInstance, Network: network, Block: block, Target: target}
}

func (p *points) sweep(at int64) {
	eachBlock(func(network, block string, targets []string) {
		for _, target := range targets {
			p.add(&p.raw, &schema.SweepRow{Series: series(network, block, target), Time: at, Sent: 1, Received: 1, RTT: p.rtt(), TTL: schema.Some(63), Late: 1})
		}
		p.add(&p.raw, &schema.SweepBlockRow{
			Host: pointsHost, Instance: pointsInstance, Network: network, Block: block, Time: at, Targets: 4, Responding: 4, PercentResponding: 100,
			Sent: 4, Received: 4, RTTP50: p.rtt(), Joined: schema.Some(1), Left: schema.Some(0),
		})
	})
	p.add(&p.raw, &schema.SweepStatsRow{
		Host: pointsHost, Instance: pointsInstance, Time: at, Points: 16, Targets: 16, Sent: 16, Received: 16, Trust: schema.TrustOK,
		Duration: 1e9, Rate: 1e4, StampKind: "software", QdiscDrops: 1, NICDrops: 1,
	})
}

// counts are those of a rollup of n requests.
func (p *points) counts(n int64) schema.Counts {
	return schema.Counts{Sweeps: 6, Sent: n, Received: n - 1, Lost: 1, PercentLost: 100 / float64(n), RTTMin: p.rtt(), RTTMean: p.rtt(), RTTMax: p.rtt(), RTTStddev: p.rtt()}
}

func (p *points) rollups(at int64, length time.Duration) {
	window := map[time.Duration]string{10 * time.Minute: "10m", time.Hour: "1h"}[length]
	quantiles := schema.RTTQuantiles{P50: p.rtt(), P90: p.rtt(), P99: p.rtt()}
	for network := range pointsNetworks {
		p.add(&p.rollup, &schema.NetworkRollupRow{
			Host: pointsHost, Instance: pointsInstance, Network: network, Window: window, Time: at, Blocks: 2, Targets: 8, Responding: 8, Points: 48,
			Counts: p.counts(48), RTTQuantiles: quantiles, Complete: true,
		})
	}
	if length < time.Hour {
		return
	}
	eachBlock(func(network, block string, targets []string) {
		for _, target := range targets {
			p.add(&p.rollup, &schema.SweepRollupRow{
				Series: series(network, block, target), Window: window, Time: at, Counts: p.counts(6), RTTQuantiles: quantiles,
				Filtered: schema.Filtered{N: 6, Mean: p.rtt(), Stddev: p.rtt(), StdErr: schema.Some(2e4), Floor: p.rtt(), Error: schema.ErrorOK},
				TTLMin:   schema.Some(63), TTLMax: schema.Some(63), Complete: true,
			})
		}
	})
}

// groups calls f for each block and network.
func groups(f func(s schema.BlockSeries)) {
	for network := range pointsNetworks {
		f(schema.BlockSeries{Host: pointsHost, Instance: pointsInstance, Group: schema.GroupNetwork, Network: network})
	}
	eachBlock(func(network, block string, _ []string) { f(blockSeries(network, block)) })
}

func blockSeries(network, block string) schema.BlockSeries {
	return schema.BlockSeries{Host: pointsHost, Instance: pointsInstance, Group: schema.GroupBlock, Network: network, Block: block}
}

func (p *points) states(at int64) {
	groups(func(s schema.BlockSeries) {
		p.add(&p.rollup, &schema.BlockStateRow{
			BlockSeries: s, Time: at, Sweeps: 6, Targets: 4, Ever: 4, PercentResponding: 95, RespondingMin: 3, RespondingMax: 4, State: schema.StateUp,
			Belief: some(0.99), Availability: some(0.9), Volatility: some(0.01), Uptime: schema.Some(3600e9), Class: schema.UseAlways, Always: 4, RTTP50: p.rtt(),
		})
	})
}

func some(f float64) schema.OptFloat { return schema.OptFloat{F: f, Set: true} }

func (p *points) days(at int64) {
	groups(func(s schema.BlockSeries) {
		p.add(&p.rollup, &schema.BlockChurnRow{
			BlockSeries: s, Time: at, Days: 3, Addresses: 4, Peak: 4, Joined: 2, Left: 2, Sessions: 2, SessionP50: schema.Some(3600e9), SessionP90: schema.Some(7200e9),
			Static: 2, Dynamic: 2, Class: schema.ChurnMixed, Renumbered: 1, RenumberingHour: some(4), Period: schema.Some(86400e9),
		})
		p.daily(schema.BlockDailyRow{BlockSeries: s, Time: at})
	})
	eachBlock(func(network, block string, targets []string) {
		s := blockSeries(network, block)
		s.Group = schema.GroupTarget
		for _, target := range targets {
			p.daily(schema.BlockDailyRow{BlockSeries: s, Target: target, Time: at})
		}
	})
}

func (p *points) daily(r schema.BlockDailyRow) {
	r.Days, r.Targets, r.Slots, r.RTTFloor, r.Amplitude, r.Timezone = 3, 4, 144, p.rtt(), schema.Some(2e6), "UTC"
	r.LatencyClass, r.LatencyHour = schema.DailyMild, some(20)
	r.AvailabilityClass, r.AvailabilityHour, r.AvailabilitySwing = schema.DiurnalNone, some(12), some(3)
	p.add(&p.rollup, &r)
}

func (p *points) outages() {
	for hours, event := range map[int]string{2: schema.EventOutage, 3: schema.EventRenumbering, 4: schema.EventVantage, 5: schema.EventRateLimit} {
		for network, blocks := range pointsNetworks {
			r := schema.BlockOutageRow{
				BlockSeries: blockSeries(network, blocks[0]), Event: event, Time: p.end.Add(-time.Duration(hours) * time.Hour).UnixNano(), Prefix: blocks[0],
				Open: event == schema.EventOutage, Duration: 600e9, Addresses: 4, Blocks: 1, BeliefLow: 0.01, To: blocks[1], Reason: "for the test",
			}
			if event == schema.EventVantage {
				r.Network, r.Block, r.Prefix = "", "", ""
			}
			p.add(&p.rollup, &r)
		}
	}
}

func (p *points) paths() {
	eachBlock(func(network, block string, targets []string) {
		for _, target := range targets {
			at := p.end.Add(-3 * time.Hour).UnixNano()
			p.add(&p.rollup, &schema.PathShiftRow{
				Series: series(network, block, target), Window: "1h", Time: at, Kind: schema.ShiftStep, Step: schema.Some(2e4), StepLow: schema.Some(1e4),
				StepHigh: schema.Some(3e4), Before: p.rtt(), After: p.rtt(), Hops: some(1), Cable: some(100),
			})
			p.add(&p.rollup, &schema.PathEstimateRow{
				Host: pointsHost, Target: target, Reference: "198.18.0.1", Time: at, Probes: 100, Kept: 99, RTT: p.rtt(), Floor: p.rtt(), Verdict: schema.VerdictTold,
				Reason: "no cable", Hops: schema.Some(3), HopsConfidence: some(0.9), Offset: schema.Some(2e4), Cable: some(100),
			})
		}
	})
}

// ends calls f for both directions of the BFD session.
func ends(f func(s schema.BFDSeries)) {
	for i := range 2 {
		f(schema.BFDSeries{
			Host: pointsHost, Instance: pointsInstance, Tap: "eth0", Local: fmt.Sprintf("198.19.0.%d", 1+i), Peer: fmt.Sprintf("198.19.0.%d", 2-i), Hop: "single", Family: "ipv4",
		})
	}
}

func (p *points) bfd(at int64) {
	ends(func(s schema.BFDSeries) {
		intervals := schema.Intervals{Count: 33, Mean: schema.Some(270e6), RatioMin: some(0.75), RatioMax: some(1)}
		p.add(&p.raw, &schema.BFDSessionRow{
			BFDSeries: s, Time: at, State: "Up", StateCode: 3, DetectMult: 3, DetectionTime: schema.Some(900e6), Intervals: intervals,
			MaxGap: schema.Some(280e6), DetectMargin: some(0.6 + p.rng.Float64()/10),
		})
		p.add(&p.raw, &schema.BFDEchoRow{
			BFDEchoSeries: schema.BFDEchoSeries{BFDSeries: s, Layout: "frr-ts", TapRole: "initiator"}, Time: at, Sent: 100, Returned: 100, Window: 1e9,
			RTTMin: p.rtt(), RTTMean: p.rtt(), RTTP95: p.rtt(), RTTP99: p.rtt(), RTTMax: p.rtt(),
		})
	})
	p.add(&p.raw, &schema.BFDStatsRow{Host: pointsHost, Instance: pointsInstance, Tap: "eth0", Time: at, Packets: 300, Control: 66, Echo: 200, Sessions: 1})
}

func (p *points) events() {
	for minutes, event := range map[int]string{5: schema.BFDEventFlap, 10: schema.BFDEventNearMiss, 15: schema.BFDEventUp} {
		ends(func(s schema.BFDSeries) {
			p.add(&p.raw, &schema.BFDEventRow{
				BFDSeries: s, Event: event, Time: p.end.Add(-time.Duration(minutes) * time.Minute).UnixNano(), Text: "for the test", From: "Up", To: "Down", Diagnostic: "none",
			})
		})
	}
}
