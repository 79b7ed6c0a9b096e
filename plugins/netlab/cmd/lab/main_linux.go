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

const usage = `Usage: scripts/lab bridges N | delay TIME | links N RATE | wan TIME | world [flags]

bridges 5        a chain of 5 learning bridges
delay 250ns      a line that holds each request so long, at most 100µs, and says how long it really did
links 3 100M     3 links of 100 Mbit/s with a switch between each two: frames take their time on each, both ways
wan 20ms         a link that takes so long there and back

stands between a prober and 65,536 targets, until Ctrl-C.

world            hosts that come and go

has in place of the 65,536 targets a population whose days pass in minutes: servers, offices, DHCP pools, outages. Commands to try are printed. Needs Linux, root and Go.

`

type options struct {
	command.Script
	spec
	duration time.Duration
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
		fmt.Fprintf(os.Stderr, "lab: %v (see scripts/lab --help)\n", err)
		os.Exit(command.Usage)
	}
	os.Exit(start(command.Context(), o))
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.DurationVar(&o.duration, "duration", 10*time.Minute, "how long it stands")
	flags.DurationVar(&o.jitter, "jitter", 0, "wan: up to so much more, each way")
	flags.Var(&o.loss, "loss", "wan: share of the probes that get no reply, 1% or 0.01")
	flags.Var(&o.outlier, "outliers", "wan: share of the replies that take 100 ms to 1 s longer")
	flags.Uint64Var(&o.seed, "seed", 0, "world: another seed, another population")
	flags.Float64Var(&o.speed, "speed", 0, fmt.Sprintf("world: by which time passes faster (default %d: a day in 2.4 minutes)", worldSpeed))
	o.Flags(flags)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.duration <= 0 || o.duration > 24*time.Hour {
		return o, fmt.Errorf("--duration %v is not in 0 to 24h", o.duration)
	}
	if err := o.spec.parse(flags.Args()); err != nil {
		return o, err
	}
	if days := o.days(o.duration); days > maxDays {
		return o, fmt.Errorf("%.0f days would pass in the world, more than %d: ask for a lower --speed or --duration", days, maxDays)
	}
	return o, o.Directories("lab")
}

// start has the lab stand until its time is over or somebody ends it, and returns the exit code.
func start(ctx context.Context, o options) int {
	stood, err := o.run(ctx)
	if rmErr := os.RemoveAll(o.Work); err == nil {
		err = rmErr
	}
	switch {
	case ctx.Err() != nil && !stood:
		fmt.Fprintln(os.Stderr, "lab: interrupted; everything was removed")
		return command.Interrupted
	case err != nil:
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		return command.Failed
	}
	return command.OK
}
