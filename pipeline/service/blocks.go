package service

import (
	"context"
	"errors"
	"io"
	"time"

	"echogram/pipeline/block"
	"echogram/pipeline/checkpoint"
	"echogram/pipeline/sink"
	"echogram/plugins/schema"
)

// blocksFile is where the state of a Monitor is kept.
const blocksFile = "blocks.state"

// blocks looks at blocks over time: points go to its analyst, the analyst's rows to the sink, and once that has
// acknowledged them the Monitor's state to the store. From a source it reads by itself, from where the state ends.
type blocks struct {
	*refusals
	*analyst
	Ends    // without Accounts and Points where there is no source
	cfg     Config
	store   Store
	out     *sink.Batcher
	next    int64 // reading goes on there; 0: nothing has been read
	saved   saved
	passing bool                         // what is judged is not for the state
	known   map[string]*schema.RTTSeries // one pointer a series, for the Monitor
}

// saved is how it was when the state was saved last.
type saved struct {
	at   time.Time
	next int64
	took time.Duration
}

// newBlocks returns nil when blocks are not to be looked at.
func newBlocks(cfg Config, ends Ends, store Store, r *refusals) *blocks {
	if cfg.Blocks == nil {
		return nil
	}
	return &blocks{refusals: r, analyst: newAnalyst(cfg.Log), Ends: ends, cfg: cfg, store: store,
		out: sink.NewBatcher(ends.Sink, cfg.Batch, cfg.TargetFields), known: map[string]*schema.RTTSeries{}}
}

// load takes the state from the store, if the Monitor has none. What cannot be used is as good as none.
func (b *blocks) load() {
	if b.monitor != nil {
		return
	}
	var m *block.Monitor
	err := b.store.LoadStream(blocksFile, func(r io.Reader) (err error) {
		m, err = block.Load(*b.cfg.Blocks, r)
		return err
	})
	switch {
	case err == nil:
		b.start(m, m.Position())
		return
	case !errors.Is(err, checkpoint.ErrNone):
		b.cfg.Log.Warn("state of blocks not usable: it begins again", "reason", err.Error())
	}
	b.start(block.New(*b.cfg.Blocks), 0)
}

func (b *blocks) start(m *block.Monitor, next int64) {
	b.set(m, next)
	b.next, b.saved = next, saved{at: time.Now(), next: next}
}

// judge writes the rows of the sweeps that began before a time; it returns when the sink has them.
func (b *blocks) judge(ctx context.Context, before int64) error {
	err := b.close(before, func(r schema.Row) error { return b.put(ctx, r) })
	if err == nil {
		err = b.refused(b.out.Flush(ctx))
	}
	if err != nil {
		b.monitor = nil // it has told what is not written: the saved state has not
		return err
	}
	b.next = max(b.next, before)
	return nil
}

// end writes what is open as it stands. The Monitor is of no use after it.
func (b *blocks) end(ctx context.Context) error {
	err := b.finish(func(r schema.Row) error { return b.put(ctx, r) })
	b.monitor = nil
	if err != nil {
		return err
	}
	return b.refused(b.out.Flush(ctx))
}

func (b *blocks) put(ctx context.Context, r schema.Row) error { return b.refused(b.out.Put(ctx, r)) }

// A state is saved so often, or when so much of the data has gone by, as long as saving takes a tenth of the time at most.
const (
	saveEvery = 5 * time.Minute
	saveData  = int64(time.Hour)
	saveShare = 10
)

// keep saves the state when it is time, or now. All rows that it has told are in the sink.
func (b *blocks) keep(now bool) error {
	since := time.Since(b.saved.at)
	due := since >= saveEvery || b.next-b.saved.next >= saveData && since >= saveShare*b.saved.took
	if b.monitor == nil || b.passing || b.next == b.saved.next || !due && !now {
		return nil
	}
	began := time.Now()
	if err := b.store.SaveStream(blocksFile, b.monitor.Save); err != nil {
		return err
	}
	b.saved = saved{at: time.Now(), next: b.next, took: time.Since(began)}
	return nil
}
