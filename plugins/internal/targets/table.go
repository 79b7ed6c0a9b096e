package targets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"echogram/plugins/schema"
)

// Limits bound the tags that files bring: each value of a tag can make as many series as there are targets.
type Limits struct {
	Columns int // label columns a file; default 8
	Values  int // different values a column; default 1,000
}

func (l Limits) columns() int { return cmp.Or(l.Columns, 8) }
func (l Limits) values() int  { return cmp.Or(l.Values, 1000) }

// table makes tags of the further columns of a file. Equal lines share one slice of tags.
type table struct {
	limits  Limits
	columns []column
	byKey   []int // columns in the order of their names
	rows    [][]schema.Tag
	known   map[string]int32 // row by its fields
	joined  []byte
}

type column struct {
	name   string
	values map[string]string // a value to its one copy
}

// noRow is the row of a line without tags.
const noRow int32 = -1

func newTable(names []string, limits Limits) (*table, error) {
	if len(names) > limits.columns() {
		return nil, fmt.Errorf("the header names %d label columns, at most %d are taken", len(names), limits.columns())
	}
	t := &table{limits: limits, known: map[string]int32{}}
	for i, name := range names {
		if err := checkTagKey(name); err != nil {
			return nil, err
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("the header names column %q twice", name)
		}
		t.columns = append(t.columns, column{strings.Clone(name), map[string]string{}})
		t.byKey = append(t.byKey, i)
	}
	slices.SortFunc(t.byKey, func(a, b int) int { return cmp.Compare(names[a], names[b]) })
	return t, nil
}

// checkTagKey refuses what is a tag or field of our own rows, and what databases keep for themselves.
func checkTagKey(name string) error {
	if err := schema.CheckName(name); err != nil {
		return fmt.Errorf("the header's column %q cannot be a tag: it is empty, ends in a backslash or holds a line break", name)
	}
	taken := name == "time" || name[0] == '_'
	for _, row := range schema.Rows() {
		tags, fields := schema.Names(row)
		_, isField := fields[name]
		taken = taken || isField || slices.Contains(tags, name)
	}
	if taken {
		return fmt.Errorf("the header's column %q has the name of a tag or field that is written anyway: call it otherwise", name)
	}
	return nil
}

// row returns the row that a line's further fields make; missing ones are empty, and an empty one makes no tag.
func (t *table) row(fields []string) (int32, error) {
	if len(fields) > len(t.columns) {
		return noRow, fmt.Errorf("the line has %d fields, the header %d: quote fields that hold commas", len(fields)+1, len(t.columns)+1)
	}
	t.joined = t.joined[:0]
	for _, f := range fields {
		t.joined = append(append(t.joined, f...), 0)
	}
	if row, ok := t.known[string(t.joined)]; ok {
		return row, nil
	}
	tags, err := t.makeTags(fields)
	if err != nil {
		return noRow, err
	}
	row := noRow
	if tags != nil {
		row = int32(len(t.rows))
		t.rows = append(t.rows, tags)
	}
	t.known[string(t.joined)] = row
	return row, nil
}

func (t *table) makeTags(fields []string) ([]schema.Tag, error) {
	var tags []schema.Tag
	for _, k := range t.byKey {
		if k >= len(fields) || fields[k] == "" {
			continue
		}
		c := &t.columns[k]
		value, ok := c.values[fields[k]]
		if !ok {
			value = strings.Clone(fields[k])
			if schema.CheckName(value) != nil {
				return nil, fmt.Errorf("column %q: %q cannot be a tag's value: it ends in a backslash or holds a line break", c.name, value)
			}
			if len(c.values) == t.limits.values() {
				return nil, fmt.Errorf("column %q has more than %d different values, of which each makes series of its own: leave the column out or raise the limit", c.name, len(c.values))
			}
			c.values[value] = value
		}
		tags = append(tags, schema.Tag{Key: c.name, Value: value})
	}
	return tags, nil
}

// tags returns a row's tags, which all that have the row share.
func (t *table) tags(row int32) []schema.Tag {
	if row == noRow {
		return nil
	}
	return t.rows[row]
}
