// Package execd is the process contract with Telegraf's inputs.execd: one newline on STDIN runs what is due, points
// leave as line protocol on STDOUT, log lines as "E! …" on STDERR, and the end of STDIN ends the process without
// losing a line.
//
// Its layers: options.go (what Telegraf gives every stanza: alias, tags, name_override, log_level), log.go
// (telegraf.Logger on STDERR), accumulator.go (telegraf.Accumulator on STDOUT), schedule.go (which slot is due),
// execd.go (the loop and its end). It knows no plugin: whoever starts it hands over inputs that are initialised.
//
// Why not Telegraf's shim: it ignores a second stanza, takes unknown keys, and links hundreds of packages into a
// process that holds CAP_NET_RAW.
package execd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/influxdata/telegraf"
)

// Plugin is an input whose gathers belong to slots of time.
type Plugin interface {
	telegraf.ServiceInput
	// GatherAt gathers for the slot that begins at start, and returns when its last row is out.
	GatherAt(start time.Time) error
	// Hurry has all rows come as soon as they are there, should the plugin spread them over time.
	Hurry()
	// StopWithin is Stop with a bound: what has not ended after d is emitted as it stands.
	StopWithin(d time.Duration)
}

// Input is one stanza.
type Input struct {
	Plugin   Plugin
	Options  Options
	Interval time.Duration
	Log      *Logger
}

// How long the ends take. Telegraf sends SIGTERM 5 s after it has closed STDIN, and SIGKILL at 10 s.
const (
	finishTime  = 4 * time.Second        // a gather that ends in this time is let end when STDIN closes
	signalTime  = 400 * time.Millisecond // the same for a halted gather at SIGTERM, whose whole end takes 1 s
	abortTime   = 950 * time.Millisecond // after SIGTERM, when nobody takes what is left, it is lost
	stallTime   = 200 * time.Millisecond // that nobody takes anything shows in this time
	takeTime    = 4 * time.Second        // after SIGTERM, what a slow reader has not taken is lost
	lingerTime  = 300 * time.Millisecond // between closing STDOUT and the exit, so that Telegraf reads all of it
	flushPeriod = 200 * time.Millisecond
)

// Streams are the process's ends.
type Streams struct {
	In      io.Reader
	Out     io.WriteCloser
	Err     io.WriteCloser
	Patient bool // a person waits: gathers may take their time after the end of In
	// Abort ends the process when SIGTERM has come and nothing else would: in a start, or when STDOUT is not read.
	Abort func()
}

// Serve starts the inputs, serves STDIN until it ends or ctx is done (SIGTERM), and ends as the contract says.
// started is called between: all sockets are open then, so privileges can go. The error is that of a start.
func Serve(ctx context.Context, inputs []*Input, streams Streams, started func() error) error {
	out := newOutput(streams.Out)
	settled := context.AfterFunc(ctx, streams.Abort) // a start may wait for DNS, and has nothing to lose yet
	defer settled()
	for i, in := range inputs {
		if err := in.Plugin.Start(newAccumulator(out, in)); err != nil {
			stopAll(inputs[:i], func(p Plugin) { p.Stop() })
			return fmt.Errorf("%s%w", in.Log.name, err)
		}
	}
	if err := started(); err != nil {
		stopAll(inputs, func(p Plugin) { p.Stop() })
		return err
	}
	settled()
	unwatch := watch(ctx, out, inputs[0].Log, streams.Abort)
	l := &loop{inputs: inputs, out: out, clock: time.Now, finishTime: finishTime}
	if streams.Patient {
		l.finishTime = math.MaxInt64
	}
	l.run(ctx, newlines(streams.In))
	out.close()
	unwatch() // all lines are out: what follows only waits
	streams.Err.Close()
	time.Sleep(lingerTime)
	return nil
}

// watch sees to it that SIGTERM ends the process even while nobody reads STDOUT. A reader that is only slow, on a
// busy machine, gets some more time. The returned function ends that.
func watch(ctx context.Context, out *output, log *Logger, abort func()) (stop func()) {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		look := time.NewTimer(abortTime - stallTime)
		defer look.Stop()
		before, limit := int64(-1), time.Now().Add(takeTime)
		for {
			select {
			case <-over:
				return
			case now := <-look.C:
				taken := out.taken.Load()
				if taken == before || now.After(limit) {
					log.Errorf("STDOUT is not read: the points that were not taken are lost")
					abort()
					return
				}
				before = taken
				look.Reset(stallTime)
			}
		}
	})
	return func() { close(over); wg.Wait() }
}

func stopAll(inputs []*Input, stop func(Plugin)) {
	var wg sync.WaitGroup
	for _, in := range inputs {
		wg.Go(func() { stop(in.Plugin) })
	}
	wg.Wait()
}

// newlines sends one value a line of r, and closes the channel when r ends. Its goroutine ends with r: STDIN that
// stays open keeps it until the process exits.
func newlines(r io.Reader) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for scan := bufio.NewScanner(r); scan.Scan(); {
			c <- struct{}{}
		}
	}()
	return c
}

// loop is the state of Serve between start and end.
type loop struct {
	inputs  []*Input
	out     *output
	clock   func() time.Time
	gathers sync.WaitGroup

	finishTime time.Duration
}

func (l *loop) run(ctx context.Context, lines <-chan struct{}) {
	sched := newSchedule(l.inputs, l.clock())
	flush := time.NewTicker(flushPeriod)
	defer flush.Stop()
	silence := time.NewTimer(sched.patience())
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			l.interrupt()
			return
		case _, ok := <-lines:
			if !ok {
				l.finish(ctx, sched)
				return
			}
			silence.Reset(sched.patience())
			for _, run := range sched.newline(l.clock()) {
				l.gather(sched, run)
			}
		case <-silence.C:
			l.inputs[0].Log.Warnf(`no newline on STDIN for %s: set signal = "STDIN" on [[inputs.execd]] (its default is "none")`, sched.patience())
		case <-flush.C:
			l.out.flush()
		}
	}
}

// gather runs one gather in its own goroutine.
func (l *loop) gather(sched *schedule, r run) {
	l.gathers.Go(func() {
		defer sched.done(r.input)
		if err := r.input.Plugin.GatherAt(r.slot); err != nil {
			r.input.Log.Errorf("%v", err)
		}
		l.out.flush()
	})
}

// finish is the end of STDIN: nothing is spread over time any more, what was asked for and has not run yet (telegraf
// --test, --once) runs now, a gather that ends in time ends, one that does not is halted. SIGTERM may come in the
// middle of it.
func (l *loop) finish(ctx context.Context, sched *schedule) {
	for _, in := range l.inputs {
		in.Plugin.Hurry()
	}
	for _, run := range sched.leftover(l.clock()) {
		l.gather(sched, run)
	}
	l.wait(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stopAll(l.inputs, func(p Plugin) { p.Stop() })
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
		l.interrupt()
		<-stopped
	}
	l.gathers.Wait()
}

// wait waits for the gathers, at most finishTime, and flushes meanwhile.
func (l *loop) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { l.gathers.Wait(); close(done) }() // ends with the gathers, for which finish waits
	limit := time.NewTimer(l.finishTime)
	defer limit.Stop()
	flush := time.NewTicker(flushPeriod)
	defer flush.Stop()
	for {
		select {
		case <-done:
			return
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		case <-flush.C:
			l.out.flush()
		}
	}
}

// interrupt is SIGTERM.
func (l *loop) interrupt() {
	stopAll(l.inputs, func(p Plugin) { p.StopWithin(signalTime) })
	l.gathers.Wait()
}
