package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"echogram/pipeline/report"
)

// maxStreams is how many streams of a kind are drawn without --all.
const maxStreams = 50

type reportFlags struct {
	out    string
	format []string
	all    bool
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report --out DIR [FILE|-]",
		Short: "Draw BFD sessions and their echoes from line protocol",
		Long: `Draw pictures from line protocol, read from FILE or STDIN: of each stream of BFD echoes the RTT over time, its
distribution and the send interval against its window; of each end of a session the interval of its control packets
and the detection margin.

With rows of single echoes (bfd_echo_rtt) each echo is drawn, else the periods of bfd_echo. Lines of other measurements
are passed over, malformed ones counted. STDOUT gets the files made, one a line, and what each shows. Exit codes: 0
done, 1 failed, or nothing to draw, 2 usage.`,
		Example: `  echogram bfd --format influx --per-echo link.pcap | echogram-pipeline report --out pictures
  echogram-pipeline report --out pictures --format svg bfd.lp`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("one FILE at most, have %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), append(args, "-")[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.out, "out", "", "`DIR` for the pictures; it is made, and files of the same names are replaced")
	cmd.Flags().StringSliceVar(&f.format, "format", []string{"png", "svg"}, "png, svg or both")
	cmd.Flags().BoolVar(&f.all, "all", false, fmt.Sprintf("draw all streams, not only the first %d of echoes and of control packets", maxStreams))
	return cmd
}

func (f *reportFlags) run(ctx context.Context, file string, stdin io.Reader, stdout, stderr io.Writer) error {
	formats, err := f.parse()
	if err != nil {
		return usageError{err}
	}
	c := report.Config{Streams: maxStreams}
	if f.all {
		c.Streams = 0
	}
	r := report.New(c)
	p := newProgress(stderr)
	err = interruptible(ctx, func() error { return readInto(ctx, r, file, stdin, p) })
	p.clear()
	if err != nil {
		return err
	}
	warn(r, slog.New(slog.NewTextHandler(stderr, nil)))
	if r.Empty() {
		return fmt.Errorf("report: no rows of %s in %d lines", "bfd_echo_rtt, bfd_echo or bfd_session", r.Lines)
	}
	defer p.clear()
	return f.draw(ctx, r.Pictures(), formats, stdout, p)
}

// parse checks the flags.
func (f *reportFlags) parse() ([]report.Format, error) {
	if f.out == "" {
		return nil, errors.New("--out is missing")
	}
	var formats []report.Format
	for _, name := range f.format {
		format := report.Format(strings.ToLower(strings.TrimSpace(name)))
		if format != report.PNG && format != report.SVG {
			return nil, fmt.Errorf("--format %q is neither png nor svg", name)
		}
		if !slices.Contains(formats, format) {
			formats = append(formats, format)
		}
	}
	if len(formats) == 0 {
		return nil, errors.New("--format names no format")
	}
	return formats, nil
}

func readInto(ctx context.Context, r *report.Report, file string, stdin io.Reader, p *progress) error {
	in := stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return err
		}
		defer opened.Close()
		in = opened
	}
	return r.Read(ctx, in, func(lines int64) { p.say("%d lines read", lines) })
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
func warn(r *report.Report, log *slog.Logger) {
	if r.Malformed > 0 {
		log.Warn("malformed lines", "count", r.Malformed, "first", r.First.Error())
	}
	if echoes, controls := r.LeftOut(); echoes+controls > 0 {
		log.Warn("streams left out: --all draws them", "drawn", maxStreams, "echoes", echoes, "control", controls)
	}
}

// draw writes each picture in each format, and the index.
func (f *reportFlags) draw(ctx context.Context, pictures []report.Picture, formats []report.Format, stdout io.Writer, p *progress) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	for i := range pictures {
		for _, format := range formats {
			if ctx.Err() != nil {
				return errors.New("report: interrupted")
			}
			p.say("%d of %d pictures drawn", i, len(pictures))
			name := filepath.Join(f.out, pictures[i].Name+"."+string(format))
			if err := writePicture(name, &pictures[i], format); err != nil {
				return err
			}
			p.clear()
			if _, err := fmt.Fprintf(stdout, "%s\t%s\n", name, pictures[i].Text); err != nil {
				return err
			}
		}
	}
	return nil
}

func writePicture(name string, p *report.Picture, format report.Format) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(p.Write(out, format), out.Close())
}

// progress is one line on a terminal that is written over and over; elsewhere it is silent.
type progress struct {
	mu   sync.Mutex // an interrupted read may still be going on
	out  io.Writer  // nil: silent
	last time.Time
	open bool
}

// redraw is the least time between two lines of progress; the first one comes after it, too.
const redraw = 200 * time.Millisecond

func newProgress(out io.Writer) *progress {
	p := &progress{last: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = out
	}
	return p
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < redraw {
		return
	}
	p.last, p.open = time.Now(), true
	fmt.Fprintf(p.out, "\r"+format+"\x1b[K", args...)
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}
