package sweep

import (
	"slices"

	"echogram/plugins/internal/rtt"
	"echogram/plugins/schema"
)

// rttSum gathers the RTTs of a target.
type rttSum struct {
	sum  rtt.Sum
	keep bool // all of them, for percentiles
	all  []int64
}

func (s *rttSum) add(rtt int64) {
	s.sum.Add(rtt)
	if s.keep {
		s.all = append(s.all, rtt)
	}
}

func (s *rttSum) into(row *schema.SweepRow, p *Plan) {
	several := p.passes() != len(p.Sizes) || p.PingFields // requests a row
	s.sum.Into(row, several)
	if !several || len(s.all) == 0 {
		return
	}
	slices.Sort(s.all)
	percentile := rtt.Rank
	if p.PingFields {
		percentile = rtt.Between
	}
	row.Percentiles = make([]schema.Percentile, len(p.Percentiles))
	for i, q := range p.Percentiles {
		row.Percentiles[i] = schema.Percentile{P: q, RTT: schema.Some(percentile(s.all, q))}
	}
}

// blockSum gathers the rows of a block.
type blockSum struct {
	targets, responding, sent, received, joined, left int64
	rtts                                              []int64
}

func (b *blockSum) add(row *schema.SweepRow) {
	b.sent += row.Sent
	b.received += row.Received
	if row.RTT.Set {
		b.rtts = append(b.rtts, row.RTT.N)
	}
}

func (b *blockSum) target(responding bool) {
	b.targets++
	if responding {
		b.responding++
	}
}

func (b *blockSum) row(r *run, block, first int, whole bool) *schema.SweepBlockRow {
	p := r.plan
	row := &schema.SweepBlockRow{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels,
		Network: p.Targets.Network(first), Block: p.names[block], Time: r.job.Start,
		Targets: b.targets, Responding: b.responding, Sent: b.sent, Received: b.received,
		PercentResponding: 100 * float64(b.responding) / float64(b.targets),
		Partial:           !whole,
	}
	if whole && p.History.prev != nil {
		row.Joined, row.Left = schema.Some(b.joined), schema.Some(b.left)
	}
	rtt.Quantiles(row, b.rtts)
	return row
}
