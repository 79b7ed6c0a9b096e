package sweep

import (
	"math"
	"slices"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// chunk is how many targets are closed under one hold of the engine's mutex.
const chunk = 256

// emitBlock writes the rows of a block's targets and then the block's own. whole says that the timeout of every
// request has passed; if not, requests younger than that are left out, as neither sent nor lost.
func (r *run) emitBlock(b int, whole bool) {
	block := r.plan.Targets.Blocks()[b]
	sum := blockSum{}
	for first := block.First; first < block.First+block.N; first += chunk {
		n := min(chunk, block.First+block.N-first)
		r.emitTargets(b, first, n, whole, &sum)
	}
	if sum.targets > 0 {
		r.emit(sum.row(r, b, block.First, whole && sum.targets == int64(block.N)))
	}
}

// emitTargets closes some targets and writes their rows, before any late row of theirs can come.
func (r *run) emitTargets(b, first, n int, whole bool, sum *blockSum) {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	rows, samples := r.closeTargets(b, first, n, whole, sum)
	for i := range samples {
		r.emitLocked(&samples[i])
	}
	for i := range rows {
		if r.plan.PingFields {
			r.emitLocked(pingRow(&rows[i]))
		} else {
			r.emitLocked(&rows[i])
		}
	}
}

// closeTargets makes the rows of n targets of block b. From now on their replies are late ones.
func (r *run) closeTargets(b, first, n int, whole bool, sum *blockSum) (rows []schema.SweepRow, samples []schema.SampleRow) {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	youngest := int64(math.MaxInt64)
	if !whole {
		youngest = r.engine.observedThrough(r.job.Sources) - int64(r.plan.Timeout)
	}
	rows = r.rows[:0]
	for t := first; t < first+n; t++ {
		from := len(rows)
		if rows = r.fillAll(rows, t, youngest); len(rows) == from {
			r.left = append(r.left, t)
			continue
		}
		r.sum(sum, rows[from:], t)
		if r.plan.Samples {
			samples = r.samples(samples, b, t, youngest)
		}
		if !r.plan.History.wants(r.plan, t, rows[from:], r.job.Start) {
			rows = rows[:from]
			continue
		}
		if r.wrote != nil {
			r.wrote.set(t)
		}
		for i := from; i < len(rows); i++ {
			rows[i].Series = r.series(b, t, rows[i].Size)
		}
		r.counts.points += int64(len(rows) - from)
	}
	r.closed, r.rows = first+n, rows
	return rows, samples
}

// fillAll appends the rows of one target, one for each size, as yet without their series. There are none if no request
// to it counts.
func (r *run) fillAll(rows []schema.SweepRow, target int, youngest int64) []schema.SweepRow {
	for k := range r.plan.Sizes {
		rows = append(rows, schema.SweepRow{Series: schema.Series{Size: r.plan.sizeName(k)}, Time: r.job.Start})
		if !r.fill(&rows[len(rows)-1], target, k, youngest) {
			rows = rows[:len(rows)-1]
		}
	}
	return rows
}

func (r *run) series(b, target int, size string) schema.Series {
	p := r.plan
	s := schema.Series{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels,
		Network: p.Targets.Network(target), Block: p.names[b], Target: p.Targets.At(target).String(),
		Size: size,
	}
	if p.Describe == nil {
		return s
	}
	name, labels := p.Describe(target)
	s.Name = name
	switch {
	case len(s.Labels) == 0:
		s.Labels = labels
	case len(labels) > 0:
		s.Labels = slices.Concat(labels, s.Labels) // the stanza's own tags win
	}
	return s
}

// sum adds a target's rows to its block and to the sweep.
func (r *run) sum(b *blockSum, rows []schema.SweepRow, target int) {
	now := received(rows)
	for i := range rows {
		r.counts.sent += rows[i].Sent
		r.counts.received += rows[i].Received
		r.counts.late += rows[i].Late
		b.add(&rows[i])
	}
	b.target(now)
	if now {
		r.answered.set(target)
	}
	joined, left := r.plan.History.compare(target, now)
	b.joined += joined
	b.left += left
}

// samples appends one row for each probe of a target that was seen leaving.
func (r *run) samples(out []schema.SampleRow, b, target int, youngest int64) []schema.SampleRow {
	for k := range int(r.opened.Load()) {
		if pass := r.pass(k); pass != nil && pass[target].stamp() != 0 && r.counted(&pass[target], youngest) {
			out = append(out, r.sample(b, target, k))
		}
	}
	return out
}

func (r *run) sample(b, target, k int) schema.SampleRow {
	p := &r.pass(k)[target]
	row := schema.SampleRow{
		Series: r.series(b, target, r.plan.sizeName(k)), Time: p.stamp(), Sweep: r.job.Start, Probe: int64(k), ResultCode: schema.ResultSilent,
	}
	switch rtt, timed := p.rtt(); {
	case p.answeredAt() != 0:
		row.TTL = schema.Some(int64(p.ttl))
		if timed && rtt >= 0 { // else the request was not captured, or the clock was set back
			row.RTT = schema.Some(rtt)
		}
		if row.Late = timed && rtt > int64(r.plan.Timeout); !row.Late {
			row.ResultCode = schema.ResultAnswered
		}
	case p.erred():
		row.ResultCode = schema.ResultICMPError
	}
	return row
}

// pingRow says what a row says in the words of Telegraf's inputs.ping.
func pingRow(row *schema.SweepRow) *schema.PingRow {
	p := &schema.PingRow{
		URL: row.Name, Host: row.Host, Labels: row.Labels, Time: row.Time,
		Transmitted: row.Sent, Received: row.Received, ResultCode: schema.PingReplied,
	}
	if p.URL == "" {
		p.URL = row.Target
	}
	switch {
	case row.Sent == 0:
		p.ResultCode = schema.PingFailed
	case row.Received == 0:
		p.ResultCode = schema.PingNoReply
	default:
		p.TTL, p.RTTMean, p.RTTMin, p.RTTMax, p.RTTStddev = row.TTL, row.RTT, row.RTTMin, row.RTTMax, row.RTTStddev
		p.Percentiles = row.Percentiles
	}
	return p
}

// emitLate writes the late rows of targets whose late count has grown since their row was written.
func (r *run) emitLate() {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	r.engine.mu.Lock()
	rows := make([]schema.LateRow, 0, len(r.late))
	for _, slot := range r.late {
		rare := r.rare[slot]
		rare.queued = false
		t, k := slot/len(r.plan.Sizes), slot%len(r.plan.Sizes)
		if r.plan.PingFields || r.wrote != nil && !r.wrote.has(t) {
			continue // there is no row that this one could add to
		}
		rows = append(rows, schema.LateRow{
			Series: r.series(r.blockOf(t), t, r.plan.sizeName(k)), Time: r.job.Start, Late: rare.late, LateRTT: rare.lateMean(),
		})
	}
	samples := make([]schema.SampleRow, len(r.tardy))
	for i, probe := range r.tardy {
		samples[i] = r.sample(r.blockOf(probe%r.n), probe%r.n, probe/r.n)
	}
	r.late, r.tardy = r.late[:0], r.tardy[:0]
	r.engine.mu.Unlock()
	for i := range rows {
		r.emitLocked(&rows[i])
	}
	for i := range samples {
		r.emitLocked(&samples[i])
	}
}

func (r *run) blockOf(target int) int {
	blocks := r.plan.Targets.Blocks()
	b, found := slices.BinarySearchFunc(blocks, target, func(b targets.Block, t int) int { return b.First - t })
	if !found {
		b--
	}
	return b
}
