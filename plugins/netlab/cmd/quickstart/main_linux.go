package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"echogram/plugins/netlab/command"
)

type options struct {
	command.Script
	keep   bool
	sweeps int
	silent int    // sweeps of the outage; 0: none
	report string // directory of the report, which stays
}

func main() {
	opts, err := parse(os.Args[1:])
	if err != nil {
		opts.Discard()
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(command.OK)
	case err != nil:
		fmt.Fprintf(os.Stderr, "quickstart: %v (see scripts/quickstart --help)\n", err)
		os.Exit(command.Usage)
	}
	os.Exit(start(command.Context(), opts))
}

func parse(args []string) (o options, err error) {
	flags := pflag.NewFlagSet("quickstart", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.BoolVar(&o.keep, "keep", false, "leave everything running until Ctrl-C and say how to look around")
	flags.IntVar(&o.sweeps, "sweeps", 3, "how many sweeps of the /16 to wait for")
	flags.IntVar(&o.silent, "outage", 3, "how many further sweeps a block of it is silent; 0: none")
	flags.StringVar(&o.report, "report", "echogram-report", "`DIR` for the report, which stays")
	o.Flags(flags)
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, "Usage: scripts/quickstart [--keep] [--sweeps N] [--outage N] [--report DIR]\n\n"+
			"Sweeps a /16 of 65,536 targets in a network of its own, through a real Telegraf into a real InfluxDB,\n"+
			"with a BFD session beside it and an outage in it, runs the pipeline, prints what the database holds and\n"+
			"checks it. Needs Linux, root, Go and FRR.\n\n"+
			flags.FlagUsages())
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.sweeps < 1 || o.sweeps > 100 {
		return o, fmt.Errorf("--sweeps %d is not in 1..100", o.sweeps)
	}
	if o.silent < 0 || o.silent > 100 {
		return o, fmt.Errorf("--outage %d is not in 0..100", o.silent)
	}
	if o.report, err = filepath.Abs(o.report); err != nil {
		return o, err
	}
	return o, o.Directories("quickstart")
}

// start runs all and returns the exit code.
func start(ctx context.Context, o options) int {
	out := newScreen(os.Stdout, term.IsTerminal(int(os.Stdout.Fd())))
	r := &run{options: o, out: out}
	err := r.all(ctx)
	if endErr := r.end(); err == nil {
		err = endErr
	}
	r.out.times()
	switch {
	case err == nil:
		if rmErr := os.RemoveAll(o.Work); rmErr != nil {
			out.fail(fmt.Sprintf("remove %s: %v", o.Work, rmErr))
		}
		out.good("all is as the lab made it")
		return command.OK
	case ctx.Err() != nil && !r.kept:
		out.fail("interrupted; everything was ended. Logs: " + o.Work)
		return command.Interrupted
	}
	out.fail(err.Error())
	out.fail("logs and configurations: " + o.Work)
	return command.Failed
}
