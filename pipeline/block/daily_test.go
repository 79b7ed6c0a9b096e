package block

import (
	"bytes"
	"encoding/gob"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"echogram/plugins/schema"
)

var berlin = mustLoad("Europe/Berlin")

func mustLoad(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return l
}

var testDaily = Config{Location: berlin, Days: 3, Span: 14, Targets: 3,
	Low: 500 * time.Microsecond, Mild: time.Millisecond, Severe: 3 * time.Millisecond}

// lookAt is a look in which the places with an RTT, ns, answered, of probed ones.
func lookAt(t time.Time, probed int, rtt map[int]int64) *Look {
	l := &Look{Time: t.UnixNano(), RTT: make([]int64, probed)}
	for place := range probed {
		l.Probed.Add(place)
	}
	for place, ns := range rtt {
		l.Answered.Add(place)
		l.RTT[place] = ns
	}
	return l
}

func TestCodesKeepOrderAndMagnitude(t *testing.T) {
	for ns := int64(1100); ns < int64(70*time.Minute); ns += 1 + ns/3000 {
		c := codeOf(ns)
		if off := math.Abs(c.ns()/float64(ns) - 1); off > 0.00025 {
			t.Fatalf("%d ns comes back as %v", ns, c.ns())
		}
		if codeOf(ns+1) < c || codeOf(int64(math.Round(c.ns()))) != c {
			t.Fatalf("%d ns: code %d out of order", ns, c)
		}
	}
	for ns, want := range map[int64]code{-5: 0, 0: 0, 1: 1, 1024: 1, math.MaxInt64: math.MaxUint16} {
		if got := codeOf(ns); got != want {
			t.Errorf("%d ns has code %d, not %d", ns, got, want)
		}
	}
}

func TestHalfHoursAreThoseOfTheWallClock(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		halves    int
		twice     int
	}{
		{"Europe/Berlin", "2024-01-15", 48, 0},
		{"Europe/Berlin", "2024-03-31", 46, 0},
		{"Europe/Berlin", "2024-10-27", 48, 2},
		{"Australia/Lord_Howe", "2024-10-06", 47, 0},
		{"Asia/Kathmandu", "2024-05-05", 48, 0},
		{"America/Sao_Paulo", "2018-11-04", 46, 0}, // begins at 01:00
	} {
		loc := mustLoad(c.zone)
		start, err := time.ParseInLocation(time.DateOnly, c.day, loc)
		if err != nil {
			t.Fatal(err)
		}
		if start.Hour() == 23 { // there is no midnight
			start = start.Add(time.Hour)
		}
		seen := map[int64]int{}
		for at := start; at.Day() == start.Day(); at = at.Add(30 * time.Minute) {
			n := wallHalf(loc, at.UnixNano())
			if n/halvesADay != wallHalf(loc, start.UnixNano())/halvesADay {
				t.Errorf("%v is on another day", at)
			}
			if want := int64(2*at.Hour() + at.Minute()/30); n%halvesADay != want {
				t.Errorf("%v is half hour %d, not %d", at, n%halvesADay, want)
			}
			seen[n]++
		}
		twice := 0
		for _, n := range seen {
			twice += n - 1
		}
		if len(seen) != c.halves || twice != c.twice {
			t.Errorf("%s %s: %d half hours, %d twice", c.zone, c.day, len(seen), twice)
		}
	}
}

// The day that has no midnight is found by what time.Date makes of it.
func TestADayWithoutMidnight(t *testing.T) {
	cfg := testDaily
	cfg.Location = mustLoad("America/Sao_Paulo")
	var d daily
	d.observe(&cfg, lookAt(time.Date(2018, 11, 4, 12, 0, 0, 0, cfg.Location), 1, map[int]int64{0: 1e6}), Up)
	if days := d.last(&cfg, time.Date(2018, 11, 4, 0, 0, 0, 0, cfg.Location).UnixNano()); days[cfg.Span-1] == nil {
		t.Error("the day is not the last")
	}
}

// bump is how high a peak of that full width at half its height stands at an hour.
func bump(hour, peak, width float64) float64 {
	return math.Exp(-4 * math.Ln2 * math.Pow(apart(hour, peak)/width, 2))
}

