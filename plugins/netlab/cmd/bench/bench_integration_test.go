//go:build integration

package main

import (
	"testing"

	"echogram/plugins/netlab/witness"
)

// TestMeasure measures who needs nothing from Debian but a compiler and tcpdump.
func TestMeasure(t *testing.T) {
	b := &bench{options: options{repo: "../../../.."}, ground: ground{work: t.TempDir()}}
	defer func() {
		if err := b.end(); err != nil {
			t.Error(err)
		}
	}()
	if err := b.build(t.Context()); err != nil || len(b.report.Notes) > 0 {
		t.Fatalf("%v; notes: %q", err, b.report.Notes)
	}
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []contender{b.scene.sweeps()[0], b.scene.loop("raw", "raw"), b.scene.loop("packet", "packet"), b.scene.ping(pingTargets[0])} {
		r, note, err := b.measure(t.Context(), c)
		t.Logf("%s: %+v", c.name, r)
		// inputs.ping may lose some by its own doing, which is what the bench is to show.
		if err != nil || note != "" || r.Found+r.Lost != c.targets || c.targets == all && r.Lost != 0 || r.Sent < int64(c.targets) ||
			c.targets == all && r.Rate < 1000 || r.CPU <= 0 || r.Peak < 1<<20 {
			t.Errorf("%s: %+v, %q, %v", c.name, r, note, err)
		}
	}
	w, err := b.compared(t.Context(), b.scene.idle())
	if err != nil || w.Dropped != 0 || w.Compared != 4096 || w.Unseen != 0 || w.Share() < .999 {
		t.Errorf("%+v, %v", w, err)
	}
	if (w.Tcpdump == witness.Distribution{}) {
		t.Error("tcpdump has no RTTs")
	}
}
