package source

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"echogram/pipeline/influx"
	"echogram/pipeline/window"
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

// flux is a condition on a tag.
func (c *condition) flux() string {
	all := make([]string, len(c.values))
	for i, v := range c.values {
		all[i] = fmt.Sprintf("r[%s] == %s", fluxString(c.tag), fluxString(v))
	}
	return "(" + strings.Join(all, " or ") + ")"
}

// part is a condition on what a part holds.
func (s *Source) part(p Part) string {
	c := condition{s.targets[p.Of], p.Values}
	return c.flux()
}

func fluxField(name string) string { return "r._field == " + fluxString(name) }

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
	for of, table := range s.tables {
		parts, err := s.Parts(ctx, of, earliest, now)
		if err != nil {
			return 0, false, err
		}
		for _, p := range parts {
			queries = append(queries, s.from(earliest, now, table.measurement, s.part(p), fluxField(table.columns[0].name))+" |> first()")
		}
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

func (s *Source) fluxDoubted(ctx context.Context, from, to int64) ([]Minute, error) {
	var all []Minute
	q := s.from(from, to, schema.ICMPSweepStats, fluxField("trust")) + " |> filter(fn: (r) => r._value != " + fluxString(schema.TrustOK) + ")"
	err := s.each(ctx, q, func() { all = nil }, func(r *query.FluxRecord) {
		if at := r.Time().UnixNano(); at < to { // 1.8 takes in points on the range's stop
			all = append(all, Minute{Host: tag(r, schema.TagHost), Instance: tag(r, schema.TagInstance), Start: at})
		}
	})
	return all, err
}

// fluxCounts counts part by part: each is one small answer.
func (s *Source) fluxCounts(ctx context.Context, of string, from, to int64) ([]Minute, error) {
	parts, err := s.Parts(ctx, of, from, to)
	total := sums{}
	for _, p := range parts {
		one := sums{}
		err = s.each(ctx, s.fluxCount(p, from, to),
			func() { clear(one) },
			func(r *query.FluxRecord) {
				if r.Start() != r.Stop() { // 1.8 puts points on the range's start into an empty window before it, too
					one.add(r, r.Start(), r.Result() == "rows")
				}
			})
		if err != nil {
			break
		}
		for k, m := range one {
			total.put(k, m.Rows, m.Late)
		}
	}
	return total.minutes(), err
}

func (s *Source) fluxCount(p Part, from, to int64) string {
	table := s.tables[p.Of]
	rows := s.from(from, to, table.measurement, s.part(p), fluxField(table.columns[0].name))
	if p.Of != "" {
		return rows + ` |> group() |> window(every: 1m) |> count() |> yield(name: "rows")`
	}
	window := fmt.Sprintf(" |> group(columns: [%q, %q]) |> window(every: 1m)", schema.TagHost, schema.TagInstance)
	return rows + window + ` |> count() |> yield(name: "rows")` + "\n" +
		s.from(from, to, schema.ICMPSweep, s.part(p), fluxField("late")) + window + ` |> sum() |> yield(name: "late")`
}

// fluxValues lists the values of the tag that tells parts apart, from one point of each series: Flux has no cheaper way
// that 1.8 and 2.x share.
func (s *Source) fluxValues(ctx context.Context, of string, from, to int64) ([]string, error) {
	var all []string
	table, tag := s.tables[of], s.targets[of]
	q := s.from(from, to, table.measurement, fluxField(table.columns[0].name), "exists r["+fluxString(tag)+"]") +
		fmt.Sprintf(` |> first() |> keep(columns: [%q]) |> group() |> distinct(column: %q)`, tag, tag)
	err := s.each(ctx, q, func() { all = nil }, func(r *query.FluxRecord) {
		if v, ok := r.Value().(string); ok {
			all = append(all, v)
		}
	})
	return all, err
}

func fluxRead[R any](ctx context.Context, s *Source, t *table[R], where []condition, from, to int64, begin func(), add func(*schema.RTTSeries, *R)) error {
	var wanted, and []string
	for _, f := range t.fields() {
		wanted = append(wanted, fluxField(f))
	}
	for i := range where {
		and = append(and, where[i].flux())
	}
	q := s.from(from, to, t.measurement, append(and, "("+strings.Join(wanted, " or ")+")")...) +
		` |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")` + fluxRename
	var series *schema.RTTSeries
	var failed error
	table := -1
	err := s.each(ctx, q, func() { begin(); series, table, failed = nil, -1, nil }, func(r *query.FluxRecord) {
		if at := r.Time().UnixNano(); at < from || at >= to {
			return // 1.8 takes in points on the range's stop
		}
		if series == nil || r.Table() != table {
			table = r.Table()
			series, failed = recordSeries(t, r, failed)
		}
		var row R
		*t.time(&row) = r.Time().UnixNano()
		for _, c := range t.columns {
			if v := valueOf(r.ValueByKey(fluxColumn(c.name))); v.kind != 0 && failed == nil {
				failed = c.set(&row, &v)
			}
		}
		if r.ValueByKey(fluxColumn(t.columns[0].name)) != nil && failed == nil {
			add(series, &row)
		}
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("source: %w", failed)
	}
	return err
}

// An answer has columns result and table of its own: tags and fields that are called so, such as the tag result of
// http_response, come by another name.
const (
	fluxOurs   = "_our_"
	fluxRename = ` |> rename(fn: (column) => if column == "result" or column == "table" then "` + fluxOurs + `" + column else column)`
)

// fluxColumn is the column of a tag or field.
func fluxColumn(name string) string {
	if name == "result" || name == "table" {
		return fluxOurs + name
	}
	return name
}

// recordSeries takes the tags of a renamed record: every text column that is no field and that Flux did not add itself.
func recordSeries[R any](t *table[R], r *query.FluxRecord, failed error) (*schema.RTTSeries, error) {
	var p schema.Point
	for k, v := range r.Values() {
		text, ok := v.(string)
		name, ours := strings.CutPrefix(k, fluxOurs)
		if !ok || !ours && (strings.HasPrefix(k, "_") || fluxColumn(k) != k) || t.index(name) >= 0 {
			continue
		}
		p.SetTag(name, text)
	}
	series, err := t.series(&p)
	return series, cmp.Or(failed, err)
}

// fluxFacts asks for the last value of each field in each window.
func (s *Source) fluxFacts(ctx context.Context, from, to int64, length time.Duration) ([]Facts, error) {
	var wanted []string
	for _, f := range linkFields {
		wanted = append(wanted, fluxField(f))
	}
	type key struct {
		host, instance string
		start          int64
	}
	found := map[key]*Facts{}
	q := s.from(from, to, schema.ICMPSweepStats, "("+strings.Join(wanted, " or ")+")") + fmt.Sprintf(" |> window(every: %ds) |> last()", int64(length.Seconds()))
	err := s.each(ctx, q, func() { clear(found) }, func(r *query.FluxRecord) {
		k := key{tag(r, schema.TagHost), tag(r, schema.TagInstance), window.Floor(r.Time().UnixNano(), int64(length))}
		if found[k] == nil {
			found[k] = &Facts{Host: k.host, Instance: k.instance, Start: k.start}
		}
		found[k].set(r.Field(), fmt.Sprint(r.Value()))
	})
	list := make([]Facts, 0, len(found))
	for _, f := range found {
		list = append(list, *f)
	}
	return list, err
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