func clockHour(t time.Time) float64 { return float64(t.Hour()) + float64(t.Minute())/60 }

// evening is days of a block with five targets, swept every 10 minutes, whose RTTs peak at 20:30; skip leaves looks out.
func evening(d *daily, start time.Time, days int, skip func(time.Time) bool) {
	for at, stop := start, start.AddDate(0, 0, days); at.Before(stop); at = at.Add(10 * time.Minute) {
		if skip != nil && skip(at) {
			continue
		}
		rtt := map[int]int64{}
		for place := range 5 {
			rtt[place] = 1e6*int64(10+place) + int64(8e6*bump(clockHour(at.In(berlin)), 20.5, 3))
		}
		d.observe(&testDaily, lookAt(at, 8, rtt), Up)
	}
}

func TestDaysWhoseClockChangesKeepTheHour(t *testing.T) {
	for _, change := range []string{"2024-03-31", "2024-10-27"} {
		at, _ := time.ParseInLocation(time.DateOnly, change, berlin)
		var d daily
		evening(&d, at.AddDate(0, 0, -2), 5, nil)
		day := d.day(&testDaily, at.AddDate(0, 0, 2).UnixNano())
		l := day.latency
		missing := 0
		if at.Month() == time.March {
			missing = 2
		}
		if l.days != 5 || l.slots != 5*48-missing || l.class != schema.DailySevere || apart(l.hour.F, 20.5) > 0.1 {
			t.Errorf("%s: %+v", change, day)
		}
		if day.targets != 5 || math.Abs(day.floor-12e6) > 12e3 {
			t.Errorf("%s: %d targets, floor %v", change, day.targets, day.floor)
		}
	}
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	last := start.AddDate(0, 0, 5)
	hours := func(from, to float64) func(time.Time) bool {
		return func(at time.Time) bool {
			h := at.Sub(start).Hours()
			return h >= from && h < to
		}
	}
	for _, c := range []struct {
		name string
		skip func(time.Time) bool
		days int
	}{
		{"all is known", nil, 6},
		{"an evening is missing", hours(24+18, 24+23), 6},
		{"half a day around midnight", hours(36, 48+4), 6},
		{"more than a day", hours(20, 46), 4},
		{"too much of the end", hours(3*24, 5*24), 0},
		{"the last hours, as the day has just ended", hours(5*24+20, 6*24), 6},
		{"it began at 15:00", hours(0, 15), 5},
		{"a sweep an hour", func(at time.Time) bool { return at.Unix()%3600 != 0 }, 6},
		{"a sweep every two hours", func(at time.Time) bool { return at.Unix()%7200 != 0 }, 6},
		{"a quarter of the looks", func(at time.Time) bool { return at.Unix()/600%4 == 0 }, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d daily
			evening(&d, start, 6, c.skip)
			s := d.day(&testDaily, last.UnixNano()).latency
			if s.days != c.days {
				t.Fatalf("%d days of %+v", s.days, s)
			}
			if c.days > 0 && (s.class != schema.DailySevere || apart(s.hour.F, 20.5) > 0.25) {
				t.Errorf("%+v", s)
			}
			all := d.targets(&testDaily, last.UnixNano(), nil)
			if want := min(c.days, 1) * 5; len(all) != want {
				t.Fatalf("%d targets", len(all))
			}
			for _, one := range all {
				if one.latency.class != schema.DailySevere || apart(one.latency.hour.F, 20.5) > 0.25 || math.Abs(one.own/s.amplitude-1) > 0.02 {
					t.Errorf("%+v", one)
				}
			}
		})
	}
}

// A look at an outage counts as one that was never made.
func TestOutagesLeaveNoTrace(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	out := func(at time.Time) bool { return at.Hour() >= 1 && at.Hour() < 5 }
	for _, v := range []Verdict{Down, Uncertain, Doubted} {
		var without, with daily
		evening(&without, start, 4, out)
		evening(&with, start, 4, func(at time.Time) bool {
			if out(at) {
				with.observe(&testDaily, lookAt(at, 8, nil), v)
			}
			return out(at)
		})
		without.settle(14)
		with.settle(14)
		if !reflect.DeepEqual(with.Days, without.Days) {
			t.Errorf("verdict %d changes what is kept", v)
		}
	}
}

