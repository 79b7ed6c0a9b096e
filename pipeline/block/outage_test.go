package block

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// town is a world of static blocks and pools.
func town(seed uint64, blocks int) *world {
	w := newWorld(seed)
	for i := range blocks {
		if i%2 == 0 {
			w.add(w.static(20 + 7*i))
		} else {
			w.add(w.pool(30+7*i, 9, -1))
		}
	}
	return w
}

func TestOutageOfOneSweep(t *testing.T) {
	w := town(1, 8)
	w.outages = []failure{{block: 2, high: 256, from: 60, to: 61}}
	got := w.run(t, day)
	w.expect(t, got, "outage 198.18.2.0/24 60-61")
	if e := got[0]; e.Addresses < 25 || e.Answering != 0 || e.Blocks != 1 || e.BeliefLow > 0.05 || e.Uncertain != int64(tick) || e.Reason == "" {
		t.Errorf("row %+v", e)
	}
}

func TestOutageOfADay(t *testing.T) {
	w := town(2, 8)
	w.outages = []failure{{block: 3, high: 256, from: 60, to: 60 + day}}
	w.expect(t, w.run(t, 3*day), "outage 198.18.3.0/24 60-204")
}

func TestOutageOfHalfABlock(t *testing.T) {
	w := town(3, 8)
	w.outages = []failure{{block: 7, low: 128, high: 256, from: 60, to: 66}, {block: 6, low: 0, high: 128, from: 90, to: 91}}
	w.expect(t, w.run(t, day), "outage 198.18.7.128/25 60-66", "outage 198.18.6.0/25 90-91")
}

func TestOutageOfAHost(t *testing.T) {
	w := town(4, 8)
	for i := range 20 {
		w.outages = append(w.outages, failure{block: i % 8, low: 10 * i, high: 10*i + 1, from: 40, to: 80})
	}
	w.expect(t, w.run(t, day))
}

func TestOutageOfARegion(t *testing.T) {
	w := town(5, 12)
	for b := 4; b < 8; b++ {
		w.outages = append(w.outages, failure{block: b, high: 256, from: 70, to: 75})
	}
	got := w.run(t, day)
	w.expect(t, got, "outage 198.18.4.0/24 70-75", "outage 198.18.5.0/24 70-75", "outage 198.18.6.0/24 70-75", "outage 198.18.7.0/24 70-75")
	if got[0].Blocks != 4 {
		t.Errorf("%d blocks, want 4", got[0].Blocks)
	}
}

func TestOutageThatLasts(t *testing.T) {
	w := town(6, 8)
	w.outages = []failure{{block: 2, high: 256, from: 60, to: 1000}}
	w.expect(t, w.run(t, day), "outage 198.18.2.0/24 60-143 open")
}

func TestLossOf5Percent(t *testing.T) {
	w := town(7, 16)
	w.loss = 0.05
	w.expect(t, w.run(t, 7*day))
}

func TestUplinkCutInMidSweep(t *testing.T) {
	for _, cut := range []float64{0, 0.3, 0.7, 0.95} {
		w := town(8, 20)
		w.cuts = []failure{{from: 60, to: 66, cut: cut}}
		got := w.run(t, day)
		if len(got) != 1 || got[0].Event != schema.EventVantage || got[0].Open || got[0].Block != "" || got[0].Network != "" {
			w.expect(t, got, "one vantage")
			continue
		}
		e := got[0]
		from, to := (e.Time-w.start.UnixNano())/int64(tick), (e.Time+e.Duration-w.start.UnixNano())/int64(tick)
		if from < 60 || from > 61 || to < 66 || to > 67 {
			t.Errorf("cut at %.2f: vantage %d-%d, want 60-66", cut, from, to)
		}
	}
}

func TestReferencesSilent(t *testing.T) {
	w := town(9, 8)
	ref := slices.Index(w.blocks[0].there[:], true)
	w.outages = append(w.outages, failure{block: 0, low: ref, high: ref + 1, from: 60, to: 67})
	m := New(Config{References: []string{w.series[0][ref].Target}})
	got := w.runWith(t, m, day)
	if len(got) != 1 || got[0].Event != schema.EventVantage || !strings.Contains(got[0].Reason, "references") {
		w.expect(t, got, "one vantage by the references")
	}
}

// TestCarrierLost in the middle of sweep 60.
func TestCarrierLost(t *testing.T) {
	w := town(10, 8)
	w.trust[61], w.trust[62] = "send_errors,interface_down", "interface_down"
	w.cuts = []failure{{from: 60, to: 63, cut: 0.7}}
	w.expect(t, w.run(t, day), "vantage  60-64")
}

