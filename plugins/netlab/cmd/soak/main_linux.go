package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

type options struct {
	repo      string // the checkout
	work      string // directory of this run
	time      time.Duration
	perTarget string
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil && o.work != "" {
		os.RemoveAll(o.work) // holds this program only
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(exitOK)
	case err != nil:
		fmt.Fprintf(os.Stderr, "soak: %v (see scripts/soak --help)\n", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends us at once; our children go with us
	os.Exit(start(ctx, o))
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("soak", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.DurationVar(&o.time, "time", 10*time.Minute, "how long to run")
	flags.StringVar(&o.perTarget, "per-target", "responding", "which targets get points: all, responding, changed or none")
	flags.StringVar(&o.repo, "repo", ".", "the checkout")
	flags.StringVar(&o.work, "work", "", "directory of this run, removed at a good end")
	for _, internal := range []string{"repo", "work"} { // set by scripts/soak
		if err := flags.MarkHidden(internal); err != nil {
			return o, err
		}
	}
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, "Usage: scripts/soak [--time 10m] [--per-target responding]\n\n"+
			"Sends 20,000 requests a second on average from below a real Telegraf, and looks at echogram's memory and\n"+
			"at what is lost. Needs Linux, root and Go.\n\n"+flags.FlagUsages())
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.time < 3*interval:
		return o, fmt.Errorf("--time %v is less than three sweeps, %v", o.time, 3*interval)
	}
	var err error
	if o.repo, err = filepath.Abs(o.repo); err == nil && o.work == "" {
		o.work, err = os.MkdirTemp("", "echogram-soak-")
	}
	return o, err
}

// start runs all and returns the exit code.
func start(ctx context.Context, o options) int {
	r := &run{options: o}
	err := r.all(ctx)
	err = errors.Join(err, r.end())
	switch {
	case err == nil:
		os.RemoveAll(o.work)
		fmt.Println("\nok")
		return exitOK
	case ctx.Err() != nil:
		fmt.Println("\ninterrupted; everything was ended. Logs: " + o.work)
		return exitInterrupted
	}
	fmt.Printf("\nFAILED: %v\nlogs and configurations: %s\n", err, o.work)
	return exitFailed
}
