package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// Exit codes. A contender that fails is a note in the report; echogram failing is a failure.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

const usage = `Usage: scripts/bench sweep|bfd|pipeline|blocks [--rounds N] [--json FILE]

sweep  one sweep of a /16 in the lab by echogram, its peers and a bare C loop, side by side, and echogram's RTTs
       against tcpdump's. Needs Linux, root and Go.
bfd    captures of a million BFD packets and more, read by echogram bfd, tshark and a bare loop, side by side.
       Needs Linux and Go.
pipeline  18.9 million points, a /16 every 5 minutes for a day, rolled up by echogram-pipeline from a file and from
       InfluxDB, beside Telegraf's aggregators and InfluxDB's own Flux. Needs Linux, Go and 8 GB below $TMPDIR.
blocks two weeks of simulated networks through echogram-pipeline, one for each seed: what it tells of their blocks against
       the truth; and the time and memory that a /16 every 5 minutes takes. Needs Linux and Go.

`

type options struct {
	bench  func(context.Context, options) error
	repo   string // the checkout
	work   string // directory of this run
	rounds int
	json   string // "": none
	blocks int    // of the day that bench pipeline makes
	keep   string // directory in which it is kept; "": none
	world  blocksOptions
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "loop" { // a process that benchBFD has started
		os.Exit(loopMain(os.Args[2:]))
	}
	if len(os.Args) == 4 && os.Args[1] == "flux" { // one that benchPipeline has started
		os.Exit(fluxMain(context.Background(), os.Args[2:]))
	}
	o, err := parse(os.Args[1:])
	if err != nil && o.work != "" {
		os.RemoveAll(o.work) // holds this program only
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(exitOK)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v (see scripts/bench --help)\n", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends us at once; our children go with us
	err = o.bench(ctx, o)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "bench: interrupted; everything was ended")
		os.Exit(exitInterrupted)
	default:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(exitFailed)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.IntVar(&o.rounds, "rounds", 5, "how often each runs; medians are printed")
	flags.StringVar(&o.json, "json", "", "write all figures to this file, too")
	flags.IntVar(&o.blocks, "scale", dayBlocks, "pipeline: so many of the 256 blocks of 256 targets")
	flags.StringVar(&o.keep, "keep", "", "pipeline: keep what is made of the points in this directory, and use it if it is there")
	flags.IntSliceVar(&o.world.seeds, "seeds", []int{1, 2, 3}, "blocks: of the worlds")
	flags.IntVar(&o.world.days, "days", 14, "blocks: so many days of each")
	flags.IntVar(&o.world.blocks, "blocks", dayBlocks, "blocks: so many blocks in each")
	flags.DurationVar(&o.world.interval, "interval", 10*time.Minute, "blocks: time between two sweeps")
	flags.BoolVar(&o.world.ipv6, "ipv6", false, "blocks: /64 blocks in place of /24 ones")
	flags.IntVar(&o.world.speedDays, "speed-days", 14, "blocks: so many days of the /16 that is timed; 0: none")
	flags.StringVar(&o.world.out, "out", "", "blocks: write the rows of blocks to files in this directory")
	flags.BoolVar(&o.world.markdown, "markdown", false, "blocks: print tables for a document")
	flags.StringVar(&o.repo, "repo", ".", "the checkout")
	flags.StringVar(&o.work, "work", "", "directory of this run, removed at the end")
	for _, internal := range []string{"repo", "work"} { // set by scripts/bench
		if err := flags.MarkHidden(internal); err != nil {
			return o, err
		}
	}
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.bench = map[string]func(context.Context, options) error{"sweep": benchSweep, "bfd": benchBFD, "pipeline": benchPipeline, "blocks": benchBlocks}[flags.Arg(0)]
	switch {
	case flags.NArg() == 0:
		flags.Usage()
		return o, errors.New("no subcommand")
	case flags.NArg() > 1 || o.bench == nil:
		return o, fmt.Errorf("unknown subcommand %q: there are sweep, bfd, pipeline and blocks", strings.Join(flags.Args(), " "))
	case o.rounds < 1 || o.rounds > 100:
		return o, fmt.Errorf("--rounds %d is not in 1..100", o.rounds)
	case o.blocks < 1 || o.blocks > dayBlocks:
		return o, fmt.Errorf("--scale %d is not in 1..%d", o.blocks, dayBlocks)
	case o.work == "":
		return o, errors.New("no --work directory")
	}
	return o, nil
}
