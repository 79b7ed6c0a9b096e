package path

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// plain is Newest without what that leaves out for speed: every window is read, and every split of its row weighed.
func plain(cfg ShiftConfig, floors []Floor) []Shift {
	s := scanOf(cfg, floors, nil, nil)
	for s.next() {
		shift, ok := s.plainStep()
		if !ok {
			shift, ok = s.drift()
		}
		if ok && s.places[s.end-1] == len(floors)-1 {
			return []Shift{shift}
		}
	}
	return nil
}

func (s *scan) plainStep() (Shift, bool) {
	from := max(s.daily, s.end-mostRow)
	row := s.values[from:s.end]
	var best *change
	for after := leastAfter; after <= mostAfter; after++ {
		for behind := after; behind <= after+1 && len(row)-behind >= leastBefore; behind++ {
			c := change{row: row, to: len(row) - behind, at: len(row) - after, low: medianOf(row[:len(row)-behind]), high: meanOf(row[len(row)-after:])}
			s.weigh(&c, from, s.noise(s.end-behind, math.Inf(1)))
			if c.size() >= s.cfg.Least && c.stepped() && (best == nil || c.misfit() < best.misfit()) {
				best = &c
			}
		}
	}
	switch {
	case best == nil:
		return Shift{}, false
	case s.dailyStep(best, from):
		s.daily = from + best.at
		return Shift{}, false
	}
	return s.confirm(best, from), true
}

// eventful are floors over days with peaks, steps, drifts, gaps and windows that tell nothing, as r draws them.
func eventful(r *rand.Rand, seed uint64, shape int) []Floor {
	floors := hours(seed, shape, 6)
	level, ramp := 0.0, 0.0
	size := 10 * shapes[shape].noise * r.Float64()
	kept := floors[:0]
	for _, f := range floors {
		switch r.IntN(40) {
		case 0:
			level += size * (r.Float64() - 0.5) * 4
		case 1:
			ramp = size / 5 * (r.Float64() - 0.5)
		case 2:
			ramp = 0
		case 3:
			f.Floor += 5 * size
		case 4:
			f.Error = outlier.Modes
		case 5:
			f.StdErr = size
		case 6:
			f.TTLMin, f.TTLMax = 56, 56
		case 7:
			continue
		}
		level += ramp
		f.Floor += level
		if len(kept) > 100 {
			f.Facts = "interval=1s"
		}
		kept = append(kept, f)
	}
	return kept
}

func TestNewestLeavesOutNothing(t *testing.T) {
	told := map[string]int{}
	for seed := range uint64(12) {
		for shape := range shapes {
			r := rand.New(rand.NewPCG(seed, uint64(shape)))
			floors := eventful(r, seed, shape)
			if seed%6 == 0 {
				floors = hours(seed, shape, 6)
			}
			for n := 1; n <= len(floors); n++ {
				last := floors[max(0, n-48):n]
				got, want := Newest(ShiftConfig{}, last), plain(ShiftConfig{}, last)
				if !slices.Equal(got, want) {
					t.Fatalf("%s, seed %d, window %d: %+v; want %+v", shapes[shape].name, seed, n, got, want)
				}
				for _, s := range got {
					told[s.Kind]++
				}
			}
		}
	}
	t.Logf("told alike: %v", told)
	if told[schema.ShiftStep] < 40 || told[schema.ShiftDrift] < 15 || told[schema.ShiftRoute] < 8 {
		t.Errorf("too few to compare: %v", told)
	}
}

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
	const runs = 192 // eight of each hour
	for _, c := range []struct {
		size      float64
		byDay, in int // per cent: by day within four windows, at any hour within 30
	}{{1.5e6, 0, 75}, {-1.5e6, 0, 80}, {6e6, 0, 90}} {
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
