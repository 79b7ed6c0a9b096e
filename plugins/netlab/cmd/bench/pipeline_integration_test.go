//go:build integration

package main

import (
	"path/filepath"
	"testing"
)

// TestPipelineActs has all act on one block, on a day that the second run finds made.
func TestPipelineActs(t *testing.T) {
	dir := t.TempDir()
	b := &pipelineBench{options: options{repo: testRepo, work: dir, rounds: 1, blocks: 1, keep: filepath.Join(dir, "kept")}, report: pipelineReport{Rounds: 1}}
	if err := b.prepare(t.Context()); err != nil || len(b.report.Notes) > 0 {
		t.Fatalf("%v; notes: %q", err, b.report.Notes)
	}
	b.self = filepath.Join(dir, "bench") // this program is the test
	if err := goBuild(t.Context(), testRepo, "./plugins/netlab/cmd/bench", b.self); err != nil {
		t.Fatal(err)
	}
	if err := b.store.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.rounds(t.Context(), b.acts())
	b.report.finish()
	if len(b.report.Notes) > 0 {
		t.Errorf("notes: %q", b.report.Notes)
	}
	for _, res := range b.report.Results {
		r := res.Runs[0]
		t.Logf("%s: %+v", res.Name, r)
		if r == nil || r.Written < 200 || r.Rate <= 0 || r.Peak < 1<<20 || r.Read < blockTargets || res.Name != nameSweep && res.Table == fromInflux && r.Read != b.store.day.points(daySweeps) {
			t.Errorf("%s: %+v", res.Name, r)
		}
	}
}
