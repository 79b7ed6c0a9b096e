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
		if a.names[0] == nameImport || a.names[0] == nameQuantile || a.names[0] == nameAll {
			acts = append(acts, a)
		}
	}
	b.rounds(t.Context(), append(acts, act{table: fromInflux, names: []string{nameDay, nameWindow}, run: b.sameMeans(t)}))
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

// sameMeans has the pipeline and Flux roll up the same database, and compares.
func (b *pipelineBench) sameMeans(t *testing.T) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) (runs []*pipelineRun, err error) {
		return runs, b.withInflux(ctx, func(db *database) error {
			ours, err := b.roll(ctx, db, windowsDay, daySweeps)
			if err != nil {
				return err
			}
			theirs, err := b.means(ctx, db, fluxWindow)
			if err != nil {
				return err
			}
			runs = []*pipelineRun{ours, theirs}
			a, err := meansByTarget(ctx, db, "rtt_mean_ns", schema.ICMPSweepRollup)
			if err != nil {
				return err
			}
			f, err := meansByTarget(ctx, db, fluxField, fluxMean)
			if len(a) != len(f) || len(f) < 200 {
				t.Errorf("%d targets, Flux %d", len(a), len(f))
			}
			for target, mean := range f {
				if math.Abs(a[target]-mean) > 1 {
					t.Errorf("%s: %.1f ns, Flux %.1f", target, a[target], mean)
				}
			}
			return err
		})
	}
}

func meansByTarget(ctx context.Context, db *database, field, measurement string) (map[string]float64, error) {
	all, err := db.Query(ctx, rollupDatabase, fmt.Sprintf("SELECT %s FROM %s GROUP BY target", field, measurement))
	means := map[string]float64{}
	for _, s := range all {
		means[s.Tags["target"]] = s.Float(0, field)
	}
	return means, err
}
