package report

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSeriesIsExactUpToItsColumns(t *testing.T) {
	var s series
	var want []sample
	for i := range int64(columns) {
		want = append(want, sample{begin + i*50e6 + i%7, float64(i % 13)})
		s.add(want[i].at, want[i].v)
	}
	if got := s.samples(); !slices.Equal(got, want) || s.facts() != nil {
		t.Errorf("%d samples of %d", len(got), len(want))
	}
}

func TestThinningKeepsExtremesAndIsBounded(t *testing.T) {
	const n = 200_000
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]sample, n)
	for i := range all {
		all[i] = sample{begin + int64(i)*50e6 + rng.Int64N(9e6), 1000 + float64(rng.Int64N(50))}
	}
	extremes := []sample{{all[0].at - 1, 7}, {all[17].at + 1, 90_000}, {all[n/2].at + 1, -3}, {all[n-1].at + 1, 80_000}}
	for i, e := range extremes {
		all = slices.Insert(all, i*n/4, e)
	}
	var s series
	for _, p := range all {
		s.add(p.at, p.v)
	}
	got := s.samples()
	if len(s.cols) > columns || len(s.cols) < columns/2 || len(got) > 4*columns {
		t.Errorf("%d columns, %d samples", len(s.cols), len(got))
	}
	for _, e := range extremes {
		if !slices.Contains(got, e) {
			t.Errorf("the extreme %v is lost", e)
		}
	}
	if !slices.IsSortedFunc(got, compareSamples) || s.n != n+4 || s.low != -3 || s.high != 90_000 {
		t.Errorf("order, or %d samples from %v to %v", s.n, s.low, s.high)
	}
	// Every column of the picture has its own extremes, not only the whole.
	columnsOf := map[int64]column{}
	for _, p := range all {
		put(columnsOf, p.at>>s.shift, column{p, p, p, p})
	}
	for key, c := range columnsOf {
		if s.cols[key] != c {
			t.Fatalf("column %d is %v, want %v", key, s.cols[key], c)
		}
	}
	// The order of lines does not matter.
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var shuffled series
	for _, p := range all {
		shuffled.add(p.at, p.v)
	}
	if !slices.Equal(shuffled.samples(), got) {
		t.Error("another order of lines gives other samples")
	}
}

func TestGapsBreakLines(t *testing.T) {
	var s series
	for _, second := range []int64{0, 10, 20, 60, 70} {
		s.add(begin+second*1e9, 5)
	}
	at := span{begin, begin + 80e9}
	runs := at.steps(&s)
	if len(runs) != 2 || runs[0][0].X != 0 || runs[0][len(runs[0])-1].X != 30 || runs[1][0].X != 60 || runs[1][3].X != 80 {
		t.Errorf("steps: %v", runs)
	}
}
