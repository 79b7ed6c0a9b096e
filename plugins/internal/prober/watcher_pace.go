package prober

import (
	"context"
	"time"
)

// paceGrain is the least time that a pacer pauses for.
const paceGrain = 10 * time.Millisecond

// pacer spreads rows over time.
type pacer struct {
	every time.Duration // from one to the next; 0: at once
	hurry <-chan struct{}
	due   time.Time // of the next
}

func newPacer(rate int, hurry <-chan struct{}) pacer {
	p := pacer{hurry: hurry}
	if rate > 0 {
		p.every = time.Second / time.Duration(rate)
	}
	return p
}

// wait returns when the next row may go. Time that nobody used is not made up for.
func (p *pacer) wait(ctx context.Context) {
	if p.every == 0 {
		return
	}
	now := time.Now()
	if p.due.Before(now) {
		p.due = now
	}
	ahead := p.due.Sub(now)
	p.due = p.due.Add(p.every)
	if ahead < paceGrain {
		return
	}
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-p.hurry:
	}
}
