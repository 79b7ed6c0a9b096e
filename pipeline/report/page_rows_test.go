package report

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// hostile is a label that tries to break out of wherever it is written.
const hostile = `</script></noscript><img src=x onerror=alert(1)>"'&amp;<!--`

var pageStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// pageLife is a small world: networks, sweeps of which each block answers in its own way, and what analytics say of them.
type pageLife struct {
	networks []string
	sweeps   int
	every    time.Duration
	location *time.Location
}

// chance is a number from 0 to 1 that is the same for the same parts.
func chance(parts ...uint64) float64 {
	x := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		x = (x ^ p) * 0xbf58476d1ce4e5b9
		x ^= x >> 29
		x *= 0x94d049bb133111eb
		x ^= x >> 32
	}
	return float64(x>>11) / (1 << 53)
}

func (l *pageLife) collect(t testing.TB) *Collection {
	t.Helper()
	c := NewCollection(CollectionConfig{Location: l.location})
	for _, network := range l.networks {
		prefix := netip.MustParsePrefix(network)
		hosts := 1 << (prefix.Addr().BitLen() - prefix.Bits())
		addr := prefix.Addr()
		for i := range hosts {
			l.target(c, network, addr, uint64(i))
			addr = addr.Next()
			if addr.Is6() && i%8 == 7 {
				addr = skip(addr, uint64(i))
			}
		}
	}
	c.Finish()
	return c
}

// skip leaves a gap, as in IPv6 addresses do.
func skip(a netip.Addr, by uint64) netip.Addr {
	b := a.As16()
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])+by*977+4096)
	return netip.AddrFrom16(b)
}

// target adds all rows of one address, and with the first of its block the rows of the block.
func (l *pageLife) target(c *Collection, network string, addr netip.Addr, i uint64) {
	block := blockOf(addr)
	b := i / 256
	series := &schema.RTTSeries{HasCounts: true, Series: schema.Series{Host: "probe", Instance: "lab", Network: network, Block: block, Target: addr.String()}}
	for n := range l.sweeps {
		at := pageStart.Add(time.Duration(n) * l.every)
		row := schema.SweepRow{Series: series.Series, Time: at.UnixNano(), Sent: 1, ResultCode: schema.ResultSilent}
		if rtt, ok := lifeRTT(b, i, n, at); ok {
			row.Received, row.RTT, row.ResultCode = 1, schema.Some(int64(rtt)), schema.ResultAnswered
		}
		c.Add(series, &row)
	}
	if i%256 == 0 {
		l.block(c, network, block, b)
	}
	if i%256 == 7 && b%4 == 3 {
		l.daily(c, schema.BlockSeries{Host: "probe", Instance: "lab", Group: schema.GroupTarget, Network: network, Block: block}, addr.String(), b)
	}
	if i == 0 {
		l.network(c, network)
	}
}

// lifeRTT is whether and how an address answers: by the block's number it is silent, static, a pool, an office or far away
// with an evening peak.
func lifeRTT(b, i uint64, n int, at time.Time) (rtt time.Duration, ok bool) {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	evening := math.Pow(max(0, math.Cos((hour-20)/24*2*math.Pi)), 3)
	floor := math.Exp(7*chance(1, b)) * 0.6 * (1 + 0.3*chance(2, i))
	there := chance(3, i) < 0.75
	switch b % 8 {
	case 0:
		there = chance(3, i) < 0.01
	case 1, 2:
		there = chance(3, i) < 0.5 && chance(4, i, uint64(n/9)) < 0.6
	case 3, 7:
		floor += 30 * evening * chance(1, b)
	case 4:
		there = there && (i%3 == 0 || hour > 7.5 && hour < 18 && at.Weekday() != time.Sunday && at.Weekday() != time.Saturday)
	}
	if !there || chance(5, i, uint64(n)) < 0.01 {
		return 0, false
	}
	return time.Duration(1e6 * floor * (1 + 0.05*chance(6, i, uint64(n)))), true
}

// block adds what block analytics say of a block.
func (l *pageLife) block(c *Collection, network, block string, b uint64) {
	owner := []string{"backbone", "campus & labs", "customers", hostile}[b%4]
	s := schema.BlockSeries{Host: "probe", Instance: "lab", Group: schema.GroupBlock, Network: network, Block: block,
		Labels: []schema.Tag{{Key: "owner", Value: owner}, {Key: "site", Value: fmt.Sprintf("pop %d", b%5)}}}
	class := []string{schema.UseUnclassifiable, schema.UseIntermittent, schema.UseIntermittent, schema.UseAlways}[b%4]
	last := pageStart.Add(time.Duration(l.sweeps-1) * l.every)
	state := &schema.BlockStateRow{BlockSeries: s, Time: last.UnixNano(), Sweeps: 6, Targets: 256, Ever: 200, PercentResponding: 100 * chance(7, b), State: schema.StateUp,
		Belief: schema.OptFloat{F: 0.99, Set: true}, Availability: schema.OptFloat{F: chance(8, b), Set: b%8 != 0}, Class: class}
	if b == 5 {
		state.State, state.Doubted = schema.StateDown, 3
	}
	c.Row(state)
	churn := &schema.BlockChurnRow{BlockSeries: s, Time: last.UnixNano(), Days: 3, Class: schema.ChurnStatic}
	if b%4 == 1 {
		churn.Class, churn.RenumberingHour, churn.Period = schema.ChurnDHCP, schema.OptFloat{F: 3.5, Set: true}, schema.Some(int64(24*time.Hour))
	}
	c.Row(churn)
	l.daily(c, s, "", b)
	if b%3 == 2 {
		kind := []string{schema.EventOutage, schema.EventOutage, schema.EventRenumbering, schema.EventRateLimit}[b/3%4]
		c.Row(&schema.BlockOutageRow{BlockSeries: s, Event: kind, Time: pageStart.Add(time.Duration(5*b) * time.Hour / 3).UnixNano(), Prefix: block,
			Duration: int64(time.Duration(b+1) * 17 * time.Minute), Uncertain: int64(l.every), Addresses: 180, BeliefLow: 0.01, Open: b == 5,
			Reason: fmt.Sprintf("%d of 180 addresses that answered before fell silent", 170+b%10)})
	}
}

