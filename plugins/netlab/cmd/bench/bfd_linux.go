package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// slicePackets is how much of a file those read who would take too long for all of it.
const slicePackets = 200_000

// bfdRoundTime is what a round may last on average.
const bfdRoundTime = time.Minute

// bfdFiles are few sessions and many, and few for longer: memory must not follow the file.
func bfdFiles(dir string) []bfdFile {
	file := func(sessions, packets int) bfdFile {
		path := filepath.Join(dir, fmt.Sprintf("%d-of-%d.pcap", packets, sessions))
		return bfdFile{sessions, packets, path, slicePackets, path + ".slice"}
	}
	return []bfdFile{file(4, 1_000_000), file(10_000, 1_000_000), file(4, 4_000_000)}
}

// bfdBench is one run of scripts/bench bfd.
type bfdBench struct {
	options
	report bfdReport
	failed error // the first failure of our own
}

func benchBFD(ctx context.Context, o options) (err error) {
	b := &bfdBench{options: o, report: bfdReport{Machine: thisMachine(), Rounds: o.rounds}}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	readers, err := b.prepare(ctx, self)
	if err != nil {
		return err
	}
	files := bfdFiles(o.work)
	traffic, err := loadTraffic(filepath.Join(o.repo, bfdCapture))
	if err != nil {
		return err
	}
	for _, f := range files {
		say("making a file of %s", f)
		if err := f.make(traffic); err != nil {
			return err
		}
	}
	if b.rounds(ctx, files, readers); ctx.Err() != nil {
		return ctx.Err()
	}
	b.report.finish()
	return errors.Join(b.report.write(os.Stdout), writeJSONTo(b.json, b.report.writeJSON), b.failed)
}

// prepare builds echogram and lists who can run. self is this program.
func (b *bfdBench) prepare(ctx context.Context, self string) (able []bfdReader, err error) {
	say("building echogram")
	echogram := filepath.Join(b.work, "echogram")
	if err := goBuild(ctx, b.repo, echogramPackage, echogram); err != nil {
		return nil, err
	}
	for _, r := range bfdReaders(echogram, self) {
		if _, err := exec.LookPath(r.program); err != nil {
			b.report.note(r.name + " is left out: apt-get install " + r.program)
			continue
		}
		able = append(able, r)
	}
	return able, nil
}

// rounds has all read each file once a round, each round begun by another one.
func (b *bfdBench) rounds(ctx context.Context, files []bfdFile, readers []bfdReader) {
	deadline := time.Now().Add(time.Duration(b.options.rounds) * bfdRoundTime)
	b.report.enter(files, readers)
	for round := range b.options.rounds {
		say("round %d of %d", round+1, b.options.rounds)
		for i := range b.report.Results {
			at := (i + round) % len(b.report.Results)
			if ctx.Err() != nil {
				return
			}
			if time.Now().After(deadline) {
				b.report.note(fmt.Sprintf("the time was up in round %d", round+1))
				return
			}
			f, r := files[at/len(readers)], readers[at%len(readers)]
			result, err := r.run(ctx, f)
			if err != nil && ctx.Err() == nil {
				b.fail(r, fmt.Errorf("%s, %s, round %d: %w", r.name, f, round+1, err))
			}
			b.report.Results[at].Runs[round] = result
		}
	}
}

func (b *bfdBench) fail(r bfdReader, err error) {
	b.report.note(err.Error())
	if r.ours && b.failed == nil {
		b.failed = err
	}
}
