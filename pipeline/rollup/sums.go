package rollup

import "echogram/plugins/schema"

// blockSum sums one block up over one window.
type blockSum struct {
	tally
	rtt      Quantiles
	sweeps   times
	targets  members
	answered members
}

// add takes settled points of one series, whose target has the number member.
func (b *blockSum) add(member uint32, points []point) {
	answered := false
	for i := range points {
		p := &points[i]
		b.tally.add(p)
		b.sweeps.add(p.time)
		answered = answered || p.received > 0
		if p.has&hasRTT != 0 {
			b.rtt.Add(p.rtt)
		}
	}
	b.targets.add(member)
	if answered {
		b.answered.add(member)
	}
}

// merge adds what lies in another window of the same block.
func (b *blockSum) merge(o *blockSum) {
	b.tally.merge(&o.tally)
	b.rtt.Merge(&o.rtt)
	b.sweeps.merge(&o.sweeps)
	b.targets.merge(o.targets)
	b.answered.merge(o.answered)
}

func (b *blockSum) reset() {
	b.tally = tally{}
	b.rtt.Reset()
	b.sweeps.reset()
	b.targets, b.answered = b.targets[:0], b.answered[:0]
}

func (b *blockSum) row(like *schema.Series, w *Window) schema.Row {
	return &schema.BlockRollupRow{
		Host: like.Host, Instance: like.Instance, Network: like.Network, Block: like.Block, Size: like.Size, Labels: like.Labels,
		Window: Name(w.Length), Time: w.Start, Targets: b.targets.count(), Responding: b.answered.count(), Points: b.points,
		Counts: b.counts(int64(len(b.sweeps.at))), RTTQuantiles: b.rtt.row(), Complete: w.Complete, Missing: w.Missing,
	}
}

// blockSums is one block of one size and set of labels, with a sum for each window that its driver knows.
type blockSums struct {
	like    schema.Series // the tags of its rows
	network string        // key of its network
	numbers map[string]uint32
	sums    []*blockSum // nil where there were no points
}

func newBlockSums(like schema.Series, windows int) *blockSums {
	b := &blockSums{like: like, numbers: map[string]uint32{}, sums: make([]*blockSum, windows)}
	like.Block = ""
	b.network = like.Key()
	return b
}

// shared are the tags that a target shares with its block.
func shared(s *schema.Series) schema.Series {
	return schema.Series{Host: s.Host, Instance: s.Instance, Network: s.Network, Block: s.Block, Size: s.Size, Labels: s.Labels}
}

// member numbers the block's targets.
func (b *blockSums) member(target string) uint32 {
	n, ok := b.numbers[target]
	if !ok {
		n = uint32(len(b.numbers))
		b.numbers[target] = n
	}
	return n
}

func (b *blockSums) sum(i int) *blockSum {
	if b.sums[i] == nil {
		b.sums[i] = &blockSum{}
	}
	return b.sums[i]
}

// targetRow is the row of one target: of icmp_sweep, or of another measurement.
func targetRow(s *schema.RTTSeries, c *tally, sp spread, w *Window) schema.Row {
	if s.Of != "" {
		return rttRow(s, c, sp, w)
	}
	r := &schema.SweepRollupRow{
		Series: s.Series, Window: Name(w.Length), Time: w.Start, Counts: c.counts(c.points),
		RTTQuantiles: sp.RTTQuantiles, Filtered: sp.Filtered, Complete: w.Complete, Missing: w.Missing,
	}
	r.TTLMin, r.TTLMax = c.ttl()
	return r
}

func rttRow(s *schema.RTTSeries, c *tally, sp spread, w *Window) schema.Row {
	r := &schema.RTTRollupRow{
		Of: s.Of, Tags: s.Labels, Window: Name(w.Length), Time: w.Start, Points: c.points,
		RTTQuantiles: sp.RTTQuantiles, Filtered: sp.Filtered,
	}
	r.RTTMin, r.RTTMean, r.RTTMax, r.RTTStddev = c.rtt()
	if s.HasCounts {
		r.Sent, r.Received, r.Lost = schema.Some(c.sent), schema.Some(c.received), schema.Some(c.lost())
		r.PercentLost = schema.OptFloat{F: c.percentLost(), Set: true}
	}
	return r
}
