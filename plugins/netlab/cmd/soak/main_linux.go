package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"echogram/plugins/netlab/command"
)

type options struct {
	command.Script
	time      time.Duration
	perTarget string
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		o.Discard()
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(command.OK)
	case err != nil:
		fmt.Fprintf(os.Stderr, "soak: %v (see scripts/soak --help)\n", err)
		os.Exit(command.Usage)
	}
	os.Exit(start(command.Context(), o))
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("soak", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.DurationVar(&o.time, "time", 10*time.Minute, "how long to run")
	flags.StringVar(&o.perTarget, "per-target", "responding", "which targets get points: all, responding, changed or none")
	o.Flags(flags)
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
	return o, o.Directories("soak")
}

// start runs all and returns the exit code.
func start(ctx context.Context, o options) int {
	r := &run{options: o}
	err := r.all(ctx)
	err = errors.Join(err, r.end())
	switch {
	case err == nil:
		os.RemoveAll(o.Work)
		fmt.Println("\nok")
		return command.OK
	case ctx.Err() != nil:
		fmt.Println("\ninterrupted; everything was ended. Logs: " + o.Work)
		return command.Interrupted
	}
	fmt.Printf("\nFAILED: %v\nlogs and configurations: %s\n", err, o.Work)
	return command.Failed
}
