package path

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/outlier"
)

// rtts draws n RTTs above a floor: noise with a tail, as kernel stamps on a virtual link have it.
func rtts(rng *rand.Rand, floor float64, n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		v := floor + 300*rng.ExpFloat64() + 80*math.Abs(rng.NormFloat64())
		if rng.IntN(50) == 0 {
			v += 20_000 * rng.ExpFloat64()
		}
		all[i] = int64(v)
	}
	return all
}

// measured makes a measurement of one target from floors by payload.
func measured(seed uint64, n int, floors map[int]float64) *Measurement {
	rng := rand.New(rand.NewPCG(seed, 7))
	var all []Sample
	for payload, floor := range floors {
		for i, v := range rtts(rng, floor, n) {
			all = append(all, Sample{At: int64(i) * int64(time.Millisecond), Size: payload, RTT: v, TTL: 64})
		}
	}
	return Measure(outlier.Config{}, "192.0.2.7", false, all, len(all), Facts{Interval: time.Millisecond})
}

func known(name string, hops int, metres float64, m *Measurement) Known {
	return Known{Measurement: *m, Name: name, Hops: hops, Metres: metres}
}

const switchDelay = 2000.0

func through(hops int, metres float64) map[int]float64 {
	return map[int]float64{12: 5000 + float64(hops)*switchDelay + 10*metres}
}

func TestHopsByOffset(t *testing.T) {
	cal := &Calibration{Known: []Known{known("one", 1, 0, measured(1, 2000, through(1, 0))), known("four", 4, 0, measured(2, 2000, through(4, 0)))}}
	for hops := range 9 {
		e, err := Config{}.Estimate(measured(uint64(10+hops), 2000, through(hops, 0)), cal)
		if err != nil {
			t.Fatal(err)
		}
		if e.Hops == nil || !e.Hops.Told || e.Hops.Hops != hops {
			t.Errorf("%d hops: %+v, %v", hops, e.Hops, e.Reasons)
		}
	}
	e, _ := Config{}.Estimate(measured(30, 2000, through(2, 50)), cal)
	if !e.Told || e.Hops.Hops != 2 || e.Cable.Low > 50 || e.Cable.High < 50 {
		t.Errorf("2 hops and 50 m: %+v, %+v, %v", e.Hops, e.Cable, e.Reasons)
	}
	e, _ = Config{}.Estimate(measured(31, 2000, through(2, 130)), cal)
	if e.Told || len(e.Reasons) == 0 {
		t.Errorf("2 hops and 130 m are neither 2 hops nor 3: %+v", e.Hops)
	}
	e, _ = Config{}.Estimate(measured(32, 50, through(2, 0)), cal)
	if e.Told || len(e.Reasons) == 0 {
		t.Errorf("50 probes: %+v", e.Hops)
	}
}

// TestADisturbedCalibration: a run to a reference in which all took a quarter longer counts for nothing beside another.
func TestADisturbedCalibration(t *testing.T) {
	slower := func(hops int) map[int]float64 { return map[int]float64{12: through(hops, 0)[12] * 5 / 4} }
	cal := &Calibration{Known: []Known{
		known("one", 1, 0, measured(1, 2000, slower(1))), known("four", 4, 0, measured(2, 2000, slower(4))),
		known("one", 1, 0, measured(3, 2000, through(1, 0))), known("four", 4, 0, measured(4, 2000, through(4, 0))),
		known("one", 1, 0, measured(5, 2000, through(1, 0))), known("four", 4, 0, measured(6, 2000, through(4, 0))),
	}}
	for hops := range 9 {
		e, err := Config{}.Estimate(measured(uint64(10+hops), 2000, through(hops, 0)), cal)
		if err != nil || e.Hops == nil || !e.Hops.Told || e.Hops.Hops != hops {
			t.Errorf("%d hops: %+v, %v %v", hops, e.Hops, e.Reasons, err)
		}
	}
}

