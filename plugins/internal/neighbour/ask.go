package neighbour

import (
	"context"
	"errors"
	"fmt"
	"time"

	"echogram/plugins/internal/frame"
)

// Pauses between looks at what has changed.
const (
	noRoomPause = time.Millisecond
	quietPause  = 5 * time.Millisecond
)

// Run asks for every target until it has answered or was asked Config.Tries times, and returns when the wait for
// the last answers is over, sooner if all have come, and those that did are told where we are. It ends with an error
// when ctx is done or out fails.
func (e *Engine) Run(ctx context.Context, out Sender) error {
	a := &asker{Engine: e, out: out, burst: max(1, e.c.Rate/100), due: e.c.Clock.Mono()}
	for try := range e.c.Tries {
		if err := a.pass(ctx, uint8(try+1)); err != nil {
			return err
		}
	}
	for e.waiting() {
		if err := a.sleep(ctx, quietPause); err != nil {
			return err
		}
	}
	return a.greet(ctx)
}

// waiting tells whether an answer in time may still come.
func (e *Engine) waiting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats.Present < e.stats.Asked && e.through < e.last+int64(e.c.Wait)
}

// asker is what the goroutine that runs an engine needs beside it.
type asker struct {
	*Engine
	out    Sender
	burst  int   // requests that may leave back to back: 10 ms worth of them
	due    int64 // when the next burst may leave, monotonic
	batch  []int // the targets to ask
	frames [][]byte
}

// pass asks each target that is silent so far once.
func (a *asker) pass(ctx context.Context, try uint8) error {
	for next := 0; next < len(a.known); {
		if err := a.turn(ctx); err != nil {
			return err
		}
		var wait time.Duration
		if next, wait = a.collect(next); len(a.batch) == 0 {
			if err := a.sleep(ctx, wait); err != nil {
				return err
			}
			continue
		}
		if err := a.ask(ctx, try); err != nil {
			return err
		}
	}
	return nil
}

// turn waits until a burst may leave. A late one is made up for by at most one more.
func (a *asker) turn(ctx context.Context) error {
	now := a.c.Clock.Mono()
	a.due = max(a.due, now-int64(a.burst)*1e9/int64(a.c.Rate))
	return a.sleep(ctx, time.Duration(a.due-now))
}

func (a *asker) sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		a.c.Clock.Sleep(ctx, d)
	}
	return ctx.Err()
}

// collect fills the batch with silent targets, from next on, whose wait for an answer is over, what the capture
// has still to show included, and returns where to go on. If the first of them is not that far, it says how long.
func (a *asker) collect(next int) (int, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batch = a.batch[:0]
	for ; next < len(a.known) && len(a.batch) < a.burst; next++ {
		k := &a.known[next]
		if k.present {
			continue
		}
		over := a.began + int64(k.asked)*1e6 + int64(a.c.Wait)
		if k.tries > 0 && over > a.through {
			return next, max(quietPause, time.Duration(over-a.c.Clock.Mono()))
		}
		a.batch = append(a.batch, next)
	}
	return next, 0
}

// ask hands the batch's requests to the kernel.
func (a *asker) ask(ctx context.Context, try uint8) error {
	if err := a.build(); err != nil {
		return err
	}
	n, err := a.deliver(ctx, func(done int) { a.book(a.batch[done:], try) })
	a.count(n)
	return err
}

// deliver sends all frames, whose turn it is, and returns how many the kernel took. Before each attempt it calls
// book with the number of those that are out.
func (a *asker) deliver(ctx context.Context, book func(done int)) (done int, err error) {
	a.due += int64(len(a.frames)) * 1e9 / int64(a.c.Rate)
	for done < len(a.frames) {
		book(done)
		n, err := a.out.Send(a.frames[done:])
		done += n
		if errors.Is(err, ErrNoRoom) {
			err = a.sleep(ctx, noRoomPause)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// build makes the batch's frames, in the memory of those before.
func (a *asker) build() error {
	a.frames = a.frames[:0]
	for _, target := range a.batch {
		addr := a.c.Targets.At(target)
		from := a.c.Own.source(addr.WithZone(""))
		if !from.IsValid() {
			return fmt.Errorf("neighbour: the interface has no address to ask for %s from", addr)
		}
		a.frames = append(a.frames, frame.AppendWhoHas(a.spare(), a.c.Own.MAC, from, addr))
	}
	return nil
}

// spare is the memory of the frame that stood where the next will stand.
func (a *asker) spare() []byte {
	if n := len(a.frames); n < cap(a.frames) {
		return a.frames[:n+1][n][:0]
	}
	return nil
}

// greet tells each IPv4 target that is there where we are. A host that was only asked does not trust what that
// taught it of us: Linux asks back five seconds after it has answered an echo, and our kernel gives each that asks an
// entry of its table. What is told to it alone it trusts for a while. Neighbour discovery has no such message: RFC
// 4861 section 4.4 forbids to set the flag that would do it.
func (a *asker) greet(ctx context.Context) error {
	for next := 0; next < len(a.known); {
		if err := a.turn(ctx); err != nil {
			return err
		}
		next = a.buildGreetings(next)
		if _, err := a.deliver(ctx, func(int) {}); err != nil {
			return err
		}
	}
	return nil
}

// buildGreetings makes the frames of a burst, for targets from next on, and returns where to go on.
func (a *asker) buildGreetings(next int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.frames = a.frames[:0]
	for ; next < len(a.known) && len(a.frames) < a.burst; next++ {
		k := &a.known[next]
		if !k.present {
			continue
		}
		if to := a.c.Targets.At(next); to.Is4() {
			asked := frame.Neighbour{MAC: k.mac, From: to, Addr: a.c.Own.source(to)}
			a.frames = append(a.frames, frame.AppendIsAt(a.spare(), asked, a.c.Own.MAC))
		}
	}
	return next
}

// book notes that targets are asked for the try-th time.
func (e *Engine) book(targets []int, try uint8) {
	now := e.c.Clock.Mono()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = now
	for _, i := range targets {
		k := &e.known[i]
		if k.tries == 0 {
			e.stats.Asked++
		}
		k.tries, k.asked = try, uint32((now-e.began)/1e6+1)
	}
}

func (e *Engine) count(requests int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Requests += int64(requests)
}
