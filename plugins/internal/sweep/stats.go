package sweep

import (
	"strings"

	"echogram/plugins/schema"
)

// clockStepLimit is how far the two clocks may part in a sweep, ns, before it is called a step: reading both
// takes some time, and adjtime slews both alike.
const clockStepLimit = 100_000

// finish writes the sweep's stats row, which closes it, and opens its late window.
func (r *run) finish() Summary {
	r.emitLate()
	row := r.statsRow()
	r.emit(&row)
	e := r.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	r.ended, r.statsLate = e.clock.Mono(), row.Late
	if !row.Partial {
		r.plan.History.prev, r.plan.History.fresh = r.answered, nil
	}
	return Summary{Stats: row, SendError: r.sent.err}
}

func (r *run) statsRow() schema.SweepStatsRow {
	e := r.engine
	after := r.after
	if after == nil {
		now := e.count(r.job.Sources)
		after = &now
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c, p, before := &r.counts, r.plan, &r.before
	row := schema.SweepStatsRow{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels, Time: r.job.Start,
		Points: c.points, Targets: int64(r.n),
		Sent: c.sent, Received: c.received, Late: c.late, Duplicates: c.duplicates, Corrupt: c.corrupt,
		ICMPErrors: c.icmpErrors, OtherSource: c.otherSource,
		Foreign: after.foreign - before.foreign, Unverified: after.unverified - before.unverified,
		CaptureDrops:   int64(after.losses.Drops-before.losses.Drops) + r.job.CaptureDrops,
		CaptureFreezes: int64(after.losses.Freezes - before.losses.Freezes),
		QdiscDrops:     int64(after.losses.QdiscDrops - before.losses.QdiscDrops),
		NICDrops:       int64(after.losses.NICDrops - before.losses.NICDrops),
		SendErrors:     r.sent.refused.Load(), NoRoom: r.sent.noRoom.Load(),
		Unseen: c.unseen, NeighbourFailures: c.neighbour,
		ClockStep: after.offset - before.offset,
		Duration:  e.clock.Mono() - r.began,
		StampKind: r.kind.String(),
		Partial:   r.cut,
		Skipped:   r.job.Skipped, Unresolved: r.job.Unresolved,
		Order: "permuted", Seed: schema.Some(int64(p.Order.Seed)), Shard: p.Shard,
		Link: r.job.Link,
	}
	if p.Order.Sequential {
		row.Order, row.Seed = "sequential", schema.Opt{}
	}
	row.Rate = r.sent.rate()
	row.Trust = trust(&row, after.losses.Down > before.losses.Down)
	return row
}

// rate is the requests per second between the first burst and the newest, or in the only one.
func (s *sending) rate() float64 {
	n, span := s.handed.Load()-s.newestN.Load(), s.newest.Load()-s.began.Load()
	if span == 0 {
		n, span = s.handed.Load(), s.last.Load()-s.began.Load()
	}
	if span <= 0 {
		return 0
	}
	return float64(n) / float64(span) * 1e9
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
		{row.QdiscDrops > 0, "qdisc_drops"},
		{row.NICDrops > 0, "nic_drops"},
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
