package sweep

import (
	"context"
	"sync"
	"time"

	"echogram/plugins/internal/targets"
)

// run is one sweep: its state, and the goroutine that closes its targets when their timeout has passed.
type run struct {
	*state
	engine *Engine
	job    Job
	began  int64 // monotonic ns
	before baseline
	cut    bool // some targets were closed before their time

	answered bitSet // targets that answered in time

	emitMu    sync.Mutex
	muted     bool  // guarded by emitMu
	ended     int64 // monotonic ns, 0 while it runs; guarded by the engine's mutex, as is statsLate
	statsLate int64 // late replies that the stats row tells of
}

// baseline is what was counted before the sweep began.
type baseline struct {
	losses              Losses
	foreign, unverified int64
	offset              int64 // CLOCK_REALTIME - CLOCK_MONOTONIC
}

// Pauses of the goroutine that waits for a block to be due.
const (
	idlePause    = 10 * time.Millisecond // while the block's requests are not all out
	capturePause = 2 * time.Millisecond  // when its time has come and the capture has not shown it yet
)

// closeAll emits block after block, each when the timeout of its last request has passed.
func (r *run) closeAll(ctx context.Context) {
	blocks := r.plan.Targets.Blocks()
	for b := range blocks {
		last := r.total - r.n + blocks[b].First + blocks[b].N - 1
		r.awaitSent(ctx, last)
		whole := r.sent.handed.Load() > int64(last)
		if whole {
			r.awaitSeen(ctx, blocks[b], r.sent.sentAt(last))
		} else {
			r.awaitSeen(ctx, blocks[b], r.lastBurst())
		}
		whole = whole && ctx.Err() == nil
		if !whole {
			r.cut = true
		}
		r.emitBlock(b, whole)
	}
}

// awaitSent waits until probe i was handed over or the sender has ended.
func (r *run) awaitSent(ctx context.Context, i int) {
	for r.sent.handed.Load() <= int64(i) && !r.sent.done.Load() && ctx.Err() == nil {
		r.engine.clock.Sleep(ctx, idlePause)
	}
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
	for i := r.total - r.n + b.First; i < r.total-r.n+b.First+b.N; i++ {
		if left := r.request[i] - offset; r.request[i] != 0 && left > sentAt && left < through {
			sentAt = left
		}
	}
	return sentAt + timeout, through
}

func (r *run) lastBurst() int64 {
	r.sent.mu.Lock()
	defer r.sent.mu.Unlock()
	if len(r.sent.bursts) == 0 {
		return r.began - int64(r.plan.Timeout)
	}
	return r.sent.bursts[len(r.sent.bursts)-1].at
}

// over tells whether the sweep has ended and its late window has passed.
func (r *run) over() bool {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	return r.ended != 0 && r.engine.clock.Mono() > r.ended+int64(r.plan.LateWindow)
}
