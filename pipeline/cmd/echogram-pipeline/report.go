package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"echogram/pipeline/report"
	"echogram/plugins/schema"
)

// maxStreams is how many streams of a kind are drawn without --all.
const maxStreams = 50

// bfdKind names the pictures of BFD on the command line.
const bfdKind = "bfd"

type reportFlags struct {
	out, config, network, start, stop, zone string
	format, picture                         []string
	all                                     bool
	max                                     time.Duration
	page                                    *pageOutput
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report {--out DIR | --page FILE} [--config FILE | FILE…]",
		Short: "Draw networks, their blocks, BFD sessions, and paths",
		Long: `Draw pictures of what was swept and of BFD sessions: from files of line protocol or con-ping's
(NETWORK-LENGTH-EPOCH.txt, known by their names), gzip or not, - or none being STDIN; or from InfluxDB, where --config
tells: points of sweeps and of BFD from its source, rows of block analytics from its sink.

Of each network: map, its latest RTTs along a Hilbert curve; animation, the same over its sweeps (gif, apng); calendar,
the share that answers by hour and day; timeline, outages; hours, RTTs by hour of the day; churn, addresses and
sessions by day. Of BFD (bfd): of each stream of echoes the RTT over time, its distribution and the send interval; of
each end of a session the interval of control packets and the detection margin. Of samples of single probes (path): of
each target the distribution of its RTTs, what is cut as noise, and the fit, as the command path draws it.

A picture is written in those of the formats that it has. Lines of other measurements are passed over, malformed ones
counted and the first quoted. STDOUT gets the files made, one a line, and what each shows. Exit codes: 0 done, 1 failed,
or nothing to draw, 2 usage or configuration.`,
		Example: `  echogram sweep --format influx 192.0.2.0/24 | echogram-pipeline report --out pictures
  echogram-pipeline report --out pictures --picture map,animation --max 350ms 192.0.2.0-24-*.txt
  echogram-pipeline report --out pictures --config pipeline.toml --network 192.0.2.0/24 --start 2026-01-10T00:00:00Z
  echogram-pipeline report --out pictures --config pipeline.toml --picture bfd --start 2026-01-10T00:00:00Z
  echogram-pipeline report --page network.html --config pipeline.toml --network 192.0.2.0/24
  echogram bfd --format influx --per-echo link.pcap | echogram-pipeline report --out pictures`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.out, "out", "", "`DIR` for the pictures; it is made, and files of the same names are replaced")
	cmd.Flags().StringVar(&f.config, "config", "", "read from the InfluxDB of this configuration `FILE`")
	cmd.Flags().StringSliceVar(&f.format, "format", []string{"png", "svg", "gif"}, "png, svg; of animations gif, apng")
	cmd.Flags().StringSliceVar(&f.picture, "picture", allKinds(), "kinds of pictures")
	cmd.Flags().StringVar(&f.network, "network", "", "only what lies in `CIDR`, as one network")
	cmd.Flags().StringVar(&f.start, "start", "", "only rows from `T` on, RFC 3339 or seconds since the epoch (default with --config: 7 days before --stop)")
	cmd.Flags().StringVar(&f.stop, "stop", "", "only rows before `T`")
	cmd.Flags().DurationVar(&f.max, "max", 0, "RTT at the upper end of a map's scale (default: the 99th percentile)")
	cmd.Flags().StringVar(&f.zone, "timezone", "UTC", "time `ZONE` of days and hours, such as Europe/Berlin")
	f.page = pageFlags(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, fmt.Sprintf("draw all streams of BFD and all paths, not only the first %d of echoes, of control packets and of targets", maxStreams))
	return cmd
}

func allKinds() []string {
	var all []string
	for _, k := range report.Kinds() {
		all = append(all, string(k))
	}
	return append(all, bfdKind, pathKind)
}

// seldom is by how many percent memory may grow before garbage is looked for: nearly all that a report allocates is
// series and targets, which stay, and to look through a million of them again and again takes half of the time.
const seldom = 200

// drawing is a report as its flags say.
type drawing struct {
	formats []report.Format
	kinds   []report.Kind
	bfd     *report.Report     // nil: not wanted
	paths   *paths             // nil: not wanted
	nets    *report.Collection //
	within  report.CollectionConfig
	log     *slog.Logger
	p       *progress
	lines   int64
	useless []error // of files without a line that could be read
}

