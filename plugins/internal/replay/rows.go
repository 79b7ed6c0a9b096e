package replay

import (
	"net/netip"
	"slices"
	"strings"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/rtt"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// Words of trust.
const (
	trustCut      = "cut_short"
	trustMemory   = "too_many_outstanding"
	trustDrops    = "capture_drops"
	trustBackward = "clock_step"
)

// rows makes the rows of a capture and sums them up.
type rows struct {
	r     *Replay
	emit  func(schema.Row)
	time  int64 // of the sweep: its first request, whole seconds
	block blockSum
	stats schema.SweepStatsRow
}

func newRows(r *Replay, emit func(schema.Row)) *rows {
	second := r.firstRequest - ((r.firstRequest%1e9)+1e9)%1e9
	return &rows{r: r, emit: emit, time: second}
}

// emitTargets emits a row for each target, and for each block behind those of its targets.
func (w *rows) emitTargets() {
	list := make([]*target, 0, len(w.r.targets))
	for _, t := range w.r.targets {
		if t.sent > 0 {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *target) int { return a.addr.Compare(b.addr) })
	for i, t := range list {
		prefix := targets.BlockOf(t.addr)
		if i == 0 || prefix != w.block.prefix {
			w.emitBlock()
			w.block.start(prefix)
			w.block.network = w.network(t.addr)
		}
		row := t.row()
		row.Time = w.time
		row.Series = schema.Series{
			Host: w.r.config.Host, Instance: w.r.config.Instance, Labels: w.r.config.Labels,
			Network: w.network(t.addr), Block: w.block.name, Target: t.addr.String(),
		}
		w.add(&row)
		w.emit(&row)
	}
	w.emitBlock()
}

// network names what a target of the block at hand belongs to: the set's network, or the block where there is no set.
func (w *rows) network(a netip.Addr) string {
	if set := w.r.config.Targets; set != nil {
		if i, ok := set.Index(a); ok {
			return set.Network(i)
		}
	}
	return w.block.name
}

// add adds a target's row to its block and to the sweep.
func (w *rows) add(row *schema.SweepRow) {
	w.block.add(row)
	s := &w.stats
	s.Points++
	s.Sent += row.Sent
	s.Received += row.Received
	s.Late += row.Late
	s.Duplicates += row.Duplicates
	s.Corrupt += row.Corrupt
}

// emitBlock emits the row of the block at hand, if it has targets.
func (w *rows) emitBlock() {
	b, c := &w.block, &w.r.config
	if b.targets == 0 {
		return
	}
	row := schema.SweepBlockRow{
		Host: c.Host, Instance: c.Instance, Labels: c.Labels, Network: b.network, Block: b.name, Time: w.time,
		Targets: b.targets, Responding: b.responding, Sent: b.sent, Received: b.received,
		PercentResponding: 100 * float64(b.responding) / float64(b.targets), Partial: w.r.cut,
	}
	rtt.Quantiles(&row, b.rtts)
	w.emit(&row)
}

// emitStats emits the row of the sweep, unless there was none.
func (w *rows) emitStats() schema.SweepStatsRow {
	r, s := w.r, &w.stats
	s.Host, s.Instance, s.Labels, s.Time = r.config.Host, r.config.Instance, r.config.Labels, w.time
	s.Targets = s.Points
	if set := r.config.Targets; set != nil {
		s.Targets = int64(set.Len())
	}
	s.ICMPErrors = r.counts.icmpErrors
	s.CaptureDrops = r.dropped
	s.ClockStep = r.counts.backwards
	s.StampKind = capture.StampFile.String()
	s.Partial = r.cut
	if r.counts.requests > 0 {
		s.Duration = r.last - r.firstRequest
	}
	if took := r.lastRequest - r.firstRequest; took > 0 {
		s.Rate = float64(r.counts.requests) / float64(took) * 1e9
	}
	s.Trust = r.trust()
	if r.counts.requests > 0 {
		w.emit(s)
	}
	return *s
}

// trust says whether what this capture shows as lost was lost by the network.
func (r *Replay) trust() string {
	var why []string
	for _, c := range []struct {
		bent bool
		name string
	}{
		{r.dropped > 0, trustDrops},
		{r.counts.backwards < 0, trustBackward},
		{r.counts.forgotten > 0, trustMemory},
		{r.cut, trustCut},
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

// blockSum gathers the rows of a block.
type blockSum struct {
	prefix                              netip.Prefix
	name, network                       string
	targets, responding, sent, received int64
	rtts                                []int64 // ns
}

func (b *blockSum) start(p netip.Prefix) {
	*b = blockSum{prefix: p, name: p.String(), rtts: b.rtts[:0]}
}

func (b *blockSum) add(row *schema.SweepRow) {
	b.targets++
	b.sent += row.Sent
	b.received += row.Received
	if row.Received > 0 {
		b.responding++
	}
	if row.RTT.Set {
		b.rtts = append(b.rtts, row.RTT.N)
	}
}
