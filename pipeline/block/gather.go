package block

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"echogram/plugins/schema"
)

// seat is where the rows of one series go.
type seat struct {
	series *schema.RTTSeries
	in     *instance // nil: nothing can be done with this series
	block  *blockState
	number int   // of the block in its instance
	place  int   // in the block
	last   int64 // time of its last row, so that one that comes twice counts once
}

// sweep is what one sweep of an instance brought so far.
type sweep struct {
	Time     int64
	Rows     int64
	Manifest bool // has come, with what follows
	Promised int64
	Trust    string
	Partial  bool
	Rate     float64 // requests per second
	Looks    []Look  // by the number of the block; one that is not probed has no places
}

// look returns what the sweep saw of a block.
func (s *sweep) look(number int) *Look {
	if number < len(s.Looks) {
		return &s.Looks[number]
	}
	return &Look{}
}

// add takes a row. The RTT of a place that does not answer is left as it was.
func (s *sweep) add(number, place int, p *schema.SweepRow) {
	if p.Sent == 0 && p.ResultCode == schema.ResultNotSent {
		return
	}
	for number >= len(s.Looks) {
		s.Looks = append(s.Looks, Look{})
	}
	l := &s.Looks[number]
	l.Probed.Add(place)
	if p.Received == 0 {
		return
	}
	l.Answered.Add(place)
	if place >= len(l.RTT) {
		l.RTT = append(l.RTT, make([]int64, max(256, place+1)-len(l.RTT))...)
	}
	l.RTT[place] = p.RTT.N
}

// reset empties the sweep and keeps its memory.
func (s *sweep) reset(time int64) {
	for i := range s.Looks {
		l := &s.Looks[i]
		l.Probed, l.Answered, l.Out = l.Probed[:0], l.Answered[:0], nil
	}
	*s = sweep{Time: time, Looks: s.Looks}
}

// sweepAt finds or makes the sweep of an instance that started at t.
func (in *instance) sweepAt(t int64) *sweep {
	if s := in.recent; s != nil && s.Time == t {
		return s
	}
	i, found := slices.BinarySearchFunc(in.open, t, func(s *sweep, t int64) int { return cmp.Compare(s.Time, t) })
	if !found {
		in.open = slices.Insert(in.open, i, in.newSweep(t))
	}
	in.recent = in.open[i]
	return in.recent
}

func (in *instance) newSweep(t int64) *sweep {
	s := &sweep{}
	if n := len(in.spare); n > 0 {
		s, in.spare = in.spare[n-1], in.spare[:n-1]
	}
	s.reset(t)
	return s
}

// done keeps the memory of a sweep for another one.
func (in *instance) done(s *sweep) {
	if in.recent == s {
		in.recent = nil
	}
	in.spare = append(in.spare, s)
}

// seat finds or makes the seat of a series. Sweeps often come in one order, in which the seats were made: the next one
// is the first guess.
func (m *Monitor) seat(series *schema.RTTSeries) *seat {
	if m.guess++; m.guess < len(m.seats) && m.seats[m.guess].series == series {
		return m.seats[m.guess]
	}
	number, ok := m.bySeries[series]
	if !ok {
		number = len(m.seats)
		m.bySeries[series] = number
		m.seats = append(m.seats, m.newSeat(series))
	}
	m.guess = number
	return m.seats[number]
}

func (m *Monitor) newSeat(series *schema.RTTSeries) *seat {
	s := &seat{series: series, last: -1}
	if series.Of != "" || series.Block == "" || series.Target == "" {
		return s
	}
	s.in = m.instance(series.Host, series.Instance)
	s.number = s.in.block(series.Network, series.Block)
	s.block = s.in.Blocks[s.number]
	s.place = s.block.place(series.Target)
	if s.place < 0 {
		s.in = nil
		return s
	}
	s.block.share(series.Labels)
	s.in.meet(s.block, series.Target, s.place)
	return s
}

// Forget drops what is kept by the pointers of series: it is made again as they come. It is to be called when series may
// have other pointers from here on.
func (m *Monitor) Forget() {
	m.seats, m.guess = nil, 0
	clear(m.bySeries)
}

// place is where target stands in the block: of IPv4 the last byte of its address, of IPv6 by first appearance. It is
// negative for what is no address.
func (b *blockState) place(target string) int {
	a, err := netip.ParseAddr(target)
	if err != nil {
		return -1
	}
	if a.Is4() {
		b.V4 = true
		return int(a.As4()[3])
	}
	if b.placeOf == nil {
		b.placeOf = map[string]int{}
		for i, t := range b.Targets {
			b.placeOf[t] = i
		}
	}
	i, ok := b.placeOf[target]
	if !ok {
		target = strings.Clone(target)
		i, b.placeOf[target] = len(b.Targets), len(b.Targets)
		b.Targets = append(b.Targets, target)
	}
	return i
}

// target is the address at a place.
func (b *blockState) target(place int) string {
	if !b.V4 {
		return b.Targets[place]
	}
	p, err := netip.ParsePrefix(b.Block)
	if err != nil || !p.Addr().Is4() {
		return ""
	}
	a := p.Addr().As4()
	a[3] = byte(place)
	return netip.AddrFrom4(a).String()
}

// half is the prefix of the lower or upper half of a block of IPv4.
func (b *blockState) half(i int) string {
	p, err := netip.ParsePrefix(b.Block)
	if err != nil || !p.Addr().Is4() {
		return ""
	}
	a := p.Addr().As4()
	a[3] = byte(i * halfBlock)
	return netip.PrefixFrom(netip.AddrFrom4(a), 25).String()
}

// share leaves in the block's labels what its targets share.
func (b *blockState) share(labels []schema.Tag) {
	if !b.Labelled {
		b.Labels, b.Labelled = slices.Clone(labels), true
		return
	}
	n := len(b.Labels)
	b.Labels = slices.DeleteFunc(b.Labels, func(l schema.Tag) bool { return !slices.Contains(labels, l) })
	if len(b.Labels) != n {
		b.groups = nil
	}
}
