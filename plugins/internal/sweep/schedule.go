package sweep

import (
	"math"
	"sync"
	"time"

	"echogram/plugins/internal/targets"
)

// groupTargets is about how many targets a group of blocks holds. Groups are begun one after the other, and a group
// that has to wait (for the interval between two requests to one target, for its blocks' cap, for replies before
// it retries) lets the next begin: so blocks complete one after the other, and no time is lost.
const groupTargets = 1 << 14

// Pauses of a sender for which there is nothing to do.
const (
	othersPause  = 100 * time.Microsecond // another sender's burst of the same group is still on its way out
	capturePause = 2 * time.Millisecond   // the time has come and the capture has not shown it yet
	longestPause = 20 * time.Millisecond
)

// schedule says which requests leave next, and when. All senders of a sweep share it.
type schedule struct {
	plan  *Plan
	state *state
	// silent tells whether nothing has come from a target; through up to when the capture has shown everything;
	// absent whether nobody answers for a target on the link; offset is the clocks'.
	silent  func(target int) bool
	through func() int64
	absent  func(target int) bool
	offset  int64

	mu     sync.Mutex
	pace   pacer
	groups []targets.Group
	next   int // group to begin next
	open   []*pass
	ended  []int64 // by group: when its last request had left, 0 while there may be more
	flying int     // bursts under way, of all groups
}

// pass is one walk over a group, for its targets' requests number k.
type pass struct {
	group     int
	k         int
	cursor    *targets.Cursor
	newRound  bool // a round has begun with targets that need no request
	kept      int  // a target that was taken from the cursor and not yet asked
	keptRound bool // it begins a round
	isKept    bool
	began     int64 // monotonic ns, as are the others
	round     int64 // when the current round began
	notBefore int64 // of the next burst
	flying    int   // bursts under way
	last      int64 // when the last burst was out; of all passes over the group
}

// burst is what one Send takes: requests number k of some targets.
type burst struct {
	pass    *pass
	k       int
	targets []int
	round   bool          // it begins a round of blocks that have a cap
	wait    time.Duration // without targets: before there may be some
}

func newSchedule(p *Plan, s *state, now int64) *schedule {
	groups := p.groups()
	return &schedule{
		plan: p, state: s, pace: newPacer(p.Rate, p.Burst, now),
		groups: groups, ended: make([]int64, len(groups)),
	}
}

// take fills b with the next burst. If there is none now, b is empty and to be asked for again after b.wait; more
// is false when there will be none.
func (s *schedule) take(now int64, b *burst) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.targets, b.round = b.targets[:0], false
	if s.plan.BlockWait > 0 && s.flying > 0 {
		b.wait = othersPause
		return true
	}
	soonest := int64(math.MaxInt64)
	for i := 0; i < len(s.open) || s.next < len(s.groups); i++ {
		if i == len(s.open) {
			s.begin(now)
		}
		p := s.open[i]
		if p.notBefore <= now && s.fill(b, p, now) {
			p.flying++
			s.flying++
			b.pass, b.k, b.wait = p, p.k, 0
			return true
		}
		if s.ended[p.group] != 0 {
			s.open = append(s.open[:i], s.open[i+1:]...)
			i--
			continue
		}
		soonest = min(soonest, p.notBefore)
	}
	b.wait = min(max(time.Duration(soonest-now), othersPause), longestPause)
	return len(s.open) > 0
}

// leave books a burst that leaves now, or returns after what time to ask again.
func (s *schedule) leave(now int64, b *burst) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = s.pace.take(now, len(b.targets))
	if wait == 0 && b.round {
		b.pass.round = max(b.pass.round, now)
	}
	return wait
}

// groups cuts the targets into groups of much the same size: a small one at the end would wait for the interval between
// its requests while there is nothing else to send.
func (p *Plan) groups() []targets.Group {
	const block = 255 // a group ends with a whole block: that of a /24 has at most one target more than this
	n := p.Targets.Len()
	parts := (n + groupTargets - 1) / groupTargets
	return p.Targets.Groups((n+parts-1)/parts + block)
}