func (l *pageLife) daily(c *Collection, s schema.BlockSeries, target string, b uint64) {
	amplitude := 0.1 + 0.6*chance(9, b)
	if b%4 == 3 {
		amplitude += 8 * chance(10, b)
	}
	class := schema.DailyNone
	switch {
	case amplitude > 3:
		class = schema.DailySevere
	case amplitude > 1:
		class = schema.DailyMild
	case amplitude > 0.5:
		class = schema.DailyLow
	}
	c.Row(&schema.BlockDailyRow{BlockSeries: s, Target: target, Time: pageStart.Add(24 * time.Hour).UnixNano(), Days: 3, Targets: 100, Slots: 144,
		RTTFloor: schema.Some(int64(1e6 * math.Exp(5*chance(1, b)))), Amplitude: schema.Some(int64(amplitude * 1e6)), LatencyClass: class,
		LatencyHour: schema.OptFloat{F: 19 + 3*chance(10, b), Set: true}, AvailabilityClass: schema.DiurnalNone, Timezone: "UTC"})
}

// network adds what block analytics say of the network and of the prober.
func (l *pageLife) network(c *Collection, network string) {
	s := schema.BlockSeries{Host: "probe", Instance: "lab", Group: schema.GroupNetwork, Network: network}
	for h := range l.sweeps * int(l.every/time.Minute) / 60 {
		at := pageStart.Add(time.Duration(h) * time.Hour)
		evening := math.Pow(max(0, math.Cos(float64(at.Hour()-20)/24*2*math.Pi)), 3)
		c.Row(&schema.BlockStateRow{BlockSeries: s, Time: at.UnixNano(), Sweeps: 2, Targets: 4096, PercentResponding: 40,
			RTTP50: schema.Some(int64(1e6 * (14 + 4*evening + chance(11, uint64(h)))))})
	}
	c.Row(&schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Host: "probe", Instance: "lab", Group: schema.GroupNetwork, Network: network}, Event: schema.EventVantage,
		Time: pageStart.Add(30 * time.Hour).UnixNano(), Duration: int64(40 * time.Minute), Blocks: 14, Reason: "the carrier of eth0 was lost"})
}

// pageOf writes the page.
func pageOf(t testing.TB, c *Collection, config PageConfig) string {
	t.Helper()
	var out strings.Builder
	if err := c.Page(&out, config); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPageTrust: of con-ping's sweeps nobody said anything, whatever block_state counts.
func TestPageTrust(t *testing.T) {
	network := func(instance string, doubted int64) *Network {
		n := &Network{Instance: instance}
		if doubted >= 0 {
			n.States = []schema.BlockStateRow{{Sweeps: 9, Doubted: doubted}}
		}
		return n
	}
	const whole = "Every sweep was whole and trusted."
	for _, c := range []struct {
		networks []*Network
		want     string
		doubted  bool
	}{
		{[]*Network{network("i", 0)}, whole, false},
		{[]*Network{network("i", -1)}, trustUnknown, true},
		{[]*Network{network("con-ping", 0)}, trustConPing, true},
		{[]*Network{network("con-ping", -1)}, trustConPing, true},
		{[]*Network{network("i", 0), network("con-ping", 0)}, "Of the others than con-ping's: " + whole + " " + trustConPing, true},
		{[]*Network{network("i", 1)}, "1 of 10 sweeps were left out of judgement: not trusted, cut short, or the prober's own way was suspect.", true},
	} {
		if text, doubted := (&Collection{Networks: c.networks}).trust(); text != c.want || doubted != c.doubted {
			t.Errorf("%q, %v, want %q", text, doubted, c.want)
		}
	}
}

// TestPageHours: the medians of sweeps are drawn, not the middles of bins that block_state has.
func TestPageHours(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	s := &schema.RTTSeries{Series: schema.Series{Host: "h", Instance: "i", Network: "198.18.0.0/24", Block: "198.18.0.0/24", Target: "198.18.0.1"}}
	group := schema.BlockSeries{Host: "h", Instance: "i", Group: schema.GroupNetwork, Network: "198.18.0.0/24"}
	for n := range 3 * 24 * 6 {
		at := pageStart.Add(time.Duration(n) * 10 * time.Minute).UnixNano()
		c.Add(s, &schema.SweepRow{Time: at, Sent: 1, Received: 1, RTT: schema.Some(5e6 + int64(n/6%24)*1000)})
		if n%6 == 0 {
			c.Row(&schema.BlockStateRow{BlockSeries: group, Time: at, RTTP50: schema.Some(5.1e6 + int64(n%12)*1e4)})
		}
	}
	c.Finish()
	hours := c.Networks[0].byHour(time.UTC)
	for i, h := range hours {
		if want := 5e6 + float64((i-pageStart.UTC().Hour()+24)%24)*1000; h.median != want || h.low != want || h.high != want {
			t.Errorf("%d:00: %+v, want %v", i, h, want)
		}
	}
	c.Networks[0].Frames = nil
	if h := c.Networks[0].byHour(time.UTC)[0]; h.median < 5.1e6 {
		t.Errorf("without sweeps: %+v", h)
	}
}