func TestCaptureDrops(t *testing.T) {
	w := town(11, 8)
	for _, n := range []int{20, 21, 40, 90} {
		w.trust[n] = "capture_drops"
		w.outages = append(w.outages, failure{block: n % 8, high: 256, from: n, to: n + 1}) // all of its answers were dropped
	}
	w.noRows[100] = true
	w.expect(t, w.run(t, day))
}

func TestOutageThatBeginsInDoubtedSweeps(t *testing.T) {
	w := town(12, 8)
	w.trust[59], w.trust[60], w.trust[61] = "capture_drops", "capture_drops", "capture_drops"
	w.outages = []failure{{block: 2, high: 256, from: 60, to: 70}}
	w.trust[66] = "nic_drops"
	got := w.run(t, day)
	w.expect(t, got, "outage 198.18.2.0/24 60-70")
	if u := got[0].Uncertain; u != int64(4*tick) {
		t.Errorf("uncertain by %v, want 40m", time.Duration(u))
	}
}

func TestRenumberingWithinABlock(t *testing.T) {
	w := newWorld(13)
	for i := range 8 {
		w.add(w.pool(20+20*i, 30, i%4))
	}
	w.expect(t, w.run(t, 4*day))
}

// TestRenumberingToAnotherBlock lets a population move to a block that was all but unused.
func TestRenumberingToAnotherBlock(t *testing.T) {
	w := town(14, 8)
	to := w.static(3)
	w.blocks[4].step = func(p *people, w *world, n int, _ time.Time) {
		if n == 80 {
			p.there = [256]bool{}
			to.fill(w, 48)
		}
	}
	w.add(to)
	got := w.run(t, 2*day)
	if len(got) != 1 || got[0].Event != schema.EventRenumbering || got[0].To != "198.18.8.0/24" || got[0].Block != "198.18.4.0/24" || got[0].Open {
		w.expect(t, got, "renumbering 198.18.4.0/24 80-80")
	}
}

// TestRenumberingInMidSweep: of a population half has left before a sweep reaches it, and half has arrived.
func TestRenumberingInMidSweep(t *testing.T) {
	w := town(14, 8)
	to := w.static(3)
	w.blocks[5].step = func(p *people, w *world, n int, _ time.Time) {
		switch n {
		case 80:
			left := p.count() / 2
			for i := range p.there {
				if p.there[i] && left > 0 {
					p.there[i] = false
					left--
				}
			}
			to.fill(w, 20)
		case 81:
			all := p.count()
			p.there = [256]bool{}
			to.fill(w, 2*all-20)
		}
	}
	w.add(to)
	got := w.run(t, 2*day)
	if len(got) != 1 || got[0].Event != schema.EventRenumbering || got[0].To != "198.18.8.0/24" || got[0].Block != "198.18.5.0/24" || got[0].Open {
		w.expect(t, got, "renumbering 198.18.5.0/24 81-81")
	}
}

// TestRenumberingOfWhichFewAreLeft: a sweep reaches a population when all but two have left, whose silence is believed
// only when the others have long been answering elsewhere.
func TestRenumberingOfWhichFewAreLeft(t *testing.T) {
	w := town(14, 8)
	to, p := w.static(3), w.static(20)
	p.step = func(p *people, w *world, n int, _ time.Time) {
		switch n {
		case 80:
			p.there = [256]bool{}
			p.fill(w, 2)
			to.fill(w, 14)
		case 81:
			p.there = [256]bool{}
			to.fill(w, 6)
		}
	}
	w.add(p)
	w.add(to)
	got := w.run(t, 2*day)
	if len(got) != 1 || got[0].Event != schema.EventRenumbering || got[0].To != "198.18.9.0/24" || got[0].Block != "198.18.8.0/24" {
		w.expect(t, got, "renumbering 198.18.8.0/24 81-81")
	}
}

// TestRegionThatComesBack: what answers again after an outage is no population that moved.
func TestRegionThatComesBack(t *testing.T) {
	w := town(15, 12)
	w.outages = []failure{
		{block: 2, high: 256, from: 60, to: 70}, {block: 4, high: 256, from: 60, to: 70},
		{block: 1, high: 256, from: 70, to: 75}, {block: 3, high: 256, from: 70, to: 75},
	}
	w.expect(t, w.run(t, day), "outage 198.18.2.0/24 60-70", "outage 198.18.4.0/24 60-70", "outage 198.18.1.0/24 70-75", "outage 198.18.3.0/24 70-75")
}

func TestEveningsOfAnOffice(t *testing.T) {
	for _, minutes := range []int{1, 30, 120} {
		for _, stay := range []int{0, 20} {
			w := town(uint64(16+minutes+stay), 6)
			for range 4 {
				w.add(w.office(40+w.rng.IntN(150), stay, minutes))
			}
			w.expect(t, w.run(t, 8*day))
		}
	}
}

