package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"echogram/plugins/netlab"
)

const (
	// sweepsBehind an outage show that it has ended.
	sweepsBehind = 2
	// beforeSlot is how long before a sweep starts the lab is changed: the sweep before it has sent all by then.
	beforeSlot = 700 * time.Millisecond
)

// breakBlock silences a block for some sweeps, and waits for two behind them.
func (r *run) breakBlock(ctx context.Context) error {
	r.outage.block = r.lab.Population.BlocksOf(netlab.Answering)[7]
	var err error
	if r.outage.from, err = r.betweenSweeps(ctx, 0, r.lab.Responder.RouteBlackhole); err != nil {
		return err
	}
	r.out.line("    %v falls silent at %s", r.outage.block, clock(r.outage.from))
	if r.outage.to, err = r.betweenSweeps(ctx, r.outage.from+int64(r.silent-1)*interval.Nanoseconds(), r.lab.Responder.RemoveBlackhole); err != nil {
		return err
	}
	r.out.line("    and answers again at %s", clock(r.outage.to))
	last := r.sweeps[len(r.sweeps)-1].time
	return r.awaitSweeps(ctx, len(r.sweeps)+int((r.outage.to-last)/interval.Nanoseconds())-1+sweepsBehind)
}

// betweenSweeps changes the block's route after all requests of a sweep at or behind a time were sent and before the next
// sweep starts, and returns when that is.
func (r *run) betweenSweeps(ctx context.Context, behind int64, change func(netip.Prefix) error) (next int64, err error) {
	at := time.Unix(0, max(behind, time.Now().Add(beforeSlot).UnixNano())).Truncate(interval).Add(interval)
	t := time.NewTimer(time.Until(at.Add(-beforeSlot)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-t.C:
	}
	if err := change(r.outage.block); err != nil {
		return 0, err
	}
	if time.Now().After(at) {
		return 0, fmt.Errorf("the machine is too slow: %v changed while a sweep ran", r.outage.block)
	}
	return at.UnixNano(), nil
}
