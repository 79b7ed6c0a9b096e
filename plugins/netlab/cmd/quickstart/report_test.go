package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// asPromised is what a perfect run leaves in the database.
func asPromised(pop netlab.Population, sweeps []int64) map[cell]tally {
	cells := map[cell]tally{}
	for _, s := range sweeps {
		for _, b := range pop.Blocks() {
			k, _ := pop.Kind(b.Addr())
			cells[cell{b, s}] = promised(k)
		}
	}
	return cells
}

func TestDifferences(t *testing.T) {
	pop := netlab.SamplePopulation(netip.MustParsePrefix("198.18.0.0/16"))
	sweeps := []int64{int64(10 * time.Second), int64(20 * time.Second)}
	block := pop.BlocksOf(netlab.Answering)[3]
	out := outage{pop.BlocksOf(netlab.Answering)[7], span{sweeps[1], sweeps[1] + 1}}
	for name, c := range map[string]struct {
		bend func(map[cell]tally)
		want int
	}{
		"perfect":    {func(map[cell]tally) {}, 0},
		"no outage":  {func(m map[cell]tally) { m[cell{out.block, sweeps[1]}] = promised(netlab.Answering) }, 1},
		"too early":  {func(m map[cell]tally) { m[cell{out.block, sweeps[0]}] = promised(netlab.Silent) }, 1},
		"one lost":   {func(m map[cell]tally) { bend(m, cell{block, sweeps[1]}, func(t *tally) { t.received-- }) }, 1},
		"block gone": {func(m map[cell]tally) { delete(m, cell{block, sweeps[0]}) }, 1},
		"stranger":   {func(m map[cell]tally) { m[cell{netip.MustParsePrefix("10.0.0.0/24"), sweeps[0]}] = tally{} }, 1},
		"other time": {func(m map[cell]tally) { m[cell{block, 5}] = tally{points: 1} }, 1},
	} {
		cells := asPromised(pop, sweeps)
		cells[cell{out.block, sweeps[1]}] = promised(netlab.Silent)
		c.bend(cells)
		if got := differences(pop, out, sweeps, cells); len(got) != c.want {
			t.Errorf("%s: %d differences, want %d: %v", name, len(got), c.want, shorten(got, 3))
		}
	}
}

func bend(m map[cell]tally, c cell, f func(*tally)) {
	v := m[c]
	f(&v)
	m[c] = v
}

func TestByKindAndTable(t *testing.T) {
	pop := netlab.SamplePopulation(netip.MustParsePrefix("198.18.0.0/16"))
	sweeps := []int64{1, 2, 3}
	sums := byKind(pop, sweeps, asPromised(pop, sweeps))
	if got := sums[netlab.Answering]; got.received != 3*48384 || got.lost() != 0 {
		t.Errorf("answering %v", got)
	}
	if got := sums[netlab.Late]; got.late != 768 || got.lost() != 0 {
		t.Errorf("late %v", got)
	}
	text := strings.Join(kindTable(pop, sums, 3), "\n")
	for _, want := range []string{"48,384", "145,152", "100.00 %", "768 prohibited"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 65536: "65,536", -1234567: "-1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}
