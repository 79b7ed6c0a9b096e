package block

import (
	"cmp"
	"slices"

	"echogram/plugins/schema"
)

// closeDay emits churn and daily pattern of the blocks, of the groups, and of those targets whose days swing most
// by themselves: the members of a block that is slow as a whole are told by the block's row. An address that is handed from
// client to client is no target of its own: its RTT changes with who has it, in some pools once a day. Behind a limit that
// is not known: there all addresses come and go.
func (in *instance) closeDay() {
	churns := map[*group]*churnDay{}
	var top []topTarget
	for _, b := range in.sorted() {
		c := b.Churn.day(&in.cfg, in.Day)
		in.emitChurn(in.seriesOf(b), &c)
		d := b.Daily.day(&in.cfg, in.Day)
		in.emitDaily(in.seriesOf(b), "", &d)
		for _, g := range in.groupsOf(b) {
			if churns[g] == nil {
				churns[g] = &churnDay{}
			}
			churns[g].merge(&c)
			g.members = append(g.members, b)
		}
		for _, t := range b.Daily.targets(&in.cfg, in.Day, d.excess) {
			if t.own > 0 && (b.Limit.On || !c.handed.Has(t.place)) {
				top = append(top, topTarget{b, t})
			}
		}
	}
	for _, g := range in.Groups {
		if len(g.members) == 0 {
			continue
		}
		in.emitChurn(g.series(in), churns[g])
		days := make([]*daily, len(g.members))
		for i, b := range g.members {
			days[i] = &b.Daily
		}
		sum := sumDaily(&in.cfg, in.Day, days)
		in.emitDaily(g.series(in), "", &sum)
		g.members = nil
	}
	in.emitTop(top)
}

// topTarget is a target of a block with a daily pattern of its own.
type topTarget struct {
	block *blockState
	day   targetDay
}

func (in *instance) emitTop(top []topTarget) {
	slices.SortStableFunc(top, func(a, b topTarget) int { return cmp.Compare(b.day.own, a.day.own) })
	for i := range top[:min(len(top), in.cfg.Top)] {
		t := &top[i]
		series := in.seriesOf(t.block)
		series.Group = schema.GroupTarget
		in.emitDaily(series, t.block.target(t.day.place), &t.day.dailyDay)
	}
}

func (in *instance) emitChurn(series schema.BlockSeries, c *churnDay) {
	row := &schema.BlockChurnRow{BlockSeries: series, Time: in.Day}
	c.fill(row)
	in.emit(row)
}

func (in *instance) emitDaily(series schema.BlockSeries, target string, d *dailyDay) {
	row := &schema.BlockDailyRow{BlockSeries: series, Target: target, Time: in.Day}
	d.fill(row)
	in.emit(row)
}
