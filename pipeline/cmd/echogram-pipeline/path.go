package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/pipeline/prober"
)

// pathFlags are the options of a path measured by hand.
type pathFlags struct {
	// measuring
	echogram string
	count    int
	err      time.Duration
	duration time.Duration
	interval time.Duration
	timeout  time.Duration
	payloads []string
	sizes    []int // of payloads
	device   string
	source   []string
	progress bool
	read     string
	stored   bool
	start    string // with stored
	stop     string
	// comparing
	references []string
	baseline   string
	save       string
	hops       int
	metres     float64
	estimate   path.Config
	rates      []string
	// results
	filter     string
	filterK    float64
	confidence float64
	format     string
	output     string
	picture    string
	config     string

	changed func(flag string) bool
}

func newPath() *cobra.Command {
	var f pathFlags
	cmd := &cobra.Command{
		Use:   "path [flags] TARGET...",
		Short: "Measure what lies between us and a target: switches, metres of cable",
		Long: `Send echo requests to each TARGET, one at a time, through "echogram sweep", and say what their RTTs tell: which are
noise, where the floor lies, how many store-and-forward switches and how many metres of cable stand in between. Probes
of several sizes tell switches by the slope of RTT over frame size; a reference, measured in turn with the TARGETs or
stored before, tells switches and metres by the offset. "Cannot be told" is an answer.

It goes on until the mean of every size is known as exactly as --error wants, or --count or --duration is reached;
Ctrl-C ends it earlier, with what there is. Meanwhile it holds the CPU out of deep idle states. It needs no privilege
but that, and echogram its own. Exit codes: 0 done, 1 failed, 2 usage.`,
		Example: `  echogram-pipeline path 192.0.2.17
  echogram-pipeline path --reference 192.0.2.1=1,5 --reference 192.0.2.9=4 --picture path.png 192.0.2.17
  echogram-pipeline path --config /etc/echogram/pipeline.toml --reference 192.0.2.1=1 192.0.2.17
  echogram-pipeline path --baseline site.json --save rack12 --hops 2 --metres 30 192.0.2.12
  echogram-pipeline path --config /etc/echogram/pipeline.toml --stored --start 2026-01-10T12:00:00Z --picture path.png 192.0.2.17
  echogram sweep -c 2000 --count-interval 10ms --burst 1 --samples --format influx 192.0.2.17 | echogram-pipeline path --read -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.changed = cmd.Flags().Changed
			return f.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().SortFlags = false
	f.addMeasuring(cmd.Flags())
	f.addComparing(cmd.Flags())
	f.addResults(cmd.Flags())
	return cmd
}

func (f *pathFlags) addMeasuring(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 2000, "at most so many probes of each size")
	flags.DurationVar(&f.err, "error", 20*time.Nanosecond, "stop when the interval of every mean is this far to either side, at most; 0: go on")
	flags.DurationVar(&f.duration, "duration", 0, "stop after so long; 0: go on")
	flags.DurationVar(&f.interval, "interval", 10*time.Millisecond, "between two probes, at least 1 ms; of samples that are read: what it was (default then: as the data has it)")
	flags.StringSliceVarP(&f.payloads, "sizes", "s", []string{"12"}, "payload `BYTES` in turn, such as 12,400,800,1200,1440; of samples that are read: of those without the tag size")
	flags.DurationVar(&f.timeout, "timeout", 500*time.Millisecond, "a reply with a greater RTT is late")
	flags.StringVarP(&f.device, "interface", "I", "", "send by this `INTERFACE` only (default: as the routes say)")
	flags.StringArrayVar(&f.source, "source", nil, "send from this `ADDRESS`; one of each family")
	flags.StringVar(&f.echogram, "echogram", "", "`PATH` of the command echogram (default: beside this one, or in PATH)")
	flags.StringVar(&f.read, "read", "", "send nothing: read samples as line protocol from this `FILE` (-: STDIN); without TARGET, of all targets in it")
	flags.BoolVar(&f.stored, "stored", false, "send nothing: read samples that are stored in the source of --config; without TARGET, of all targets")
	flags.StringVar(&f.start, "start", "", "with --stored: from `T` on, RFC 3339 or seconds since the epoch (default: a day before --stop)")
	flags.StringVar(&f.stop, "stop", "", "with --stored: before `T` (default: now)")
	flags.BoolVar(&f.progress, "progress", false, "show progress on STDERR (default: when it is a terminal)")
}

func (f *pathFlags) addComparing(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.references, "reference", nil, "measure `ADDRESS[=HOPS[,METRES]]` in turn with the targets, and compare; may be given again")
	flags.StringVar(&f.baseline, "baseline", "", "compare with what this `FILE` stores; with --save: store in it, and compare with references only")
	flags.StringVar(&f.save, "save", "", "store the measurement in the --baseline file under this `NAME`")
	flags.IntVar(&f.hops, "hops", -1, "with --save: switches on the way; negative: unknown")
	flags.Float64Var(&f.metres, "metres", 0, "with --save: of cable, one way")
	flags.DurationVar(&f.estimate.HopDelay, "hop-delay", 0, "RTT that one switch adds (default: learned from references of different HOPS)")
	flags.Float64Var(&f.estimate.NsPerMetre, "ns-per-metre", 10, "RTT of a metre of cable")
	flags.StringSliceVar(&f.rates, "link-rate", nil, "`RATES` of the links on the way, such as 1G,100M (default: guessed, one for all)")
}

func (f *pathFlags) addResults(flags *pflag.FlagSet) {
	flags.StringVar(&f.filter, "filter", outlier.Sigma.String(), "outlier filter: sigma, density or mad")
	flags.Float64Var(&f.filterK, "filter-k", 0, "cut so many σ above the mean, times the densest RTT, or median deviations above the median (default 3, 2, 3)")
	flags.Float64Var(&f.confidence, "confidence", 0.95, "of the interval of every mean")
	flags.StringVar(&f.format, "format", "text", "`FORMAT` of the results: text, json (an object a line) or influx (line protocol)")
	flags.StringVarP(&f.output, "output", "o", "", "write results to this `FILE`")
	flags.StringVar(&f.config, "config", "", "also write path_estimate to the sink of this configuration `FILE`; --stored reads its source")
	flags.StringVar(&f.picture, "picture", "", "draw to `FILE`.png or .svg; of several targets each to one that its address is added to")
}

// pathPlan is what valid flags come to.
type pathPlan struct {
	filter     outlier.Config
	targets    []string
	references []reference
	write      func(io.Writer, *finding) error
}

// plan checks the flags.
func (f *pathFlags) plan(targets []string) (p pathPlan, err error) {
	p.targets = targets
	if p.filter.Method, err = outlier.ParseMethod(f.filter); err != nil {
		return p, fmt.Errorf("--filter: %w", err)
	}
	p.filter.K, p.filter.Confidence = p.filter.Method.K(), f.confidence
	if f.changed("filter-k") {
		p.filter.K = f.filterK
	}
	if f.sizes, err = parseSizes(f.payloads); err != nil {
		return p, err
	}
	if f.estimate.LinkRates, err = parseRates(f.rates); err != nil {
		return p, err
	}
	for _, text := range f.references {
		r, err := parseReference(text)
		if err != nil {
			return p, err
		}
		p.references = append(p.references, r)
	}
	p.write = findingFormats[f.format]
	return p, f.check(&p)
}

func (f *pathFlags) check(p *pathPlan) error {
	switch {
	case p.write == nil:
		return fmt.Errorf("--format %q is neither text nor json nor influx", f.format)
	case f.stored && (f.config == "" || f.read != ""):
		return errors.New("--stored needs --config, whose source it reads, and no --read")
	case !f.stored && f.start+f.stop != "":
		return errors.New("--start and --stop say which samples --stored reads")
	case len(p.targets) == 0 && f.read == "" && !f.stored:
		return errors.New("no target: give an address or a host name, or --read")
	case f.count < 1:
		return fmt.Errorf("--count %d is not positive", f.count)
	case f.interval < leastInterval:
		return fmt.Errorf("--interval %v is less than %v: a probe must not wait behind another", f.interval, leastInterval)
	case f.timeout <= 0 || f.duration < 0 || f.err < 0 || f.estimate.HopDelay < 0:
		return errors.New("--timeout must be positive, and --duration, --error and --hop-delay must not be negative")
	case !(p.filter.K > 1 && p.filter.K <= 100):
		return fmt.Errorf("--filter-k %v does not lie above 1 and up to 100: %v is the default of %v", p.filter.K, p.filter.Method.K(), p.filter.Method)
	case !(f.confidence > 0 && f.confidence < 1):
		return fmt.Errorf("--confidence %v does not lie between 0 and 1", f.confidence)
	case !(f.estimate.NsPerMetre > 0) || !(f.metres >= 0):
		return errors.New("--ns-per-metre must be positive, and --metres must not be negative")
	case f.save != "" && (f.baseline == "" || len(p.targets) > 1):
		return errors.New("--save needs one TARGET, and --baseline FILE to store it in")
	case f.save == "" && (f.changed("hops") || f.changed("metres")):
		return errors.New("--hops and --metres say what --save stores; of a reference measured in turn it is --reference ADDRESS=HOPS,METRES")
	case f.picture != "" && pictureFormat(f.picture) == "":
		return fmt.Errorf("--picture %q ends neither in .png nor in .svg", f.picture)
	}
	return nil
}

// reference is a target of the same run that others are compared with.
type reference struct {
	target string
	hops   int // negative: unknown
	metres float64
}

func parseReference(text string) (reference, error) {
	target, known, given := strings.Cut(text, "=")
	r := reference{target: target, hops: -1}
	if !given {
		return r, nil
	}
	hops, metres, measured := strings.Cut(known, ",")
	var errs [2]error
	r.hops, errs[0] = strconv.Atoi(hops)
	if measured {
		r.metres, errs[1] = strconv.ParseFloat(metres, 64)
	}
	if target == "" || errs != [2]error{} || !(r.metres >= 0) {
		return r, fmt.Errorf("--reference %q is not ADDRESS[=HOPS[,METRES]]", text)
	}
	return r, nil
}

// parseSizes reads payloads in bytes.
func parseSizes(texts []string) (sizes []int, err error) {
	for _, text := range texts {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 12 || n > 65507 {
			return nil, fmt.Errorf("--sizes %q: a payload has 12 to 65507 bytes", text)
		}
		sizes = append(sizes, n)
	}
	if sizes == nil {
		return nil, errors.New("--sizes names no size")
	}
	return sizes, nil
}

// parseRates reads 10G, 2.5G, 100M and plain bit/s.
func parseRates(texts []string) ([]int64, error) {
	var rates []int64
	for _, text := range texts {
		number, unit := text, 1.0
		switch {
		case strings.HasSuffix(text, "M"):
			number, unit = strings.TrimSuffix(text, "M"), 1e6
		case strings.HasSuffix(text, "G"):
			number, unit = strings.TrimSuffix(text, "G"), 1e9
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n*unit >= 1 && n*unit <= 1e12) {
			return nil, fmt.Errorf("--link-rate %q is no rate such as 100M or 2.5G", text)
		}
		if rate := int64(n * unit); !slices.Contains(rates, rate) {
			rates = append(rates, rate)
		}
	}
	if len(rates) > mostRates {
		return nil, fmt.Errorf("--link-rate: %d rates: a slope decides between %d at most", len(rates), mostRates)
	}
	return rates, nil
}

// mostRates bounds the ways to make a slope of links: with more, too many fit.
const mostRates = 4

// run measures or reads, estimates, and writes.
func (f *pathFlags) run(ctx context.Context, targets []string, stdin io.Reader, stdout, stderr io.Writer) error {
	p, err := f.plan(targets)
	if err != nil {
		return usageError{err}
	}
	stored, err := loadBaseline(f.baseline, f.save != "")
	if err != nil {
		return usageError{err}
	}
	from, until, err := f.parseStretch(time.Now())
	if err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	to, err := f.sinkOf(log)
	if err != nil {
		return usageError{err}
	}
	var all []*subject
	switch {
	case f.read != "":
		all, err = f.readSubjects(ctx, &p, stdin, log)
	case f.stored:
		all, err = f.storedSubjects(ctx, &p, from.UnixNano(), until.UnixNano(), log)
	default:
		all, err = f.measureSubjects(ctx, &p, log, stderr)
	}
	if err != nil {
		return err
	}
	findings, err := f.find(&p, all, stored)
	if err != nil {
		return err
	}
	if f.save != "" && len(findings) > 1 {
		return usageError{fmt.Errorf("--save %s: there are samples of %d targets: name one", f.save, len(findings))}
	}
	if f.save != "" {
		known := path.Known{Measurement: *findings[0].Measurement, Name: f.save, Hops: f.hops, Metres: f.metres}
		if err := saveBaseline(f.baseline, stored, known); err != nil {
			return err
		}
		warnFew(log, &known)
	}
	return errors.Join(f.writeFindings(&p, findings, stdout), f.drawFindings(findings), storeFindings(ctx, to, findings))
}

// finding is what is known of one target in the end.
type finding struct {
	*path.Estimate
	subject  *subject
	cal      *path.Calibration
	filter   outlier.Config
	host     string // that probed, and the instance that stored samples have
	instance string
	saved    string // name that it is stored under; "": it is not
}

// find estimates every target beside the references of the same run and what was stored.
func (f *pathFlags) find(p *pathPlan, all []*subject, stored *path.Calibration) ([]*finding, error) {
	cal := &path.Calibration{}
	for _, s := range all {
		if s.reference == nil {
			continue
		}
		cal.Known = append(cal.Known, path.Known{Measurement: *s.measure(p.filter), Name: s.name,
			Hops: s.reference.hops, Metres: s.reference.metres, Paired: true})
	}
	if f.save == "" {
		cal.Known = append(cal.Known, stored.Known...)
	}
	own, _ := os.Hostname()
	var findings []*finding
	for _, s := range all {
		if s.reference != nil {
			continue
		}
		e, err := f.estimate.Estimate(s.measure(p.filter), cal)
		if err != nil {
			return nil, err
		}
		findings = append(findings, &finding{Estimate: e, subject: s, cal: cal, filter: p.filter,
			host: cmp.Or(s.from[0], own), instance: cmp.Or(s.from[1], prober.Instance), saved: f.save})
	}
	return findings, nil
}

// writeFindings writes to --output or STDOUT.
func (f *pathFlags) writeFindings(p *pathPlan, findings []*finding, out io.Writer) error {
	var text bytes.Buffer
	for i, found := range findings {
		if i > 0 && f.format == "text" {
			text.WriteByte('\n')
		}
		if err := p.write(&text, found); err != nil {
			return err
		}
	}
	if f.output != "" {
		return os.WriteFile(f.output, text.Bytes(), 0o644)
	}
	_, err := out.Write(text.Bytes())
	return err
}

// isIPv6 says whether frames to a target have the longer header.
func isIPv6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() }
