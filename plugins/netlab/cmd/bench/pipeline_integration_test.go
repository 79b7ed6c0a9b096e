//go:build integration

package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"echogram/plugins/schema"
)

// TestPipelineBench has most of who takes part act on one block: the rest differs by a word.
func TestPipelineBench(t *testing.T) {
	dir := t.TempDir()
	b := &pipelineBench{options: options{repo: testRepo, work: dir, rounds: 1, blocks: 1, keep: filepath.Join(dir, "kept")}, report: pipelineReport{Rounds: 1}}
	if err := b.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.self = filepath.Join(dir, "bench") // this program is the test
	if err := goBuild(t.Context(), testRepo, "./plugins/netlab/cmd/bench", b.self); err != nil {
		t.Fatal(err)
	}
	var acts []act
	for _, a := range b.acts() {
		if a.table == fromFile {
			acts = append(acts, a)
		}
	}
	together := act{table: fromInflux, names: []string{nameAll, nameCloses, nameSweep, nameWindow}, run: b.sameMeans(t)}
	b.rounds(t.Context(), append(acts, together))
	b.report.finish()
	if len(b.report.Notes) > 0 {
		t.Errorf("notes: %q", b.report.Notes)
	}
	for _, res := range b.report.Results {
		r := res.Runs[0]
		t.Logf("%s: %+v", res.Name, r)
		if r == nil || r.Read < blockTargets || r.Written < 200 || r.Rate <= 0 || r.CPU <= 0 || r.Peak < 1<<20 {
			t.Errorf("%s: %+v", res.Name, r)
		}
	}
}

// sameMeans has the pipeline and Flux roll up the same database, one after the other, and compares.
func (b *pipelineBench) sameMeans(t *testing.T) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) (runs []*pipelineRun, err error) {
		err = b.withInflux(ctx, func(db *database) error {
			if runs, err = b.allWindows(ctx, db); err != nil {
				return err
			}
			r, err := b.means(ctx, db, fluxWindow)
			if err != nil {
				return err
			}
			runs = append(runs, r)
			ours, err := meansByTarget(ctx, db, "rtt_mean_ns", schema.ICMPSweepRollup+` WHERE "window" = '1d'`)
			if err != nil {
				return err
			}
			theirs, err := meansByTarget(ctx, db, fluxField, fluxMean)
			if len(ours) != len(theirs) || len(theirs) < 200 {
				t.Errorf("%d targets, Flux %d", len(ours), len(theirs))
			}
			for target, mean := range theirs {
				if math.Abs(ours[target]-mean) > 1 {
					t.Errorf("%s: %.1f ns, Flux %.1f", target, ours[target], mean)
				}
			}
			return err
		})
		return runs, err
	}
}

// meansByTarget reads the first value of each target.
func meansByTarget(ctx context.Context, db *database, field, from string) (map[string]float64, error) {
	all, err := db.Query(ctx, rollupDatabase, fmt.Sprintf("SELECT %s FROM %s GROUP BY target", field, from))
	means := map[string]float64{}
	for _, s := range all {
		means[s.Tags["target"]] = s.Float(0, field)
	}
	return means, err
}