// TestASlowCPUCancelsOut: what slows the target's RTTs and those of references that were probed in turn with it, in some
// stretches of time, does not change the count.
func TestASlowCPUCancelsOut(t *testing.T) {
	const probes = 2000
	slow := rand.New(rand.NewPCG(7, 7))
	factors := make([]float64, 20)
	for i := range factors {
		factors[i] = 1 + float64(slow.IntN(3))/4
	}
	inTurn := func(seed uint64, hops int) *Measurement {
		var all []Sample
		for i, v := range rtts(rand.New(rand.NewPCG(seed, 7)), through(hops, 0)[12], probes) {
			v = int64(float64(v) * factors[i*len(factors)/probes])
			all = append(all, Sample{At: int64(i) * int64(time.Millisecond), Size: 12, RTT: v, TTL: 64})
		}
		return Measure(outlier.Config{}, "192.0.2.7", false, all, probes, Facts{})
	}
	one, four := known("one", 1, 0, inTurn(1, 1)), known("four", 4, 0, inTurn(2, 4))
	one.Paired, four.Paired = true, true
	for hops := range 9 {
		e, err := Config{}.Estimate(inTurn(uint64(10+hops), hops), &Calibration{Known: []Known{one, four}})
		if err != nil || e.Hops == nil || !e.Hops.Told || e.Hops.Hops != hops {
			t.Errorf("%d hops: %+v, %v %v", hops, e.Hops, e.Reasons, err)
		}
	}
}

func TestHopDelayConfigured(t *testing.T) {
	cal := &Calibration{Known: []Known{known("one", 1, 5, measured(1, 2000, through(1, 5)))}}
	e, err := Config{HopDelay: 2 * time.Microsecond}.Estimate(measured(2, 2000, through(3, 25)), cal)
	if err != nil || !e.Told || e.Hops.Hops != 3 || e.Hops.Confidence < 0.95 || e.Cable.Low > 25 || e.Cable.High < 25 {
		t.Errorf("%+v %+v %v", e.Hops, e.Cable, err)
	}
}

func TestCableBesideAReference(t *testing.T) {
	ref := known("short", -1, 3, measured(1, 4000, through(2, 3)))
	e, err := Config{}.Estimate(measured(2, 4000, through(2, 53)), &Calibration{Known: []Known{ref}})
	if err != nil || !e.Told || e.Hops != nil || math.Abs(e.Cable.Value-53) > 5 || e.Cable.Low > 53 || e.Cable.High < 53 || len(e.Notes) != 1 {
		t.Errorf("%+v %v %v", e.Cable, e.Notes, err)
	}
}

// sloped is a way of links of the given rates, both directions.
func sloped(rates ...int64) map[int]float64 {
	floors := map[int]float64{}
	for _, payload := range []int{12, 400, 800, 1200, 1472} {
		floors[payload] = 5000
		for _, r := range rates {
			floors[payload] += perLink(r) * float64(wire(payload, false)+24)
		}
		floors[payload] += hostSlope * float64(payload)
	}
	return floors
}

