package world

import (
	"bytes"
	"math"
	"net/netip"
	"testing"
	"time"
	_ "time/tzdata"

	"echogram/plugins/schema"
)

// small is a world of 32 blocks of 256 for two days.
func small(seed uint64) *World {
	return New(Config{Seed: seed, Network: netip.MustParsePrefix("198.18.64.0/19"), Days: 2, Interval: 20 * time.Minute})
}

func small6(seed uint64) *World {
	return New(Config{Seed: seed, Network: netip.MustParsePrefix("2001:2:0:120::/59"), Days: 2, Interval: 20 * time.Minute})
}

// TestLines reads each line back, writes it by schema, and holds it against the live reply.
func TestLines(t *testing.T) {
	for _, w := range []*World{small(1), small6(2)} {
		for _, n := range []int{0, 70, 71} {
			checkSweep(t, w, n)
		}
	}
}

func checkSweep(t *testing.T, w *World, n int) {
	t.Helper()
	lines := bytes.SplitAfter(w.AppendSweep(nil, n), []byte("\n"))
	lines = lines[:len(lines)-1]
	var stats schema.SweepStatsRow
	mustParse(t, lines[len(lines)-1], &stats)
	var points, received int64
	for _, b := range w.blocks {
		var responding int64
		for p, target := range b.targets {
			row := schema.SweepRow{Series: w.series(b, target.String()), Time: w.sweepAt(n), Sent: 1, ResultCode: schema.ResultSilent}
			at := w.sentAt(n, b, p)
			if w.sweepAt(n) > at || at >= w.sweepAt(n)+w.duration(n) {
				t.Fatalf("sweep %d asks %v at %v", n, target, at)
			}
			if rtt, ok := w.Reply(target, time.Unix(0, at)); ok {
				_, ttl, _ := w.answer(b, p, at)
				row.Received, row.RTT, row.TTL, row.ResultCode = 1, schema.Some(int64(rtt)), schema.Some(ttl), schema.ResultAnswered
				responding++
			}
			want, err := schema.AppendLine(nil, &row)
			if err != nil || stats.CaptureDrops == 0 && !bytes.Equal(lines[0], want) {
				t.Fatalf("sweep %d: %v\n%s%s", n, err, lines[0], want)
			}
			lines = lines[1:]
			points++
		}
		var row schema.SweepBlockRow
		mustParse(t, lines[0], &row)
		if row.Block != b.prefix.String() || row.Targets != int64(len(b.targets)) || stats.CaptureDrops == 0 && row.Responding != responding {
			t.Errorf("sweep %d: %d answer in %+v", n, responding, row)
		}
		received += row.Received
		lines = lines[1:]
	}
	if stats.Points != points || stats.Received != received || len(lines) != 1 {
		t.Errorf("sweep %d: %d points, %d replies, %d more lines, says %+v", n, points, received, len(lines)-1, stats)
	}
}

func mustParse(t *testing.T, line []byte, row schema.Row) {
	t.Helper()
	if err := schema.ParseLine(line, row); err != nil {
		t.Fatal(err)
	}
}

func TestSweepsInAnyOrder(t *testing.T) {
	a, b, other := small(7), small(7), small(8)
	var want [][]byte
	for n := range 12 {
		want = append(want, a.AppendSweep(nil, n))
	}
	for _, n := range []int{5, 3, 4, 11, 0, 1} {
		if got := b.AppendSweep(nil, n); !bytes.Equal(got, want[n]) {
			t.Errorf("sweep %d hangs on what was asked before", n)
		}
	}
	if bytes.Equal(other.AppendSweep(nil, 0), want[0]) {
		t.Error("another seed makes the same sweep")
	}
}

func TestAppendSweepAllocatesNothingARow(t *testing.T) {
	w := small(1)
	buf, n := w.AppendSweep(nil, 0), 0
	allocs := testing.AllocsPerRun(5, func() {
		n++
		buf = w.AppendSweep(buf[:0], n)
	})
	if most := float64(8 * len(w.blocks)); allocs > most {
		t.Errorf("%v allocations a sweep of %d rows, more than %v", allocs, w.targets(), most)
	}
}

func BenchmarkAppendSweep(b *testing.B) {
	w := New(Config{Seed: 1})
	buf, n := w.AppendSweep(nil, 0), 0
	for b.Loop() {
		buf = w.AppendSweep(buf[:0], n%w.Sweeps())
		n++
	}
	b.ReportMetric(float64(n*w.targets())/b.Elapsed().Seconds(), "rows/s")
}

