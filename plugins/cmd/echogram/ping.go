package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// pingFlags are the options of the classic view, with the letters that people know.
type pingFlags struct {
	count    int
	interval string
	wait     string
	deadline string
	size     int
	quiet    bool
	overdue  bool
	stamps   bool
	from     []string
	ttl      int
	pattern  string
	only4    bool
	only6    bool
	df       bool
	tos      int
	numeric  bool
}

func newPing() *cobra.Command {
	var f pingFlags
	cmd := &cobra.Command{
		Use:   "ping [flags] TARGET...",
		Short: "Ping one or a few targets and watch their floor",
		Long: `Ping sends echo requests at an interval and prints a line for each reply, as
ping does. RTTs are the kernel's stamps of both frames, the payload is compared
bit by bit, and duplicates, late replies and ICMP errors are named. Under it
stands the floor of the RTT, with an error that narrows as replies come.
A host name stands for all its addresses.

Ctrl-C prints the statistics, Ctrl-\ a line of them while it goes on. What is
younger than the timeout then, and unanswered, is "still awaited", not lost.
Exit code: 0 every target has answered in time, 1 not so, 2 wrong usage.`,
		Example: `  echogram ping 192.0.2.1
  echogram ping -c 1000 -i 0.01 -s 1400 -q www.example.net
  echogram ping -c 5 -I eth0 192.0.2.1 2001:db8::1`,
		Args:              needTargets("no target: give an address or a host name"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return runPing(cmd.Context(), &f, args) },
	}
	addSections(cmd, []section{
		newSection("Run", f.addRun), newSection("Requests", f.addRequests), newSection("Lines", f.addLines),
	})
	completeInterfaces(cmd, "interface")
	return cmd
}

func (f *pingFlags) addRun(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 0, "requests to each target (default: until Ctrl-C, at most 1,048,576)")
	flags.StringVarP(&f.interval, "interval", "i", "1", "`TIME` between two requests to one target: seconds, or 200ms")
	flags.StringVarP(&f.wait, "timeout", "W", "1", "`TIME`: a reply with a greater RTT is late")
	flags.StringVarP(&f.deadline, "deadline", "w", "0", "end after this `TIME`, whatever has come; 0: none")
}

func (f *pingFlags) addRequests(flags *pflag.FlagSet) {
	flags.IntVarP(&f.size, "size", "s", 56, "payload `BYTES`; below 12 replies cannot be verified")
	flags.StringVarP(&f.pattern, "pattern", "p", "", "payload: `HEX` digits, again and again, or random (default: it counts up)")
	flags.StringArrayVarP(&f.from, "interface", "I", nil, "send by this `INTERFACE`, or from this address; may be given again")
	flags.IntVarP(&f.ttl, "ttl", "t", 0, "time to live of the requests; 0: the system's default")
	flags.IntVarP(&f.tos, "tos", "Q", 0, "type of service, 4 times the DSCP, such as 0xb8")
	flags.BoolVar(&f.df, "df", false, "do not fragment")
	flags.BoolVarP(&f.only4, "ipv4", "4", false, "IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", "6", false, "IPv6 only")
}

func (f *pingFlags) addLines(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no line a reply")
	flags.BoolVarP(&f.overdue, "outstanding", "O", false, "name the requests of which nothing has come within the timeout")
	flags.BoolVarP(&f.stamps, "timestamps", "D", false, "begin each line with its time, seconds since 1970")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "no effect: addresses are never looked up")
}

// needTargets refuses a command line without a target.
func needTargets(text string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{errors.New(text)}
		}
		return nil
	}
}

// forever is how many requests stand for no limit: at one a second, 12 days of them.
const forever = 1 << 20

// maxPinged is how many targets are a few. So many, pinged forever, are 2^27 requests, as many as the engine has
// numbers for.
const maxPinged = 128

// pingRate is the most requests per second. Nobody gets there: it keeps the capture's ring small.
const pingRate = 100_000

func runPing(ctx context.Context, f *pingFlags, args []string) error {
	config, err := f.config(args)
	if err != nil {
		return usageError{err}
	}
	deadline, err := seconds("deadline", f.deadline)
	if err != nil {
		return usageError{err}
	}
	p, err := prober.Open(ctx, config)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := prober.DropPrivileges(); err != nil {
		return err
	}
	if deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, deadline)
		defer cancel()
	}
	return ping(ctx, p, f)
}

// ping runs until all has been sent and answered or timed out, or ctx is done.
func ping(ctx context.Context, p *prober.Prober, f *pingFlags) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	v := newPingView(newScreen(os.Stdout), p.Plan(), f, func() int64 { return p.Progress().Sent }, done)
	v.begin()
	stop := onQuit(v.brief)
	show := func(e prober.Event) {
		if ctx.Err() == nil { // what comes while we end is still awaited
			v.show(e)
		}
	}
	sum, err := p.Run(ctx, prober.Sweep{Start: time.Now().Truncate(time.Second), Emit: v.row, Trace: show})
	stop()
	whole := ctx.Err() == nil
	if err != nil && whole {
		return err
	}
	v.end(whole)
	return v.verdict(&sum)
}

