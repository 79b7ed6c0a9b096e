package rollup

import "echogram/plugins/schema"

// forget drops the series that had no point in the longest window, which has just ended, and have none waiting: targets
// come and go. All sums are empty.
func (s *Stream) forget() {
	for _, b := range s.baskets {
		for i := range b.points {
			s.seats[b.points[i].seat].active = true
		}
	}
	kept := make([]*seat, 0, len(s.seats))
	number := make([]uint32, len(s.seats)) // the new one of each seat
	for n, t := range s.seats {
		if t.active {
			number[n] = uint32(len(kept))
			kept = append(kept, t)
		}
	}
	if len(kept) < len(s.seats) {
		s.keepOnly(kept)
		for _, b := range s.baskets {
			for i := range b.points {
				b.points[i].seat = number[b.points[i].seat]
			}
		}
	}
	for _, t := range s.seats {
		t.active = false
	}
}

// Knows tells whether points of a series by this pointer are in an open window or wait for one. Of others it may come by
// another pointer the next time.
func (s *Stream) Knows(series *schema.RTTSeries) bool {
	_, ok := s.bySeries[series]
	return ok
}

// keepOnly renumbers the seats, and the targets of their blocks.
func (s *Stream) keepOnly(seats []*seat) {
	s.seats, s.others, s.order, s.last = seats, nil, nil, nil
	clear(s.bySeries)
	clear(s.blocks)
	for n, t := range seats {
		s.bySeries[t.series] = uint32(n)
		if t.block == nil {
			s.others = append(s.others, t)
			continue
		}
		t.block = s.block(&t.series.Series)
		t.member = t.block.member(t.series.Target)
	}
}