// TestFirstNightOfAnOffice that was empty before it was full, and of one of which nothing is known but that it fell silent.
func TestFirstNightOfAnOffice(t *testing.T) {
	w := town(17, 6)
	w.add(w.office(80, 0, 1))
	w.expect(t, w.run(t, day+60))

	w = town(17, 6)
	w.start = w.start.Add(12 * time.Hour)
	w.add(w.office(80, 0, 1))
	w.expect(t, w.run(t, day), "outage 198.18.6.0/24 37-121")
}

func TestOutageOfAnOfficeByDay(t *testing.T) {
	w := town(18, 6)
	b := w.add(w.office(80, 0, 60))
	w.outages = []failure{{block: b, high: 256, from: 4*day + 66, to: 4*day + 67}, {block: b, high: 256, from: 3*day + 100, to: 3*day + 104}}
	w.expect(t, w.run(t, 5*day), "outage 198.18.6.0/24 532-536", "outage 198.18.6.0/24 642-643")
}

func TestEveningPeakAtHome(t *testing.T) {
	w := newWorld(19)
	for i := range 8 {
		w.add(w.homes(30 + 25*i))
	}
	w.expect(t, w.run(t, 7*day))
}

func TestRateLimit(t *testing.T) {
	t.Run("one rate", func(t *testing.T) {
		w := town(20, 6)
		p := w.static(120)
		p.limit = func(float64) int { return 50 }
		w.add(p)
		rateLimited(t, w, w.run(t, 3*day))
	})
	t.Run("two rates", func(t *testing.T) {
		w := town(21, 6)
		w.rate = func(n int) float64 { return map[bool]float64{true: 2500, false: 10000}[n%4 == 0] }
		p := w.static(120)
		p.limit = func(rate float64) int { return int(450000 / rate) }
		w.add(p)
		rateLimited(t, w, w.run(t, 3*day))
	})
}

func rateLimited(t *testing.T, w *world, got []*schema.BlockOutageRow) {
	t.Helper()
	if len(got) != 1 || got[0].Event != schema.EventRateLimit || got[0].Block != "198.18.6.0/24" || !got[0].Open {
		w.expect(t, got, "rate_limit 198.18.6.0/24 … open")
	}
}

// TestPoolsThatMoveDaily: every night all clients of a pool of two blocks get addresses in the other block, or in any of
// the two.
func TestPoolsThatMoveDaily(t *testing.T) {
	for name, other := range map[string]bool{"the other block": true, "any block": false} {
		w := town(22, 8)
		for i := range 4 {
			n := 25 + 50*i
			a, b := w.pool(n, 30, -1), w.static(2)
			if !other {
				b = w.pool(n, 30, -1)
			}
			a.step = func(_ *people, w *world, s int, t time.Time) {
				if t.Hour() != i+2 || t.Minute() != 0 {
					return
				}
				all := a.count() + b.count()
				from, to := a, b
				if b.count() > a.count() {
					from, to = b, a
				}
				share := all
				if !other {
					share = all/2 + w.rng.IntN(all/8)
					to.there = [256]bool{}
				}
				from.there = [256]bool{}
				to.fill(w, share-to.count())
				from.fill(w, all-to.count())
			}
			w.add(a)
			w.add(b)
		}
		for _, e := range w.run(t, 8*day) {
			if e.Event != schema.EventRenumbering {
				t.Errorf("to %s: %s", name, w.told(e))
			}
		}
	}
}

// TestRateLimitsAreNoOutages however narrow they are.
func TestRateLimitsAreNoOutages(t *testing.T) {
	for _, many := range []int{3, 10, 40} {
		for _, every := range []int{2, 6, 24} {
			w := town(uint64(23+many+every), 6)
			w.rate = func(n int) float64 { return map[bool]float64{true: 20000, false: 2000}[n%every == 0] }
			for _, n := range []int{40, 100, 200} {
				p := w.static(n)
				p.limit = func(rate float64) int { return map[bool]int{true: many, false: 256}[rate > 10000] }
				w.add(p)
			}
			named := map[string]int{}
			for _, e := range w.run(t, 5*day) {
				named[e.Block]++
				if e.Event != schema.EventRateLimit {
					t.Errorf("%d answers, every %d sweeps: %s", many, every, w.told(e))
				}
			}
			if len(named) != 3 && many < 40 {
				t.Errorf("%d answers, every %d sweeps: limits to %v", many, every, named)
			}
		}
	}
}

// TestThinning is a limit that lets each answer pass with a probability.
func TestThinning(t *testing.T) {
	w := town(24, 6)
	rates := []float64{2000, 2000, 2000, 8000}
	w.rate = func(n int) float64 { return rates[n%4] }
	p := w.static(150)
	p.limit = func(rate float64) (n int) {
		for range 150 {
			if w.rng.Float64() < min(1, 4000/rate) {
				n++
			}
		}
		return n
	}
	w.add(p)
	rateLimited(t, w, w.run(t, 3*day))
}

