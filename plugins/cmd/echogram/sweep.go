package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
)

// sweepFlags are the options of a sweep by hand.
type sweepFlags struct {
	plan     prober.Plan
	config   prober.Config
	list     prober.TargetConfig
	order    string
	seed     int64
	pattern  string
	source   []string
	format   string
	columns  []string
	output   string
	save     string
	read     string
	progress bool
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep [flags] TARGET...",
		Short: "Sweep networks, ranges, addresses and host names once",
		Long: `Sweep sends echo requests in bursts to every target and reads requests and
replies from a capture that the kernel stamps. A TARGET is a network
(192.0.2.0/24), a range (192.0.2.1-192.0.2.9), an address or a host name.

Results go to STDOUT or --output, one line a target, while the sweep goes on;
a summary goes to STDERR.
Exit code: 0 swept, 1 failed or cut short, 2 wrong usage.`,
		Example: `  echogram sweep 192.0.2.0/24
  echogram sweep -c 5 --count-interval 200ms www.example.net 2001:db8::/120
  echogram sweep --rate 0 --format influx -o sweep.lp --exclude 198.51.100.128/25 198.51.100.0/24`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args)+len(f.list.TargetFiles) == 0 && f.read == "" {
				return usageError{errors.New("no target: give a network, a range, an address, a host name or --targets-file")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("progress") {
				f.progress = isTerminal(os.Stderr) && (f.output != "" || !isTerminal(os.Stdout))
			}
			if f.read == "" {
				return runSweep(cmd.Context(), &f, cmd.Flags(), args)
			}
			if err := checkRead(cmd.Flags()); err != nil {
				return usageError{err}
			}
			return runRead(cmd.Context(), &f, args)
		},
	}
	addSections(cmd, f.sections())
	f.complete(cmd)
	return cmd
}

// sections declares the flags.
func (f *sweepFlags) sections() []section {
	return []section{
		newSection("Targets", f.addTargets), newSection("Pace", f.addPace), newSection("Probes", f.addProbes),
		newSection("Ways", f.addWays), newSection("Results", f.addResults),
	}
}

func (f *sweepFlags) addTargets(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.list.Exclude, "exclude", nil, "`NETWORK`, range or address to leave out; may be given again")
	flags.StringArrayVar(&f.list.TargetFiles, "targets-file", nil, "`FILE` of further targets, one a line or the first column of CSV; further columns become tags")
	flags.StringArrayVar(&f.list.ExcludeFiles, "exclude-file", nil, "`FILE` of further exclusions, in the format of zmap and masscan")
	flags.StringVar(&f.list.LabelsFile, "labels", "", "CSV `FILE` of networks and the tags of their targets: network,owner,site")
	flags.StringVar(&f.list.Family, "family", "any", "`FAMILY` of the addresses that host names stand for: any, ipv4 or ipv6")
	flags.StringVar(&f.list.Shard, "shard", "", "part `i/n`: sweep part i of n, by whole blocks")
	flags.BoolVar(&f.config.IncludeBroadcast, "broadcast", false, "ask network and broadcast addresses of own links, too")
	flags.BoolVar(&f.config.OnLink, "on-link", false, "find the hosts on own links by ARP and neighbour discovery of our own, and ask those only")
	flags.IntVar(&f.config.ARPRate, "arp-rate", 0, "requests per second of --on-link; 0: 5000")
	flags.BoolVar(&f.config.ReverseDNS, "reverse-dns", false, "look up the host names of those that --on-link finds")
}

func (f *sweepFlags) addPace(flags *pflag.FlagSet) {
	flags.IntVar(&f.plan.Rate, "rate", 10000, "requests per second; 0: as fast as it goes")
	flags.Float64Var(&f.plan.BlockRate, "block-rate", 0, "requests per second to one /24 or IPv6 /64; 0: as --rate allows")
	flags.IntVar(&f.plan.Burst, "burst", 0, "requests sent back to back; 0: 10 ms worth of --rate, at most 128")
	flags.DurationVar(&f.plan.BlockWait, "block-wait", 0, "listen so long after each burst before the next, which stays in one block; --order sequential goes with it")
	flags.StringVar(&f.order, "order", "permuted", "`ORDER` of the targets: permuted within groups of blocks, or sequential")
	flags.Int64Var(&f.seed, "seed", 0, "of the permuted order, to repeat it (default: drawn; influx and json show it)")
}

