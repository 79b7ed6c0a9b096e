package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
)

// readFlags are the flags that have a meaning when a capture is read instead of taken.
var readFlags = []string{"read", "timeout", "exclude", "format", "columns", "output", "instance", "progress"}

// checkRead refuses flags that --read would leave without effect.
func checkRead(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && !slices.Contains(readFlags, f.Name) {
			err = fmt.Errorf("--%s has no effect with --read, which sends nothing: --%s do", f.Name, strings.Join(readFlags, ", --"))
		}
	})
	return err
}

// runRead evaluates the capture file of --read. Targets limit and name what is looked at; without any it is whoever
// was asked.
func runRead(ctx context.Context, f *sweepFlags, args []string) (err error) {
	config, format, err := f.readConfig(args)
	if err != nil {
		return usageError{err}
	}
	in, err := openCapture(f.read)
	if err != nil {
		return err
	}
	defer in.Close()
	out, closeOutput, err := openOutput(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOutput()) }()
	if err := prober.DropPrivileges(); err != nil { // a file from elsewhere is read with none
		return err
	}
	if in == os.Stdin {
		ctx = context.WithoutCancel(ctx) // Ctrl-C ends the program that writes, too, and with it the input
	}
	return f.replay(ctx, in, config, newWriter(out, format))
}

func (f *sweepFlags) readConfig(args []string) (prober.ReplayConfig, format, error) {
	c := prober.ReplayConfig{Instance: f.plan.Instance, Labels: f.plan.Labels, Timeout: f.plan.Timeout}
	c.Host, _ = os.Hostname()
	format, err := f.formatFor(formatOptions{columns: f.columns})
	switch {
	case err != nil:
		return c, format, err
	case f.plan.Timeout <= 0:
		return c, format, fmt.Errorf("--timeout %v: must be above 0", f.plan.Timeout)
	case len(args) == 0 && len(f.list.Exclude) > 0:
		return c, format, errors.New("--exclude needs targets to exclude from: give a network")
	case len(args) > 0:
		c.Targets, err = prober.ParseTargets(args, f.list.Exclude)
	}
	return c, format, err
}

// replay reads a capture and reports on it. What cuts it short is an error, after all that was read is out.
func (f *sweepFlags) replay(ctx context.Context, in *os.File, c prober.ReplayConfig, w *writer) error {
	bar := newReading(in, f.progress)
	sum, failed := prober.Replay(ctx, bar, c, w.emit)
	bar.stop()
	if failed != nil && sum.Packets == 0 {
		return fmt.Errorf("%s: %w", f.read, failed)
	}
	if err := w.flush(); err != nil {
		return err
	}
	writeSummary(os.Stderr, &sum.Stats, &w.tally)
	writeList(os.Stderr, "capture", part(sum.Packets, "packets"), part(sum.Repeated, "captured more than once"),
		part(sum.Unmatched, "replies or errors without their request"),
		part(sum.Open, fmt.Sprintf("silent requests in its last %v, whose replies may have come after it", c.Timeout)))
	switch {
	case errors.Is(failed, context.Canceled):
		return fmt.Errorf("%s: interrupted: the results are partial", f.read)
	case failed != nil:
		return fmt.Errorf("%s: %w: the results are partial", f.read, failed)
	case sum.Stats.Sent == 0:
		return fmt.Errorf("%s: no echo request in %s packets", f.read, thousands(sum.Packets))
	}
	return nil
}

// openCapture opens a capture file, or STDIN.
func openCapture(name string) (*os.File, error) {
	if name == "-" {
		return os.Stdin, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--read: %w", err)
	}
	return f, nil
}

// reading is a file that draws on STDERR how much of it was read. It draws in Read: the reader asks for large pieces.
type reading struct {
	in    io.Reader
	out   io.Writer // nil: draws nothing
	total int64     // bytes, 0 unknown
	done  int64
	begin time.Time
	drawn time.Time
}

func newReading(f *os.File, show bool) *reading {
	r := &reading{in: f, begin: time.Now()}
	if !show {
		return r
	}
	r.out = os.Stderr
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r.total = info.Size()
	}
	return r
}

func (r *reading) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	r.done += int64(n)
	if now := time.Now(); r.out != nil && now.Sub(r.drawn) >= 100*time.Millisecond {
		r.drawn = now
		fmt.Fprint(r.out, "\r", readingLine(r.done, r.total, now.Sub(r.begin)), "\x1b[K")
	}
	return n, err
}

func (r *reading) stop() {
	if r.out != nil {
		fmt.Fprint(r.out, "\r\x1b[K")
	}
}

// readingLine says how far the reading has come.
func readingLine(done, total int64, elapsed time.Duration) string {
	line := fmt.Sprintf("%.1f MB read, %.0f MB/s", float64(done)/1e6, float64(done)/1e6/max(elapsed.Seconds(), 1e-3))
	if total > 0 {
		line = fmt.Sprintf("%3d%%  %s", done*100/total, line)
	}
	return line
}
