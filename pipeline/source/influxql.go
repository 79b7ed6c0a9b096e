package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// qlString quotes a string for InfluxQL.
func qlString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

func qlRange(from, to int64) string { return fmt.Sprintf("time >= %d AND time < %d", from, to) }

// byInstance groups by the tags that name an instance, with n before them.
func byInstance(n string) string {
	return fmt.Sprintf(" GROUP BY %s%q, %q", n, schema.TagHost, schema.TagInstance)
}

func (s *Source) qlOldest(ctx context.Context) (t int64, ok bool, err error) {
	t = math.MaxInt64
	first := map[string]string{schema.ICMPSweepStats: "points"}
	for _, table := range s.tables {
		first[table.measurement] = table.columns[0].name
	}
	for measurement, field := range first {
		all, err := s.client.InfluxQL(ctx, fmt.Sprintf("SELECT first(%q) FROM %q", field, measurement))
		if err != nil {
			return 0, false, err
		}
		for _, row := range rows(all) {
			t, ok = min(t, row.int("time")), true
		}
	}
	return t, ok, nil
}

func (s *Source) qlNewest(ctx context.Context, before int64) ([]Minute, error) {
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT last("points") AS "rows" FROM %q WHERE time < %d`, schema.ICMPSweepStats, before)+byInstance(""))
}

func (s *Source) qlManifests(ctx context.Context, from, to int64) ([]Minute, error) {
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT sum("points") AS "rows", sum("late") AS "late" FROM %q WHERE %s`,
		schema.ICMPSweepStats, qlRange(from, to))+byInstance("time(1m), ")+" fill(none)")
}

func (s *Source) qlDoubted(ctx context.Context, from, to int64) ([]Minute, error) {
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT "trust" FROM %q WHERE %s AND "trust" != %s`,
		schema.ICMPSweepStats, qlRange(from, to), qlString(schema.TrustOK))+byInstance(""))
}

func (s *Source) qlCounts(ctx context.Context, of string, from, to int64) ([]Minute, error) {
	if of == "" {
		return s.qlMinutes(ctx, fmt.Sprintf(`SELECT count("sent") AS "rows", sum("late") AS "late" FROM %q WHERE %s`,
			schema.ICMPSweep, qlRange(from, to))+byInstance("time(1m), ")+" fill(none)")
	}
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT count(%q) AS "rows" FROM %q WHERE %s AND %q != '' GROUP BY time(1m) fill(none)`,
		s.tables[of].columns[0].name, of, qlRange(from, to), s.targets[of]))
}

