// Package source reads points out of InfluxDB: what the sweeps wrote, other measurements with an RTT, and the floors
// that rollups found. It reads part by part (a block, or some targets of another measurement), so that neither side
// ever holds more than a part's series. It owns the queries and the reading of their answers; connections and retries
// are pipeline/influx's, decisions are its caller's.
//
// It asks in InfluxQL on /query. Where /query has no mapping for the bucket (2.x without DBRP), it asks the same in
// Flux. Nothing is pivoted, grouped or aggregated over more than one part in Flux.
package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"echogram/pipeline/influx"
	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// Languages to ask in.
const (
	Auto     = "auto" // InfluxQL, or Flux where that has no mapping
	InfluxQL = "influxql"
	Flux     = "flux"
)

// Minute sums up one minute of one instance, or of another measurement: what its manifests promise, or what the
// database holds.
type Minute struct {
	Host, Instance string // of icmp_sweep
	Start          int64  // ns
	Rows           int64  // rows that hold a field "sent", or that which every row of the measurement holds
	Late           int64
}

// Part is what is read at once.
type Part struct {
	Of     string   // the measurement; "" is icmp_sweep
	Values []string // a block, or targets
}

// Source reads from one bucket.
type Source struct {
	client   *influx.Client
	language string
	tables   map[string]*table[schema.SweepRow] // by measurement; "" is icmp_sweep
	targets  map[string]string                  // the tag that tells parts apart
}

// New makes a Source of icmp_sweep and ms; Open it before use.
func New(client *influx.Client, language string, ms []lines.Measurement) *Source {
	s := &Source{client: client, language: language,
		tables:  map[string]*table[schema.SweepRow]{"": sweeps},
		targets: map[string]string{"": schema.TagBlock}}
	for i := range ms {
		s.tables[ms[i].Name], s.targets[ms[i].Name] = tableOf(&ms[i]), ms[i].Target
	}
	return s
}

// Open finds out which language the bucket understands.
func (s *Source) Open(ctx context.Context) error {
	if s.language == Flux {
		return s.probeFlux(ctx, s.client)
	}
	_, err := s.client.InfluxQL(ctx, fmt.Sprintf("SELECT points FROM %q LIMIT 1", schema.ICMPSweepStats))
	if err == nil {
		s.language = InfluxQL
		return nil
	}
	if s.language == InfluxQL || !errors.Is(err, influx.ErrNoDatabase) {
		return err
	}
	if fluxErr := s.probeFlux(ctx, s.client.Once()); fluxErr != nil {
		return err
	}
	s.language = Flux
	return nil
}

// Language is InfluxQL or Flux once the Source is open.
func (s *Source) Language() string { return s.language }

// Oldest is the time of the oldest point; ok is false when there is none.
func (s *Source) Oldest(ctx context.Context) (t int64, ok bool, err error) {
	if s.language == Flux {
		return s.fluxOldest(ctx)
	}
	return s.qlOldest(ctx)
}

// Newest gives the time of each instance's latest manifest before a time, as the Start of a Minute.
func (s *Source) Newest(ctx context.Context, before int64) ([]Minute, error) {
	if s.language == Flux {
		return s.fluxNewest(ctx, before)
	}
	return s.qlNewest(ctx, before)
}

// Manifests sums up, by minute, what the manifests of from <= t < to promise.
func (s *Source) Manifests(ctx context.Context, from, to int64) ([]Minute, error) {
	if s.language == Flux {
		return s.fluxManifests(ctx, from, to)
	}
	return s.qlManifests(ctx, from, to)
}

// Doubted gives the sweeps in from <= t < to whose manifests say that they are not to be trusted, the time of each as the
// Start of a Minute.
func (s *Source) Doubted(ctx context.Context, from, to int64) ([]Minute, error) {
	if s.language == Flux {
		return s.fluxDoubted(ctx, from, to)
	}
	return s.qlDoubted(ctx, from, to)
}

// Counts sums up, by minute, the rows of a measurement in from <= t < to.
func (s *Source) Counts(ctx context.Context, of string, from, to int64) ([]Minute, error) {
	if s.language == Flux {
		return s.fluxCounts(ctx, of, from, to)
	}
	return s.qlCounts(ctx, of, from, to)
}

// Totals sums up the rows of sweeps in from <= t < to by instance, all in one: in InfluxQL fifty times as fast as Counts;
// ok is false in Flux, which counts block by block either way.
func (s *Source) Totals(ctx context.Context, from, to int64) (all []Minute, ok bool, err error) {
	if s.language == Flux {
		return nil, false, nil
	}
	all, err = s.qlTotals(ctx, from, to)
	return all, true, err
}

// targetsAPart is how many targets of another measurement are read at once.
const targetsAPart = 100

// Parts lists what a measurement may have points of in from <= t < to, sorted.
func (s *Source) Parts(ctx context.Context, of string, from, to int64) ([]Part, error) {
	var all []string
	var err error
	if s.language == Flux {
		all, err = s.fluxValues(ctx, of, from, to)
	} else {
		all, err = s.qlValues(ctx, of, from, to)
	}
	slices.Sort(all)
	n := targetsAPart
	if of == "" {
		n = 1
	}
	var parts []Part
	for values := range slices.Chunk(slices.Compact(all), n) {
		parts = append(parts, Part{of, values})
	}
	return parts, err
}

// Read hands every row of one part in from <= t < to to add, series by series; what add gets is valid until it
// returns, but a series stays as it is for as long as its rows come. Rows without a field "sent" (or that which every
// row of the measurement should hold) are left out: the late reply of a row that was lost. begin is called before the
// first row, and again when a broken connection made the reading start over. A negative RTT of another measurement is none:
// the row is malformed.
func (s *Source) Read(ctx context.Context, part Part, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error {
	return read(ctx, s, s.tables[part.Of], []condition{{s.targets[part.Of], part.Values}}, from, to, begin, add)
}

// Floors hands the rollups of one block's targets over windows that start in from <= t < to to add, as Read does.
// window is the tag's value, such as 1h. Of their fields only the floor's are filled in, and its window is not.
func (s *Source) Floors(ctx context.Context, block, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error {
	where := []condition{{schema.TagBlock, []string{block}}, {schema.TagWindow, []string{window}}}
	return read(ctx, s, floors, where, from, to, begin, add)
}

// TargetFloors is Floors for some targets, one at least, whatever their blocks are.
func (s *Source) TargetFloors(ctx context.Context, targets []string, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error {
	where := []condition{{schema.TagTarget, targets}, {schema.TagWindow, []string{window}}}
	return read(ctx, s, floors, where, from, to, begin, add)
}

// Facts tells what bent RTTs in windows of the given length, by what their last sweeps say.
func (s *Source) Facts(ctx context.Context, from, to int64, length time.Duration) ([]Facts, error) {
	if s.language == Flux {
		return s.fluxFacts(ctx, from, to, length)
	}
	return s.qlFacts(ctx, from, to, length)
}

// condition is that a tag has one of some values.
type condition struct {
	tag    string
	values []string
}

func read[R any](ctx context.Context, s *Source, t *table[R], where []condition, from, to int64, begin func(), add func(*schema.RTTSeries, *R)) error {
	if s.language == Flux {
		return fluxRead(ctx, s, t, where, from, to, begin, add)
	}
	return qlRead(ctx, s, t, where, from, to, begin, add)
}
