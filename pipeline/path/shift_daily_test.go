package path

import (
	"math"
	"testing"
	"time"
)

// newestOfTwoDays is what Newest says while windows of an hour close one by one and 48 are kept.
func newestOfTwoDays(floors []Floor) (all []Shift) {
	for n := 1; n <= len(floors); n++ {
		all = append(all, Newest(ShiftConfig{}, floors[max(0, n-48):n])...)
	}
	return all
}

// TestEveningsAreNoSteps: of a peak each evening for a fortnight the first is told as a step up and one down at most, and
// of the others none; of one in a hundred where each is up to three times as high as the one before.
func TestEveningsAreNoSteps(t *testing.T) {
	const targets, days = 40, 14
	for shape, s := range shapes {
		first, later := 0, 0
		for seed := range uint64(targets) {
			floors := hours(seed, shape, days)
			for _, shift := range newestOfTwoDays(floors) {
				if shift.At < floors[24].Start {
					first++
				} else {
					later++
				}
			}
		}
		t.Logf("%s: %d targets: %d shifts told of the first day, %d of %d days after", s.name, targets, first, later, days-1)
		if first > 2*targets+2 || later > s.most*targets*(days-1)/100 {
			t.Errorf("%s: %d of the first day, %d after", s.name, first, later)
		}
	}
}

// TestALoadedWindowIsNoStep: where a peak spreads the RTTs within a window by as much as it lifts their floor, not even
// the first evening is told.
func TestALoadedWindowIsNoStep(t *testing.T) {
	for shape := range shapes {
		floors := hours(3, shape, 14)
		for i := range floors {
			floors[i].StdErr = (floors[i].Floor - 14e6) / 2
		}
		if got := newestOfTwoDays(floors); len(got) > 0 {
			t.Errorf("%s: %+v", shapes[shape].name, got)
		}
	}
}

// TestAStepAmongEvenings: what is told of a step, for good, in the second week of peaks each evening: by day mostly as a
// step within four windows, unless slopes of hours are the noise that it must show above; of the others most as a drift
// when the next day's floor has settled.
func TestAStepAmongEvenings(t *testing.T) {
	const runs = 96 // four of each hour
	for _, c := range []struct {
		size      float64
		byDay, in int // per cent: by day within four windows, at any hour within 30
	}{{1.5e6, 20, 70}, {-1.5e6, 25, 75}, {6e6, 80, 88}} {
		for shape, s := range shapes {
			if s.noise < 1e3 {
				continue
			}
			var byDay, days, soon, told int
			for seed := range uint64(runs) {
				at := 6*24 + int(seed)%24
				after := firstBehind(from(hours(seed, shape, 10), at, func(f *Floor) { f.Floor += c.size }), at)
				day := at%24+3 >= 8 && at%24+3 <= 14
				for _, n := range []struct {
					count *int
					more  bool
				}{{&days, day}, {&byDay, day && after <= 4}, {&soon, after <= 4}, {&told, after <= 30}} {
					if n.more {
						*n.count++
					}
				}
			}
			t.Logf("%s, %v: told within four windows %d of %d, by day %d of %d; within 30 windows %d", s.name, time.Duration(c.size), soon, runs, byDay, days, told)
			if byDay*100 < c.byDay*days || told*100 < c.in*runs {
				t.Errorf("%s, %v: too few", s.name, time.Duration(c.size))
			}
		}
	}
}

// firstBehind is how many windows from place at on it took until something was told.
func firstBehind(floors []Floor, at int) int {
	for n := at; n < len(floors); n++ {
		if len(Newest(ShiftConfig{}, floors[n-47:n+1])) > 0 {
			return n - at + 1
		}
	}
	return math.MaxInt
}