// TestLimitToFew: of a handful of addresses it takes some sweeps at each rate to see that a limit lets a third of the
// answers pass.
func TestLimitToFew(t *testing.T) {
	for seed := range uint64(8) {
		w := town(40+seed, 6)
		w.rate = func(n int) float64 { return []float64{2500, 10000}[n/day%2] }
		p := w.static(16)
		p.limit = func(rate float64) (passed int) {
			for range 16 {
				if w.rng.Float64() < min(1, 3300/rate) {
					passed++
				}
			}
			return passed
		}
		w.add(p)
		rateLimited(t, w, w.run(t, 3*day))
	}
}

// TestOneChangeOfTheRate names a limit behind which it is chance who answers, and nothing where two in three leave at that
// hour.
func TestOneChangeOfTheRate(t *testing.T) {
	for _, limited := range []bool{true, false} {
		w := town(50, 6)
		w.rate = func(n int) float64 { return map[bool]float64{true: 2500, false: 10000}[n < day] }
		p := w.static(45)
		if limited {
			p.limit = func(rate float64) int { return int(150000 / rate) }
		} else {
			p.step = func(p *people, w *world, n int, _ time.Time) {
				if n == day {
					p.there = [256]bool{}
					p.fill(w, 15)
				}
			}
		}
		w.add(p)
		if got := w.run(t, 2*day); limited {
			rateLimited(t, w, got)
		} else {
			w.expect(t, got)
		}
	}
}

// TestARateThatRises is higher than that of the block's habits for as long as its mean there is not known.
func TestARateThatRises(t *testing.T) {
	var r limiter
	for n := range 20 {
		rate := 2500.0
		if n >= 10 {
			rate = 10000
		}
		want := 1.0
		if n >= 10 && n < 10+defaults.Rate.Sweeps {
			want = 4
		}
		if got := r.risen(&defaults.Rate, rate); math.Abs(got-want) > 1e-9 {
			t.Errorf("sweep %d: %v, want %v", n, got, want)
		}
		r.observe(&defaults.Rate, int64(n), rate, 20, 0)
	}
}

// TestHalvesUnderALimit: the rate rises once, and of the few answers that pass from then on each half has none at times.
func TestHalvesUnderALimit(t *testing.T) {
	w := town(25, 6)
	w.rate = func(n int) float64 { return map[bool]float64{true: 2500, false: 10000}[n < day] }
	for i := range 30 {
		n := 25 + i
		p := w.static(n)
		p.limit = func(rate float64) (passed int) {
			for range n {
				if w.rng.Float64() < min(1, 2500/rate) {
					passed++
				}
			}
			return passed
		}
		w.add(p)
	}
	for _, e := range w.run(t, 2*day) {
		if e.Event != schema.EventRateLimit {
			t.Error(w.told(e), e.Reason)
		}
	}
}

// TestRenumberingBesideAnOutage: in the sweep in which one population moves, another block of nearly as many fails.
func TestRenumberingBesideAnOutage(t *testing.T) {
	w := town(14, 8)
	out, moves, to := w.static(54), w.static(45), w.static(3)
	w.add(out)
	moves.step = func(p *people, w *world, n int, _ time.Time) {
		if n == 80 {
			p.there = [256]bool{}
			to.fill(w, 45)
		}
	}
	w.add(moves)
	w.add(to)
	w.outages = []failure{{block: 8, high: 256, from: 80, to: 90}}
	w.expect(t, w.run(t, 2*day), "renumbering 198.18.9.0/24 80-80", "outage 198.18.8.0/24 80-90")
}

// TestVantageWithinASweep: the prober's own way breaks and is mended while some blocks are probed, all over the network. As
// many neighbours that are silent are an outage each.
func TestVantageWithinASweep(t *testing.T) {
	some := rand.New(rand.NewPCG(1, 2)).Perm(60)[:27]
	for name, c := range map[string]struct {
		silent func(i int) int
		events int
	}{
		"every other": {func(i int) int { return 5 + 2*i }, 1},
		"some":        {func(i int) int { return some[i] }, 1},
		"neighbours":  {func(i int) int { return 5 + i }, 27},
	} {
		w := newWorld(3)
		for range 60 {
			w.add(w.static(20))
		}
		for i := range some {
			w.outages = append(w.outages, failure{block: c.silent(i), high: 256, from: 60, to: 61})
		}
		got := w.run(t, day)
		if len(got) != c.events || (got[0].Event == schema.EventVantage) != (c.events == 1) {
			t.Errorf("%s: %d events, the first %+v", name, len(got), got[0])
		}
	}
}