// verdict says what bent the figures on our own side, and is an error where a target has not answered.
func (v *pingView) verdict(sum *prober.Summary) error {
	if n := sum.Stats.NeighbourFailures; n > 0 {
		fmt.Fprintf(os.Stderr, "requests that did not leave, because nobody on the link answered for the address: %s\n", thousands(n))
	}
	if trust := sum.Stats.Trust; trust != schema.TrustOK && trust != "" && trust != "send_errors" {
		writeTrust(os.Stderr, &sum.Stats)
	}
	if sum.SendError != nil {
		return fmt.Errorf("%d requests were refused by the kernel, the first with: %w", sum.Stats.SendErrors, sum.SendError)
	}
	if !v.allAnswered() {
		return quietError{exitFailed}
	}
	return nil
}

// onQuit calls f on each SIGQUIT until the function that it returns is called.
func onQuit(f func()) (stop func()) {
	signals, quit := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGQUIT)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-signals:
				f()
			case <-quit:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(quit)
		wg.Wait()
	}
}

func (f *pingFlags) config(args []string) (prober.Config, error) {
	plan := &prober.Plan{Instance: "ping", Rate: pingRate, Burst: prober.MaxBurst, Sizes: []int{f.size}, Count: f.count, LateWindow: time.Minute}
	plan.Order.Sequential = true
	c := prober.Config{
		Plan: plan, TTL: f.ttl, DSCP: f.tos >> 2, DontFragment: f.df, Fragment: !f.df, IncludeBroadcast: true,
		Warn: func(text string) { fmt.Fprintln(os.Stderr, "echogram ping:", text) },
	}
	f.setFrom(&c)
	if err := f.checkFamily(args, &c); err != nil {
		return c, err
	}
	list, err := prober.NewTargetList(prober.TargetConfig{Networks: args, Family: f.family(&c)})
	if err != nil {
		return c, err
	}
	if set, err := list.Static(); err == nil && set != nil && set.Len() > maxPinged {
		return c, fmt.Errorf("%s targets are more than the %d that one can watch: see echogram sweep --help", thousands(int64(set.Len())), maxPinged)
	}
	c.Targets = list
	if plan.Count == 0 {
		plan.Count = forever
	}
	if plan.CountInterval, err = aboveZero("interval", f.interval); err != nil {
		return c, err
	}
	if plan.Timeout, err = aboveZero("timeout", f.wait); err != nil {
		return c, err
	}
	if plan.Pattern, err = prober.ParsePattern(f.pattern); err != nil {
		return c, err
	}
	if f.tos < 0 || f.tos > 255 || f.tos&3 != 0 {
		return c, fmt.Errorf("--tos %d: must be 0 to 252 in steps of 4: the lowest two bits are the network's (ECN)", f.tos)
	}
	return c, c.Check()
}

// setFrom takes what is an address as the one to send from, and all else as an interface.
func (f *pingFlags) setFrom(c *prober.Config) {
	for _, from := range f.from {
		if c.SetSources([]string{from}) != nil {
			c.Interface = from
		}
	}
}

// checkFamily refuses targets of another family than was asked for.
func (f *pingFlags) checkFamily(args []string, c *prober.Config) error {
	family := f.family(c)
	for _, s := range args {
		a, err := netip.ParseAddr(s)
		if err == nil && (family == "ipv4" && a.Is6() || family == "ipv6" && a.Is4()) {
			return fmt.Errorf("%s: is not of the family that --ipv4, --ipv6 or the address of --interface asks for", s)
		}
	}
	return nil
}

// family is the one that was asked for, or that of the only address to send from.
func (f *pingFlags) family(c *prober.Config) string {
	switch {
	case f.only4 != f.only6:
		return map[bool]string{true: "ipv4", false: "ipv6"}[f.only4]
	case c.Source4.IsValid() && !c.Source6.IsValid():
		return "ipv4"
	case c.Source6.IsValid() && !c.Source4.IsValid():
		return "ipv6"
	}
	return "any"
}

// aboveZero reads a time that cannot be 0.
func aboveZero(flag, s string) (time.Duration, error) {
	d, err := seconds(flag, s)
	if err == nil && d == 0 {
		err = fmt.Errorf("--%s %s: must be above 0", flag, s)
	}
	return d, err
}

// seconds reads 0.2 as well as 200ms.
func seconds(flag, s string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n < 1e9 {
		return time.Duration(n * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("--%s %q: write seconds, such as 0.2, or 200ms", flag, s)
	}
	return d, nil
}
