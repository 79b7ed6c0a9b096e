package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
)

// bfdFlags are the options of what captures say about BFD.
type bfdFlags struct {
	config      prober.BFDConfig
	interfaces  []string
	promiscuous bool
	tunnels     bool
	duration    time.Duration
	join        bool
	tap         string
	sessions    []string
	only        bfdFilter
	format      string
	packets     bool
	columns     []string
	verbose     bool
	output      string
	progress    bool
}

func newBFD() *cobra.Command {
	var f bfdFlags
	cmd := &cobra.Command{
		Use:   "bfd [flags] FILE... | --interface IF",
		Short: "Tell what captures say about BFD: sessions, timers, echoes",
		Long: `Bfd follows BFD sessions (RFC 5880) and their echoes through captures: pcap or
pcapng files, gzip or not, - for STDIN, or the frames of an interface, which may
be a mirror port, until Ctrl-C. It sends nothing.

Each FILE is a capture point of its own, and so is each interface of a pcapng
file. The table is for people: state, timers, intervals and margin of both ends
of each session, what its echoes took, and what cannot be known. An RTT that is
read from a capture is that of the loop beyond the capture point.

CSV has a line for each answered echo: router_IP, router_mac_sender,
router_mac_echoer, ts, delta, jitter: its sender, both MACs, Unix time of the
send, RTT and time since the send before it, in seconds. With --columns there is
a header, and a line for each unanswered echo, too, with an empty delta.

Results go to STDOUT or --output, everything else to STDERR.
Exit code: 0 done, 1 failed, cut short or no BFD at all, 2 wrong usage.`,
		Example: `  echogram bfd core.pcap
  echogram bfd --session 192.0.2.1 core.pcapng
  echogram bfd --packets core.pcap | less
  echogram bfd --join --format influx -o bfd.lp ring.pcap*
  echogram bfd --interface eth1 --promiscuous --duration 1m`,
		Args: func(_ *cobra.Command, args []string) error { return f.checkSources(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.fill(cmd.Flags()); err != nil {
				return usageError{err}
			}
			if !cmd.Flags().Changed("progress") {
				atTheEnd := f.format == "table" && !f.packets && f.config.Period == wholeCapture
				f.progress = isTerminal(os.Stderr) && (f.output != "" || !isTerminal(os.Stdout) || atTheEnd)
			}
			if len(f.interfaces) > 0 {
				return runBFDLive(cmd.Context(), &f)
			}
			return runBFDFiles(cmd.Context(), &f, args)
		},
	}
	addSections(cmd, []section{
		newSection("Captures", f.addCaptures), newSection("Evaluation", f.addEvaluation), newSection("Results", f.addResults),
	})
	completeWords(cmd, "format", formatNames...)
	completeWords(cmd, "columns", append([]string{"all"}, append(fieldNames(echoColumns), fieldNames(packetColumns)...)...)...)
	completeInterfaces(cmd, "interface")
	return cmd
}

func (f *bfdFlags) addCaptures(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.interfaces, "interface", "I", nil, "listen on this `INTERFACE` instead of reading files; may be given again")
	flags.BoolVar(&f.promiscuous, "promiscuous", false, "take frames to other MACs, too: for mirror ports")
	flags.BoolVar(&f.tunnels, "tunnels", false, "look into what may carry BFD inside, too: MPLS, GRE, IP in IP, VXLAN, Geneve (files: always)")
	flags.DurationVar(&f.duration, "duration", 0, "listen for so long; 0: until Ctrl-C")
	flags.BoolVar(&f.join, "join", false, "the files are one capture, continued: read them as one, in order of their first packets")
	flags.StringVar(&f.tap, "tap", "", "`NAME` of the capture point (default: of several files each its own; of an interface its own)")
	flags.StringArrayVar(&f.config.Local, "local", nil, "`ADDRESS` of the device that was captured on, where the capture does not tell directions; may be given again")
}

func (f *bfdFlags) addEvaluation(flags *pflag.FlagSet) {
	flags.DurationVar(&f.config.Period, "period", 10*time.Second, "one row a session for each `PERIOD` of packet time, from 1s (table: the whole capture unless given)")
	flags.Float64Var(&f.config.NearMiss, "near-miss", 1.5, "a gap above this many agreed intervals that no flap follows is a near miss")
	flags.IntVar(&f.config.MaxSessions, "max-sessions", 10000, "sessions, and streams of echoes, that are kept in memory")
}

