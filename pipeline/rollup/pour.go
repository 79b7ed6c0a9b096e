package rollup

import (
	"cmp"
	"math"
	"slices"

	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// Close emits the rows of the windows that are over by the lateness: by the end of their windows, then sorted as those
// of a Block are. An error of emit ends it; what it had not emitted of a window is lost.
func (s *Stream) Close(emit func(schema.Row) error) error {
	return s.advance(func(end int64) bool { return end <= s.newest-int64(s.cfg.Lateness) }, emit)
}

// Finish emits the rows of all windows as they stand. Points that come later are too late.
func (s *Stream) Finish(emit func(schema.Row) error) error {
	err := s.advance(func(int64) bool { return true }, emit)
	s.poured = math.MaxInt64
	return err
}

// advance goes from end to end of windows with points, as far as over allows.
func (s *Stream) advance(over func(end int64) bool, emit func(schema.Row) error) error {
	for {
		end := s.nextEnd()
		if end == math.MaxInt64 || !over(end) {
			return nil
		}
		if len(s.baskets) > 0 && s.baskets[0].start+s.lengths[0] == end {
			s.pour(s.baskets[0])
			s.drop(s.baskets[0])
			s.baskets = slices.Delete(s.baskets, 0, 1)
			s.poured = end
		}
		if err := s.closeAt(end, emit); err != nil {
			return err
		}
	}
}

// nextEnd is where the next window with points ends: a basket's, or an open one's.
func (s *Stream) nextEnd() int64 {
	end := int64(math.MaxInt64)
	if len(s.baskets) > 0 {
		end = s.baskets[0].start + s.lengths[0]
	}
	for i, l := range s.lengths {
		if s.filled[i] {
			end = min(end, s.open[i]+l)
		}
	}
	return end
}

// pour settles the points of a basket and adds them to the sums.
func (s *Stream) pour(b *basket) {
	for i, l := range s.lengths {
		s.open[i], s.filled[i] = window.Floor(b.start, l), true
	}
	s.tell(b)
	s.groups.each(b.points, len(s.seats), func(n uint32, points []point) {
		if points = settle(points); len(points) > 0 {
			book := s.seats[n].book
			book.rows += int64(len(points))
			doubt(points, book.doubted)
			s.seats[n].pour(points, s.spreader.most)
			s.seats[n].active = true
		}
	})
	for _, book := range s.books {
		book.accounts[0] = account{bad: book.rows != book.promised, missing: max(0, book.promised-book.rows)}
	}
}

// tell enters into the books what the manifests of a basket say.
func (s *Stream) tell(b *basket) {
	for _, book := range s.books {
		book.rows, book.promised, book.doubted = 0, 0, book.doubted[:0]
	}
	for m, v := range b.told {
		book := s.books[m.owner]
		book.promised += v.points
		if v.doubted {
			book.doubted = append(book.doubted, m.time)
		}
	}
	for _, book := range s.books {
		slices.Sort(book.doubted)
	}
}

// grouping brings points together by their seats; it keeps scratch memory.
type grouping struct {
	begin []uint32 // of each seat's points in order
	order []uint32 // indices into points
	group []point
}

// each calls f for each seat with its points, in order of arrival. f may do with them what it likes.
func (g *grouping) each(points []point, seats int, f func(seat uint32, points []point)) {
	g.begin = append(g.begin[:0], make([]uint32, seats+1)...)
	g.order = append(g.order[:0], make([]uint32, len(points))...)
	for i := range points {
		g.begin[points[i].seat+1]++
	}
	for i := range seats {
		g.begin[i+1] += g.begin[i]
	}
	for i := range points {
		seat := points[i].seat
		g.order[g.begin[seat]] = uint32(i)
		g.begin[seat]++
	}
	for from := 0; from < len(points); {
		seat := points[g.order[from]].seat
		to := int(g.begin[seat])
		g.group = g.group[:0]
		for _, i := range g.order[from:to] {
			g.group = append(g.group, points[i])
		}
		f(seat, g.group)
		from = to
	}
}

// closeAt closes all windows that end at end: first the shorter are merged into the longer, then rows come out by the
// start of their windows, which is the longest first.
func (s *Stream) closeAt(end int64, emit func(schema.Row) error) error {
	ends := func(i int) bool { return s.filled[i] && s.open[i]+s.lengths[i] == end }
	for i := range len(s.lengths) - 1 {
		if ends(i) {
			s.mergeUp(i)
		}
	}
	for i := range slices.Backward(s.lengths) {
		if ends(i) {
			if err := s.emit(i, emit); err != nil {
				return err
			}
		}
	}
	for i := range s.lengths {
		if ends(i) {
			s.reset(i)
		}
	}
	if !slices.Contains(s.filled, true) {
		s.forget()
	}
	return nil
}

// mergeUp adds the sums of length i to those of the next.
func (s *Stream) mergeUp(i int) {
	for _, b := range s.blocks {
		if sum := b.sums[i]; sum != nil && sum.points > 0 {
			b.sum(i + 1).merge(sum)
		}
	}
	for _, t := range s.with(i) {
		if k := i - t.from; t.sums[k].points > 0 {
			t.sums[k+1].tally.merge(&t.sums[k].tally)
		}
	}
	for _, b := range s.books {
		b.accounts[i+1].merge(b.accounts[i])
	}
}

func (s *Stream) reset(i int) {
	s.filled[i] = false
	for _, b := range s.blocks {
		if sum := b.sums[i]; sum != nil && sum.points > 0 {
			sum.reset()
		}
	}
	for _, t := range s.with(i) {
		if k := i - t.from; t.sums[k].points > 0 {
			t.close(k)
		}
	}
	for _, b := range s.books {
		b.accounts[i] = account{}
	}
}

// emit gives out the rows of the windows of length i.
func (s *Stream) emit(i int, emit func(schema.Row) error) error {
	windows := make([]Window, len(s.books)) // by the number of their books
	for o, b := range s.books {
		windows[b.number] = Window{
			Of: o.of, Host: o.host, Instance: o.instance, Start: s.open[i], Length: s.cfg.Lengths[i],
			Complete: !b.accounts[i].bad, Missing: b.accounts[i].missing,
		}
	}
	networks := NewNetworks(windows)
	var blocks []sortable
	for _, b := range s.blocks {
		if sum := b.sums[i]; sum != nil && sum.points > 0 {
			n := s.books[ownerOf("", &b.like)].number
			networks.add(n, b, sum)
			blocks = append(blocks, sortable{row: sum.row(&b.like, &windows[n]), window: &windows[n], kind: kindBlock, series: &b.like})
		}
	}
	for _, row := range append(networks.Rows(), sorted(blocks)...) {
		if err := emit(row); err != nil {
			return err
		}
	}
	return s.emitTargets(i, windows, emit)
}

func (s *Stream) emitTargets(i int, windows []Window, emit func(schema.Row) error) error {
	for _, t := range s.sorted(i) {
		k := i - t.from
		if t.sums[k].points == 0 {
			continue
		}
		sum := &t.sums[k]
		if err := emit(targetRow(t.series, &sum.tally, s.spread(t, sum), &windows[t.book.number])); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) spread(t *seat, sum *targetSum) spread {
	if r := sum.running; r != nil {
		s.rtts = r.kept.all(s.rtts[:0])
		return s.spreader.join(&r.quantiles, s.rtts)
	}
	s.rtts = t.rtts[sum.begin:].all(s.rtts[:0])
	return s.spreader.of(s.rtts)
}

// with are the seats that have rows of length i.
func (s *Stream) with(i int) []*seat {
	if i < s.first {
		return s.others
	}
	return s.seats
}

// sorted are the seats that have rows of length i, in the order of these.
func (s *Stream) sorted(i int) []*seat {
	if s.order == nil {
		s.order = slices.Clone(s.seats)
		slices.SortFunc(s.order, func(a, b *seat) int {
			return cmp.Or(cmp.Compare(a.series.Of, b.series.Of), compareSeries(&a.series.Series, &b.series.Series))
		})
	}
	return s.order[len(s.order)-len(s.with(i)):] // icmp_sweep comes first
}