func TestOfABlockInPartOnlyTheRTTsCount(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var d daily
	d.observe(&testDaily, lookAt(start, 8, map[int]int64{1: 5e6}), Part)
	d.settle(14)
	if w := d.Days[0]; w.Answering[0] != 0 || w.RTT[halvesADay] != codeOf(5e6) {
		t.Errorf("%v, %v", w.Answering[0], w.RTT[halvesADay])
	}
}

func TestManyLooksAreThinnedEvenly(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var d daily
	for i := range 180 {
		d.observe(&testDaily, lookAt(start.Add(time.Duration(i)*10*time.Second), 1, map[int]int64{0: int64(1e6 + 1e4*i)}), Up)
	}
	var kept []int
	for _, g := range d.Now.Kept {
		kept = append(kept, int(math.Round((g.RTT[0].ns()-1e6)/1e4)))
	}
	var want []int
	for i := 0; i < 180; i += 8 {
		want = append(want, i)
	}
	if !slices.Equal(kept, want) {
		t.Errorf("kept %v", kept)
	}
	d.settle(14)
	if got := d.Days[0].RTT[0].ns(); math.Abs(got-1.895e6) > 5e4 {
		t.Errorf("median %v", got)
	}
}

// A state that was saved and loaded anywhere gives the same days.
func TestDailySurvivesARestart(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var through, restarted daily
	evening(&through, start, 20, nil)
	evening(&restarted, start, 20, func(at time.Time) bool {
		if at.Unix()%(7*3600+600) == 0 {
			restarted = *reload(t, &restarted)
		}
		return false
	})
	for day := 17; day < 20; day++ {
		at := start.AddDate(0, 0, day).UnixNano()
		a, b := through.day(&testDaily, at), reload(t, &restarted).day(&testDaily, at)
		if !reflect.DeepEqual(through.targets(&testDaily, at, a.excess), restarted.targets(&testDaily, at, b.excess)) {
			t.Error("targets differ")
		}
		a.excess, b.excess = nil, nil // no NaN is equal to another
		if !reflect.DeepEqual(a, b) || a.latency.days == 0 {
			t.Errorf("%+v and %+v", a, b)
		}
	}
	if len(through.Days) != 14 {
		t.Errorf("%d days are kept", len(through.Days))
	}
}

func reload(t *testing.T, d *daily) *daily {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(d); err != nil {
		t.Fatal(err)
	}
	var out daily
	if err := gob.NewDecoder(&b).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestCodesThatEndInTheMiddleAreRefused(t *testing.T) {
	var c codes
	if err := c.GobDecode([]byte{1, 2, 3}); err == nil {
		t.Error("three bytes are no codes")
	}
}

// What sumDaily says is the median over all targets, by a reference that sorts them.
func TestGroupsAreMediansOverAllTargets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	blocks := []*daily{{}, {}, {}}
	for at := start; at.Before(start.AddDate(0, 0, 4)); at = at.Add(30 * time.Minute) {
		for i, d := range blocks {
			rtt := map[int]int64{}
			for place := range 5 + 7*i {
				if rng.Float64() < 0.8 {
					rtt[place] = 1e6 + rng.Int64N(5e7)
				}
			}
			d.observe(&testDaily, lookAt(at, 32, rtt), Up)
		}
	}
	c := newCrowd(&testDaily, start.AddDate(0, 0, 3).UnixNano(), blocks)
	got := c.excess()
	for i := 10 * halvesADay; i < len(got); i++ {
		var all []float64
		for _, d := range blocks {
			for place := range len(d.Days[0].RTT) / halvesADay {
				low := math.Inf(1)
				for _, w := range d.Days {
					for _, c := range w.of(place) {
						if c != 0 {
							low = min(low, c.ns())
						}
					}
				}
				if c := d.Days[i/halvesADay-10].of(place)[i%halvesADay]; c != 0 {
					all = append(all, c.ns()-low)
				}
			}
		}
		slices.Sort(all)
		n := len(all)
		if want := (all[(n-1)/2] + all[n/2]) / 2; got[i] != want {
			t.Fatalf("half hour %d: %v, not %v", i, got[i], want)
		}
	}
	if targets, _ := c.floor(); targets != 5+12+19 {
		t.Errorf("%d targets", targets)
	}
}

