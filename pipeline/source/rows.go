package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// outcomes are the per-target rows of icmp_sweep, with the fields that tell what came back.
var outcomes = &table[schema.SweepRow]{
	measurement: schema.ICMPSweep,
	columns: []column[schema.SweepRow]{
		integer("sent", func(r *schema.SweepRow) *int64 { return &r.Sent }),
		integer("received", func(r *schema.SweepRow) *int64 { return &r.Received }),
		integer("late", func(r *schema.SweepRow) *int64 { return &r.Late }),
		integer("result_code", func(r *schema.SweepRow) *int64 { return &r.ResultCode }),
		optional("rtt_ns", func(r *schema.SweepRow) *schema.Opt { return &r.RTT }),
	},
	time:   rowTime,
	series: sweepSeries,
}

// Outcomes hands what came back from each target of one block in from <= t < to to add, as Read does. Of the fields only
// Sent, Received, Late, ResultCode and RTT are filled in.
func (s *Source) Outcomes(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error {
	return read(ctx, s, outcomes, []condition{{schema.TagBlock, []string{block}}}, from, to, begin, add)
}

// whole names of each measurement that Rows reads a field that every row has.
var whole = map[string]string{
	schema.ICMPSweepBlock: "targets", schema.ICMPSweepRollup: "sweeps", schema.ICMPSample: "probe", schema.ICMPSweepStats: "points",
	schema.BlockState: "sweeps", schema.BlockOutage: "duration_ns", schema.BlockChurn: "addresses", schema.BlockDaily: "days",
	schema.BFDSession: "control_packets", schema.BFDEcho: "echo_packets_sent", schema.BFDEchoRTT: "answered", schema.BFDEvent: "text",
}

// Values lists the values that a tag has in the rows of one of the measurements that Rows reads, in from <= t < to, sorted.
func (s *Source) Values(ctx context.Context, measurement, tag string, from, to int64) (all []string, err error) {
	if s.language == Flux {
		q := s.from(from, to, measurement, fluxField(whole[measurement]), "exists r["+fluxString(tag)+"]") +
			fmt.Sprintf(` |> first() |> keep(columns: [%q]) |> group() |> distinct(column: %q)`, tag, tag)
		err = s.each(ctx, q, func() { all = nil }, func(r *query.FluxRecord) { all = append(all, fmt.Sprint(r.Value())) })
	} else {
		var answer []influx.Series
		answer, err = s.client.InfluxQL(ctx, fmt.Sprintf("SHOW TAG VALUES FROM %q WITH KEY = %q WHERE %s", measurement, tag, qlRange(from, to)))
		for _, r := range rows(answer) {
			all = append(all, fmt.Sprint(r.values["value"]))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// Rows hands all rows of kind's measurement in from <= t < to whose tag has the value to add, each in a fresh row of
// kind; without a tag all rows, of which there should be few. It reads icmp_sweep_block, icmp_sweep_rollup, icmp_sample,
// icmp_sweep_stats, and the measurements of block analytics and of BFD but bfd_stats. begin is called as by Read.
func (s *Source) Rows(ctx context.Context, fresh func() schema.Row, tag, value string, from, to int64, begin func(), add func(schema.Row)) error {
	t := rowTable(fresh())
	var where []condition
	if tag != "" {
		where = []condition{{tag, []string{value}}}
	}
	var failed error
	err := read(ctx, s, t, where, from, to, func() { begin(); failed = nil }, func(tags *schema.RTTSeries, p *schema.Point) {
		p.Measurement, p.Tags, p.HasTime = t.measurement, tags.Labels, true
		row := fresh()
		if err := schema.Read(p, row); err != nil {
			failed = err
			return
		}
		add(row)
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("source: %w", failed)
	}
	return err
}

// rowTable reads rows of a kind as points. The tags come as labels of the series.
func rowTable(kind schema.Row) *table[schema.Point] {
	t := &table[schema.Point]{measurement: kind.Measurement(), time: func(p *schema.Point) *int64 { return &p.Time },
		series: func(p *schema.Point) (*schema.RTTSeries, error) {
			return &schema.RTTSeries{Series: schema.Series{Labels: slices.Clone(p.Tags)}}, nil
		}}
	_, fields := schema.Names(kind)
	first := whole[t.measurement]
	t.columns = append(t.columns, pointColumn(first, fields[first]))
	delete(fields, first)
	for name, kind := range fields {
		t.columns = append(t.columns, pointColumn(name, kind))
	}
	slices.SortFunc(t.columns[1:], func(a, b column[schema.Point]) int { return strings.Compare(a.name, b.name) })
	return t
}

// pointColumn makes a field of a value.
func pointColumn(name string, kind schema.Kind) column[schema.Point] {
	return column[schema.Point]{name, func(p *schema.Point, v *value) error {
		f, err := field(name, kind, v)
		p.Fields = append(p.Fields, f)
		return err
	}}
}

func field(name string, kind schema.Kind, v *value) (schema.Field, error) {
	switch kind {
	case schema.KindInt:
		n, err := v.integer()
		return schema.Int(name, n), err
	case schema.KindFloat:
		f, err := v.float()
		return schema.Float(name, f), err
	case schema.KindBool:
		is, err := v.is()
		return schema.Bool(name, is), err
	}
	return schema.String(name, v.string()), nil
}
