// Package rollup turns the raw points of one block into rollup rows: pure arithmetic, without a clock, a network
// or a memory beyond the block.
//
// Its layers, from the bottom:
//
//   - Quantiles: exact for few values, a sketch for many.
//   - counter: the sums of one series or block over one window.
//   - Block: which windows a point falls into, and the rows of all of them.
//
// The order in which points arrive never matters: sums are int64, extremes and quantiles do not depend on it, and
// rows come out sorted. Which windows are due and whether they are complete is decided elsewhere (pipeline/ledger)
// and handed in with each Window.
package rollup

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// PerTarget is the shortest window that gets a row for each target as well as for each block.
const PerTarget = time.Hour

// Window is one window of one instance that is to be computed.
type Window struct {
	Host, Instance string
	Start          int64 // ns
	Length         time.Duration
	Complete       bool
	Missing        int64
}

func (w *Window) holds(t int64) bool { return t >= w.Start && t < w.Start+int64(w.Length) }

// Name is the value of the tag window: 1m, 1h.
func Name(length time.Duration) string {
	if length >= time.Hour && length%time.Hour == 0 {
		return strconv.Itoa(int(length/time.Hour)) + "h"
	}
	return strconv.Itoa(int(length/time.Minute)) + "m"
}

// Block collects the points of one block for a set of windows.
type Block struct {
	windows []Window
	byOwner map[owner][]int // indices into windows
	blocks  map[blockKey]*blockSum
	targets map[targetKey]*targetSum
	read    []int64 // points taken, for each of windows

	last   *schema.Series // the series of the last point, whose keys stay resolved
	lastIn []place
}

type owner struct{ host, instance string }

type blockKey struct {
	window int
	series string // tags of the block's row
}

type targetKey struct {
	window int
	series string // all tags of the target's rows
}

type blockSum struct {
	like schema.Series // tags that all points of this row share
	counter
	sweeps  map[int64]struct{}
	targets map[string]bool // target -> it answered
	rtt     Quantiles
}

type targetSum struct {
	series schema.Series
	counter
}

// place is where the current series' points of one window go.
type place struct {
	window int
	block  *blockSum
	target *targetSum // nil when the window has no rows per target
}

// NewBlock makes a Block for windows, which must not change afterwards.
func NewBlock(windows []Window) *Block {
	b := &Block{windows: windows, byOwner: map[owner][]int{}}
	for i := range windows {
		o := owner{windows[i].Host, windows[i].Instance}
		b.byOwner[o] = append(b.byOwner[o], i)
	}
	b.Reset()
	return b
}

// Reset forgets all points.
func (b *Block) Reset() {
	b.blocks, b.targets = map[blockKey]*blockSum{}, map[targetKey]*targetSum{}
	b.read = make([]int64, len(b.windows))
	b.last, b.lastIn = nil, nil
}

// Read is the number of points that went into each window, in the order that NewBlock got them.
func (b *Block) Read() []int64 { return b.read }

// Add takes one point of the series s; p's own Series is not looked at. Points of windows that were not asked for are
// left out. It is quick when the points of a series follow each other with the same s, which must not change.
func (b *Block) Add(s *schema.Series, p *schema.SweepRow) {
	if s != b.last {
		b.last, b.lastIn = s, b.lastIn[:0]
	}
	for _, i := range b.byOwner[owner{s.Host, s.Instance}] {
		if b.windows[i].holds(p.Time) {
			b.put(b.place(i, s), s, p)
		}
	}
}

// place finds or makes the sums of series s in window i.
func (b *Block) place(i int, s *schema.Series) place {
	for _, pl := range b.lastIn {
		if pl.window == i {
			return pl
		}
	}
	pl := place{window: i}
	shared := schema.Series{Host: s.Host, Instance: s.Instance, Network: s.Network, Block: s.Block, Labels: s.Labels}
	bk := blockKey{i, seriesKey(&shared)}
	if pl.block = b.blocks[bk]; pl.block == nil {
		pl.block = &blockSum{like: shared, sweeps: map[int64]struct{}{}, targets: map[string]bool{}}
		b.blocks[bk] = pl.block
	}
	if b.windows[i].Length >= PerTarget {
		tk := targetKey{i, seriesKey(s)}
		if pl.target = b.targets[tk]; pl.target == nil {
			pl.target = &targetSum{series: *s}
			b.targets[tk] = pl.target
		}
	}
	b.lastIn = append(b.lastIn, pl)
	return pl
}

func (b *Block) put(pl place, s *schema.Series, p *schema.SweepRow) {
	b.read[pl.window]++
	if pl.target != nil {
		pl.target.add(p)
	}
	sum := pl.block
	sum.add(p)
	sum.sweeps[p.Time] = struct{}{}
	sum.targets[s.Target] = sum.targets[s.Target] || p.Received > 0
	if p.RTT.Set {
		sum.rtt.Add(p.RTT.N)
	}
}

// seriesKey makes one string of all tags. A zero byte cannot be part of a tag that matters here: it only separates.
func seriesKey(s *schema.Series) string {
	var b strings.Builder
	for _, v := range []string{s.Host, s.Instance, s.Network, s.Block, s.Target, s.Name, s.Size} {
		b.WriteString(v)
		b.WriteByte(0)
	}
	for _, l := range s.Labels {
		b.WriteString(l.Key)
		b.WriteByte(0)
		b.WriteString(l.Value)
		b.WriteByte(0)
	}
	return b.String()
}

// Rows returns the rows of all windows that got points: in order of time, a block's rows before its targets', then
// by window and by tags.
func (b *Block) Rows() []schema.Row {
	type sortable struct {
		row    schema.Row
		window *Window
		key    string
		target int
	}
	var all []sortable
	for k, sum := range b.blocks {
		w := &b.windows[k.window]
		all = append(all, sortable{sum.row(w), w, k.series, 0})
	}
	for k, sum := range b.targets {
		w := &b.windows[k.window]
		all = append(all, sortable{sum.row(w), w, k.series, 1})
	}
	slices.SortFunc(all, func(x, y sortable) int {
		return cmp.Or(cmp.Compare(x.window.Start, y.window.Start), cmp.Compare(x.target, y.target),
			cmp.Compare(x.window.Length, y.window.Length), cmp.Compare(x.key, y.key))
	})
	rows := make([]schema.Row, len(all))
	for i := range all {
		rows[i] = all[i].row
	}
	return rows
}

func (s *blockSum) row(w *Window) schema.Row {
	r := &schema.BlockRollupRow{
		Host: s.like.Host, Instance: s.like.Instance, Network: s.like.Network, Block: s.like.Block, Labels: s.like.Labels,
		Window: Name(w.Length), Time: w.Start, Targets: int64(len(s.targets)), Points: s.points,
		Counts: s.counts(int64(len(s.sweeps))), Complete: w.Complete, Missing: w.Missing,
		RTTQuantiles: schema.RTTQuantiles{P50: s.rtt.At(0.50), P90: s.rtt.At(0.90), P99: s.rtt.At(0.99)},
	}
	for _, answered := range s.targets {
		if answered {
			r.Responding++
		}
	}
	return r
}

func (s *targetSum) row(w *Window) schema.Row {
	return &schema.SweepRollupRow{
		Series: s.series, Window: Name(w.Length), Time: w.Start, Counts: s.counts(s.points),
		Complete: w.Complete, Missing: w.Missing,
	}
}