func TestRowsOfTargets(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var d daily
	evening(&d, start, 4, nil)
	all := d.targets(&testDaily, start.AddDate(0, 0, 3).UnixNano(), nil)
	row := schema.BlockDailyRow{Target: "198.51.100.4", Time: 5, AvailabilityClass: "left from another"}
	all[4].fill(&row)
	if ms := float64(row.Amplitude.N) / 1e6; all[4].place != 4 || ms < 3.9 || ms > 4.2 { // of a peak of 8 ms, 3 h wide
		t.Errorf("place %d, %v ms", all[4].place, ms)
	}
	if apart(row.LatencyHour.F, 20.5) > 0.1 || math.Abs(float64(row.RTTFloor.N)-14e6) > 4e3 {
		t.Errorf("%+v", row)
	}
	want := schema.BlockDailyRow{Target: "198.51.100.4", Time: 5, Days: 4, Targets: 1, Slots: 4 * 48, RTTFloor: row.RTTFloor,
		Amplitude: row.Amplitude, LatencyClass: schema.DailySevere, LatencyHour: row.LatencyHour, Timezone: "Europe/Berlin"}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("%+v", row)
	}
}

// Of a block that is slow in the evening, place 0 is half as slow as the others, 1 is not, 2 is three times as slow, 3 is
// slow at eleven, too, and 4 to 8 are as the block.
func TestWhatABlockSharesIsNoTargetsOwn(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var d daily
	for at := start; at.Before(start.AddDate(0, 0, 5)); at = at.Add(10 * time.Minute) {
		h, rtt := clockHour(at), map[int]int64{}
		for place := range 9 {
			part, alone := 1., 0.
			switch place {
			case 0, 1, 2:
				part = []float64{.5, 0, 3}[place]
			case 3:
				alone = 4e6 * bump(h, 11, 3)
			}
			rtt[place] = 1e7 + int64(part*8e6*bump(h, 20.5, 3)+alone)
		}
		d.observe(&testDaily, lookAt(at, 9, rtt), Up)
	}
	last := start.AddDate(0, 0, 4).UnixNano()
	block := d.day(&testDaily, last)
	one := block.latency.amplitude
	for place, target := range d.targets(&testDaily, last, block.excess) {
		want := []float64{0, 0, 2 * one, one / 2, 0, 0, 0, 0, 0}[place]
		if math.Abs(target.own-want) > 0.1*one {
			t.Errorf("place %d: %.2f ms of its own, want %.2f", place, target.own/1e6, want/1e6)
		}
		if class := target.latency.class; (class == schema.DailyNone) != (place == 1) {
			t.Errorf("place %d: %s", place, class)
		}
	}
}

func TestAGroupNeedsTargets(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	var d daily
	for at := start; at.Before(start.AddDate(0, 0, 4)); at = at.Add(10 * time.Minute) {
		d.observe(&testDaily, lookAt(at, 4, map[int]int64{0: 1e6, 3: 2e6}), Unmeasured)
	}
	day := d.day(&testDaily, start.AddDate(0, 0, 3).UnixNano())
	var row schema.BlockDailyRow
	day.fill(&row)
	want := schema.BlockDailyRow{Days: 4, Slots: 4 * 48, Targets: 2, RTTFloor: row.RTTFloor, AvailabilityClass: schema.DiurnalNone,
		AvailabilitySwing: schema.OptFloat{Set: true}, Timezone: "Europe/Berlin"}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("%+v", row)
	}
	var none daily
	day = none.day(&testDaily, start.UnixNano())
	row = schema.BlockDailyRow{}
	day.fill(&row)
	if want := (schema.BlockDailyRow{Timezone: "Europe/Berlin"}); !reflect.DeepEqual(row, want) {
		t.Errorf("%+v", row)
	}
}
