package rollup

import (
	"cmp"
	"math"
	"slices"

	"echogram/plugins/schema"
)

// Block collects the points of one block for a set of windows. It holds the points of one series at a time: those of
// a series must follow each other, in any order; another series, Read, Rows and Networks end it. Points of a series that
// comes back are left out, which Read shows.
type Block struct {
	cfg      Config
	windows  []Window
	byOwner  map[owner][]int   // indices into windows, by length and start
	doubted  map[owner][]int64 // times of sweeps, ascending
	spreader spreader

	blocks map[string]*blockSums
	spare  []*blockSum
	read   []int64    // points taken, for each of windows
	rows   []sortable // of finished series
	done   map[string]struct{}

	last    *schema.RTTSeries // whose points are collected
	series  schema.RTTSeries
	refused bool // the last series had been finished before
	bad     bool // no sweep can have it
	points  []point
	rtts    []int64
}

// NewBlock makes a Block for windows, which must not change afterwards. What the doubted sweeps lost is not called loss.
func NewBlock(cfg Config, windows []Window, doubted []Sweep) *Block {
	b := &Block{cfg: cfg, windows: windows, byOwner: map[owner][]int{}, doubted: map[owner][]int64{},
		spreader: spreader{filter: cfg.Filter, most: cmp.Or(cfg.FilterRTTs, DefaultRTTs)}}
	for i := range windows {
		w := &windows[i]
		o := owner{w.Of, w.Host, w.Instance}
		b.byOwner[o] = append(b.byOwner[o], i)
	}
	for _, indices := range b.byOwner {
		slices.SortFunc(indices, func(i, j int) int {
			return cmp.Or(cmp.Compare(windows[i].Length, windows[j].Length), cmp.Compare(windows[i].Start, windows[j].Start))
		})
	}
	for _, s := range doubted {
		o := owner{host: s.Host, instance: s.Instance}
		b.doubted[o] = append(b.doubted[o], s.Time)
	}
	for _, times := range b.doubted {
		slices.Sort(times)
	}
	b.Reset()
	return b
}

// Reset forgets all points.
func (b *Block) Reset() {
	for _, bl := range b.blocks {
		for _, sum := range bl.sums {
			if sum != nil {
				sum.reset()
				b.spare = append(b.spare, sum)
			}
		}
	}
	b.blocks, b.done = map[string]*blockSums{}, map[string]struct{}{}
	b.read, b.rows = make([]int64, len(b.windows)), nil
	b.last, b.points = nil, b.points[:0]
}

// Read is the number of points that went into each window, in the order that NewBlock got them.
func (b *Block) Read() []int64 {
	b.finish()
	return b.read
}

// Add takes one point of a series of any measurement; p's own Series is not looked at. Points of windows that were not
// asked for are left out. It is quick when the points of a series come with the same s, which must not change. What s.Check
// or p.Check refuses is malformed: Read counts it, and nothing else does.
func (b *Block) Add(s *schema.RTTSeries, p *schema.SweepRow) {
	if s != b.last {
		b.begin(s)
	}
	b.put(p)
}

func (b *Block) put(p *schema.SweepRow) {
	if b.refused {
		return
	}
	q := pointOf(p)
	if b.bad || p.Check() != nil {
		q.has = malformed
	}
	b.points = append(b.points, q)
}

// begin goes over to another series, unless s only is another pointer to the same.
func (b *Block) begin(s *schema.RTTSeries) {
	same := b.last != nil && !b.refused && b.series.Of == s.Of && compareSeries(&b.series.Series, &s.Series) == 0
	if b.last = s; same {
		return
	}
	b.finish()
	b.last, b.series, b.bad = s, *s, s.Check() != nil
	key := s.Of + "\x00" + s.Key()
	_, b.refused = b.done[key]
	b.done[key] = struct{}{}
}

// finish puts the points of the series at hand into their windows.
func (b *Block) finish() {
	points := settle(b.points)
	b.points = b.points[:0]
	b.last = nil
	if len(points) == 0 {
		return
	}
	s := b.series
	o := ownerOf(s.Of, &s.Series)
	doubt(points, b.doubted[o])
	var bl *blockSums
	var member uint32
	if s.Of == "" {
		bl = b.block(&s.Series)
		member = bl.member(s.Target)
	}
	var in []point
	behind, end := points, int64(math.MinInt64)
	for _, i := range b.byOwner[o] {
		w := &b.windows[i]
		if w.Start < end {
			behind = points // another length begins
		}
		end = w.end()
		if in, behind = split(behind, w.Start, end); len(in) == 0 {
			continue
		}
		b.read[i] += int64(len(in))
		if in = wellFormed(in); len(in) == 0 {
			continue
		}
		if bl != nil {
			b.sum(bl, i).add(member, in)
		}
		if bl == nil || w.Length >= b.cfg.PerTarget {
			row := b.target(&s, in, w)
			b.rows = append(b.rows, sortable{row: row, window: w, kind: kindTarget, of: s.Of, series: &s.Series})
		}
	}
}

// wellFormed gives the points that are not malformed. It leaves points as they are: other lengths want them, too.
func wellFormed(points []point) []point {
	bad := func(p point) bool { return p.has&malformed != 0 }
	if !slices.ContainsFunc(points, bad) {
		return points
	}
	return slices.DeleteFunc(slices.Clone(points), bad)
}

// split gives the points from start on and before end, and those behind.
func split(points []point, start, end int64) (in, behind []point) {
	for len(points) > 0 && points[0].time < start {
		points = points[1:]
	}
	n := 0
	for n < len(points) && points[n].time < end {
		n++
	}
	return points[:n], points[n:]
}

func (b *Block) block(s *schema.Series) *blockSums {
	like := shared(s)
	key := like.Key()
	if b.blocks[key] == nil {
		b.blocks[key] = newBlockSums(like, len(b.windows))
	}
	return b.blocks[key]
}

func (b *Block) sum(bl *blockSums, i int) *blockSum {
	if n := len(b.spare); n > 0 && bl.sums[i] == nil {
		bl.sums[i], b.spare = b.spare[n-1], b.spare[:n-1]
	}
	return bl.sum(i)
}

func (b *Block) target(s *schema.RTTSeries, points []point, w *Window) schema.Row {
	var c tally
	b.rtts = b.rtts[:0]
	for i := range points {
		c.add(&points[i])
		if points[i].has&hasRTT != 0 {
			b.rtts = append(b.rtts, points[i].rtt)
		}
	}
	return targetRow(s, &c, b.spreader.of(b.rtts), w)
}

// Rows returns the rows of all windows that got points: in order of time, a block's rows before its targets', then
// by window and by tags.
func (b *Block) Rows() []schema.Row {
	b.finish()
	all := slices.Clone(b.rows)
	for _, bl := range b.blocks {
		for i, sum := range bl.sums {
			if sum != nil {
				w := &b.windows[i]
				all = append(all, sortable{row: sum.row(&bl.like, w), window: w, kind: kindBlock, series: &bl.like})
			}
		}
	}
	return sorted(all)
}

// Networks adds the block's sums to those of its networks.
func (b *Block) Networks(n *Networks) {
	b.finish()
	for _, bl := range b.blocks {
		for i, sum := range bl.sums {
			if sum != nil {
				n.add(i, bl, sum)
			}
		}
	}
}
