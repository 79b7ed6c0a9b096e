package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// sweepFlags are the options of a sweep by hand.
type sweepFlags struct {
	plan     prober.Plan
	exclude  []string
	iface    string
	source   string
	ttl      int
	format   string
	output   string
	progress bool
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep [flags] TARGET...",
		Short: "Sweep networks, ranges and addresses once",
		Long: `Sweep sends echo requests in bursts to every target and reads requests and replies from a capture that
the kernel stamps. A TARGET is a network (192.0.2.0/24), a range (192.0.2.1-192.0.2.9) or an address.

Results go to STDOUT or --output, one line a target, while the sweep goes on; a summary goes to STDERR.
Exit code: 0 swept, 1 failed or cut short, 2 wrong usage.`,
		Example: `  echogram sweep 192.0.2.0/24
  echogram sweep --rate 0 --format influx --output sweep.lp 198.51.100.0/24 --exclude 198.51.100.128/25`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("no target: give a network, a range or an address")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("progress") {
				f.progress = isTerminal(os.Stderr) && (f.output != "" || !isTerminal(os.Stdout))
			}
			return runSweep(cmd.Context(), &f, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.plan.Rate, "rate", 10000, "requests per second; 0: as fast as it goes")
	flags.IntVar(&f.plan.Burst, "burst", 0, "requests sent back to back; 0: 10 ms worth of --rate, at most 128")
	flags.IntVarP(&f.plan.Count, "count", "c", 1, "requests per target")
	flags.DurationVar(&f.plan.CountInterval, "count-interval", time.Second, "least time between two requests to one target")
	flags.DurationVar(&f.plan.Timeout, "timeout", time.Second, "a reply with a greater RTT is late")
	flags.IntVarP(&f.plan.Size, "size", "s", 12, "payload bytes, at least 12")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "network, range or address to leave out; may be given again")
	flags.StringVarP(&f.iface, "interface", "I", "", "send by this interface only (default: as the routes say)")
	flags.StringVar(&f.source, "source", "", "send from this address")
	flags.IntVarP(&f.ttl, "ttl", "t", 0, "time to live of the requests; 0: the system's default")
	flags.StringVar(&f.format, "format", "csv", "csv (ip,seconds or ip,unreachable) or influx (line protocol)")
	flags.StringVarP(&f.output, "output", "o", "", "write results to this file")
	flags.StringVar(&f.plan.Instance, "instance", "sweep", "value of the tag instance")
	flags.BoolVar(&f.progress, "progress", false, "show progress on STDERR (default: when it is a terminal that no results go to)")
	return cmd
}

func runSweep(ctx context.Context, f *sweepFlags, args []string) (err error) {
	config, format, err := f.config(args)
	if err != nil {
		return usageError{err}
	}
	p, err := prober.Open(config)
	if err != nil {
		return err
	}
	defer p.Close()
	out, closeOutput, err := openOutput(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOutput()) }()
	if err := prober.DropPrivileges(); err != nil {
		return err
	}
	return f.sweep(ctx, p, newWriter(out, format))
}

// config makes the prober's configuration of the flags; its errors are the user's to mend.
func (f *sweepFlags) config(args []string) (prober.Config, appendRow, error) {
	none := prober.Config{}
	format, ok := formats[f.format]
	if !ok {
		return none, nil, fmt.Errorf("--format %q: must be csv or influx", f.format)
	}
	set, err := prober.ParseTargets(args, f.exclude)
	if err != nil {
		return none, nil, err
	}
	f.plan.Targets = set
	f.plan.Host, _ = os.Hostname()
	if err := f.plan.Check(); err != nil {
		return none, nil, err
	}
	c := prober.Config{Plan: &f.plan, Interface: f.iface, TTL: f.ttl}
	if f.ttl < 0 || f.ttl > 255 {
		return none, nil, fmt.Errorf("--ttl %d: must be 0 (the system's default) to 255", f.ttl)
	}
	if f.source != "" {
		if c.Source, err = netip.ParseAddr(f.source); err != nil || !c.Source.Is4() {
			return none, nil, fmt.Errorf("--source %q: is no IPv4 address", f.source)
		}
	}
	return c, format, nil
}

// sweep runs one sweep and reports on it. What cuts it short is an error, after all that was measured is out.
func (f *sweepFlags) sweep(ctx context.Context, p *prober.Prober, w *writer) error {
	bar := startProgress(os.Stderr, f.progress, p, int64(f.plan.Targets.Len()*f.plan.Count))
	sum, err := p.Run(context.Background(), prober.Sweep{
		Start: time.Now().Truncate(time.Second),
		Emit:  w.emit,
		Halt:  ctx.Done(),
	})
	bar.stop()
	p.Close() // and with it come the last late rows
	if err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	writeSummary(os.Stderr, &sum, w)
	if sum.SendError != nil {
		return fmt.Errorf("%d requests were refused by the kernel, the first with: %w", sum.Stats.SendErrors, sum.SendError)
	}
	if sum.Stats.Partial {
		return errors.New("interrupted: the results are partial")
	}
	return nil
}

func writeSummary(w io.Writer, sum *prober.Summary, out *writer) {
	s := &sum.Stats
	silent := s.Points - out.answered
	fmt.Fprintf(w, "%s targets: %s answered, %s did not", thousands(s.Points), thousands(out.answered), thousands(silent))
	if s.Late > 0 {
		fmt.Fprintf(w, ", %s replies late", thousands(s.Late))
	}
	if s.ICMPErrors > 0 {
		fmt.Fprintf(w, ", %s ICMP errors", thousands(s.ICMPErrors))
	}
	if s.Duplicates > 0 {
		fmt.Fprintf(w, ", %s duplicates", thousands(s.Duplicates))
	}
	fmt.Fprintf(w, "\n%s requests in %.3f s at %s/s", thousands(s.Sent), float64(s.Duration)/1e9, thousands(int64(s.Rate)))
	if out.answered > 0 {
		fmt.Fprintf(w, "; RTT min %s, mean %s, max %s", micros(out.least), micros(out.sum/out.answered), micros(out.most))
	}
	fmt.Fprintf(w, "\ntrust: %s", s.Trust)
	if s.Trust != schema.TrustOK {
		fmt.Fprintf(w, " (capture drops %d, unseen requests %d, send errors %d, clock step %d ns)", s.CaptureDrops, s.Unseen, s.SendErrors, s.ClockStep)
	}
	fmt.Fprintln(w)
}
