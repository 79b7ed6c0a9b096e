package block

import (
	"cmp"
	"slices"
	"time"

	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// windowTally counts answers over the sweeps of a window.
type windowTally struct {
	Sweeps, Doubted   int64
	Targets           int64 // most of a sweep
	Probed, Answered  int64 // sums
	Fewest, Most      int64 // that answered in a sweep
	probed, answering int64 // of the sweep that is judged
}

// add takes a sweep in which so many answered.
func (t *windowTally) add(probed, answered int64) {
	if t.Sweeps == 0 || answered < t.Fewest {
		t.Fewest = answered
	}
	t.Sweeps, t.Targets, t.Most = t.Sweeps+1, max(t.Targets, probed), max(t.Most, answered)
	t.Probed, t.Answered = t.Probed+probed, t.Answered+answered
}

func (t *windowTally) fill(row *schema.BlockStateRow) {
	row.Sweeps, row.Doubted, row.Targets = t.Sweeps, t.Doubted, t.Targets
	row.RespondingMin, row.RespondingMax = t.Fewest, t.Most
	if t.Probed > 0 {
		row.PercentResponding = 100 * float64(t.Answered) / float64(t.Probed)
	}
}

// group is what is summed up: the blocks of a network, or those whose targets share a label's value.
type group struct {
	Of      string // schema.GroupNetwork or the label's key
	Value   string
	Tally   windowTally
	members []*blockState // of the rows that are made
}

func (g *group) series(in *instance) schema.BlockSeries {
	s := schema.BlockSeries{Host: in.Host, Instance: in.Instance, Group: g.Of}
	if g.Of == schema.GroupNetwork {
		s.Network = g.Value
	} else {
		s.Labels = []schema.Tag{{Key: g.Of, Value: g.Value}}
	}
	return s
}

// groupsOf are the groups that a block belongs to.
func (in *instance) groupsOf(b *blockState) []*group {
	if b.groups != nil {
		return b.groups
	}
	b.groups = append(b.groups, in.group(schema.GroupNetwork, b.Network))
	for _, key := range in.cfg.Labels {
		for _, l := range b.Labels {
			if l.Key == key && l.Value != "" {
				b.groups = append(b.groups, in.group(key, l.Value))
			}
		}
	}
	return b.groups
}

// group finds or makes a group. They are kept in the order of their rows.
func (in *instance) group(of, value string) *group {
	i, found := slices.BinarySearchFunc(in.Groups, group{Of: of, Value: value}, func(a *group, b group) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Value, b.Value))
	})
	if !found {
		in.Groups = slices.Insert(in.Groups, i, &group{Of: of, Value: value})
	}
	return in.Groups[i]
}

// tally takes a sweep of a block into its window and those of its groups.
func (in *instance) tally(b *blockState, l *Look, doubted bool) {
	if doubted {
		b.Tally.Doubted++
		return
	}
	probed, answered := int64(l.Probed.Len()), int64(l.Answered.Len())
	b.Tally.add(probed, answered)
	for _, g := range in.groupsOf(b) {
		g.Tally.probed, g.Tally.answering = g.Tally.probed+probed, g.Tally.answering+answered
	}
	l.Answered.All(func(place int) bool {
		b.RTTs.add(l.RTT[place])
		return true
	})
}

// tallyGroups ends a sweep of the groups.
func (in *instance) tallyGroups(doubted bool) {
	for _, g := range in.Groups {
		switch t := &g.Tally; {
		case doubted:
			t.Doubted++
		case t.probed > 0:
			t.add(t.probed, t.answering)
			t.probed, t.answering = 0, 0
		}
	}
}

// advance closes the window and the day when t lies behind them, and opens those of t.
func (in *instance) advance(t int64) {
	window := window.Floor(t, int64(in.cfg.Window))
	if in.Opened && window > in.Window {
		in.closeWindow()
	}
	day := startOfDay(t, in.cfg.Location)
	if in.Opened && day > in.Day {
		if in.DayBegin >= in.Day {
			in.closeDay()
		}
		in.forget(day)
	}
	in.Opened, in.Window, in.Day = true, window, day
}