func (f *reportFlags) run(ctx context.Context, files []string, stdin io.Reader, stdout, stderr io.Writer) error {
	d, err := f.parse(files, time.Now())
	if err != nil {
		return usageError{err}
	}
	d.p = newProgress(stderr)
	defer d.p.clear()
	d.log = slog.New(slog.NewTextHandler(d.p.over(stderr), nil))
	defer debug.SetGCPercent(debug.SetGCPercent(seldom))
	err = interruptible(ctx, func() error {
		if f.config != "" {
			return d.readInfluxDB(ctx, f.config)
		}
		return d.readFiles(ctx, files, stdin)
	})
	if err != nil {
		return err
	}
	d.nets.Finish()
	if f.page.wanted() {
		if err := f.page.write(d.nets, stdout); err != nil || f.out == "" {
			return errors.Join(append(d.useless, err)...)
		}
	}
	pictures := d.nets.Pictures(d.kinds, f.max)
	if d.bfd != nil {
		d.warn()
		pictures = append(pictures, d.bfd.Pictures()...)
	}
	pictures = append(pictures, d.pathPictures(f.all)...)
	if len(pictures) == 0 {
		return errors.Join(append(d.useless, f.nothing(d))...)
	}
	return errors.Join(append(d.useless, d.draw(ctx, f.out, pictures, stdout))...)
}

// oneSweep says why an animation is not drawn.
const oneSweep = "an animation needs two sweeps"

// nothing says that there is nothing to draw, and what there is.
func (f *reportFlags) nothing(d *drawing) error {
	text := fmt.Sprintf("report: nothing to draw for --picture %s in %d lines", strings.Join(f.picture, ","), d.lines)
	if seen := d.nets.Seen(); seen != "" {
		text += " of " + seen
	}
	if len(d.nets.Networks) > 0 && slices.Contains(d.kinds, report.Animation) {
		text += ": " + oneSweep
	}
	if d.paths != nil && d.paths.told > 0 {
		text += ": " + schema.PathEstimate + " has no RTTs; a path is drawn out of " + schema.ICMPSample
	}
	return errors.New(text)
}

// interruptible runs read and returns early when ctx ends: nothing wakes a read from a pipe, but the process ends then.
func interruptible(ctx context.Context, read func() error) error {
	done := make(chan error, 1)
	go func() { done <- read() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("report: interrupted")
	}
}

// warn says what was not drawn.
func (d *drawing) warn() {
	if echoes, controls := d.bfd.LeftOut(); echoes+controls > 0 {
		d.log.Warn("streams left out: --all draws them", "drawn", maxStreams, "echoes", echoes, "control", controls)
	}
}

// draw writes each picture in each format that it has, and the index.
func (d *drawing) draw(ctx context.Context, dir string, pictures []report.Picture, stdout io.Writer) error {
	if !slices.ContainsFunc(pictures, d.drawable) {
		return d.noFormat(pictures)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range pictures {
		for _, format := range pictures[i].Formats() {
			if !slices.Contains(d.formats, format) {
				continue
			}
			if ctx.Err() != nil {
				return errors.New("report: interrupted")
			}
			name := filepath.Join(dir, pictures[i].Name+"."+string(format))
			d.p.say("%d of %d pictures drawn, then %s", i, len(pictures), filepath.Base(name))
			if err := writePicture(name, &pictures[i], format); err != nil {
				return err
			}
			d.p.clear()
			if _, err := fmt.Fprintf(stdout, "%s\t%s\n", name, pictures[i].Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawable tells whether a picture has one of the formats that are asked for.
func (d *drawing) drawable(p report.Picture) bool {
	return slices.ContainsFunc(p.Formats(), func(f report.Format) bool { return slices.Contains(d.formats, f) })
}

// noFormat says which formats the pictures have instead.
func (d *drawing) noFormat(pictures []report.Picture) error {
	var have []string
	for i := range pictures {
		for _, format := range pictures[i].Formats() {
			if !slices.Contains(have, string(format)) {
				have = append(have, string(format))
			}
		}
	}
	text := fmt.Sprintf("report: nothing to draw: the pictures that there are have --format %s", strings.Join(have, ","))
	if slices.Contains(d.formats, report.GIF) || slices.Contains(d.formats, report.APNG) {
		text += "; " + oneSweep
	}
	return errors.New(text)
}

func writePicture(name string, p *report.Picture, format report.Format) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(p.Write(out, format), out.Close())
}
