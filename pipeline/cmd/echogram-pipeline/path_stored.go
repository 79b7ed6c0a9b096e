package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"echogram/pipeline/config"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// mostSamples bounds what is held of stored samples: some GB.
const mostSamples = 4_000_000

// storedSpan is how much of the past is read of stored samples.
const storedSpan = 24 * time.Hour

// errManySamples: a stretch of time holds more than mostSamples.
var errManySamples = fmt.Errorf("path: more than %d samples: a shorter time would do (--start, --stop)", mostSamples)

// storedSubjects takes samples of start <= t < stop from the source of the configuration.
func (f *pathFlags) storedSubjects(ctx context.Context, p *pathPlan, start, stop int64, log *slog.Logger) (all []*subject, err error) {
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return nil, usageError{err}
	}
	if cfg.Source.URL == "" {
		return nil, usageError{fmt.Errorf("%s: key \"source.url\": is missing: there is nothing to read from", f.config)}
	}
	o := &opener{cfg: cfg, retries: onceRetries, failed: log, log: log}
	defer func() { err = errors.Join(err, o.Close()) }()
	from := source.New(o.client(&cfg.Source.Server), cfg.Source.Language, nil)
	if err := from.Open(ctx); err != nil {
		return nil, err
	}
	var stored archive
	if err := stored.read(ctx, from, start, stop); err != nil {
		return nil, err
	}
	if len(stored.samples) == 0 {
		return nil, fmt.Errorf("path: no points of %s in bucket %s from %s to %s: %s", schema.ICMPSample, cfg.Source.Bucket,
			time.Unix(0, start).UTC().Format(time.RFC3339), time.Unix(0, stop).UTC().Format(time.RFC3339), whoSamples)
	}
	return stored.subjects(p, f.sizes[0], f.givenInterval())
}

// parseStretch is the time whose samples are read.
func (f *pathFlags) parseStretch(now time.Time) (start, stop time.Time, err error) {
	if stop = now; f.stop != "" {
		if stop, err = parseTime("--stop", f.stop, now); err != nil {
			return start, stop, err
		}
	}
	if start = stop.Add(-storedSpan); f.start != "" {
		start, err = parseTime("--start", f.start, now)
	}
	if err == nil && !start.Before(stop) {
		err = fmt.Errorf("--start %s does not lie before --stop, %s", start.UTC().Format(time.RFC3339), stop.UTC().Format(time.RFC3339))
	}
	return start, stop, err
}

// read takes the samples of all targets in from <= t < to, as a request to one may have waited behind that to another, and
// what the sweeps said of themselves.
func (a *archive) read(ctx context.Context, src *source.Source, from, to int64) error {
	targets, err := src.Values(ctx, schema.ICMPSample, schema.TagTarget, from, to)
	if err != nil || len(targets) == 0 {
		return err
	}
	for _, target := range targets {
		var rows []schema.Row
		err := src.Rows(ctx, func() schema.Row { return new(schema.SampleRow) }, schema.TagTarget, target, from, to, func() { rows = nil },
			func(r schema.Row) {
				if len(a.samples)+len(rows) <= mostSamples {
					rows = append(rows, r)
				}
			})
		if err != nil {
			return err
		}
		if len(a.samples)+len(rows) > mostSamples {
			return errManySamples
		}
		a.addAll(rows)
	}
	var rows []schema.Row
	err = src.Rows(ctx, func() schema.Row { return new(schema.SweepStatsRow) }, "", "", from, to, func() { rows = nil }, func(r schema.Row) { rows = append(rows, r) })
	a.addAll(rows)
	return err
}

func (a *archive) addAll(rows []schema.Row) {
	for _, r := range rows {
		a.add(r)
	}
}