func startOfDay(t int64, where *time.Location) int64 {
	y, m, d := time.Unix(0, t).In(where).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, where).UnixNano()
}

// closeWindow emits the rows of the window: those of the blocks, then those of the groups.
func (in *instance) closeWindow() {
	rows := map[*group][]*schema.BlockStateRow{}
	for _, b := range in.sorted() {
		if b.Tally.Sweeps+b.Tally.Doubted == 0 {
			continue
		}
		row := in.stateRow(b)
		in.emit(row)
		for _, g := range in.groupsOf(b) {
			g.members, rows[g] = append(g.members, b), append(rows[g], row)
		}
	}
	for _, g := range in.Groups {
		if len(g.members) > 0 {
			in.emit(in.groupRow(g, rows[g]))
		}
		g.Tally, g.members = windowTally{}, nil
	}
	for _, b := range in.Blocks {
		if b != nil {
			b.Tally = windowTally{}
			b.RTTs.reset()
		}
	}
}

func (in *instance) stateRow(b *blockState) *schema.BlockStateRow {
	row := &schema.BlockStateRow{BlockSeries: in.seriesOf(b), Time: in.Window, Ever: int64(b.Whole.Ever), State: states[b.Verdict],
		RateLimited: b.Limit.On, RTTP50: b.RTTs.median()}
	b.Tally.fill(row)
	if b.Whole.Ever >= in.cfg.Responders && b.Whole.Mood != empty {
		row.Belief = schema.OptFloat{F: b.Whole.Belief, Set: true}
	}
	b.Use.window(&in.cfg, row)
	return row
}

// states are the words of verdicts. A block whose last sweep told nothing keeps the word before.
var states = [...]string{
	Up: schema.StateUp, Down: schema.StateDown, Part: schema.StatePart, Uncertain: schema.StateUncertain, Unmeasured: schema.StateUnmeasured,
}

// groupRow sums up the rows of a group's blocks: A and V as means, each block by the number of its addresses that have
// ever answered, and U as their median by the same weights.
func (in *instance) groupRow(g *group, blocks []*schema.BlockStateRow) *schema.BlockStateRow {
	row := &schema.BlockStateRow{BlockSeries: g.series(in), Time: in.Window}
	g.Tally.fill(row)
	var rtts rttHistogram
	for i, r := range blocks {
		row.Ever, row.RateLimited = row.Ever+r.Ever, row.RateLimited || r.RateLimited
		row.Always, row.Sometimes = row.Always+r.Always, row.Sometimes+r.Sometimes
		row.Intermittent, row.Underused = row.Intermittent+r.Intermittent, row.Underused+r.Underused
		rtts.merge(&g.members[i].RTTs)
	}
	row.RTTP50 = rtts.median()
	row.Availability = meanOf(blocks, func(r *schema.BlockStateRow) schema.OptFloat { return r.Availability })
	row.Volatility = meanOf(blocks, func(r *schema.BlockStateRow) schema.OptFloat { return r.Volatility })
	row.Uptime = medianUptime(blocks)
	return row
}

func meanOf(blocks []*schema.BlockStateRow, of func(*schema.BlockStateRow) schema.OptFloat) (mean schema.OptFloat) {
	weight := 0.0
	for _, r := range blocks {
		if v := of(r); v.Set {
			mean.F += v.F * float64(r.Ever)
			weight += float64(r.Ever)
		}
	}
	if weight == 0 {
		return schema.OptFloat{}
	}
	return schema.OptFloat{F: mean.F / weight, Set: true}
}

func medianUptime(blocks []*schema.BlockStateRow) schema.Opt {
	known, weight := []*schema.BlockStateRow{}, int64(0)
	for _, r := range blocks {
		if r.Uptime.Set && r.Ever > 0 {
			known, weight = append(known, r), weight+r.Ever
		}
	}
	slices.SortStableFunc(known, func(a, b *schema.BlockStateRow) int { return cmp.Compare(a.Uptime.N, b.Uptime.N) })
	below := int64(0)
	for _, r := range known {
		if below += r.Ever; 2*below >= weight {
			return r.Uptime
		}
	}
	return schema.Opt{}
}
