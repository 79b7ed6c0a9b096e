package sweep

import (
	"strings"

	"echogram/plugins/schema"
)

// clockStepLimit is how far the two clocks may part in a sweep, ns, before it is called a step: reading both
// takes some time, and adjtime slews both alike.
const clockStepLimit = 100_000

// finish writes the sweep's stats row, which closes it, and opens its late window.
func (r *run) finish(s *sender) Summary {
	r.emitLate()
	row := r.statsRow(s)
	r.emit(&row)
	e := r.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	r.ended, r.statsLate = e.clock.Mono(), row.Late
	if !row.Partial {
		r.plan.prev = r.answered
	}
	return Summary{Stats: row, SendError: r.sent.err}
}

func (r *run) statsRow(s *sender) schema.SweepStatsRow {
	e := r.engine
	losses := e.losses()
	e.mu.Lock()
	defer e.mu.Unlock()
	c, p := &r.counts, r.plan
	now := e.clock.Mono()
	row := schema.SweepStatsRow{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels, Time: r.job.Start,
		Points: c.points, Targets: int64(r.n),
		Sent: c.sent, Received: c.received, Late: c.late, Duplicates: c.duplicates, Corrupt: c.corrupt,
		ICMPErrors: c.icmpErrors, OtherSource: c.otherSource,
		Foreign: e.foreign - r.before.foreign, Unverified: e.unverified - r.before.unverified,
		CaptureDrops:   int64(losses.Drops - r.before.losses.Drops),
		CaptureFreezes: int64(losses.Freezes - r.before.losses.Freezes),
		SendErrors:     int64(len(r.sent.refused)),
		Unseen:         c.unseen, NeighbourFailures: c.neighbour,
		ClockStep: e.clock.Offset() - r.before.offset,
		Duration:  now - r.began,
		StampKind: e.kind.String(),
		Partial:   r.cut,
		Skipped:   r.job.Skipped,
	}
	if last := r.lastBurst(); last > s.began {
		row.Rate = float64(r.sent.handed.Load()) / float64(last-s.began) * 1e9
	}
	row.Trust = trust(&row, losses.Down > r.before.losses.Down)
	return row
}

// trust says whether what this sweep lost was lost by the network.
func trust(row *schema.SweepStatsRow, down bool) string {
	var why []string
	for _, c := range []struct {
		bent bool
		name string
	}{
		{row.CaptureDrops > 0, "capture_drops"},
		{row.SendErrors > 0, "send_errors"},
		{row.Unseen > 0, "unseen"},
		{row.ClockStep > clockStepLimit || row.ClockStep < -clockStepLimit, "clock_step"},
		{down, "interface_down"},
	} {
		if c.bent {
			why = append(why, c.name)
		}
	}
	if why == nil {
		return schema.TrustOK
	}
	return strings.Join(why, ",")
}

// emitStatsLate corrects the stats row's late count when late replies came after it.
func (r *run) emitStatsLate() {
	r.engine.mu.Lock()
	late, told := r.counts.late, r.statsLate
	r.engine.mu.Unlock()
	if late == told {
		return
	}
	p := r.plan
	r.emit(&schema.StatsLateRow{Host: p.Host, Instance: p.Instance, Labels: p.Labels, Time: r.job.Start, Late: late})
}