func (f *sweepFlags) addProbes(flags *pflag.FlagSet) {
	flags.IntVarP(&f.plan.Count, "count", "c", 0, "requests per target (default: one of each size)")
	flags.DurationVar(&f.plan.CountInterval, "count-interval", time.Second, "least time between two requests to one target")
	flags.IntVar(&f.plan.Retries, "retries", 0, "further requests to targets from which nothing has come")
	flags.DurationVar(&f.plan.Timeout, "timeout", time.Second, "a reply with a greater RTT is late")
	flags.DurationVar(&f.plan.LateWindow, "late-window", 0, "go on matching late replies for so long after the sweep")
	flags.IntSliceVarP(&f.plan.Sizes, "size", "s", []int{12}, "payload `BYTES`; below 12 replies cannot be verified. Several sizes are sent in turn")
	flags.IntSliceVar(&f.plan.Sizes, "sizes", []int{12}, "the same as --size, `BYTES`")
	flags.BoolVar(&f.config.Fragment, "fragment", false, "let the kernel cut payloads above the MTU into fragments")
	flags.StringVar(&f.pattern, "pattern", "", "payload behind the cookie: `HEX` digits, again and again, or random")
	flags.IntVarP(&f.config.TTL, "ttl", "t", 0, "time to live of the requests; 0: the system's default")
	flags.IntVar(&f.config.DSCP, "dscp", 0, "differentiated services code point of the requests, 0 to 63")
	flags.BoolVar(&f.config.DontFragment, "df", false, "do not fragment: routers must refuse what is too big")
}

func (f *sweepFlags) addWays(flags *pflag.FlagSet) {
	flags.StringVarP(&f.config.Interface, "interface", "I", "", "send by this `INTERFACE` or VRF only (default: as the routes say)")
	flags.StringArrayVar(&f.config.Return, "return-interface", nil, "replies may come back by this `INTERFACE`, too; may be given again")
	flags.StringArrayVar(&f.source, "source", nil, "send from this `ADDRESS`; one of each family")
	flags.Uint32Var(&f.config.Mark, "mark", 0, "mark of the requests, for policy routing (fwmark)")
	flags.StringVar(&f.config.Send, "send", "auto", "`HOW` requests leave: packet (frames of our own where the next hop is known), raw (raw sockets) or auto")
	flags.IntVar(&f.config.Threads, "threads", 0, "sending threads; 0: as many as the rate and the cores call for")
	flags.IntVar(&f.config.RingMiB, "ring", 0, "`MiB` of each capture's ring; 0: as the rate calls for")
	flags.StringVar(&f.config.Stamps, "stamps", "software", "`KIND` of stamps: software (the kernel's) or hardware (the adapter's; unverified)")
}

func (f *sweepFlags) addResults(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "format", "", "`FORMAT` of the results: table (for people), csv (ip,seconds or ip,unreachable), json (an object a line) or influx (line protocol)\n(default: table when results go to a terminal, else csv)")
	flags.StringSliceVar(&f.columns, "columns", nil, "csv with a header and these `COLUMNS`: all, or some of "+strings.ReplaceAll(columnNames(csvColumns), ",", ", "))
	flags.IntSliceVar(&f.plan.Percentiles, "percentiles", nil, "a `LIST` of percentiles of each target's RTTs, 0 to 100, when it gets more than one request")
	flags.BoolVar(&f.plan.Samples, "samples", false, "one row a request, too (json and influx)")
	flags.StringVarP(&f.output, "output", "o", "", "write results to this `FILE`")
	flags.StringVar(&f.save, "pcap", "", "save what was captured to this `FILE`, with nanoseconds")
	flags.StringVar(&f.read, "read", "", "send nothing: evaluate this capture `FILE` (pcap or pcapng, also of another pinger; -: STDIN); a TARGET limits and names what is looked at")
	flags.StringVar(&f.plan.Instance, "instance", "sweep", "value of the tag instance, a `NAME`")
	flags.BoolVar(&f.progress, "progress", false, "show progress on STDERR (default: when it is a terminal that no results go to)")
}

