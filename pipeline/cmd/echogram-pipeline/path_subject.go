package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/pipeline/prober"
	"echogram/plugins/schema"
)

// subject is one address that is measured.
type subject struct {
	name      string // as it was given
	address   netip.Addr
	reference *reference // nil: a target
	samples   []path.Sample
	sent      int
	behind    int // left out: they were sent behind others
	rounds    int
	distrust  []string // what a sweep's verdict was, when not ok
	facts     path.Facts

	from  [2]string // of stored samples: host and instance
	times []int64   // of stored requests
}

func (s *subject) measure(filter outlier.Config) *path.Measurement {
	return path.Measure(filter, s.address.String(), isIPv6(s.address), s.samples, s.sent, s.facts)
}

// add takes a row; size is its payload when sizes are not cycled.
func (s *subject) add(row *schema.SampleRow, size int) {
	s.sent++
	if !row.RTT.Set {
		return
	}
	if n, err := strconv.Atoi(row.Size); err == nil {
		size = n
	}
	s.samples = append(s.samples, path.Sample{At: row.Time, Size: size, RTT: row.RTT.N, TTL: row.TTL.N})
}

// addStats takes what a sweep says of itself. It fails when the facts are others than before.
func (s *subject) addStats(row *schema.SweepStatsRow, interval time.Duration, awake bool) error {
	facts := factsOf(row, interval, awake)
	if s.rounds > 0 {
		if err := facts.Differ(&s.facts); err != nil {
			return fmt.Errorf("path: %s: %s was %s and became %s while it was measured", s.name, err.Fact, err.There, err.Here)
		}
	}
	s.facts = facts
	s.rounds++
	if row.Trust != schema.TrustOK && !slices.Contains(s.distrust, row.Trust) {
		s.distrust = append(s.distrust, row.Trust)
	}
	return nil
}

func factsOf(row *schema.SweepStatsRow, interval time.Duration, awake bool) path.Facts {
	number := func(o schema.Opt) string {
		if !o.Set {
			return ""
		}
		return strconv.FormatInt(o.N, 10)
	}
	f := path.Facts{
		Interval: interval, Awake: awake, StampKind: row.StampKind, Governor: row.Link.Governor,
		RXUsecs: number(row.Link.RXUsecs), TXUsecs: number(row.Link.TXUsecs), Adaptive: row.Link.Adaptive, EEE: row.Link.EEE,
	}
	if f.StampKind == "none" { // no frame was seen
		f.StampKind = ""
	}
	return f
}

// leastInterval is how long before a probe its prober must have sent nothing, so that it does not wait behind another:
// the longest frame takes 1.2 ms at 10 Mbit/s, 0.12 ms at 100.
const leastInterval = time.Millisecond

// readSubjects takes samples from a file.
func (f *pathFlags) readSubjects(ctx context.Context, p *pathPlan, stdin io.Reader, log *slog.Logger) ([]*subject, error) {
	if f.read != "-" {
		file, err := os.Open(f.read)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		stdin = file
	}
	var stored archive
	var rows prober.Reader
	if err := interruptible(ctx, func() error { return rows.Read(stdin, stored.add) }); err != nil {
		return nil, err
	}
	if rows.Malformed > 0 {
		log.Warn("malformed lines", "count", rows.Malformed, "first", rows.First.Error())
	}
	if len(stored.samples) == 0 {
		return nil, fmt.Errorf("path: no rows of %s in %d lines: %s", schema.ICMPSample, rows.Lines, whoSamples)
	}
	return stored.subjects(p, f.sizes[0], f.givenInterval())
}

// whoSamples says where samples come from.
const whoSamples = "echogram sweep writes them with --samples --format influx"

// givenInterval is what the flag says; 0: nothing.
func (f *pathFlags) givenInterval() time.Duration {
	if f.changed("interval") {
		return f.interval
	}
	return 0
}

// archive is samples as they were stored.
type archive struct {
	samples []*schema.SampleRow
	stats   []*schema.SweepStatsRow
}

