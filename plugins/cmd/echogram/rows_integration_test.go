//go:build integration

package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

// sweeps is what a stream of line protocol holds, by the time of the sweep.
type sweeps map[int64]*sweepRows

type sweepRows struct {
	rows   map[string]schema.SweepRow // by target
	late   map[string]int64
	blocks int
	stats  *schema.SweepStatsRow
}

// readSweeps reads line protocol, each line maybe behind "> " as telegraf --test prints it. Lines of other
// measurements are left out.
func readSweeps(t *testing.T, r io.Reader) sweeps {
	t.Helper()
	all := sweeps{}
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		line := strings.TrimPrefix(scan.Text(), "> ")
		if !strings.HasPrefix(line, "icmp_sweep") {
			continue
		}
		var p schema.Point
		if err := p.Parse([]byte(line)); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all.add(t, &p)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func (all sweeps) add(t *testing.T, p *schema.Point) {
	t.Helper()
	s := all[p.Time]
	if s == nil {
		s = &sweepRows{rows: map[string]schema.SweepRow{}, late: map[string]int64{}}
		all[p.Time] = s
	}
	var err error
	switch _, whole := p.Field("sent"); {
	case p.Measurement == schema.ICMPSweep && whole:
		var row schema.SweepRow
		err = schema.Read(p, &row)
		s.rows[row.Target] = row
	case p.Measurement == schema.ICMPSweep:
		var row schema.LateRow
		err = schema.Read(p, &row)
		s.late[row.Target] = row.Late
	case p.Measurement == schema.ICMPSweepBlock:
		s.blocks++
	case whole:
		s.stats = &schema.SweepStatsRow{}
		err = schema.Read(p, s.stats)
	}
	if err != nil {
		t.Error(err)
	}
}

// wantWhole demands that nothing is missing: every sweep has its manifest, and as many rows as that says.
func (all sweeps) wantWhole(t *testing.T, atLeast int) {
	t.Helper()
	if len(all) < atLeast {
		t.Errorf("%d sweeps, want at least %d", len(all), atLeast)
	}
	for at, s := range all {
		if s.stats == nil {
			t.Errorf("sweep %d has %d rows and no manifest", at, len(s.rows))
			continue
		}
		if int64(len(s.rows)) != s.stats.Points {
			t.Errorf("sweep %d has %d rows, its manifest says %d", at, len(s.rows), s.stats.Points)
		}
		if !s.stats.Partial && s.stats.Received != 65536 {
			t.Errorf("sweep %d: %+v", at, s.stats)
		}
		if s.stats.Received != s.stats.Sent || s.stats.Trust != schema.TrustOK {
			t.Errorf("sweep %d lost some of a network that answers in whole: %+v", at, s.stats)
		}
	}
}
