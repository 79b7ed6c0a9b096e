package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

type options struct {
	repo   string // the checkout
	work   string // directory of this run
	keep   bool
	sweeps int
}

func main() {
	opts, err := parse(os.Args[1:])
	if err != nil && opts.work != "" {
		os.RemoveAll(opts.work) // holds this program only
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(exitOK)
	case err != nil:
		fmt.Fprintf(os.Stderr, "quickstart: %v (see scripts/quickstart --help)\n", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends us at once; our children go with us
	os.Exit(start(ctx, opts))
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("quickstart", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.BoolVar(&o.keep, "keep", false, "leave everything running until Ctrl-C and say how to look around")
	flags.IntVar(&o.sweeps, "sweeps", 3, "how many sweeps of the /16 to wait for")
	flags.StringVar(&o.repo, "repo", ".", "the checkout")
	flags.StringVar(&o.work, "work", "", "directory of this run, removed at a good end")
	for _, internal := range []string{"repo", "work"} { // set by scripts/quickstart
		if err := flags.MarkHidden(internal); err != nil {
			return o, err
		}
	}
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, "Usage: scripts/quickstart [--keep] [--sweeps N]\n\n"+
			"Sweeps a /16 of 65,536 targets in a network of its own, through a real Telegraf into a real InfluxDB,\n"+
			"runs the pipeline, prints what the database holds and checks it. Needs Linux, root and Go.\n\n"+
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
	return o, o.directories()
}

func (o *options) directories() (err error) {
	if o.repo, err = filepath.Abs(o.repo); err != nil {
		return err
	}
	if o.work == "" {
		o.work, err = os.MkdirTemp("", "echogram-quickstart-")
	}
	return err
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
		if rmErr := os.RemoveAll(o.work); rmErr != nil {
			out.fail(fmt.Sprintf("remove %s: %v", o.work, rmErr))
		}
		out.good("all is as the lab made it")
		return exitOK
	case ctx.Err() != nil && !r.kept:
		out.fail("interrupted; everything was ended. Logs: " + o.work)
		return exitInterrupted
	}
	out.fail(err.Error())
	out.fail("logs and configurations: " + o.work)
	return exitFailed
}