func (f *bfdFlags) addResults(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "format", "", "`FORMAT` of the results: table (for people), csv (echoes), json (an object a line) or influx (line protocol)\n(default: table; with --columns csv)")
	flags.StringArrayVar(&f.sessions, "session", nil, "only sessions with this `ADDRESS` or network at an end, in full; may be given again")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "table: all sessions in full, and all that happened to them")
	flags.BoolVar(&f.packets, "packets", false, "list each BFD packet, and why the standard has it refused (table, csv, json)")
	flags.BoolVar(&f.config.PerEcho, "per-echo", false, "one row an echo, too (json and influx)")
	flags.StringSliceVar(&f.columns, "columns", nil, "csv with a header and these `COLUMNS`: all, or some of "+strings.Join(fieldNames(echoColumns), ", ")+
		";\nwith --packets of "+strings.Join(fieldNames(packetColumns), ", "))
	flags.StringVarP(&f.output, "output", "o", "", "write results to this `FILE`")
	flags.StringVar(&f.config.Instance, "instance", "bfd", "value of the tag instance, a `NAME`")
	flags.BoolVar(&f.progress, "progress", false, "show progress on STDERR (default: when it is a terminal and no results go by)")
}

// checkSources wants files or interfaces, and not both.
func (f *bfdFlags) checkSources(args []string) error {
	switch {
	case len(args)+len(f.interfaces) == 0:
		return usageError{errors.New("no capture: give a FILE, - for STDIN, or --interface")}
	case f.join && slices.Contains(args, "-"):
		return usageError{errors.New("--join cannot look ahead in STDIN: give files")}
	case len(args) > 0 && len(f.interfaces) > 0:
		return usageError{fmt.Errorf("%q and --interface: either files are read or interfaces listened on", args[0])}
	}
	return nil
}

// fill completes the configuration; its errors are the user's to mend.
func (f *bfdFlags) fill(flags *pflag.FlagSet) (err error) {
	if f.format == "" {
		f.format = "table"
		if len(f.columns) > 0 {
			f.format = "csv"
		}
	}
	if err := f.checkFlags(flags); err != nil {
		return err
	}
	if f.only, err = newBFDFilter(f.sessions); err != nil {
		return err
	}
	for i, a := range f.config.Local {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return fmt.Errorf("--local %s: must be an address", a)
		}
		f.config.Local[i] = addr.Unmap().String()
	}
	if f.format == "table" && !flags.Changed("period") {
		f.config.Period = wholeCapture
	}
	f.config.PerEcho = f.config.PerEcho || f.format == "csv"
	f.config.Host, _ = os.Hostname()
	return nil
}

// checkFlags refuses values out of range, and flags that others leave without effect.
func (f *bfdFlags) checkFlags(flags *pflag.FlagSet) error {
	live := len(f.interfaces) > 0
	switch {
	case f.config.Period < time.Second || f.config.Period%time.Second != 0:
		return fmt.Errorf("--period %v: must be whole seconds, 1s or more", f.config.Period)
	case !(f.config.NearMiss > 1):
		return fmt.Errorf("--near-miss %v: must be above 1, the longest interval that the standard allows", f.config.NearMiss)
	case f.config.MaxSessions < 1:
		return fmt.Errorf("--max-sessions %d: must be 1 or more", f.config.MaxSessions)
	case f.duration < 0:
		return fmt.Errorf("--duration %v: must be 0 or more", f.duration)
	case !live && (f.promiscuous || f.tunnels || flags.Changed("duration")):
		return errors.New("--promiscuous, --tunnels and --duration go with --interface")
	case live && f.join:
		return errors.New("--join goes with files")
	case f.config.PerEcho && (f.packets || f.format != "json" && f.format != "influx"):
		return errors.New("--per-echo goes with --format json or influx; csv has the echoes anyway")
	case f.packets && f.format == "influx":
		return errors.New("--packets goes with --format table, csv or json")
	case f.packets && flags.Changed("period"):
		return errors.New("--period has no effect with --packets")
	}
	return nil
}

// wholeCapture is a period that begins with the Unix epoch and that no capture outlasts.
const wholeCapture = 100 * 365 * 24 * time.Hour

// bfdFilter are the networks of --session; none lets everything pass.
type bfdFilter []netip.Prefix

func newBFDFilter(texts []string) (bfdFilter, error) {
	var list bfdFilter
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if addr, bad := netip.ParseAddr(text); bad == nil {
			network, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--session %s: must be an address or a network", text)
		}
		list = append(list, network)
	}
	return list, nil
}

// has tells whether one of two ends is meant.
func (l bfdFilter) has(a, b netip.Addr) bool {
	for _, network := range l {
		if network.Contains(a) || network.Contains(b) {
			return true
		}
	}
	return len(l) == 0
}

// hasText is has for addresses as rows have them.
func (l bfdFilter) hasText(a, b string) bool {
	if len(l) == 0 {
		return true
	}
	first, _ := netip.ParseAddr(a) // what is no address is in no network
	second, _ := netip.ParseAddr(b)
	return l.has(first, second)
}