func (s *Source) qlTotals(ctx context.Context, from, to int64) ([]Minute, error) {
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT count("sent") AS "rows", sum("late") AS "late" FROM %q WHERE %s`,
		schema.ICMPSweep, qlRange(from, to))+byInstance(""))
}

func (s *Source) qlMinutes(ctx context.Context, statement string) ([]Minute, error) {
	all, err := s.client.InfluxQL(ctx, statement)
	if err != nil {
		return nil, err
	}
	var minutes []Minute
	for _, r := range rows(all) {
		minutes = append(minutes, Minute{
			Host: r.tags[schema.TagHost], Instance: r.tags[schema.TagInstance],
			Start: r.int("time"), Rows: r.int("rows"), Late: r.int("late"),
		})
	}
	return minutes, nil
}

func (s *Source) qlValues(ctx context.Context, of string, from, to int64) ([]string, error) {
	all, err := s.client.InfluxQL(ctx, fmt.Sprintf("SHOW TAG VALUES FROM %q WITH KEY = %q WHERE %s",
		s.tables[of].measurement, s.targets[of], qlRange(from, to)))
	if err != nil {
		return nil, err
	}
	var values []string
	for _, r := range rows(all) {
		if v, ok := r.values["value"].(string); ok {
			values = append(values, v)
		}
	}
	return values, nil
}

// ql is a condition on a tag.
func (c *condition) ql() string {
	all := make([]string, len(c.values))
	for i, v := range c.values {
		all[i] = fmt.Sprintf("%q = %s", c.tag, qlString(v))
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

func qlRead[R any](ctx context.Context, s *Source, t *table[R], where []condition, from, to int64, begin func(), add func(*schema.RTTSeries, *R)) error {
	which := qlRange(from, to)
	for i := range where {
		which += " AND " + where[i].ql()
	}
	g, err := qlGrouping(ctx, s, t, which)
	if err != nil {
		return err
	}
	if err = qlDivide(ctx, s, t, g, which); err == nil {
		err = qlSelect(ctx, s, t, g, which, begin, add)
	}
	if err == nil {
		err = stillSo(ctx, s, t, g, which)
	}
	if errors.Is(err, errRegroup) {
		return qlSelect(ctx, s, t, plain(t), which, begin, add)
	}
	return err
}

// stillSo tells by errRegroup when there are series now that an answer may have taken for others.
func stillSo[R any](ctx context.Context, s *Source, t *table[R], g *grouping, which string) error {
	after, err := qlGrouping(ctx, s, t, which)
	if err == nil && !g.same(after) {
		return errRegroup
	}
	return err
}

// manyPoints is the number of points of a series from which on a statement of its own pays.
const manyPoints = 100

// qlDivide has each series of g asked for by itself where they have many points: the first one stands for all.
// InfluxDB brings the series of a statement into order by a heap, which compares tags a dozen times a point.
func qlDivide[R any](ctx context.Context, s *Source, t *table[R], g *grouping, which string) error {
	first, ok := g.first()
	if !ok {
		return nil
	}
	answer, err := s.client.InfluxQL(ctx, fmt.Sprintf("SELECT count(%q) FROM %q WHERE %s AND %s", t.columns[0].name, t.measurement, which, first))
	for _, r := range rows(answer) {
		g.divided = r.int("count") >= manyPoints
	}
	return err
}

func qlSelect[R any](ctx context.Context, s *Source, t *table[R], g *grouping, which string, begin func(), add func(*schema.RTTSeries, *R)) error {
	statements := g.statements(fmt.Sprintf(`SELECT "%s" FROM %q WHERE %s`, strings.Join(g.fields, `", "`), t.measurement, which))
	return s.client.StreamInfluxQL(ctx, statements, func(r io.Reader) error {
		begin()
		return readAnswer(r, t, g, add)
	})
}

func (s *Source) qlFacts(ctx context.Context, from, to int64, length time.Duration) ([]Facts, error) {
	var last []string
	for _, f := range linkFields {
		last = append(last, fmt.Sprintf("last(%q) AS %q", f, f))
	}
	all, err := s.client.InfluxQL(ctx, fmt.Sprintf("SELECT %s FROM %q WHERE %s", strings.Join(last, ", "), schema.ICMPSweepStats, qlRange(from, to))+
		byInstance(fmt.Sprintf("time(%ds), ", int64(length.Seconds())))+" fill(none)")
	if err != nil {
		return nil, err
	}
	var list []Facts
	for _, r := range rows(all) {
		f := Facts{Host: r.tags[schema.TagHost], Instance: r.tags[schema.TagInstance], Start: r.int("time")}
		for _, name := range linkFields {
			if v := r.values[name]; v != nil {
				f.set(name, fmt.Sprint(v))
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// row is one row of an InfluxQL answer.
type row struct {
	tags   map[string]string
	values map[string]any
}

func rows(all []influx.Series) []row {
	var list []row
	for _, s := range all {
		for _, v := range s.Values {
			r := row{tags: s.Tags, values: map[string]any{}}
			for i, c := range s.Columns {
				if i < len(v) {
					r.values[c] = v[i]
				}
			}
			list = append(list, r)
		}
	}
	return list
}

// int is the value of a column, 0 where it is missing.
func (r row) int(column string) int64 {
	n, _ := r.values[column].(json.Number)
	i, err := n.Int64()
	if err != nil {
		f, _ := n.Float64()
		i = int64(f)
	}
	return i
}
