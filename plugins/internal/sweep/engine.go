package sweep

import (
	"context"
	"sync"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

// Config is what all sweeps of a process share.
type Config struct {
	ID     uint16   // ICMP identifier of all requests, drawn at random by the process
	Key    [16]byte // secret of the cookies
	Run    uint64   // number of this process's run, drawn at random
	Clock  Clock
	Losses func() Losses // what the captures have lost since they began
}

// Engine runs the sweeps of one process. It is safe for use by several goroutines.
type Engine struct {
	id     uint16
	clock  Clock
	losses func() Losses

	mu         sync.Mutex
	cookies    *icmpecho.Cookies
	runs       []*run // oldest first: those that run, and those whose late window is open
	next       uint32 // next free probe index
	foreign    int64
	unverified int64
	kind       capture.StampKind // of the last frame
	through    map[int]int64     // by source: everything up to this monotonic time was observed
}

// NewEngine makes the engine of a process.
func NewEngine(c Config) *Engine {
	return &Engine{
		id: c.ID, clock: c.Clock, losses: c.Losses,
		cookies: icmpecho.NewCookies(c.Key, c.Run),
		through: map[int]int64{},
	}
}

// Observe takes a batch of frames from the capture numbered source. through is the monotonic time up to which
// that capture has now shown everything it will show. The engine keeps no piece of batch.
func (e *Engine) Observe(source int, batch []capture.Packet, through int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range batch {
		e.observe(&batch[i])
		e.kind = batch[i].Kind
	}
	e.through[source] = max(e.through[source], through)
}

// observedThrough returns the time up to which all of sources have shown everything.
func (e *Engine) observedThrough(sources []int) int64 {
	least := e.clock.Mono()
	for _, s := range sources {
		least = min(least, e.through[s])
	}
	return least
}

// Sweep runs job and returns when its last row is emitted. When job.Halt is closed sending stops and the rows of
// what was sent come one timeout later; when ctx is done they come at once. Late replies are matched and
// emitted, by Late, until the plan's late window has passed.
func (e *Engine) Sweep(ctx context.Context, job Job, out Sender) Summary {
	r := e.begin(job)
	sendCtx, stop := context.WithCancel(ctx)
	s := &sender{state: r.state, out: out, clock: e.clock, id: e.id, cookies: e.cookies.Clone()}
	var wg sync.WaitGroup
	wg.Go(func() { s.run(sendCtx) })
	wg.Go(func() {
		select {
		case <-job.Halt:
			stop()
		case <-sendCtx.Done():
		}
	})
	r.closeAll(ctx)
	stop()
	wg.Wait()
	return r.finish(s)
}

// begin gives a sweep its probe indices and its place among the runs.
func (e *Engine) begin(job Job) *run {
	losses := e.losses()
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{
		engine: e, job: job, state: newState(job.Plan, e.next), began: e.clock.Mono(),
		before: baseline{losses, e.foreign, e.unverified, e.clock.Offset()},
	}
	r.answered = newBitSet(r.n)
	e.next += uint32(r.total)
	e.runs = append(e.runs, r)
	return r
}

// Late emits the late rows that have come up since the last call, and forgets the sweeps whose late window has
// passed. Whoever owns the engine calls it about once a second.
func (e *Engine) Late() {
	for _, r := range e.snapshot() {
		over := r.over()
		if over {
			e.forget(r)
		}
		r.emitLate()
		if over {
			r.emitStatsLate()
		}
	}
}

// Drop emits what is known of late replies to a plan's sweeps and forgets them: no row of p comes after it.
func (e *Engine) Drop(p *Plan) {
	for _, r := range e.snapshot() {
		if r.plan != p {
			continue
		}
		e.forget(r)
		r.emitLate()
		r.emitStatsLate()
		r.mute()
	}
}

// Progress returns how many requests of a plan's newest sweep are out, and how many replies it has seen.
func (e *Engine) Progress(p *Plan) (sent, replies int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.runs) - 1; i >= 0; i-- {
		if r := e.runs[i]; r.plan == p {
			return r.sent.handed.Load(), r.counts.replies
		}
	}
	return 0, 0
}

func (e *Engine) snapshot() []*run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*run(nil), e.runs...)
}

func (e *Engine) forget(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.runs {
		if e.runs[i] == r {
			e.runs = append(e.runs[:i:i], e.runs[i+1:]...)
			return
		}
	}
}

// emit is Job.Emit for one run: never called by two goroutines at once.
func (r *run) emit(row schema.Row) {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	r.emitLocked(row)
}

func (r *run) emitLocked(row schema.Row) {
	if !r.muted {
		r.job.Emit(row)
	}
}

// mute waits for an emission that is under way and lets none follow.
func (r *run) mute() {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	r.muted = true
}
