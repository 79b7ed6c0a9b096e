package rollup

import "echogram/plugins/schema"

// seat is what a Stream knows of one series.
type seat struct {
	series *schema.RTTSeries
	block  *blockSums // nil of other measurements than icmp_sweep
	member uint32     // number of the target in its block
	from   int        // index of the shortest length that has rows for this series
	book   *book
	active bool        // it had points in the open window of the longest length
	sums   []targetSum // of each length from there on
	rtts   words       // of all open windows, in the order of their time: those of a short one are the end of a longer one's
}

// targetSum sums one series up over one window. The tally takes points only in the shortest length, and what this
// closes with in the longer ones; RTTs count in all at once.
type targetSum struct {
	tally
	begin   uint32   // where its RTTs begin in the seat's
	values  uint32   // how many there are, as long as running is nil
	running *running // of a window with more RTTs than the filter gets
}

// pour adds settled points. The filter gets most RTTs of a window.
func (t *seat) pour(points []point, most int) {
	if t.block != nil {
		t.block.sum(0).add(t.member, points)
	}
	if len(t.sums) == 0 {
		return
	}
	for i := range points {
		t.sums[0].add(&points[i])
		if points[i].has&hasRTT != 0 {
			t.keep(points[i].rtt, most)
		}
	}
}

func (t *seat) keep(v int64, most int) {
	needed := false
	for i := range t.sums {
		s := &t.sums[i]
		if s.running == nil && s.values == uint32(most) {
			s.running = &running{stride: 1, most: most}
			for _, v := range t.rtts[s.begin:].all(nil) {
				s.running.add(v)
			}
		}
		if s.running != nil {
			s.running.add(v)
		} else {
			s.values++
			needed = true
		}
	}
	if needed {
		t.rtts = t.rtts.add(v)
	}
}

// close empties the sum i of the window that ended, after the longer one has taken it.
func (t *seat) close(i int) {
	t.sums[i] = targetSum{}
	for _, longer := range t.sums[i+1:] {
		if longer.running == nil {
			t.sums[i].begin = uint32(len(t.rtts))
			return
		}
	}
	t.rtts = t.rtts[:0] // nobody else needs them
	for j := range i {
		t.sums[j].begin = 0 // the shorter ones have closed before
	}
}
