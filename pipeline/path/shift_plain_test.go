package path

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

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
