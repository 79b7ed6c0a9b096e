package block

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"echogram/plugins/schema"
)

func TestDiurnalClasses(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	day := func(height, at float64) func(t float64) float64 {
		return func(t float64) float64 { return height * math.Cos(2*math.Pi*(t-at)/24) }
	}
	for _, c := range []struct {
		name   string
		share  func(t float64) float64 // t: h
		class  string
		hour   float64
		swing  float64
		within float64 // of hour and swing: h, share
	}{
		{"a sine", day(0.2, 15), schema.DiurnalStrict, 15, 0.4, 0.05},
		{"a sine in noise", func(t float64) float64 { return day(0.2, 3)(t) + 0.05*rng.NormFloat64() }, schema.DiurnalStrict, 3, 0.4, 0.4},
		{"office hours all week", func(t float64) float64 { return math.Round(bump(t, 12.5, 9.02)) / 2 }, schema.DiurnalStrict, 12.5, 0.5, 0.25},
		{"office hours on four days of seven", func(t float64) float64 {
			if math.Mod(t/24, 7) >= 4 {
				return 0
			}
			return math.Round(bump(t, 12.5, 9.02)) / 2
		}, schema.DiurnalRelaxed, 12.5, 0.5, 0.5},
		{"a day beside a slower swing", func(t float64) float64 {
			return day(0.2, 20)(t) + 0.15*math.Sin(2*math.Pi*t/24/3.5)
		}, schema.DiurnalRelaxed, 20, 0.4, 0.15},
		{"twice a day", func(t float64) float64 { return 0.1*math.Cos(2*math.Pi*(t-9)/12) + day(0.05, 9)(t) }, schema.DiurnalRelaxed, 9, 0.25, 0.15},
		{"a swing too small", day(0.005, 15), schema.DiurnalNone, 0, 0.01, 0.01},
		{"a week", func(t float64) float64 { return 0.2 * math.Sin(2*math.Pi*t/24/7) }, schema.DiurnalNone, 0, 0, 0.2},
		{"noise", func(float64) float64 { return 0.1 * rng.NormFloat64() }, schema.DiurnalNone, 0, 0, 0.1},
		{"nothing", func(float64) float64 { return 0.5 }, schema.DiurnalNone, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := make([]float64, 14*halvesADay)
			for i := range x {
				x[i] = 0.5 + c.share(float64(i)/2+0.25)
			}
			s := diurnal(&testDaily, x)
			if s.class != c.class || s.hour.Set != (c.class != schema.DiurnalNone) || math.Abs(s.amplitude-c.swing) > c.within {
				t.Fatalf("%+v", s)
			}
			if s.hour.Set && apart(s.hour.F, c.hour) > c.within {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A block that is out takes its addresses with it on both sides of the share.
func TestSharesLeaveOutWhatIsOut(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	all := map[int]int64{}
	for place := range 40 {
		all[place] = 1e7
	}
	var whole, half daily
	for at := start; at.Before(start.AddDate(0, 0, 3)); at = at.Add(30 * time.Minute) {
		verdict := Up
		if at.Hour() >= 20 {
			verdict = Down
		}
		half.observe(&testDaily, lookAt(at, 50, all), verdict)
		rtt := map[int]int64{}
		for place := range 20 + 20*(at.Hour()/20) {
			rtt[place] = 1e7
		}
		whole.observe(&testDaily, lookAt(at, 50, rtt), Up)
	}
	c := newCrowd(&testDaily, start.AddDate(0, 0, 2).UnixNano(), []*daily{&whole, &half})
	x, ever, targets := c.shares()
	if ever != 80 || targets != 100 {
		t.Errorf("%d of %d ever answered", ever, targets)
	}
	for i, v := range x[11*halvesADay:] {
		want := 0.75 // 20 and 40 of 80
		if i%halvesADay >= 40 {
			want = 1 // of the 40 that are seen
		}
		if v != want {
			t.Fatalf("half hour %d: %v", i, v)
		}
	}
}

// All clients of a pool lose their addresses at four in the morning, for one sweep of three.
func TestARenumberingIsNoHabit(t *testing.T) {
	start := time.Date(2024, 5, 1, 0, 0, 0, 0, berlin)
	rng := rand.New(rand.NewPCG(6, 6))
	var d daily
	for at := start; at.Before(start.AddDate(0, 0, 14)); at = at.Add(10 * time.Minute) {
		rtt := map[int]int64{}
		for place := range 50 {
			if rng.Float64() > 0.03 && clockHour(at) != 4 {
				rtt[place] = 1e7
			}
		}
		d.observe(&testDaily, lookAt(at, 50, rtt), Up)
	}
	if day := d.day(&testDaily, start.AddDate(0, 0, 13).UnixNano()); day.availability.class != schema.DiurnalNone {
		t.Errorf("%+v", day.availability)
	}
}

func TestNoiseHasNoDay(t *testing.T) {
	for days, percent := range map[int]int{3: 6, 7: 2, 14: 2} {
		rng := rand.New(rand.NewPCG(9, uint64(days)))
		for _, memory := range []float64{0, 0.95, 0.99, 1} {
			found := 0
			for range 500 {
				x, v := make([]float64, days*halvesADay), 0.
				for i := range x {
					v = memory*v + rng.NormFloat64()
					x[i] = v
				}
				if testDaily.Diurnal.class(amplitudes(x), days) != schema.DiurnalNone {
					found++
				}
			}
			if found > 5*percent {
				t.Errorf("%d days, memory %v: %d of 500", days, memory, found)
			}
		}
	}
}
