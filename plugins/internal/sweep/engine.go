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
	Losses func(sources []int) Losses // what these captures have lost since they began
}

// Engine runs the sweeps of one process. It is safe for use by several goroutines.
type Engine struct {
	id     uint16
	run    uint64
	clock  Clock
	losses func(sources []int) Losses

	mu         sync.Mutex
	cookies    *icmpecho.Cookies
	scratch    []byte // for the bytes that a damaged reply is compared with
	runs       []*run // oldest first: those that run, and those whose late window is open
	next       uint32 // next free probe index
	foreign    int64
	unverified int64
	through    map[int]int64 // by source: everything up to this monotonic time was observed
}

// NewEngine makes the engine of a process.
func NewEngine(c Config) *Engine {
	return &Engine{
		id: c.ID, run: c.Run, clock: c.Clock, losses: c.Losses,
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
		e.observe(uint8(source), &batch[i])
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
func (e *Engine) Sweep(ctx context.Context, job Job) Summary {
	r := e.begin(job)
	sendCtx, stop := context.WithCancel(ctx)
	var senders, wg sync.WaitGroup
	for _, out := range job.Senders {
		s := &sender{state: r.state, schedule: r.schedule, out: out, clock: e.clock, id: e.id, cookies: e.cookies.Clone()}
		if len(job.Senders) == 1 {
			senders.Go(func() { s.runAhead(sendCtx) })
		} else {
			senders.Go(func() { s.run(sendCtx) })
		}
	}
	wg.Go(func() {
		senders.Wait()
		close(r.sendersDone)
	})
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
	return r.finish()
}

// begin gives a sweep its probe indices and its place among the runs.
func (e *Engine) begin(job Job) *run {
	before, nobody := e.count(job.Sources), absentees(&job)
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{
		engine: e, job: job, state: newState(job.Plan, e.next, e.run^uint64(job.Start)), began: e.clock.Mono(),
		before: before, sendersDone: make(chan struct{}),
	}
	r.nobody = nobody
	r.schedule = r.newSchedule()
	r.trace, r.kind = job.Trace, job.Stamps
	r.answered = newBitSet(r.n)
	if r.plan.PerTarget != PerAll {
		r.wrote = newBitSet(r.n)
	}
	e.next += r.indices()
	e.runs = append(e.runs, r)
	return r
}

// count reads what is counted for all sweeps alike.
func (e *Engine) count(sources []int) tally {
	losses := e.losses(sources)
	e.mu.Lock()
	defer e.mu.Unlock()
	return tally{losses, e.foreign, e.unverified, e.clock.Offset()}
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

// Drop emits what is known of late replies to a stanza's sweeps and forgets them: no row of them comes after it.
func (e *Engine) Drop(h *History) {
	for _, r := range e.snapshot() {
		if !r.plan.History.same(h) {
			continue
		}
		e.forget(r)
		r.emitLate()
		r.emitStatsLate()
		r.mute()
	}
}

// Progress is how far a stanza's newest sweep has come.
type Progress struct {
	Sent, Replies int64 // requests that are out; first replies
	Expected      int64 // requests without retries
}

// Progress returns how far a stanza's newest sweep has come.
func (e *Engine) Progress(h *History) Progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.runs) - 1; i >= 0; i-- {
		if r := e.runs[i]; r.plan.History.same(h) {
			return Progress{r.sent.handed.Load(), r.counts.replies, int64(r.n * r.plan.Count)}
		}
	}
	return Progress{}
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
