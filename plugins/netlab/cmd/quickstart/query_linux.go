package main

import (
	"context"
	"os"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// query prints what the database holds, and notes what is not as the lab made it.
func (r *run) query(ctx context.Context) error {
	cells, err := rawTallies(ctx, r.db, r.span())
	if err != nil {
		return err
	}
	pop, times := r.lab.Population, r.sweepTimes()
	r.problems = append(r.problems, differences(pop, r.outage, times, cells)...)
	sums := byKind(pop, times, cells)
	r.out.line("")
	for _, l := range kindTable(pop, sums, len(times)) {
		r.out.line("%s", l)
	}
	rtt, err := rttLine(ctx, r.db, r.span())
	if err != nil {
		return err
	}
	r.out.line("  %s\n", rtt)
	var all tally
	for _, t := range sums {
		all.add(t)
	}
	r.checkManifests(all)
	if err := r.checkRollups(ctx, cells, all); err != nil {
		return err
	}
	if err := r.checkBFD(ctx); err != nil {
		return err
	}
	if err := r.found(ctx); err != nil {
		return err
	}
	if err := r.checkTelegraf(ctx); err != nil {
		return err
	}
	r.checkLog()
	return nil
}

// checkManifests compares the rows read with what the sweeps say they wrote.
func (r *run) checkManifests(all tally) {
	var points, received, drops int64
	for _, m := range r.sweeps {
		points += m.points
		received += m.received
		drops += m.drops
		if m.trust != schema.TrustOK {
			r.differs("sweep %s: trust %s", clock(m.time), m.trust)
		}
	}
	r.out.line("  rows: %s read, %s by the manifests of %d sweeps; capture drops %d", count(all.points), count(points), len(r.sweeps), drops)
	if want := int64(len(r.sweeps) * r.lab.Population.Targets()); all.points != points || points != want {
		r.differs("%d rows read, the manifests promise %d, the lab has %d", all.points, points, want)
	}
	if received != all.received {
		r.differs("manifests say %d received, the rows %d", received, all.received)
	}
	if drops != 0 {
		r.differs("%d capture drops", drops)
	}
}

// checkRollups compares rollups with the raw rows, block by block and in sum over all targets.
func (r *run) checkRollups(ctx context.Context, cells map[cell]tally, all tally) error {
	raw := map[cell]tally{}
	for c, t := range cells {
		sum := raw[cell{block: c.block}]
		sum.add(tally{points: t.points, sent: t.sent, received: t.received, late: t.late})
		raw[cell{block: c.block}] = sum
	}
	for _, window := range []time.Duration{time.Minute, time.Hour} {
		name := strings.TrimSuffix(strings.TrimSuffix(window.String(), "0s"), "0m")
		rollups, err := blockRollups(ctx, r.db, r.windows(window), name)
		if err != nil {
			return err
		}
		var n int64
		for c, want := range raw {
			got := rollups[c]
			n += got.points
			if got != want {
				r.differs("block %v, rollup %s: %v, raw rows: %v", c.block, name, got, want)
			}
		}
		if len(rollups) != len(raw) {
			r.differs("rollup %s has %d blocks, the raw rows have %d", name, len(rollups), len(raw))
		}
		r.out.line("  rollups of blocks by %s: %s raw rows in them, %s read", name, count(n), count(all.points))
	}
	return r.checkTargetRollups(ctx, all)
}

// windows is the span of the sweeps, widened to whole windows at its start: a rollup's time is its window's start.
func (r *run) windows(window time.Duration) span {
	s := r.span()
	s.from -= s.from % window.Nanoseconds()
	return s
}

func (r *run) checkTargetRollups(ctx context.Context, all tally) error {
	rows, got, err := targetRollups(ctx, r.db, r.windows(time.Hour), "1h")
	if err != nil {
		return err
	}
	r.out.line("  rollups of targets by 1h: %s rows, %s requests, %s answers", count(rows), count(got.sent), count(got.received))
	want := tally{sent: all.sent, received: all.received, late: all.late}
	if got != want {
		r.differs("rollups of targets: %v, raw rows: %v", got, want)
	}
	s := r.span()
	hours := (s.to-1)/time.Hour.Nanoseconds() - s.from/time.Hour.Nanoseconds() + 1
	if targets := int64(r.lab.Population.Targets()); rows < targets || rows > hours*targets {
		r.differs("%d rollups of targets for %d targets", rows, targets)
	}
	return nil
}

func (r *run) checkTelegraf(ctx context.Context) error {
	c, err := readTelegraf(ctx, r.db)
	if err != nil {
		return err
	}
	r.out.line("  Telegraf: %s metrics gathered, %s written, %d dropped", count(c.gathered), count(c.written), c.dropped)
	if c.time == 0 {
		r.differs("Telegraf has not reported on itself")
	}
	if c.dropped != 0 || c.refused != 0 {
		r.differs("Telegraf dropped %d metrics, its output %d", c.dropped, c.refused)
	}
	if c.written < int64(len(r.sweeps)*r.lab.Population.Targets()) {
		r.differs("Telegraf says that it wrote %d metrics only", c.written)
	}
	return nil
}

// checkLog finds errors in what Telegraf said, and warnings of its inputs, which echogram's are. Telegraf's own
// warnings announce what its next versions change.
func (r *run) checkLog() {
	data, err := os.ReadFile(r.telegraf.Log)
	if err != nil {
		r.differs("%v", err)
		return
	}
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, " E! ") || strings.Contains(line, " W! [inputs.") {
			r.differs("telegraf: %s", strings.TrimSpace(line))
		}
	}
}
