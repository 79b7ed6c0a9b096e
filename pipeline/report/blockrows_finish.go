package report

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// finish takes the best view, and puts everything of the network in order.
func (n *Network) finish(clock *hourClock) {
	n.Blocks = slices.SortedFunc(maps.Values(n.blocks), func(a, b *Block) int {
		return cmp.Or(comparePrefixes(a.Prefix, b.Prefix), cmp.Compare(a.Name, b.Name))
	})
	best := newView()
	if len(n.views) > 0 {
		n.Window = slices.MinFunc(slices.Collect(maps.Keys(n.views)), compareWindows)
		best = n.views[n.Window]
	}
	n.Targets = slices.SortedFunc(maps.Values(best.targets), func(a, b *Target) int { return a.Addr.Compare(b.Addr) })
	for _, t := range n.Targets {
		t.Block.Targets = append(t.Block.Targets, t)
		t.Daily = n.daily[t.Addr]
	}
	n.Frames = slices.SortedFunc(maps.Values(best.frames), func(a, b *Frame) int { return cmp.Compare(a.Time, b.Time) })
	n.Sweeps, n.hours = len(best.times), &best.hours
	if n.Sweeps > 0 {
		times := slices.Collect(maps.Keys(best.times))
		n.From, n.To = slices.Min(times), slices.Max(times)
	}
	n.Prefix = n.prefix()
	n.Analytics.finish()
	for _, b := range n.Blocks {
		b.Analytics.finish()
	}
	n.Vantage = latestEvents(n.Vantage)
	n.Use = n.uses(best.use, clock)
	n.views, n.blocks, n.use, n.daily = nil, nil, nil, nil
}

// compareWindows puts sweeps themselves before rollups, and short windows before long ones.
func compareWindows(a, b string) int {
	return cmp.Or(cmp.Compare(windowLength(a), windowLength(b)), cmp.Compare(a, b))
}

// windowLength reads the tag window: 10m, 1h, 1d. Of sweeps, which have none, it is 0.
func windowLength(name string) time.Duration {
	if days, err := strconv.Atoi(strings.TrimSuffix(name, "d")); err == nil {
		return time.Duration(days) * day
	}
	d, _ := time.ParseDuration(name) // of what is none: 0
	return d
}

// prefix is the least IPv4 prefix that holds the network as it was configured and all its targets and blocks.
func (n *Network) prefix() netip.Prefix {
	p := prefixOf(n.Name)
	for _, b := range n.Blocks {
		if !p.IsValid() {
			p = b.Prefix
		}
		if len(n.Targets) == 0 {
			p = join(p, b.Prefix)
		}
	}
	for _, t := range n.Targets {
		p = join(p, netip.PrefixFrom(t.Addr, t.Addr.BitLen()))
	}
	if p.IsValid() && p.Addr().Is4() {
		return p.Masked()
	}
	return netip.Prefix{}
}

// join is the least prefix that holds both; the zero value where there is none.
func join(a, b netip.Prefix) netip.Prefix {
	if a.Addr().BitLen() != b.Addr().BitLen() {
		return netip.Prefix{}
	}
	bits := min(a.Bits(), b.Bits())
	for p := netip.PrefixFrom(a.Addr(), bits); ; p = netip.PrefixFrom(a.Addr(), p.Bits()-1) {
		if !p.IsValid() || p.Contains(b.Addr()) {
			return p.Masked()
		}
	}
}

// uses are the hours by the best that tells of each: rows of blocks, which count all targets; rows of targets, of which
// there need not be one of each; rows of block_state.
func (n *Network) uses(byTarget map[int64]Use, clock *hourClock) []Use {
	all := map[int64]Use{}
	for _, b := range n.Blocks {
		for i := range b.States {
			s := &b.States[i]
			start, _ := clock.hour(s.Time)
			u := all[start]
			u.Probed += float64(s.Targets * s.Sweeps)
			u.Responding += s.PercentResponding / 100 * float64(s.Targets*s.Sweeps)
			all[start] = u
		}
	}
	maps.Copy(all, byTarget)
	maps.Copy(all, n.use)
	uses := make([]Use, 0, len(all))
	for _, at := range slices.Sorted(maps.Keys(all)) {
		u := all[at]
		u.Time = at
		uses = append(uses, u)
	}
	return uses
}

func (a *Analytics) finish() {
	a.States = latest(a.States, func(r *schema.BlockStateRow) (int64, string) { return r.Time, "" })
	a.Churn = latest(a.Churn, func(r *schema.BlockChurnRow) (int64, string) { return r.Time, "" })
	a.Daily = latest(a.Daily, func(r *schema.BlockDailyRow) (int64, string) { return r.Time, "" })
	a.Outages = latestEvents(a.Outages)
}

// latestEvents is latest for events, which are written as they begin, last and end: the longest is the latest.
func latestEvents(rows []schema.BlockOutageRow) []schema.BlockOutageRow {
	slices.SortStableFunc(rows, func(a, b schema.BlockOutageRow) int { return cmp.Compare(a.Duration, b.Duration) })
	return latest(rows, func(r *schema.BlockOutageRow) (int64, string) { return r.Time, r.Event })
}

// latest sorts rows by time, and of those with one key keeps the last: a row that is written again replaces the first.
func latest[R any](rows []R, key func(*R) (at int64, of string)) []R {
	compare := func(a, b R) int {
		x, xOf := key(&a)
		y, yOf := key(&b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(xOf, yOf))
	}
	slices.SortStableFunc(rows, compare)
	out := rows[:0]
	for i := range rows {
		if i+1 == len(rows) || compare(rows[i], rows[i+1]) != 0 {
			out = append(out, rows[i])
		}
	}
	return out
}
