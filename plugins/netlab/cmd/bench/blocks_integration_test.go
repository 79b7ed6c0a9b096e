//go:build integration

package main

import (
	"testing"
	"time"
)

// TestBlocksBench has a small world pass. A /16 every 5 minutes at 1,000 times real time is 218,000 points/s; other work
// on the machine may take most of that away.
func TestBlocksBench(t *testing.T) {
	b := &blocksBench{options: options{repo: testRepo, work: t.TempDir()}}
	if err := b.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		ipv6  bool
		flags []string
	}{{false, []string{onlyBlocks}}, {false, nil}, {true, []string{onlyBlocks}}} {
		if err := b.measure(t.Context(), worldConfig(7, 32, 3, 10*time.Minute, w.ipv6), true, w.flags...); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range b.report.Runs {
		f := b.report.Figures[i]
		t.Logf("%s: %.0f points/s, %d MB\n%s", r, r.Rate, r.Peak>>20, f.Text())
		if r.Points < 500_000 || r.Rate < 100_000 || r.Peak > 250<<20 {
			t.Errorf("%+v", r)
		}
		if p, q := f.OutagePrecision, f.OutageRecall; q.Of == 0 || 20*p.Right < 19*p.Of || 20*q.Right < 19*q.Of {
			t.Errorf("of the outages told %v are true, of the true ones %v are told", p, q)
		}
		if n := f.FromRenumbering + f.FromUplink + f.FromRateLimit; n > 0 {
			t.Errorf("%d outages are none of the blocks'", n)
		}
	}
}
