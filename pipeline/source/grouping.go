package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// grouping is what a statement asks for: the fields that there are, grouped by the tags that tell the series apart.
// InfluxDB takes twice as long to group by all tags. The values of the others are known, and put back.
type grouping struct {
	fields []string                // in the order of the table's columns
	by     []string                // sorted; nil: all tags
	tags   map[string][]schema.Tag // all tags of a series, by its values of those in by

	divided bool // the series are asked for one by one
}

// errRegroup: a series came in between.
var errRegroup = errors.New("source: there are other series than a moment ago")

// plain asks for everything.
func plain[R any](t *table[R]) *grouping { return &grouping{fields: t.fields()} }

// qlGrouping looks for the series that meet the conditions, at least those with points in from <= t < to.
func qlGrouping[R any](ctx context.Context, s *Source, t *table[R], where string) (*grouping, error) {
	answer, err := s.client.InfluxQL(ctx, fmt.Sprintf("SHOW FIELD KEYS FROM %q; SHOW SERIES FROM %[1]q WHERE %s", t.measurement, where))
	var refused *influx.Error
	switch {
	case errors.As(err, &refused) && refused.Status/100 == 4:
		return plain(t), nil // by a server that knows SELECT only
	case err != nil:
		return nil, err
	}
	var series [][]schema.Tag
	stored := map[string]bool{t.columns[0].name: true} // rows without it are no rows
	for _, r := range rows(answer) {
		if name, ok := r.values["fieldKey"].(string); ok {
			stored[name] = true
		}
		if key, ok := r.values["key"].(string); ok {
			var p schema.Point
			if err := p.Parse([]byte(key + " f=0i")); err != nil {
				return nil, fmt.Errorf("source: series %q: %w", key, err)
			}
			series = append(series, p.Tags)
		}
	}
	fields := slices.DeleteFunc(t.fields(), func(name string) bool { return !stored[name] })
	return groupingOf(fields, series), nil
}

func groupingOf(fields []string, series [][]schema.Tag) *grouping {
	g := &grouping{fields: fields, by: differing(series)}
	if len(g.by) == 0 {
		return g
	}
	g.tags = make(map[string][]schema.Tag, len(series))
	for _, tags := range series {
		g.tags[g.key(tags)] = tags
	}
	return g
}

// differing lists the tags that do not have the same value in all series.
func differing(series [][]schema.Tag) (names []string) {
	seen := map[schema.Tag]int{}
	for _, tags := range series {
		for _, t := range tags {
			seen[t]++
		}
	}
	for t, n := range seen {
		if n < len(series) {
			names = append(names, t.Key)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// key is the values of the tags in by.
func (g *grouping) key(tags []schema.Tag) string {
	p := schema.Point{Tags: tags}
	var b strings.Builder
	for _, name := range g.by {
		b.WriteString(p.Tag(name))
		b.WriteByte(0)
	}
	return b.String()
}

// mostStatements bounds a request: of more series a statement asks for several.
const mostStatements = 512

// statements completes a SELECT that has a WHERE.
func (g *grouping) statements(head string) string {
	if !g.divided {
		return head + g.ql()
	}
	var all []string
	keys := slices.Sorted(maps.Keys(g.tags))
	for some := range slices.Chunk(keys, (len(keys)+mostStatements-1)/mostStatements) {
		only := make([]string, len(some))
		for i, key := range some {
			only[i] = g.only(g.tags[key])
		}
		all = append(all, head+" AND ("+strings.Join(only, " OR ")+")"+g.ql())
	}
	return strings.Join(all, "; ")
}

// only is what one series alone meets.
func (g *grouping) only(tags []schema.Tag) string {
	p := schema.Point{Tags: tags}
	all := make([]string, len(g.by))
	for i, name := range g.by {
		all[i] = (&condition{name, []string{p.Tag(name)}}).ql()
	}
	return strings.Join(all, " AND ")
}

// first is only of the first series; ok is false where they are not told apart.
func (g *grouping) first() (only string, ok bool) {
	if len(g.tags) == 0 {
		return "", false
	}
	return g.only(g.tags[slices.Min(slices.Collect(maps.Keys(g.tags)))]), true
}

// ql is the end of a statement.
func (g *grouping) ql() string {
	if len(g.by) == 0 {
		return " GROUP BY *"
	}
	return ` GROUP BY "` + strings.Join(g.by, `", "`) + `"`
}

// whole gives all tags of the series of which an answer gives those in by.
func (g *grouping) whole(tags []schema.Tag) ([]schema.Tag, error) {
	if len(g.by) == 0 {
		return tags, nil
	}
	all, ok := g.tags[g.key(tags)]
	if !ok {
		return nil, errRegroup
	}
	return slices.Clone(all), nil
}

// same tells whether both stand for the same series.
func (g *grouping) same(h *grouping) bool {
	return slices.Equal(g.fields, h.fields) && slices.Equal(g.by, h.by) &&
		maps.EqualFunc(g.tags, h.tags, func(a, b []schema.Tag) bool { return slices.Equal(a, b) })
}