func (a *archive) add(row schema.Row) {
	switch row := row.(type) {
	case *schema.SampleRow:
		a.samples = append(a.samples, row)
	case *schema.SweepStatsRow:
		a.stats = append(a.stats, row)
	}
}

// subjects finds the targets and references of p, or all that there are, with their facts.
func (a *archive) subjects(p *pathPlan, size int, interval time.Duration) ([]*subject, error) {
	all, err := a.collect(p, size)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := a.settle(s, interval); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(all, func(s *subject) bool { return s.reference == nil }) {
		return nil, errors.New("path: there are samples of references only")
	}
	return all, nil
}

// collect hands each its samples.
func (a *archive) collect(p *pathPlan, size int) ([]*subject, error) {
	slices.SortStableFunc(a.samples, func(x, y *schema.SampleRow) int { return cmp.Compare(x.Time, y.Time) })
	all := p.subjects()
	last := map[string]int64{}        // request of each host
	known := map[[2]string]*subject{} // by address and name
	for _, row := range a.samples {
		before, sent := last[row.Host]
		last[row.Host] = row.Time
		s, found := known[[2]string{row.Target, row.Name}]
		if !found {
			s = subjectOf(all, row)
		}
		if s == nil && len(p.targets) == 0 {
			s = &subject{name: row.Target}
			all = append(all, s)
		}
		if known[[2]string{row.Target, row.Name}] = s; s == nil {
			continue
		}
		if err := s.addStored(row, size, sent && row.Time-before < int64(leastInterval)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// subjects are the targets, then the references, without addresses yet.
func (p *pathPlan) subjects() []*subject {
	var all []*subject
	for _, name := range p.targets {
		all = append(all, &subject{name: name})
	}
	for i := range p.references {
		all = append(all, &subject{name: p.references[i].target, reference: &p.references[i]})
	}
	return all
}

// subjectOf finds whom a row is about; nil: nobody who was asked for.
func subjectOf(all []*subject, row *schema.SampleRow) *subject {
	for _, s := range all {
		if s.name == row.Target || s.name == row.Name && row.Name != "" {
			return s
		}
	}
	return nil
}

// addStored takes a row; behind: another request left shortly before.
func (s *subject) addStored(row *schema.SampleRow, size int, behind bool) error {
	address, err := netip.ParseAddr(row.Target)
	if err != nil {
		return fmt.Errorf("path: target %q is no address", row.Target)
	}
	from := [2]string{row.Host, row.Instance}
	switch {
	case s.sent+s.behind == 0:
		s.address, s.from = address, from
	case s.address != address || s.from != from:
		return fmt.Errorf("path: samples of %s are of more than one address, host or instance: %v by %q and %v by %q",
			s.name, s.address, s.from, address, from)
	}
	if behind {
		s.behind++
		return nil
	}
	s.add(row, size)
	s.times = append(s.times, row.Time)
	return nil
}

// settle gives a subject its facts, and refuses one that nothing can be told of. interval 0: as the data has it.
func (a *archive) settle(s *subject, interval time.Duration) error {
	switch {
	case s.sent+s.behind == 0:
		return fmt.Errorf("path: there are no samples of %s", s.name)
	case s.sent == 0:
		return fmt.Errorf("path: all %d probes of %s were sent less than %v behind another, and may have waited for it: %s",
			s.behind, s.name, leastInterval, apart)
	}
	interval = cmp.Or(interval, usualInterval(s.times))
	s.facts.Interval = interval
	for _, row := range a.stats {
		if s.from != [2]string{row.Host, row.Instance} {
			continue
		}
		if err := s.addStats(row, interval, false); err != nil {
			return err
		}
	}
	return nil
}

// usualInterval is the median time between probes, with one significant digit: a sender is never quite on time.
func usualInterval(times []int64) time.Duration {
	if len(times) < 2 {
		return 0
	}
	var steps []int64
	for i, t := range times[1:] {
		steps = append(steps, t-times[i])
	}
	slices.Sort(steps)
	median := float64(steps[len(steps)/2])
	digit := math.Pow(10, math.Floor(math.Log10(max(median, 1))))
	return time.Duration(math.Round(median/digit) * digit)
}
