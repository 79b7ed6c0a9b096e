package rollup

import (
	"cmp"
	"math"
	"slices"
	"time"

	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// StreamConfig says what a Stream computes.
type StreamConfig struct {
	Config
	Lateness time.Duration // by how much a point's time may lie behind the newest that came before it
}

// Stream rolls up the points of all series from one pass over them, in any order within the lateness.
//
// Points wait in a basket for each shortest window until that is over by the lateness. Then they are settled, series
// by series, and poured into the sums of that window; each sum that closes is merged into the next longer one. So a
// long window is always the sum of its short ones, each RTT is kept once for all windows of its target, and the filter
// gets it in the order of time.
//
// A point behind the lateness is left out of all windows. A point with a time far ahead closes everything before it.
type Stream struct {
	cfg      StreamConfig
	lengths  []int64
	first    int // the shortest length with rows per target
	spreader spreader
	rtts     []int64

	seats    []*seat // by number, which is that of their points
	bySeries map[*schema.RTTSeries]uint32
	others   []*seat // of other measurements than icmp_sweep
	order    []*seat // all, sorted; nil when some came in since
	blocks   map[string]*blockSums
	books    map[owner]*book

	baskets []*basket // by time
	basket  *basket   // the last that was used
	spare   []*basket
	groups  grouping

	open    []int64 // the start of each length's window
	filled  []bool  // it has points
	newest  int64   // time of the data
	poured  int64   // what lies before it is in the sums
	tooLate int64

	last     *schema.RTTSeries
	lastSeat uint32
}

// NewStream makes a Stream.
func NewStream(cfg StreamConfig) *Stream {
	s := &Stream{
		cfg: cfg, first: len(cfg.Lengths), spreader: spreader{filter: cfg.Filter, most: cmp.Or(cfg.FilterRTTs, DefaultRTTs)},
		bySeries: map[*schema.RTTSeries]uint32{}, blocks: map[string]*blockSums{}, books: map[owner]*book{},
		open: make([]int64, len(cfg.Lengths)), filled: make([]bool, len(cfg.Lengths)),
		newest: math.MinInt64, poured: math.MinInt64,
	}
	for i, l := range cfg.Lengths {
		s.lengths = append(s.lengths, int64(l))
		if l >= cfg.PerTarget {
			s.first = min(s.first, i)
		}
	}
	return s
}

// TooLate is the number of points that came behind the lateness.
func (s *Stream) TooLate() int64 { return s.tooLate }

// Add takes one point; p's own Series is not looked at. A series has one pointer for as long as the
// Stream Knows it.
func (s *Stream) Add(series *schema.RTTSeries, p *schema.SweepRow) { s.add(series, pointOf(p)) }

// Late takes a row that only corrects the late replies of the point of the same series and time.
func (s *Stream) Late(series *schema.RTTSeries, p *schema.SweepRow) {
	s.add(series, point{time: p.Time, late: p.Late, has: onlyLate})
}

func (s *Stream) add(series *schema.RTTSeries, p point) {
	b := s.basketOf(p.time)
	if b == nil {
		s.tooLate++
		return
	}
	if series != s.last {
		s.last, s.lastSeat = series, s.seat(series)
	}
	p.seat = s.lastSeat
	b.points = append(b.points, p)
}

// Manifest takes what a sweep promises, and whether it is to be trusted. One behind the lateness is left out, too.
func (s *Stream) Manifest(m *schema.SweepStatsRow) {
	if b := s.basketOf(m.Time); b != nil {
		o := owner{host: m.Host, instance: m.Instance}
		s.book(o)
		b.told[manifest{o, m.Time}] = verdict{m.Points, m.Trust != schema.TrustOK && m.Trust != ""} // con-ping has no opinion of itself
	}
}

// basket holds the points of one window of the shortest length until they are settled.
type basket struct {
	start  int64
	points []point
	told   map[manifest]verdict
}

type manifest struct {
	owner
	time int64
}

// verdict is what a manifest says.
type verdict struct {
	points  int64
	doubted bool
}

// basketOf returns nil for a time that is too late.
func (s *Stream) basketOf(t int64) *basket {
	s.newest = max(s.newest, t)
	if b := s.basket; b != nil && t >= b.start && t < b.start+s.lengths[0] && !s.over(b.start) {
		return b
	}
	start := window.Floor(t, s.lengths[0])
	if s.over(start) || start < s.poured {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.baskets, start, func(b *basket, t int64) int { return cmp.Compare(b.start, t) })
	if !found {
		s.baskets = slices.Insert(s.baskets, i, s.newBasket(start))
	}
	s.basket = s.baskets[i]
	return s.basket
}

// over tells whether the shortest window from start on is over by the lateness.
func (s *Stream) over(start int64) bool {
	return start <= s.newest-s.lengths[0]-int64(s.cfg.Lateness)
}

func (s *Stream) newBasket(start int64) *basket {
	if n := len(s.spare); n > 0 {
		b := s.spare[n-1]
		s.spare = s.spare[:n-1]
		b.start = start
		return b
	}
	return &basket{start: start, told: map[manifest]verdict{}}
}

func (s *Stream) drop(b *basket) {
	if s.basket == b {
		s.basket = nil
	}
	b.points = b.points[:0]
	clear(b.told)
	s.spare = append(s.spare, b)
}

// seat finds or makes the seat of a series. Sweeps often come in one order, which numbered the seats: the next one is
// the first guess.
func (s *Stream) seat(series *schema.RTTSeries) uint32 {
	if n := int(s.lastSeat) + 1; n < len(s.seats) && s.seats[n].series == series {
		return uint32(n)
	}
	if n, ok := s.bySeries[series]; ok {
		return n
	}
	return s.newSeat(series)
}

func (s *Stream) newSeat(series *schema.RTTSeries) uint32 {
	t := &seat{series: series, from: s.first}
	if series.Of != "" {
		t.from = 0
		s.others = append(s.others, t)
	} else {
		t.block = s.block(&series.Series)
		t.member = t.block.member(series.Target)
	}
	t.sums = make([]targetSum, len(s.lengths)-t.from)
	t.book = s.book(ownerOf(series.Of, &series.Series))
	n := uint32(len(s.seats))
	s.seats, s.order = append(s.seats, t), nil
	s.bySeries[series] = n
	return n
}

func (s *Stream) block(series *schema.Series) *blockSums {
	like := shared(series)
	key := like.Key()
	if s.blocks[key] == nil {
		s.blocks[key] = newBlockSums(like, len(s.lengths))
	}
	return s.blocks[key]
}

func (s *Stream) book(o owner) *book {
	if s.books[o] == nil {
		s.books[o] = &book{number: len(s.books), accounts: make([]account, len(s.lengths))}
	}
	return s.books[o]
}

// book is the account of one instance.
type book struct {
	number   int
	rows     int64     // in the basket that is being poured
	promised int64     // of them, by the manifests
	doubted  []int64   // times of sweeps in it, ascending
	accounts []account // of the open window of each length
}

// account tells of one window whether all that was promised has come.
type account struct {
	bad     bool  // some shortest window of it holds more or fewer rows than promised
	missing int64 // over all shortest windows
}

func (a *account) merge(o account) { a.bad, a.missing = a.bad || o.bad, a.missing+o.missing }
