//go:build integration

package main

import (
	"path/filepath"
	"testing"
)

// TestBFDReaders has each reader read a small file.
func TestBFDReaders(t *testing.T) {
	dir := t.TempDir()
	self := filepath.Join(dir, "bench")
	if err := goBuild(t.Context(), testRepo, "./plugins/netlab/cmd/bench", self); err != nil {
		t.Fatal(err)
	}
	b := &bfdBench{options: options{repo: testRepo, work: dir}}
	readers, err := b.prepare(t.Context(), self)
	if err != nil || len(readers) != 4 {
		t.Fatalf("%d readers, %v, notes: %q", len(readers), err, b.report.Notes)
	}
	traffic, err := loadTraffic(filepath.Join(testRepo, bfdCapture))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file.pcap")
	f := bfdFile{sessions: 50, packets: 20_000, path: path, slicePackets: 5_000, slicePath: path + ".slice"}
	if err := f.make(traffic); err != nil {
		t.Fatal(err)
	}
	for _, r := range readers {
		run, err := r.run(t.Context(), f)
		t.Logf("%s: %+v", r.name, run)
		if err != nil || run.Rate <= 0 || r.slice && run.Packets != 5_000 || !r.slice && run.Packets != 20_000 {
			t.Errorf("%s: %+v, %v", r.name, run, err)
		}
	}
	if n, err := loop(loopEngine, path, f.streams()); n != 20_000 || err != nil {
		t.Errorf("the engine has seen %d packets, %v", n, err)
	}
}