// complete has the shell offer what flags can be, and files only where they are meant.
func (f *sweepFlags) complete(cmd *cobra.Command) {
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	completeWords(cmd, "family", "any", "ipv4", "ipv6")
	completeWords(cmd, "order", "permuted", "sequential")
	completeWords(cmd, "send", "auto", "packet", "raw")
	completeWords(cmd, "stamps", "software", "hardware")
	completeWords(cmd, "format", formatNames...)
	completeWords(cmd, "columns", append([]string{"all"}, strings.Split(columnNames(csvColumns), ",")...)...)
	completeInterfaces(cmd, "interface")
	completeInterfaces(cmd, "return-interface")
}

// formatFor is the format by its flag: without that a table for people who look on, and csv for programs.
func (f *sweepFlags) formatFor(o formatOptions) (format, error) {
	name := f.format
	switch {
	case name != "":
	case len(o.columns) == 0 && f.output == "" && isTerminal(os.Stdout):
		name = "table"
	default:
		name = "csv"
	}
	return newFormat(name, o)
}

func runSweep(ctx context.Context, f *sweepFlags, flags *pflag.FlagSet, args []string) (err error) {
	format, err := f.fill(flags, args)
	if err != nil {
		return usageError{err}
	}
	capture, closeCapture, err := f.openSave()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeCapture()) }()
	f.config.Save = capture
	p, err := prober.Open(ctx, f.config)
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

// openSave opens the file of --pcap; without it the writer is nil.
func (f *sweepFlags) openSave() (io.Writer, func() error, error) {
	if f.save == "" {
		return nil, func() error { return nil }, nil
	}
	file, err := os.Create(f.save)
	if err != nil {
		return nil, nil, fmt.Errorf("--pcap: %w", err)
	}
	return file, file.Close, nil
}

// fill completes the configuration; its errors are the user's to mend.
func (f *sweepFlags) fill(flags *pflag.FlagSet, args []string) (out format, err error) {
	f.list.Networks = args
	if f.config.Targets, err = prober.NewTargetList(f.list); err != nil {
		return out, err
	}
	if out, err = f.formatFor(formatOptions{columns: f.columns, names: f.config.Targets.Named()}); err != nil {
		return out, err
	}
	if f.plan.CountInterval == 0 {
		f.plan.CountInterval = 1 // 0 would be the default
	}
	if f.plan.Timeout == 0 {
		f.plan.Timeout = 1 // not the default either, and refused
	}
	var seed *int64
	if flags.Changed("seed") {
		seed = &f.seed
	}
	if f.plan.BlockWait > 0 && !flags.Changed("order") {
		f.order = "sequential"
	}
	if f.plan.Order, err = prober.ParseOrder(f.order, seed); err != nil {
		return out, err
	}
	if f.plan.Pattern, err = prober.ParsePattern(f.pattern); err != nil {
		return out, err
	}
	if err := f.config.SetSources(f.source); err != nil {
		return out, err
	}
	f.plan.Host, _ = os.Hostname()
	f.plan.Shard = f.list.Shard
	f.config.Plan = &f.plan
	f.config.Warn = func(text string) { fmt.Fprintln(os.Stderr, "echogram sweep:", text) }
	return out, f.config.Check()
}

// sweep runs one sweep and reports on it. What cuts it short is an error, after all that was measured is out.
func (f *sweepFlags) sweep(ctx context.Context, p *prober.Prober, w *writer) error {
	bar := startProgress(os.Stderr, f.progress, p)
	sum, err := p.Run(context.Background(), prober.Sweep{
		Start: time.Now().Truncate(time.Second),
		Emit:  w.emit,
		Halt:  ctx.Done(),
	})
	bar.stop()
	if err == nil {
		waitFor(ctx, f.plan.LateWindow)
	}
	p.Close() // and with it come the last late rows
	if err == nil {
		err = p.Saved()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted before the first request")
	case err != nil:
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	writeSummary(os.Stderr, &sum.Stats, &w.tally)
	if sum.SendError != nil {
		return fmt.Errorf("%d requests were refused by the kernel, the first with: %w", sum.Stats.SendErrors, sum.SendError)
	}
	if sum.Stats.Partial {
		return errors.New("interrupted: the results are partial")
	}
	return nil
}

// waitFor waits for d or until ctx is done.
func waitFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
