package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// roundTime is what a round may last on average. When all rounds' time is up, no further run begins.
const roundTime = 50 * time.Second

// bench is one run of scripts/bench sweep.
type bench struct {
	options
	ground
	scene  scene
	report report
	failed error // the first failure of echogram itself
}

func benchSweep(ctx context.Context, o options) (err error) {
	b := &bench{options: o, ground: ground{work: o.work}, report: report{Machine: thisMachine(), Rounds: o.rounds}}
	defer func() { err = errors.Join(err, b.end()) }()
	say("building echogram, the bare C loop and Telegraf")
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.start(); err != nil {
		return err
	}
	able := b.enter(ctx)
	for _, part := range []func(context.Context, []contender){b.allRounds, b.allRTTs} {
		if part(ctx, able); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	b.report.finish()
	return errors.Join(b.report.write(os.Stdout), b.writeJSON(), b.failed)
}

// end removes the lab and the directory of this run.
func (b *bench) end() error {
	var errs []error
	if b.link != nil {
		errs = append(errs, b.link.close())
	}
	if b.lab != nil {
		errs = append(errs, b.lab.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.ground.work))...)
}

func (b *bench) writeJSON() error { return writeJSONTo(b.json, b.report.writeJSON) }

// writeJSONTo writes a file, if there is to be one.
func writeJSONTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

// allRounds runs all contenders once a round, each round beginning with another one, so that none is always first or
// always behind the same one.
func (b *bench) allRounds(ctx context.Context, able []contender) {
	deadline := time.Now().Add(time.Duration(b.rounds) * roundTime)
	for _, r := range b.report.Results {
		r.Runs = make([]*run, b.rounds)
	}
	for round := range b.rounds {
		say("round %d of %d", round+1, b.rounds)
		for i := range able {
			at := (i + round) % len(able)
			if ctx.Err() != nil {
				return
			}
			if time.Now().After(deadline) {
				b.report.note(fmt.Sprintf("the time was up in round %d", round+1))
				return
			}
			b.report.Results[at].Runs[round] = b.try(ctx, able[at], round)
		}
	}
}

// try runs a contender once; nil when it failed, which is a note.
func (b *bench) try(ctx context.Context, c contender, round int) *run {
	r, note, err := b.measure(ctx, c)
	if err != nil {
		b.fail(c, fmt.Errorf("%s, round %d: %w", c.name, round+1, err))
		return nil
	}
	if note != "" {
		b.report.note(fmt.Sprintf("%s, round %d: %s", c.name, round+1, note))
	}
	return &r
}

func (b *bench) fail(c contender, err error) {
	b.report.note(err.Error())
	if c.ours && b.failed == nil {
		b.failed = err
	}
}

// allRTTs compares the RTTs of our ways to sweep with tcpdump's, at idle and at full rate.
func (b *bench) allRTTs(ctx context.Context, able []contender) {
	say("RTTs beside tcpdump")
	b.beside(ctx, b.scene.idle(), idleRate+"/s")
	for _, c := range able {
		if c.ours {
			b.beside(ctx, c, "full")
		}
	}
}

func (b *bench) beside(ctx context.Context, c contender, rate string) {
	if ctx.Err() != nil {
		return
	}
	w, err := b.compared(ctx, c)
	if err != nil {
		b.fail(c, fmt.Errorf("%s beside tcpdump: %w", c.name, err))
		return
	}
	w.Name, w.Rate = c.name, rate
	b.report.RTT = append(b.report.RTT, w)
}

// compared runs a contender while tcpdump captures.
func (b *bench) compared(ctx context.Context, c contender) (w witnessed, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	file := b.path("capture.pcap")
	dump, err := witness.Start(ctx, b.lab.Prober, netlab.ProberLink, file)
	if err != nil {
		return w, err
	}
	_, _, err = b.measure(ctx, c)
	dropped, stopErr := dump.Stop()
	if err := errors.Join(err, stopErr); err != nil {
		return w, err
	}
	truth, err := readFile(file, witness.ReadRTTs)
	if err != nil {
		return w, err
	}
	said, err := readFile(b.path(resultFile), sweepRTTs)
	return witnessed{Dropped: dropped, Agreement: witness.Compare(said, truth)}, err
}

func readFile[T any](name string, read func(io.Reader) (T, error)) (result T, err error) {
	f, err := os.Open(name)
	if err != nil {
		return result, err
	}
	defer f.Close()
	return read(bufio.NewReaderSize(f, 1<<20))
}
