package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// The same seed makes the same bytes, a sweep by itself those that it has among others, and another seed others.
func TestDayIsSeeded(t *testing.T) {
	text := func(seed uint64, from, to int) string {
		name := filepath.Join(t.TempDir(), "day.lp")
		if err := newDay(2, seed).writeFile(name, from, to); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	all := text(7, 0, 3)
	if all != text(7, 0, 3) || all != text(7, 0, 1)+text(7, 1, 3) {
		t.Error("the same day twice is not the same")
	}
	if all == text(8, 0, 3) {
		t.Error("the seed does nothing")
	}
}

// TestDay holds a day against what it says of itself.
func TestDay(t *testing.T) {
	d := newDay(16, 1)
	silent, shifted := 0, 0
	for _, target := range d.targets {
		if target.silent {
			silent++
		}
		if target.shiftAt < daySweeps {
			shifted++
		}
		if target.floor < float64(leastFloor) || target.floor > float64(mostFloor) {
			t.Errorf("%s has a floor of %v ns", target.address, target.floor)
		}
	}
	n := float64(len(d.targets))
	within(t, "silent targets", float64(silent)/n, .03, .07)
	within(t, "shifted targets", float64(shifted)/n, .004, .02)

	rows, answered, outliers := 0, 0, 0
	for s := range 20 {
		before := rows
		var blocks []string
		var last schema.Row
		err := d.sweep(s, func(r schema.Row) error {
			switch last = r; r := r.(type) {
			case *schema.SweepRow:
				rows++
				if r.Time != dayStart.Add(time.Duration(s)*sweepEvery).UnixNano() {
					t.Fatalf("sweep %d has the time %d", s, r.Time)
				}
				if r.RTT.Set {
					answered++
				}
				if r.RTT.N >= int64(leastOutlier) {
					outliers++
				}
			case *schema.SweepBlockRow:
				blocks = append(blocks, r.Block)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := last.(*schema.SweepStatsRow); !ok || m.Points != int64(rows-before) || rows-before != d.points(1) {
			t.Errorf("%d points end with %+v", rows-before, last)
		}
		slices.Sort(blocks)
		if !slices.Equal(slices.Compact(blocks), slices.Sorted(slices.Values(d.blocks))) {
			t.Errorf("sweep %d has the blocks %q", s, blocks)
		}
	}
	within(t, "answers", float64(answered)/float64(rows), .93, .97)
	within(t, "outliers", float64(outliers)/float64(answered), .008, .02)
}

func within(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %.4f, want %v to %v", what, got, least, most)
	}
}