// TestUses: the blocks are dealt out by their shares.
func TestUses(t *testing.T) {
	count := map[Use]int{}
	for _, b := range New(Config{Seed: 3, Days: 1}).blocks {
		count[b.use]++
	}
	want := map[Use]int{Unused: 46, Sparse: 21, Servers: 56, Office: 31, Wireless: 23, Residential: 30, Access: 31, Mixed: 18}
	for use, n := range want {
		if count[use] < n-1 || count[use] > n+1 {
			t.Errorf("%d blocks are %s, want about %d", count[use], use, n)
		}
	}
}

// TestStays: at no place is a host on twice, and at a renumbering few clients keep their address.
func TestStays(t *testing.T) {
	w := New(Config{Seed: 5, Network: netip.MustParsePrefix("198.18.0.0/18"), Days: 8})
	for _, b := range w.blocks {
		for p, place := range b.places {
			for i, s := range place.stays {
				if s.from >= s.to || i > 0 && s.from < place.stays[i-1].to {
					t.Fatalf("%v, a block of %s: stays %v", b.targets[p], b.use, place.stays)
				}
			}
		}
		if b.renewal == nil || b.moved {
			continue
		}
		at, kept, all := b.renewal.at[0], 0, 0
		for _, place := range b.places {
			before, after := place.at(at-1), place.at(at+b.renewal.spread+90)
			if before != nil {
				all++
			}
			if before != nil && after != nil && before.host == after.host {
				kept++
			}
		}
		if kept*8 > all {
			t.Errorf("%v: %d of %d clients have the same address behind a renumbering", b.prefix, kept, all)
		}
	}
}

// TestMove: the hosts of the one block are those of the other afterwards.
func TestMove(t *testing.T) {
	w := New(Config{Seed: 1, Network: netip.MustParsePrefix("198.18.0.0/18")})
	moves := 0
	for _, e := range w.events {
		if e.Kind != Renumbering {
			continue
		}
		moves++
		from, to := w.byPrefix[e.Prefix], w.byPrefix[e.To]
		before, after := hosts(from, e.Begin.Unix()-1), hosts(to, e.End.Unix())
		same := 0
		for h := range before {
			if after[h] {
				same++
			}
		}
		if left := from.on(e.End.Unix(), 0, len(from.places)); left > 0 || same*10 < len(before)*8 {
			t.Errorf("%v to %v: %d of %d hosts came, %d stayed", e.Prefix, e.To, same, len(before), left)
		}
	}
	if moves == 0 {
		t.Error("nobody moves")
	}
}

func hosts(b *block, at int64) map[host]bool {
	on := map[host]bool{}
	for p := range b.places {
		if s := b.places[p].at(at); s != nil {
			on[s.host] = true
		}
	}
	return on
}

// TestEventsSilence: while an outage lasts nobody answers in its prefix, and just before it most do.
func TestEventsSilence(t *testing.T) {
	w := small(9)
	kinds := map[EventKind]int{}
	for _, e := range w.Truth().Events {
		kinds[e.Kind]++
		b := w.byPrefix[e.block()]
		if e.Kind == Renumbering || b == nil {
			continue
		}
		during := e.Begin.Add(e.End.Sub(e.Begin) / 2)
		before := 0
		for _, target := range b.targets {
			if !e.Prefix.Contains(target) {
				continue
			}
			if _, ok := w.Reply(target, during); ok {
				t.Errorf("%v answers in %+v", target, e)
			}
			if _, ok := w.Reply(target, e.Begin.Add(-time.Millisecond)); ok {
				before++
			}
		}
		if b.limit == 0 && e.Responders > 1 && before*10 < e.Responders*6 {
			t.Errorf("%d of %d answer before %+v", before, e.Responders, e)
		}
	}
	for _, kind := range []EventKind{HostOutage, HalfOutage, BlockOutage, RegionOutage, UplinkOutage, Renumbering} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
}

// TestUplinkBreaksMidSweep: some of a sweep's requests leave before and some after.
func TestUplinkBreaksMidSweep(t *testing.T) {
	w := small(4)
	for i, at := range []int64{w.uplink[0].from, w.uplink[1].to} {
		n := int((at - w.span.from) / int64(w.cfg.Interval))
		if into := at - w.sweepAt(n); into <= 0 || into >= w.duration(n) {
			t.Errorf("uplink outage %d is bounded %v into a sweep of %v", i, time.Duration(into), time.Duration(w.duration(n)))
		}
	}
}

