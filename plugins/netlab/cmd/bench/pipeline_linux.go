package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"echogram/plugins/netlab/parts"
)

// pipelinePackage is the command that is measured, below the checkout.
const pipelinePackage = "./pipeline/cmd/echogram-pipeline"

// daySeed makes the day of every run the same.
const daySeed = 5

// pipelineBench is one run of scripts/bench pipeline.
type pipelineBench struct {
	options
	store    stored
	self     string // this program
	pipeline string
	telegraf string // "": it could not be built
	report   pipelineReport
	failed   error // the first failure of our own
}

func (b *pipelineBench) path(name string) string { return filepath.Join(b.work, name) }

func benchPipeline(ctx context.Context, o options) (err error) {
	b := &pipelineBench{options: o, report: pipelineReport{Machine: thisMachine(), Rounds: o.rounds, Blocks: o.blocks}}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if b.rounds(ctx, b.acts()); ctx.Err() != nil {
		return ctx.Err()
	}
	b.report.finish()
	return errors.Join(b.report.write(os.Stdout), writeJSONTo(b.json, b.report.writeJSON), b.failed)
}

// prepare builds the programs and stores the day.
func (b *pipelineBench) prepare(ctx context.Context) (err error) {
	say("building echogram-pipeline, Telegraf and InfluxDB")
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.pipeline = b.path("echogram-pipeline")
	if err := goBuild(ctx, b.repo, pipelinePackage, b.pipeline); err != nil {
		return err
	}
	if b.telegraf, err = parts.Telegraf(ctx); err != nil {
		b.report.note(err.Error())
	}
	dir := b.keep
	if dir == "" {
		dir = b.path("day")
	}
	b.store = stored{dir: dir, day: newDay(b.blocks, daySeed)}
	return b.store.make(ctx)
}

// rounds has all act once a round, each round begun by another one.
func (b *pipelineBench) rounds(ctx context.Context, acts []act) {
	deadline := time.Now().Add(time.Duration(b.options.rounds) * pipelineRound)
	var places [][]*pipelineResult
	for _, a := range acts {
		places = append(places, b.report.enter(a.table, a.names...))
	}
	for round := range b.options.rounds {
		for i := range acts {
			at := (i + round) % len(acts)
			if ctx.Err() != nil {
				return
			}
			if time.Now().After(deadline) {
				b.report.note(fmt.Sprintf("the time was up in round %d", round+1))
				return
			}
			say("round %d of %d: %s", round+1, b.options.rounds, acts[at].names[0])
			b.act(ctx, acts[at], places[at], round)
		}
	}
}

// act has one act, and enters what came of it.
func (b *pipelineBench) act(ctx context.Context, a act, places []*pipelineResult, round int) {
	ctx, cancel := context.WithTimeout(ctx, pipelineTime)
	defer cancel()
	runs, err := a.run(ctx)
	for i, r := range runs {
		places[i].Runs[round] = r
	}
	if err == nil || errors.Is(context.Cause(ctx), context.Canceled) {
		return
	}
	err = fmt.Errorf("%s, round %d: %w", a.names[0], round+1, err)
	b.report.note(err.Error())
	if a.ours && b.failed == nil {
		b.failed = err
	}
}

// withInflux starts an InfluxDB that has the day, for one act.
func (b *pipelineBench) withInflux(ctx context.Context, use func(*database) error) error {
	db, err := b.store.open(ctx, b.path("influx"))
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.Stop())
}

// beside measures a program and the InfluxDB that it works with. read tells from what it said how much it has read.
func (db *database) beside(cmd *exec.Cmd, read func(said string) int) (*pipelineRun, child, error) {
	if err := db.watch(); err != nil {
		return nil, child{}, err
	}
	c, err := watchChild(cmd)
	used, seenErr := db.seen()
	if err = errors.Join(err, seenErr); err != nil {
		return nil, c, err
	}
	r := c.pipelineRun(read(c.said))
	r.InfluxCPU, r.InfluxGrowth = used.cpu, used.growth
	return r, c, nil
}

// pipelineRun is what a program that has read so many points came to.
func (c child) pipelineRun(read int) *pipelineRun {
	return &pipelineRun{Read: read, Seconds: c.seconds, Rate: float64(read) / c.seconds, CPU: c.cpu, Peak: c.peak}
}

func countLines(name string) (n int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		part, err := r.ReadSlice('\n')
		n += bytes.Count(part, []byte{'\n'})
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return n, err
		}
	}
}

// fluxMain is the client of Flux as this process: fluxMain(way, server) returns its exit code.
func fluxMain(ctx context.Context, args []string) int {
	if err := (&fluxClient{server: args[1]}).run(ctx, args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}
