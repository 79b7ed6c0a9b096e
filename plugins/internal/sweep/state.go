package sweep

import (
	"net/netip"
	"sort"
	"sync"
	"sync/atomic"
)

// state is what is known of the probes of one sweep: arrays by probe, 17 bytes each, and maps for what is rare.
// Probe i goes to target i % n as its probe number i / n. The engine's mutex guards all but the sender's part.
type state struct {
	plan  *Plan
	base  uint32 // probe index of probe 0, as cookies name it
	n     int    // targets
	total int    // probes

	request []int64 // stamp of the request, 0 while the capture has not seen it
	reply   []int64 // stamp of the first reply, 0 while there is none
	ttl     []uint8 // of the first reply

	rare   map[int]*rare // by target
	closed int           // targets below this have their row
	counts counts
	late   []int // targets whose late count has grown since their row was written
	left   []int // closed targets without a row, in order: a sweep that was cut short

	sent progress
}

// rare is what most targets do not have.
type rare struct {
	duplicates, corrupt int64
	err                 *icmpError
	late                int64 // late replies after the row was written and before it
	lateSum             int64 // ns, over those with an RTT
	lateTimed           int64 // those with an RTT
	queued              bool  // the target is in late
}

type icmpError struct {
	kind, code uint8
	from       netip.Addr
}

// counts are the sums of one sweep.
type counts struct {
	points, sent, received, late, duplicates, corrupt int64
	icmpErrors, otherSource                           int64
	replies                                           int64 // first replies, late ones too
	unseen, neighbour                                 int64
}

func newState(p *Plan, base uint32) *state {
	n := p.Targets.Len()
	total := n * p.Count
	return &state{
		plan: p, base: base, n: n, total: total,
		request: make([]int64, total), reply: make([]int64, total), ttl: make([]uint8, total),
		rare: map[int]*rare{},
	}
}

// probe returns which probe of this sweep an index names.
func (s *state) probe(index uint32) (i int, ok bool) {
	i = int(index - s.base) // wraps as the indices do
	return i, i < s.total
}

func (s *state) rareOf(target int) *rare {
	r := s.rare[target]
	if r == nil {
		r = &rare{}
		s.rare[target] = r
	}
	return r
}

// progress is the sender's side of a sweep: how far it has come, and when.
type progress struct {
	handed  atomic.Int64 // probes below this were handed to the kernel, or refused by it
	done    atomic.Bool  // the sender has ended
	mu      sync.Mutex
	bursts  []burst
	refused map[int]struct{}
	err     error // the first refusal
}

// burst says when the probes below end were out.
type burst struct {
	end int
	at  int64 // monotonic ns, after the last send
}

func (p *progress) book(end int, at int64) {
	p.mu.Lock()
	p.bursts = append(p.bursts, burst{end, at})
	p.mu.Unlock()
	p.handed.Store(int64(end))
}

func (p *progress) refuse(i int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused == nil {
		p.refused = map[int]struct{}{}
	}
	if p.err == nil {
		p.err = err
	}
	p.refused[i] = struct{}{}
}

// sentAt returns when probe i, which was handed over, had left.
func (p *progress) sentAt(i int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bursts[sort.Search(len(p.bursts), func(k int) bool { return p.bursts[k].end > i })].at
}

// took tells whether the kernel took probe i.
func (p *progress) took(i int) bool {
	if int64(i) >= p.handed.Load() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, refused := p.refused[i]
	return !refused
}
