package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/term"

	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/pipeline/prober"
)

// A round is so many probes to each subject, or fewer when they take longer than roundTime.
const (
	roundProbes = 200
	roundTime   = 5 * time.Second
)

// sender is one round of probes: a *prober.Config, or a test's.
type sender interface {
	Run(ctx context.Context, target netip.Addr, count int) (*prober.Round, error)
}

// measuring goes on in rounds, each through all subjects, so that what drifts moves them alike.
type measuring struct {
	flags    *pathFlags
	filter   outlier.Config
	send     sender
	subjects []*subject
	awake    bool
	now      func() time.Time
	show     func(m *measuring, worst *path.Measurement)
}

// measureSubjects wires a measurement and runs it.
func (f *pathFlags) measureSubjects(ctx context.Context, p *pathPlan, log *slog.Logger, stderr io.Writer) ([]*subject, error) {
	program := f.echogram
	if program == "" {
		var err error
		if program, err = prober.Find(); err != nil {
			return nil, fmt.Errorf("%w: --echogram says where it is", err)
		}
	}
	subjects, err := resolve(ctx, p)
	if err != nil {
		return nil, err
	}
	hold, err := prober.StayAwake()
	if err != nil {
		log.Warn("the CPU may fall into deep idle states, which move RTTs by 10 to 100 µs: run as a user who may write the file", "error", err.Error())
	} else {
		defer hold.Close()
	}
	bar := newPathProgress(stderr, f.progress)
	m := &measuring{flags: f, filter: p.filter, subjects: subjects, awake: err == nil, now: time.Now, show: bar.show,
		send: &prober.Config{Program: program, Interval: f.interval, Timeout: f.timeout, Sizes: f.sizes, Interface: f.device, Source: f.source}}
	err = m.run(ctx)
	bar.clear()
	if err != nil && m.rounds() > 0 && !errors.Is(err, errSilent) {
		log.Warn("measuring ended early", "rounds", m.rounds(), "error", err.Error())
		err = nil
	}
	return subjects, err
}

// resolve finds the address of each target and reference: of a host name the first.
func resolve(ctx context.Context, p *pathPlan) ([]*subject, error) {
	all := p.subjects()
	for _, s := range all {
		var err error
		if s.address, err = netip.ParseAddr(s.name); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(s.name); err == nil {
			return nil, usageError{fmt.Errorf("%s is a network: a path leads to one address", s.name)}
		}
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", s.name)
		if err != nil {
			return nil, fmt.Errorf("path: %w", err)
		}
		s.address = found[0].Unmap()
	}
	return all, nil
}

// rounds is how many have been made of every subject.
func (m *measuring) rounds() int { return m.subjects[len(m.subjects)-1].rounds }

// run measures until it is exact enough, or long enough, or ctx ends.
func (m *measuring) run(ctx context.Context) error {
	begin := m.now()
	for {
		count := m.next(m.now().Sub(begin))
		if count == 0 {
			return nil
		}
		for _, s := range m.subjects {
			if err := m.round(ctx, s, count); err != nil {
				return err
			}
		}
		if m.exact() || ctx.Err() != nil {
			return nil
		}
	}
}

// next is the number of probes in the next round: whole turns of all sizes; 0: it has been enough.
func (m *measuring) next(elapsed time.Duration) int {
	f, sizes := m.flags, len(m.flags.sizes)
	turns := min(roundProbes, int(roundTime/f.interval)) / sizes
	turns = min(max(turns, 1), f.count-m.subjects[0].sent/sizes)
	if f.duration > 0 && m.rounds() > 0 {
		left := int((f.duration - elapsed) / (f.interval * time.Duration(sizes*len(m.subjects))))
		turns = min(turns, left)
	}
	return max(turns, 0) * sizes
}

var errSilent = errors.New("no reply")

func (m *measuring) round(ctx context.Context, s *subject, count int) error {
	if ctx.Err() != nil {
		return nil
	}
	r, err := m.send.Run(ctx, s.address, count)
	if err != nil {
		return err
	}
	for i := range r.Samples {
		s.add(&r.Samples[i], m.flags.sizes[0])
	}
	if len(r.Samples) == 0 && ctx.Err() != nil {
		return nil
	}
	if len(s.samples) == 0 {
		return fmt.Errorf("path: %w from %s to %d probes", errSilent, s.name, s.sent)
	}
	return s.addStats(&r.Stats, m.flags.interval, m.awake)
}

// exact says whether all means are as exact as wanted, and shows the worst.
func (m *measuring) exact() bool {
	var worst *path.Measurement
	for _, s := range m.subjects {
		if got := s.measure(m.filter); worst == nil || halfWidth(got) > halfWidth(worst) {
			worst = got
		}
	}
	m.show(m, worst)
	return m.flags.err > 0 && halfWidth(worst) <= float64(m.flags.err)
}

// halfWidth is the widest interval of a measurement's means, ns to either side.
func halfWidth(m *path.Measurement) float64 { return half(widest(m)) }

func widest(m *path.Measurement) *path.Size {
	var w *path.Size
	for i := range m.Sizes {
		if s := &m.Sizes[i]; w == nil || half(s) > half(w) {
			w = s
		}
	}
	return w
}

// half is infinite of a mean whose error nobody can know.
func half(s *path.Size) float64 {
	if s.Filter.Kept < 2 {
		return math.Inf(1)
	}
	return (s.Filter.High - s.Filter.Low) / 2
}

// pathProgress is the line of progress, or lines where they were asked for and STDERR is no terminal.
type pathProgress struct {
	*progress
	lines io.Writer // nil: silent, but for a terminal
}

func newPathProgress(stderr io.Writer, wanted bool) *pathProgress {
	p := &pathProgress{progress: newProgress(stderr)}
	if f, ok := stderr.(*os.File); wanted && !(ok && term.IsTerminal(int(f.Fd()))) {
		p.lines = stderr
	}
	return p
}

func (p *pathProgress) show(m *measuring, worst *path.Measurement) {
	line := progressLine(m, worst)
	if p.lines != nil {
		fmt.Fprintln(p.lines, line)
	}
	p.say("%s", line)
}

// progressLine says how exact the least exact mean is.
func progressLine(m *measuring, worst *path.Measurement) string {
	w := widest(worst)
	line := fmt.Sprintf("round %d: %s", m.rounds(), worst.Target)
	if len(worst.Sizes) > 1 {
		line += fmt.Sprintf(", %d bytes", w.Payload)
	}
	line += ": " + plusMinus(w.Filter.Mean, half(w))
	if m.flags.err > 0 {
		line += fmt.Sprintf(", wanted ± %s", ns(float64(m.flags.err)))
	}
	return line + fmt.Sprintf("; %d kept and %d cut, at most %d", w.Filter.Kept, w.Filter.Cut, m.flags.count)
}
