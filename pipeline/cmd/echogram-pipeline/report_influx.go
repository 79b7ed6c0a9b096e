package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"echogram/pipeline/config"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// readInfluxDB reads sweeps from the source of a configuration, block by block, and what was made of them from its sink.
func (d *drawing) readInfluxDB(ctx context.Context, name string) (err error) {
	cfg, err := config.Load(name, os.LookupEnv)
	if err != nil {
		return usageError{err}
	}
	if cfg.Source.URL == "" {
		return usageError{fmt.Errorf("%s: key \"source.url\": is missing: there is nothing to read from", name)}
	}
	o := &opener{cfg: cfg, retries: onceRetries, log: d.log}
	defer func() { err = errors.Join(err, o.Close()) }()
	raw := source.New(o.client(&cfg.Source.Server), cfg.Source.Language, nil)
	made := raw
	if cfg.Sink.Type == config.InfluxDB {
		made = source.New(o.client(&cfg.Sink.Server), cfg.Source.Language, nil)
		if err := made.Open(ctx); err != nil {
			return err
		}
	}
	if err := raw.Open(ctx); err != nil {
		return err
	}
	if err := d.readSweeps(ctx, raw); err != nil {
		return err
	}
	if err := d.readRows(ctx, raw, func() schema.Row { return new(schema.SweepBlockRow) }); err != nil {
		return err
	}
	for _, kind := range []func() schema.Row{
		func() schema.Row { return new(schema.BlockStateRow) }, func() schema.Row { return new(schema.BlockOutageRow) },
		func() schema.Row { return new(schema.BlockChurnRow) }, func() schema.Row { return new(schema.BlockDailyRow) },
	} {
		if err := d.readRows(ctx, made, kind); err != nil {
			return err
		}
	}
	if err := d.readPaths(ctx, raw); err != nil {
		return err
	}
	return d.readBFD(ctx, raw)
}

// readPaths reads samples of single probes, unless there are too many: other pictures need none.
func (d *drawing) readPaths(ctx context.Context, from *source.Source) error {
	if d.paths == nil {
		return nil
	}
	d.p.say("%s", schema.ICMPSample)
	err := d.paths.read(ctx, from, d.within.Start, d.within.Stop)
	d.lines += int64(len(d.paths.samples))
	if errors.Is(err, errManySamples) {
		d.paths = nil
		d.log.Warn("no picture of a path", "reason", err.Error())
		return nil
	}
	return err
}

// outcome is what a report keeps of a row until all of its block have come.
type outcome struct {
	series                             *schema.RTTSeries
	time, sent, received, late, result int64
	rtt                                schema.Opt
}

// readSweeps reads the targets' rows. A block is taken whole: a connection that breaks makes its reading start over.
func (d *drawing) readSweeps(ctx context.Context, from *source.Source) error {
	parts, err := from.Parts(ctx, "", d.within.Start, d.within.Stop)
	if err != nil {
		return err
	}
	var rows []outcome
	var bad badPoints
	for i, p := range parts {
		if !d.wants(p.Values[0]) {
			continue
		}
		d.p.say("sweeps: block %d of %d, %s", i+1, len(parts), p.Values[0])
		err := from.Outcomes(ctx, p.Values[0], d.within.Start, d.within.Stop, func() { rows = rows[:0] },
			func(s *schema.RTTSeries, r *schema.SweepRow) {
				rows = append(rows, outcome{s, r.Time, r.Sent, r.Received, r.Late, r.ResultCode, r.RTT})
			})
		if err != nil {
			return err
		}
		d.lines += int64(len(rows))
		for _, r := range rows {
			row := &schema.SweepRow{Time: r.time, Sent: r.sent, Received: r.received, Late: r.late, ResultCode: r.result, RTT: r.rtt}
			if err := cmp.Or(r.series.Check(), row.Check()); err != nil {
				bad.add(r.series.Target, r.time, err)
				continue
			}
			d.nets.Add(r.series, row)
		}
	}
	if bad.n > 0 {
		d.log.Warn("malformed points were left out", "count", bad.n, "first", bad.first)
	}
	return nil
}

// badPoints are stored points that no sweep can have written.
type badPoints struct {
	n     int64
	first string
}

func (b *badPoints) add(target string, at int64, err error) {
	if b.n++; b.n == 1 {
		b.first = fmt.Sprintf("target %s at %s: %v", target, time.Unix(0, at).UTC().Format(time.RFC3339), err)
	}
}

// wants tells whether a block can have targets in the network that is drawn.
func (d *drawing) wants(block string) bool {
	p, err := netip.ParsePrefix(block)
	return !d.within.Network.IsValid() || err != nil || p.Overlaps(d.within.Network)
}

// readRows reads all rows of a kind: those of blocks and targets block by block, those of groups group by group.
func (d *drawing) readRows(ctx context.Context, from *source.Source, fresh func() schema.Row) error {
	measurement := fresh().Measurement()
	groups, err := from.Values(ctx, measurement, schema.TagGroup, d.within.Start, d.within.Stop)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g == schema.GroupBlock || g == schema.GroupTarget {
			continue
		}
		if err := d.readValue(ctx, from, fresh, schema.TagGroup, g); err != nil {
			return err
		}
	}
	blocks, err := from.Values(ctx, measurement, schema.TagBlock, d.within.Start, d.within.Stop)
	if err != nil {
		return err
	}
	for i, b := range blocks {
		if !d.wants(b) {
			continue
		}
		d.p.say("%s: block %d of %d, %s", measurement, i+1, len(blocks), b)
		if err := d.readValue(ctx, from, fresh, schema.TagBlock, b); err != nil {
			return err
		}
	}
	return nil
}

func (d *drawing) readValue(ctx context.Context, from *source.Source, fresh func() schema.Row, tag, value string) error {
	var rows []schema.Row
	err := from.Rows(ctx, fresh, tag, value, d.within.Start, d.within.Stop, func() { rows = nil }, func(r schema.Row) { rows = append(rows, r) })
	for _, r := range rows {
		d.nets.Row(r)
	}
	d.lines += int64(len(rows))
	return err
}