// TestRateLimit: the more is asked, the less is answered, and at random.
func TestRateLimit(t *testing.T) {
	w := New(Config{Seed: 2, Network: netip.MustParsePrefix("198.18.0.0/19"), Days: 8})
	checked := false
	for _, b := range w.blocks {
		if b.limit == 0 {
			continue
		}
		checked = true
		share := map[float64]float64{}
		for day, rate := range w.rates[:8] {
			on, answered := 0, 0
			for p := range b.places {
				at := w.sweepAt(day*144 + 72)
				if b.places[p].at(at/1e9) != nil {
					on++
				}
				if _, _, ok := w.answer(b, p, at); ok {
					answered++
				}
			}
			share[rate] = max(share[rate], float64(answered)/float64(on))
		}
		if share[2500] < .6 || share[10000] > .5 || share[10000] < .05 {
			t.Errorf("%v with a limit of %.0f/s answers %v", b.prefix, b.limit, share)
		}
	}
	if !checked {
		t.Error("no block is limited")
	}
}

// TestCurves: the daily fundamental is of the class that was drawn, and the hour that of the maximum.
func TestCurves(t *testing.T) {
	r := small(1).random(99)
	bounds := map[string][2]float64{schema.DailyNone: {0, .35e6}, schema.DailyLow: {.6e6, .9e6}, schema.DailyMild: {1.2e6, 2.6e6}, schema.DailySevere: {3.9e6, 26e6}}
	for class, want := range bounds {
		for range 200 {
			c := newCurve(r, class, Office)
			if got := c.fundamental(); got < want[0] || got > want[1] || math.Abs(got-float64(c.Amplitude)) > 1 {
				t.Fatalf("%s has an amplitude of %v, says %v", class, got, c.Amplitude)
			}
			for hour := 0.; hour < 24; hour += .1 {
				if c.mean(hour, false) > c.height*1.0001 {
					t.Fatalf("%+v is higher at %v", c, hour)
				}
			}
		}
	}
}

// TestCalendar holds local time against package time where clocks are put forward and back.
func TestCalendar(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2026-01-01T00:00:00Z"} {
		from, _ := time.Parse(time.RFC3339, start)
		c := newCalendar(berlin, span{from.UnixNano(), from.AddDate(0, 0, 6).UnixNano()})
		for at := from.AddDate(0, 0, -3); at.Before(from.AddDate(0, 0, 6)); at = at.Add(7 * time.Minute) {
			l := at.In(berlin)
			day, hour := c.local(at.Unix())
			if h, m := int(hour), int(math.Round(60*(hour-math.Floor(hour)))); h != l.Hour() || m != l.Minute() || weekend(day) != (l.Weekday() == 0 || l.Weekday() == 6) {
				t.Fatalf("%v is day %d, %v h", l, day, hour)
			}
			if back := c.unix(day, hour); back != at.Unix() && (l.Hour() != 2 || l.Month() != time.October) {
				t.Fatalf("%v comes back as %v", l, time.Unix(back, 0).In(berlin))
			}
		}
	}
}

// TestReplyKnowsItsNetwork: elsewhere is nobody.
func TestReplyKnowsItsNetwork(t *testing.T) {
	w := small(1)
	for _, a := range []string{"198.18.63.255", "198.18.96.0", "198.51.100.1", "2001:2::1"} {
		if _, ok := w.Reply(netip.MustParseAddr(a), w.cfg.Start); ok {
			t.Errorf("%s answers", a)
		}
	}
}

func TestNewRefusesOtherNetworks(t *testing.T) {
	for _, network := range []string{"192.0.2.0/24", "198.18.0.0/25", "198.16.0.0/14", "2001:2::/47", "2001:2::/65", "2001:db8::/56"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", network)
				}
			}()
			New(Config{Network: netip.MustParsePrefix(network)})
		}()
	}
}

// TestDefaults: a /16, or 256 blocks of IPv6.
func TestDefaults(t *testing.T) {
	for want, cfg := range map[string]Config{"198.18.0.0/16": {Days: 1}, "2001:2:0:100::/56": {Days: 1, IPv6: true}} {
		w := New(cfg)
		if w.cfg.Network.String() != want || len(w.blocks) != 256 || w.Sweeps() != 144 {
			t.Errorf("%v, %d blocks, %d sweeps", w.cfg.Network, len(w.blocks), w.Sweeps())
		}
	}
}

// TestSmallWorlds: a block alone, and a day that has no room for what lasts long.
func TestSmallWorlds(t *testing.T) {
	for seed := range uint64(20) {
		for _, network := range []string{"198.19.7.0/24", "198.18.4.0/22", "2001:2:0:7::/64"} {
			w := New(Config{Seed: seed, Network: netip.MustParsePrefix(network), Days: 1, Interval: time.Hour})
			if len(w.AppendSweep(nil, 23)) == 0 || len(w.Truth().Blocks) != len(w.blocks) {
				t.Errorf("%s has %d blocks", network, len(w.blocks))
			}
		}
	}
}
