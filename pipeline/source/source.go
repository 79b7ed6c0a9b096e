// Package source reads what the sweeps wrote out of InfluxDB: block by block, so that neither side ever holds more
// than one block's series. It owns the queries and the reading of their answers; connections and retries are
// pipeline/influx's, decisions are its caller's.
//
// It asks in InfluxQL on /query. Where /query has no mapping for the bucket (2.x without DBRP), it asks the same in
// Flux. Nothing is pivoted, grouped or aggregated over more than one block in Flux.
package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// Languages to ask in.
const (
	Auto     = "auto" // InfluxQL, or Flux where that has no mapping
	InfluxQL = "influxql"
	Flux     = "flux"
)

// Minute sums up one minute of one instance: what its manifests promise, or what the database holds.
type Minute struct {
	Host, Instance string
	Start          int64 // ns
	Rows           int64 // rows that hold a field "sent"
	Late           int64
}

// Source reads from one bucket.
type Source struct {
	client   *influx.Client
	language string
}

// New makes a Source; Open it before use.
func New(client *influx.Client, language string) *Source {
	return &Source{client: client, language: language}
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

// Counts sums up, by minute, the rows of from <= t < to.
func (s *Source) Counts(ctx context.Context, from, to int64) ([]Minute, error) {
	if s.language == Flux {
		return s.fluxCounts(ctx, from, to)
	}
	return s.qlCounts(ctx, from, to)
}

// Blocks lists the blocks that may have points in from <= t < to, sorted.
func (s *Source) Blocks(ctx context.Context, from, to int64) ([]string, error) {
	var all []string
	var err error
	if s.language == Flux {
		all, err = s.fluxBlocks(ctx, from, to)
	} else {
		all, err = s.qlBlocks(ctx, from, to)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// Read hands every per-target row of one block in from <= t < to to add, series by series; what add gets is valid
// until it returns, but a series stays as it is for as long as its rows come. Rows without a field "sent" are left
// out: the late reply of a row that was lost. begin is called before the first row, and again when a broken
// connection made the reading start over.
func (s *Source) Read(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.Series, *schema.SweepRow)) error {
	if s.language == Flux {
		return s.fluxRead(ctx, block, from, to, begin, add)
	}
	return s.qlRead(ctx, block, from, to, begin, add)
}

// fields are the fields of a per-target row that rollups need.
var fields = []string{"sent", "received", "late", "duplicates", "corrupt", "rtt_ns", "rtt_min_ns", "rtt_max_ns"}

// set stores the value of fields[i] in r.
func set(r *schema.SweepRow, i int, v int64) {
	switch i {
	case 0:
		r.Sent = v
	case 1:
		r.Received = v
	case 2:
		r.Late = v
	case 3:
		r.Duplicates = v
	case 4:
		r.Corrupt = v
	case 5:
		r.RTT = schema.Some(v)
	case 6:
		r.RTTMin = schema.Some(v)
	case 7:
		r.RTTMax = schema.Some(v)
	}
}
