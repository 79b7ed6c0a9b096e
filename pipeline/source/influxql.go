package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

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
	for measurement, field := range map[string]string{schema.ICMPSweepStats: "points", schema.ICMPSweep: "sent"} {
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

func (s *Source) qlCounts(ctx context.Context, from, to int64) ([]Minute, error) {
	return s.qlMinutes(ctx, fmt.Sprintf(`SELECT count("sent") AS "rows", sum("late") AS "late" FROM %q WHERE %s`,
		schema.ICMPSweep, qlRange(from, to))+byInstance("time(1m), ")+" fill(none)")
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

func (s *Source) qlBlocks(ctx context.Context, from, to int64) ([]string, error) {
	all, err := s.client.InfluxQL(ctx, fmt.Sprintf("SHOW TAG VALUES FROM %q WITH KEY = %q WHERE %s",
		schema.ICMPSweep, schema.TagBlock, qlRange(from, to)))
	if err != nil {
		return nil, err
	}
	var blocks []string
	for _, r := range rows(all) {
		if b, ok := r.values["value"].(string); ok {
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

func (s *Source) qlRead(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.Series, *schema.SweepRow)) error {
	statement := fmt.Sprintf(`SELECT "%s" FROM %q WHERE %q = %s AND %s GROUP BY *`, strings.Join(fields, `", "`),
		schema.ICMPSweep, schema.TagBlock, qlString(block), qlRange(from, to))
	return s.client.StreamInfluxQL(ctx, statement, func(r io.Reader) error {
		begin()
		return readCSV(r, add)
	})
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