func TestHopsBySlope(t *testing.T) {
	const g, m100 = 1_000_000_000, 100_000_000
	for name, c := range map[string]struct {
		rates, given []int64
		hops         int // -1: cannot be told
	}{
		"one link":            {[]int64{g}, []int64{g}, 0},
		"four links":          {[]int64{g, g, g, g}, []int64{g}, 3},
		"slow":                {[]int64{m100, m100, m100}, []int64{m100}, 2},
		"mixed":               {[]int64{m100, g, g}, []int64{g, m100}, 2},
		"guessed":             {[]int64{g}, nil, 0},
		"guessed, slow":       {[]int64{m100}, nil, 0},
		"another rate":        {[]int64{300_000_000}, []int64{g}, -1},
		"no rate is this one": {[]int64{130_000_000}, nil, -1},
	} {
		e, err := Config{LinkRates: c.given}.Estimate(measured(5, 1000, sloped(c.rates...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.hops >= 0 && (!e.Told || e.Hops.Hops != c.hops) || c.hops < 0 && e.Told {
			t.Errorf("%s: %+v, slope %+v, %v", name, e.Hops, e.Slope, e.Reasons)
		}
	}
}

// TestNoCableWithoutACount: what remains beside a reference is no cable where a slope leaves open how many switches there
// are, or counts others; where nothing counts them, as many are assumed, and it says so.
func TestNoCableWithoutACount(t *testing.T) {
	const g = 1_000_000_000
	ref := known("near", 0, 0, measured(1, 1000, sloped(g)))
	for name, c := range map[string]struct {
		rate        int64
		told, cable bool
	}{
		"as many":     {g, true, true},
		"another one": {g / 2, true, false},
		"open":        {300_000_000, false, false},
	} {
		e, err := Config{LinkRates: []int64{g}}.Estimate(measured(2, 1000, sloped(c.rate)), &Calibration{Known: []Known{ref}})
		if err != nil || (e.Cable != nil) != c.cable || e.Told != c.told {
			t.Errorf("%s: cable %+v, %+v, %v %v", name, e.Cable, e.BySlope, e.Reasons, err)
		}
	}
}

// TestHalfOfFewBatches: of ten batches, the interval of the floor is that of Student's t.
func TestHalfOfFewBatches(t *testing.T) {
	const runs = 400
	var levels []Level
	truth := 0.0
	for seed := range uint64(runs) {
		l := levelOf(rtts(rand.New(rand.NewPCG(seed, 10)), 5000, 1000), 1000)
		if len(l.Batches) != leastBatches || l.Half() < 2*l.StdErr {
			t.Fatalf("%+v: ± %.1f", l, l.Half())
		}
		levels, truth = append(levels, l), truth+l.Value/runs
	}
	covered, normally := 0, 0
	for i := range levels {
		if off := math.Abs(levels[i].Value - truth); off <= levels[i].Half() {
			covered++
			if off <= 1.96*levels[i].StdErr {
				normally++
			}
		}
	}
	t.Logf("of %d the interval covers the floor in %d; ± 1.96 σ would in %d", runs, covered, normally)
	if covered < runs*88/100 {
		t.Errorf("%d of %d", covered, runs)
	}
	if few := levelOf([]int64{1, 2, 3}, 3); few.Half() != 0 {
		t.Errorf("of three: %v", few.Half())
	}
}

func TestSlopeAndOffsetDisagree(t *testing.T) {
	ref := known("near", 0, 0, measured(1, 1000, sloped(1e9)))
	floors := sloped(1e9, 1e9)
	for k := range floors {
		floors[k] += 2*switchDelay + 500 // another switch that cuts through
	}
	e, err := Config{LinkRates: []int64{1e9}, HopDelay: 2500 * time.Nanosecond}.Estimate(measured(2, 1000, floors), &Calibration{Known: []Known{ref}})
	if err != nil || e.Told || !strings.Contains(strings.Join(e.Reasons, " "), "the slope tells of 1 switches") {
		t.Errorf("%+v %+v %v %v", e.BySlope, e.ByOffset, e.Reasons, err)
	}
}

func TestFactsAreNotMixed(t *testing.T) {
	other := measured(1, 1000, through(1, 0))
	other.Facts.RXUsecs = "50"
	m := measured(2, 1000, through(1, 0))
	m.Facts.RXUsecs = "3"
	_, err := Config{}.Estimate(m, &Calibration{Known: []Known{known("there", 1, 0, other)}})
	want := `path: interrupt coalescing (rx_usecs) is 3 here and 50 at the reference "there": RTTs of the two cannot be compared; measure both under the same`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestCoalescingHides(t *testing.T) {
	facts := func(m *Measurement) *Measurement { m.Facts.RXUsecs = "50"; return m }
	cal := &Calibration{Known: []Known{known("one", 1, 0, facts(measured(1, 2000, through(1, 0))))}}
	e, err := Config{HopDelay: 2 * time.Microsecond}.Estimate(facts(measured(2, 2000, through(3, 0))), cal)
	if err != nil || e.Told || !strings.Contains(strings.Join(e.Reasons, " "), "coalescing") {
		t.Errorf("%+v %v %v", e.Hops, e.Reasons, err)
	}
}

func TestSilentTarget(t *testing.T) {
	e, err := Config{}.Estimate(Measure(outlier.Config{}, "192.0.2.9", false, nil, 100, Facts{}), nil)
	if err != nil || e.Told || len(e.Reasons) != 1 {
		t.Errorf("%+v %v", e, err)
	}
}
