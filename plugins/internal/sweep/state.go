package sweep

import (
	"math"
	"net/netip"
	"sync"
	"sync/atomic"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

// state is what is known of the probes of one sweep: 24 bytes each, and maps for what is rare. Probe i goes to
// target i % n as its probe number i / n: each number is a pass over all targets, and its memory comes with its
// first request. The engine's mutex guards all but what is atomic.
//
// Cookies name a probe by its index: a pass takes stride of them, an odd number, so that the 65,536 sequence numbers
// are used up before two probes to one target have the same, in this sweep or in the next. What comes back without a
// cookie is told apart by them.
type state struct {
	plan    *Plan
	base    uint32 // index of probe 0
	n       int    // targets
	stride  int    // n, or one more
	pattern icmpecho.Pattern
	trace   func(Event)
	kind    capture.StampKind // of all stamps; none until the first frame, if the job does not say

	passes []atomic.Pointer[[]probe]
	opened atomic.Int64 // passes that have begun
	grow   sync.Mutex

	routers  []netip.Addr // who sent ICMP errors; probe.errFrom counts from 1
	routerOf map[netip.Addr]uint16

	rare   map[int]*rare // by slot
	closed int           // targets below this have their rows
	counts counts
	late   []int // slots whose late count has grown since their row was written
	tardy  []int // probes whose samples were written before their replies came
	left   []int // closed targets without a row, in order: a sweep that was cut short

	sent sending
}

// probe is what is known of one request.
type probe struct {
	// request is the kernel's stamp of the request. Before the capture has shown that: 0 not yet handed to the
	// kernel, refused, or less the monotonic time at which it was handed over. Atomic.
	request int64
	reply   int64  // stamp of the first reply, 0 while there is none. Atomic
	ttl     uint8  // of the first reply
	via     uint8  // the capture that showed the first reply
	errType uint8  // of the first ICMP error
	errCode uint8  //
	errFrom uint16 // its sender's number; 0: no error
	errVia  uint8  // the capture that showed it
}

const refused = math.MinInt64

func (p *probe) handedAt(mono int64) { atomic.StoreInt64(&p.request, -mono) }
func (p *probe) refuse()             { atomic.StoreInt64(&p.request, refused) }
func (p *probe) seen(stamp int64)    { atomic.StoreInt64(&p.request, stamp) }

// stamp returns the kernel's stamp of the request, 0 if the capture has not shown it leave.
func (p *probe) stamp() int64 { return max(0, atomic.LoadInt64(&p.request)) }

// left returns when the request left, as far as is known, in monotonic time; ok is false if it did not.
func (p *probe) left(offset int64) (mono int64, ok bool) {
	switch r := atomic.LoadInt64(&p.request); {
	case r == 0 || r == refused:
		return 0, false
	case r < 0:
		return -r, true
	default:
		return r - offset, true
	}
}

func (p *probe) answeredAt() int64  { return atomic.LoadInt64(&p.reply) }
func (p *probe) answer(stamp int64) { atomic.StoreInt64(&p.reply, stamp) }
func (p *probe) erred() bool        { return p.errFrom != 0 }
func (p *probe) tried() bool        { return atomic.LoadInt64(&p.request) != 0 }
func (p *probe) taken() bool        { r := atomic.LoadInt64(&p.request); return r != 0 && r != refused }
func (p *probe) rtt() (ns int64, ok bool) {
	request := p.stamp()
	return p.answeredAt() - request, request != 0
}

// rare is what most targets do not have.
type rare struct {
	duplicates, corrupt, flipped int64
	firstFlip                    int   // valid if corrupt and not negative
	mtu                          int64 // 0: none
	late                         int64 // late replies after the row was written and before it
	lateSum                      int64 // ns, over those with an RTT
	lateTimed                    int64 // those with an RTT
	queued                       bool  // the slot is in late
}

// counts are the sums of one sweep.
type counts struct {
	points, sent, received, late, duplicates, corrupt int64
	icmpErrors, otherSource                           int64
	replies                                           int64 // first replies, late ones too
	unseen, neighbour                                 int64
}

// sending is the senders' side of a sweep.
type sending struct {
	handed  atomic.Int64 // requests that were handed to the kernel, refused ones too
	refused atomic.Int64
	noRoom  atomic.Int64
	began   atomic.Int64 // monotonic ns of the first burst, 0: none
	last    atomic.Int64 // when a burst was out last
	newest  atomic.Int64 // when the newest burst began to leave, and how many requests it holds
	newestN atomic.Int64
	mu      sync.Mutex
	err     error // the first refusal
}

func (s *sending) refuse(err error) {
	s.refused.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func newState(p *Plan, base uint32, seed uint64) *state {
	n := p.Targets.Len()
	return &state{
		plan: p, base: base, n: n, stride: n | 1, pattern: p.pattern(seed),
		passes: make([]atomic.Pointer[[]probe], p.passes()), rare: map[int]*rare{}, routerOf: map[netip.Addr]uint16{},
	}
}

// pass returns the probes number k of all targets; nil while none of them was sent.
func (s *state) pass(k int) []probe {
	if p := s.passes[k].Load(); p != nil {
		return *p
	}
	return nil
}

// open makes room for the probes number k.
func (s *state) open(k int) []probe {
	s.grow.Lock()
	defer s.grow.Unlock()
	if p := s.pass(k); p != nil {
		return p
	}
	p := make([]probe, s.n)
	s.passes[k].Store(&p)
	s.opened.Store(max(s.opened.Load(), int64(k)+1))
	return p
}

// at returns probe i, nil if its pass has not begun.
func (s *state) at(i int) *probe {
	if p := s.pass(i / s.n); p != nil {
		return &p[i%s.n]
	}
	return nil
}

// probe returns which probe of this sweep an index names.
func (s *state) probe(index uint32) (i int, ok bool) {
	at := int(index - s.base) // wraps as the indices do
	k, target := at/s.stride, at%s.stride
	return k*s.n + target, k < len(s.passes) && target < s.n
}

func (s *state) index(target, k int) uint32 { return s.base + uint32(k*s.stride+target) }

// indices is how many of them the sweep takes.
func (s *state) indices() uint32 { return uint32(s.stride * len(s.passes)) }

// slot numbers the rows of a target: one for each size.
func (s *state) slot(target, k int) int { return target*len(s.plan.Sizes) + k%len(s.plan.Sizes) }

func (s *state) rareOf(slot int) *rare {
	r := s.rare[slot]
	if r == nil {
		r = &rare{firstFlip: -1}
		s.rare[slot] = r
	}
	return r
}

func (s *state) tell(ev Event) {
	if s.trace != nil {
		s.trace(ev)
	}
}

// silent tells whether nothing at all has come from a target. The caller holds the engine's mutex.
func (s *state) silent(target int) bool {
	for k := range int(s.opened.Load()) {
		if p := s.pass(k); p != nil && (p[target].answeredAt() != 0 || p[target].erred()) {
			return false
		}
	}
	return true
}

// router gives the sender of an error a number.
func (s *state) router(a netip.Addr) uint16 {
	if k, known := s.routerOf[a]; known {
		return k
	}
	if len(s.routers) == math.MaxUint16-1 {
		return math.MaxUint16 // known to be an error, its sender is not kept
	}
	s.routers = append(s.routers, a)
	k := uint16(len(s.routers))
	s.routerOf[a] = k
	return k
}

func (s *state) routerName(k uint16) string {
	if k == math.MaxUint16 {
		return ""
	}
	return s.routers[k-1].String()
}
