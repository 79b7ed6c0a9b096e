package rollup

import "echogram/plugins/schema"

// Networks collects the sums of blocks by network, for a set of windows. It is used by one goroutine at a time.
type Networks struct {
	windows []Window
	sums    map[networkKey]*networkSum
}

type networkKey struct {
	window  int
	network string
}

type networkSum struct {
	like                schema.Series // the tags of its row
	blocks              int64
	targets, responding int64 // a target lies in one block only
	tally
	rtt    Quantiles
	sweeps times
}

// NewNetworks makes Networks for the windows that its Blocks were made for.
func NewNetworks(windows []Window) *Networks {
	return &Networks{windows: windows, sums: map[networkKey]*networkSum{}}
}

// add takes the sum of a block over a window. No block may come twice.
func (n *Networks) add(window int, b *blockSums, sum *blockSum) {
	k := networkKey{window, b.network}
	s := n.sums[k]
	if s == nil {
		s = &networkSum{like: b.like}
		s.like.Block = ""
		n.sums[k] = s
	}
	s.blocks++
	s.targets += sum.targets.count()
	s.responding += sum.answered.count()
	s.tally.merge(&sum.tally)
	s.rtt.Merge(&sum.rtt)
	s.sweeps.merge(&sum.sweeps)
}

// Rows returns the rows of all windows and networks, sorted as those of a Block are.
func (n *Networks) Rows() []schema.Row {
	all := make([]sortable, 0, len(n.sums))
	for k, s := range n.sums {
		w := &n.windows[k.window]
		all = append(all, sortable{row: s.row(w), window: w, kind: kindNetwork, series: &s.like})
	}
	return sorted(all)
}

func (s *networkSum) row(w *Window) schema.Row {
	return &schema.NetworkRollupRow{
		Host: s.like.Host, Instance: s.like.Instance, Network: s.like.Network, Size: s.like.Size, Labels: s.like.Labels,
		Window: Name(w.Length), Time: w.Start, Blocks: s.blocks, Targets: s.targets, Responding: s.responding, Points: s.points,
		Counts: s.counts(int64(len(s.sweeps.at))), RTTQuantiles: s.rtt.row(), Complete: w.Complete, Missing: w.Missing,
	}
}