// begin opens the next group.
func (s *schedule) begin(now int64) {
	p := &pass{group: s.next, began: now, round: math.MinInt64 / 2, notBefore: now}
	s.next++
	s.rewind(p)
	s.open = append(s.open, p)
}

func (s *schedule) rewind(p *pass) {
	p.cursor = targets.NewCursor(s.plan.Targets, s.groups[p.group], s.plan.Order)
}

// fill takes what may leave now from p. Where that is nothing, p.notBefore says when to look again, or the group
// has ended.
func (s *schedule) fill(b *burst, p *pass, now int64) bool {
	for len(b.targets) < s.plan.Burst {
		target, newRound, ok := p.take()
		if !ok {
			if len(b.targets) == 0 {
				s.advance(p, now)
			}
			break
		}
		if s.skipped(p.k, target) {
			p.newRound = p.newRound || newRound // the round begins with the next one
			continue
		}
		newRound, p.newRound = newRound || p.newRound, false
		capped := s.plan.BlockRate > 0 && (newRound || s.plan.Order.Sequential)
		if due := s.due(p, target, capped, now); due > now {
			p.keep(target, newRound)
			p.notBefore = due
			break
		}
		if s.plan.BlockWait > 0 && newRound && len(b.targets) > 0 {
			p.keep(target, newRound)
			break
		}
		b.round = b.round || capped
		b.targets = append(b.targets, target)
	}
	return len(b.targets) > 0
}

func (p *pass) take() (target int, newRound, ok bool) {
	if p.isKept {
		p.isKept = false
		return p.kept, p.keptRound, true
	}
	return p.cursor.Next()
}

func (p *pass) keep(target int, newRound bool) {
	p.kept, p.keptRound, p.isKept = target, newRound, true
}

// skipped tells whether a target gets no request number k: nobody is there, or it needs no further try.
func (s *schedule) skipped(k, target int) bool {
	return s.absent(target) || k >= s.plan.Count && !s.silent(target)
}

// due returns when a target may be asked: if it is capped, a round after its block's last one, and not before the
// interval since its own last request has passed.
func (s *schedule) due(p *pass, target int, capped bool, now int64) int64 {
	due := now
	if capped {
		gap := int64(1e9 / s.plan.BlockRate)
		if due = max(due, p.round+gap); due > now {
			return due
		}
		p.round = now
	}
	if p.k > 0 {
		if left, ok := s.state.pass(p.k - 1)[target].left(s.offset); ok {
			due = max(due, min(left, now)+int64(s.plan.CountInterval)) // a clock set forward puts stamps in the future
		}
	}
	return due
}

// advance goes on to the next pass over a group, once the last burst of this one is out, or ends the group.
func (s *schedule) advance(p *pass, now int64) {
	next := p.k + 1
	switch {
	case p.flying > 0:
		p.notBefore = now + int64(othersPause)
	case next == s.plan.passes(), next > s.plan.Count && p.last < p.began: // no retry of this round was needed
		s.ended[p.group] = max(p.last, 1)
	case next < s.plan.Count:
		p.k, p.began = next, max(now, p.began+int64(s.plan.CountInterval))
		p.notBefore = p.began
		s.rewind(p)
	default:
		// A retry is for those whose last request's timeout has passed.
		due := p.last + int64(s.plan.Timeout)
		if s.through() < due {
			p.notBefore = max(due, now+int64(capturePause))
			return
		}
		p.k, p.began, p.notBefore = next, now, now
		s.rewind(p)
	}
}

// returned books that a burst is out.
func (s *schedule) returned(b *burst, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.pass.flying--
	s.flying--
	b.pass.last = max(b.pass.last, at)
	if s.plan.BlockWait > 0 {
		s.pace.hold(at + int64(s.plan.BlockWait))
	}
}

// endOf returns when the last request of a group had left; ok is false while there may be more.
func (s *schedule) endOf(group int) (at int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended[group], s.ended[group] != 0
}

// begun returns how many groups have begun.
func (s *schedule) begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}
