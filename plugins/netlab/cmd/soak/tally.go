package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"

	"echogram/plugins/schema"
)

// tally is what Telegraf's output has brought so far.
type tally struct {
	sweeps         int
	rows, points   int64 // read, and by the manifests
	sent, received int64
	skipped        int64
	captureDrops   int64
	untrusted      []string // each sweep whose trust was not ok
	dropped        int64    // by Telegraf's output, as inputs.internal says
}

// reader tallies line protocol.
type reader struct {
	mu    sync.Mutex
	tally tally
}

func (r *reader) now() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// run reads in to its end.
func (r *reader) run(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := r.add(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

var (
	targetRow = []byte(schema.ICMPSweep + ",")
	blockRow  = []byte(schema.ICMPSweepBlock + ",")
	firstSent = []byte(" sent=") // the first field of a whole row; a late one has none
)

func (r *reader) add(line []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case bytes.HasPrefix(line, targetRow):
		if bytes.Contains(line, firstSent) {
			r.tally.rows++
		}
		return nil
	case bytes.HasPrefix(line, blockRow):
		return nil
	}
	var p schema.Point
	if err := p.Parse(line); err != nil {
		return fmt.Errorf("telegraf wrote %q: %w", line, err)
	}
	if f, ok := p.Field("metrics_dropped"); ok && p.Measurement == "internal_write" {
		n, _ := f.Value().(int64)
		r.tally.dropped = max(r.tally.dropped, n)
	}
	if _, whole := p.Field("points"); p.Measurement == schema.ICMPSweepStats && whole {
		var row schema.SweepStatsRow
		if err := schema.Read(&p, &row); err != nil {
			return err
		}
		r.tally.sweep(&row)
	}
	return nil
}

func (t *tally) sweep(row *schema.SweepStatsRow) {
	t.sweeps++
	t.points += row.Points
	t.sent += row.Sent
	t.received += row.Received + row.Late
	t.skipped += row.Skipped
	t.captureDrops += row.CaptureDrops
	if row.Trust != schema.TrustOK {
		t.untrusted = append(t.untrusted, row.Trust)
	}
}
