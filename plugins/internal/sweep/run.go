package sweep

import (
	"context"
	"sync"
	"time"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// run is one sweep: its state, and the goroutine that closes its targets when their timeout has passed.
type run struct {
	*state
	engine      *Engine
	job         Job
	schedule    *schedule
	sendersDone chan struct{} // closed when no request will follow
	began       int64         // monotonic ns
	before      tally
	after       *tally // when the last timeout had passed, if rows remained to be spread then
	cut         bool   // some targets were closed before their time

	nobody   bitSet            // targets that are not there; nil: none is known to be
	answered bitSet            // targets that answered in time
	wrote    bitSet            // targets that got rows; nil: all
	rtts     []int64           // scratch, as is rows
	rows     []schema.SweepRow // of the targets that are closed together

	emitMu    sync.Mutex
	muted     bool  // guarded by emitMu
	ended     int64 // monotonic ns, 0 while it runs; guarded by the engine's mutex, as is statsLate
	statsLate int64 // late replies that the stats row tells of
}

// tally is what is counted for a whole process.
type tally struct {
	losses              Losses
	foreign, unverified int64
	offset              int64 // CLOCK_REALTIME - CLOCK_MONOTONIC
}

// idlePause is how long the goroutine that closes targets waits while requests are not all out.
const idlePause = 10 * time.Millisecond

func (r *run) newSchedule() *schedule {
	e := r.engine
	s := newSchedule(r.plan, r.state, r.began)
	s.offset = r.before.offset
	s.silent = func(target int) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return r.silent(target)
	}
	s.through = r.shown
	s.absent = r.absent
	return s
}

// shown returns the time up to which the captures have shown everything.
func (r *run) shown() int64 {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	return r.engine.observedThrough(r.job.Sources)
}

// absentees are the targets that a discovery has asked for in vain. Those that answer it later are still absent:
// the sweep has passed over them.
func absentees(job *Job) bitSet {
	if job.Neighbours == nil {
		return nil
	}
	b := newBitSet(job.Plan.Targets.Len())
	for t := range job.Plan.Targets.Len() {
		if n, asked := job.Neighbours(t); asked && !n.Present {
			b.set(t)
		}
	}
	return b
}

func (r *run) absent(target int) bool { return r.nobody != nil && r.nobody.has(target) }

// closeAll emits group after group and block after block, each when the timeout of its last request has passed.
func (r *run) closeAll(ctx context.Context) {
	blocks := r.plan.Targets.Blocks()
	for g, group := range r.schedule.groups {
		sentAt, whole := r.awaitSent(ctx, g)
		if !whole && g >= r.schedule.begun() {
			r.cut = true // nobody in this group was asked, nor in those behind it
			return
		}
		for b := group.FirstBlock; b < group.FirstBlock+group.Blocks; b++ {
			r.awaitSeen(ctx, blocks[b], sentAt)
			whole = whole && ctx.Err() == nil
			r.cut = r.cut || !whole
			r.emitBlock(b, whole)
			r.spread(ctx)
		}
	}
}

// awaitSent waits until the requests to a group have left, or no sender is left. It returns when the last of them did, and
// whether there were all.
func (r *run) awaitSent(ctx context.Context, group int) (at int64, whole bool) {
	for ctx.Err() == nil {
		if at, whole := r.schedule.endOf(group); whole {
			return at, true
		}
		select {
		case <-r.sendersDone:
			at, whole := r.schedule.endOf(group)
			return max(at, r.sent.last.Load()), whole
		default:
			r.engine.clock.Sleep(ctx, idlePause)
		}
	}
	return r.sent.last.Load(), false
}

// awaitSeen waits until the capture has shown everything up to one timeout after sentAt, and after the stamps of
// the block's requests: a queue may have held them back.
func (r *run) awaitSeen(ctx context.Context, b targets.Block, sentAt int64) {
	for ctx.Err() == nil {
		due, through := r.due(b, sentAt)
		if through >= due {
			return
		}
		pause := time.Duration(due - r.engine.clock.Mono())
		r.engine.clock.Sleep(ctx, max(pause, capturePause))
	}
}

func (r *run) due(b targets.Block, sentAt int64) (due, through int64) {
	e := r.engine
	offset := e.clock.Offset()
	e.mu.Lock()
	defer e.mu.Unlock()
	through = e.observedThrough(r.job.Sources)
	timeout := int64(r.plan.Timeout)
	if through < sentAt+timeout {
		return sentAt + timeout, through
	}
	for k := range int(r.opened.Load()) {
		pass := r.pass(k)
		for t := b.First; pass != nil && t < b.First+b.N; t++ {
			if left := pass[t].stamp() - offset; left > sentAt && left < through {
				sentAt = left
			}
		}
	}
	return sentAt + timeout, through
}

// spread pauses where the rows are ahead of the pace at which they fill Job.EmitWithin.
func (r *run) spread(ctx context.Context) {
	due := r.began + int64(float64(r.job.EmitWithin)*float64(r.closed)/float64(r.n))
	for ctx.Err() == nil {
		wait := time.Duration(due - r.engine.clock.Mono())
		if wait <= 0 {
			return
		}
		r.noteEnd()
		select {
		case <-r.job.Halt:
			return
		case <-r.job.Hurry:
			return
		default:
			r.engine.clock.Sleep(ctx, min(wait, idlePause))
		}
	}
}

// noteEnd notes what was counted when the timeout of the last request had passed: what happens while the rows are
// still being spread is not this sweep's.
func (r *run) noteEnd() {
	select {
	case <-r.sendersDone:
	default:
		return
	}
	if r.after == nil && r.shown() >= r.sent.last.Load()+int64(r.plan.Timeout) {
		after := r.engine.count(r.job.Sources)
		r.after = &after
	}
}

// over tells whether the sweep has ended and its late window has passed.
func (r *run) over() bool {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	return r.ended != 0 && r.engine.clock.Mono() > r.ended+int64(r.plan.LateWindow)
}
