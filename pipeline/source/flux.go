package source

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

func fluxTime(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// fluxString quotes a string for Flux.
func fluxString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", `\${`).Replace(s) + `"`
}

// from is the beginning of every query.
func (s *Source) from(from, to int64, measurement string, and ...string) string {
	q := fmt.Sprintf("from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %s",
		fluxString(s.client.Bucket()), fluxTime(from), fluxTime(to), fluxString(measurement))
	for _, a := range and {
		q += " and " + a
	}
	return q + ")"
}

// earliest is the beginning of time for a query; InfluxDB's own lies before 1678, where Flux's literals fail.
const earliest = 0

func fluxBlock(block string) string { return "r." + schema.TagBlock + " == " + fluxString(block) }

// each runs a query and calls f for each record.
func (s *Source) each(ctx context.Context, flux string, begin func(), f func(*query.FluxRecord)) error {
	return each(ctx, s.client, flux, begin, f)
}

func each(ctx context.Context, client *influx.Client, flux string, begin func(), f func(*query.FluxRecord)) error {
	return client.Flux(ctx, flux, func(result *api.QueryTableResult) error {
		begin()
		for result.Next() {
			f(result.Record())
		}
		return nil
	})
}

// probeFlux finds out whether Flux knows the bucket.
func (s *Source) probeFlux(ctx context.Context, client *influx.Client) error {
	now := time.Now().UnixNano()
	return each(ctx, client, s.from(now-int64(time.Second), now, schema.ICMPSweepStats)+" |> limit(n: 1)", func() {}, func(*query.FluxRecord) {})
}

func (s *Source) fluxOldest(ctx context.Context) (t int64, ok bool, err error) {
	now := time.Now().UnixNano()
	queries := []string{s.from(earliest, now, schema.ICMPSweepStats, `r._field == "points"`) + " |> first()"}
	blocks, err := s.fluxBlocks(ctx, earliest, now)
	if err != nil {
		return 0, false, err
	}
	for _, b := range blocks {
		queries = append(queries, s.from(earliest, now, schema.ICMPSweep, fluxBlock(b), `r._field == "sent"`)+" |> first()")
	}
	t = math.MaxInt64
	for _, q := range queries {
		err := s.each(ctx, q, func() {}, func(r *query.FluxRecord) { t, ok = min(t, r.Time().UnixNano()), true })
		if err != nil {
			return 0, false, err
		}
	}
	return t, ok, nil
}

func (s *Source) fluxNewest(ctx context.Context, before int64) ([]Minute, error) {
	var all []Minute
	err := s.each(ctx, s.from(earliest, before, schema.ICMPSweepStats, `r._field == "points"`)+" |> last()",
		func() { all = nil },
		func(r *query.FluxRecord) {
			all = append(all, Minute{Host: tag(r, schema.TagHost), Instance: tag(r, schema.TagInstance), Start: r.Time().UnixNano()})
		})
	return all, err
}

func (s *Source) fluxManifests(ctx context.Context, from, to int64) ([]Minute, error) {
	sum := sums{}
	err := s.each(ctx, s.from(from, to, schema.ICMPSweepStats, `(r._field == "points" or r._field == "late")`),
		func() { clear(sum) },
		func(r *query.FluxRecord) { sum.add(r, r.Time(), r.Field() == "points") })
	return sum.minutes(), err
}

// fluxCounts counts block by block: each is one small answer.
func (s *Source) fluxCounts(ctx context.Context, from, to int64) ([]Minute, error) {
	blocks, err := s.fluxBlocks(ctx, from, to)
	total := sums{}
	for _, b := range blocks {
		one := sums{}
		window := fmt.Sprintf(" |> group(columns: [%q, %q]) |> window(every: 1m)", schema.TagHost, schema.TagInstance)
		err = s.each(ctx,
			s.from(from, to, schema.ICMPSweep, fluxBlock(b), `r._field == "sent"`)+window+` |> count() |> yield(name: "rows")`+"\n"+
				s.from(from, to, schema.ICMPSweep, fluxBlock(b), `r._field == "late"`)+window+` |> sum() |> yield(name: "late")`,
			func() { clear(one) },
			func(r *query.FluxRecord) { one.add(r, r.Start(), r.Result() == "rows") })
		if err != nil {
			break
		}
		for k, m := range one {
			total.put(k, m.Rows, m.Late)
		}
	}
	return total.minutes(), err
}

// fluxBlocks lists blocks from one point of each series: Flux has no cheaper way that 1.8 and 2.x share.
func (s *Source) fluxBlocks(ctx context.Context, from, to int64) ([]string, error) {
	var all []string
	q := s.from(from, to, schema.ICMPSweep, `r._field == "sent"`) +
		fmt.Sprintf(` |> first() |> keep(columns: [%q]) |> group() |> distinct(column: %q)`, schema.TagBlock, schema.TagBlock)
	err := s.each(ctx, q, func() { all = nil }, func(r *query.FluxRecord) {
		if v, ok := r.Value().(string); ok {
			all = append(all, v)
		}
	})
	return all, err
}

func (s *Source) fluxRead(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.Series, *schema.SweepRow)) error {
	var wanted []string
	for _, f := range fields {
		wanted = append(wanted, `r._field == "`+f+`"`)
	}
	q := s.from(from, to, schema.ICMPSweep, fluxBlock(block), "("+strings.Join(wanted, " or ")+")") +
		` |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`
	var series *schema.Series
	table := -1
	return s.each(ctx, q, func() { begin(); series, table = nil, -1 }, func(r *query.FluxRecord) {
		if series == nil || r.Table() != table {
			series, table = recordSeries(r), r.Table()
		}
		row := schema.SweepRow{Time: r.Time().UnixNano()}
		for i, f := range fields {
			if v, ok := r.ValueByKey(f).(int64); ok {
				set(&row, i, v)
			}
		}
		if _, ok := r.ValueByKey("sent").(int64); ok {
			add(series, &row)
		}
	})
}

// recordSeries takes the tags of a pivoted record: every text column that Flux did not add itself.
func recordSeries(r *query.FluxRecord) *schema.Series {
	p := schema.Point{Measurement: schema.ICMPSweep}
	for k, v := range r.Values() {
		text, ok := v.(string)
		if !ok || strings.HasPrefix(k, "_") || k == "result" || k == "table" || slices.Contains(fields, k) {
			continue
		}
		p.SetTag(k, text)
	}
	var row schema.SweepRow
	if err := schema.Read(&p, &row); err != nil {
		panic(err) // a point without fields has none of a wrong type
	}
	return &row.Series
}

func tag(r *query.FluxRecord, key string) string {
	v, _ := r.ValueByKey(key).(string)
	return v
}

// sums adds minutes up.
type sums map[Minute]*Minute

func (s sums) put(k Minute, rows, late int64) {
	if s[k] == nil {
		m := k
		s[k] = &m
	}
	s[k].Rows += rows
	s[k].Late += late
}

func (s sums) add(r *query.FluxRecord, at time.Time, rows bool) {
	v, ok := r.Value().(int64)
	if !ok {
		f, err := strconv.ParseInt(fmt.Sprint(r.Value()), 10, 64)
		if err != nil {
			return
		}
		v = f
	}
	k := Minute{Host: tag(r, schema.TagHost), Instance: tag(r, schema.TagInstance), Start: at.Truncate(time.Minute).UnixNano()}
	if rows {
		s.put(k, v, 0)
	} else {
		s.put(k, 0, v)
	}
}

func (s sums) minutes() []Minute {
	all := make([]Minute, 0, len(s))
	for _, m := range s {
		all = append(all, *m)
	}
	return all
}
