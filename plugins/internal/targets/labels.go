package targets

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"echogram/plugins/schema"
)

// Labels tell which tags an address has. They do not change once made; a nil *Labels has none for any.
type Labels struct {
	lines []labelLine // in the order of compareLines
	rows  [][]schema.Tag
}

type labelLine struct {
	line
	pieces []piece
}

// piece says that from an address on, up to the next piece, addresses have the tags of a row.
type piece struct {
	start u128
	row   int32 // noRow: no tags
}

// ParseLabels reads a labels file: CSV with a header. The first column is a network, range or address, the further
// ones are tags, named by the header, within the limits. Errors begin with name and line.
func ParseLabels(name string, r io.Reader, limits Limits) (*Labels, error) {
	var t *table
	var ranges []Range
	var rows []int32
	seen := map[[2]netip.Addr]bool{}
	err := eachLine(name, r, func(fields []string, first bool) (err error) {
		x, err := ParseRange(fields[0])
		if first {
			if err == nil || len(fields) < 2 {
				return fmt.Errorf("%q is no header: the first line must name the columns, as in cidr,owner,site", strings.Join(fields, ","))
			}
			t, err = newTable(fields[1:], limits)
			return err
		}
		if err != nil {
			return err
		}
		at := [2]netip.Addr{x.First, x.Last}
		if seen[at] {
			return fmt.Errorf("%s has its labels from a line above", x)
		}
		seen[at] = true
		row, err := t.row(fields[1:])
		ranges, rows = append(ranges, x), append(rows, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, nil
	}
	return newLabels(ranges, rows, t.rows), nil
}

// newLabels gives each address the row of the smallest range that holds it; of equal ones as cover chooses.
func newLabels(ranges []Range, rows []int32, tags [][]schema.Tag) *Labels {
	l := &Labels{rows: tags}
	for _, on := range linesOf(ranges) {
		var own []Range
		var ownRows []int32
		for i := range ranges {
			if on.concerns(&ranges[i]) {
				own, ownRows = append(own, ranges[i]), append(ownRows, rows[i])
			}
		}
		l.lines = append(l.lines, labelLine{on, piecesOf(own, ownRows)})
	}
	return l
}

func piecesOf(ranges []Range, rows []int32) []piece {
	var out []piece
	smallest, last := newCover(ranges), noRow
	for _, cut := range cutPoints(ranges) {
		row := noRow
		if k, ok := smallest.at(cut); ok {
			row = rows[k]
		}
		if row != last {
			out = append(out, piece{cut, row})
		}
		last = row
	}
	return out
}

// Of returns the tags of an address, sorted by key. The slice belongs to l, and addresses share it.
func (l *Labels) Of(a netip.Addr) []schema.Tag {
	if l == nil {
		return nil
	}
	if row := l.on(lineOf(a)).row(fromAddr(a)); row != noRow {
		return l.rows[row]
	}
	return nil
}

// on returns the pieces of a line: a zone that no range names has those of IPv6 without a zone.
func (l *Labels) on(where line) labelPieces {
	for _, o := range []line{where, {v4: where.v4}} {
		for i := range l.lines {
			if l.lines[i].line == o {
				return l.lines[i].pieces
			}
		}
	}
	return nil
}

type labelPieces []piece

func (p labelPieces) row(u u128) int32 {
	k := sort.Search(len(p), func(k int) bool { return compare(p[k].start, u) > 0 }) - 1
	if k < 0 {
		return noRow
	}
	return p[k].row
}

// Over returns labels that have the tags of both; where both have a key, those of l hold.
func (l *Labels) Over(base *Labels) *Labels {
	switch {
	case l == nil:
		return base
	case base == nil:
		return l
	}
	m := merger{top: l, base: base, known: map[[2]int32]int32{}}
	for _, o := range slices.Concat(l.lines, base.lines) {
		if !slices.ContainsFunc(m.out.lines, func(x labelLine) bool { return x.line == o.line }) {
			m.out.lines = append(m.out.lines, labelLine{o.line, m.merge(l.on(o.line), base.on(o.line))})
		}
	}
	return &m.out
}

// merger makes one set of rows of two.
type merger struct {
	top, base *Labels
	out       Labels
	known     map[[2]int32]int32 // row of out by those of top and base
}

func (m *merger) merge(top, base labelPieces) []piece {
	var out []piece
	last := noRow
	var starts []u128
	for _, p := range slices.Concat(top, base) {
		starts = append(starts, p.start)
	}
	slices.SortFunc(starts, compare)
	for _, u := range slices.Compact(starts) {
		row := m.row(top.row(u), base.row(u))
		if row != last {
			out = append(out, piece{u, row})
		}
		last = row
	}
	return out
}

func (m *merger) row(top, base int32) int32 {
	if top == noRow && base == noRow {
		return noRow
	}
	row, ok := m.known[[2]int32{top, base}]
	if !ok {
		row = int32(len(m.out.rows))
		m.known[[2]int32{top, base}] = row
		m.out.rows = append(m.out.rows, MergeTags(tagsOf(m.top, top), tagsOf(m.base, base)))
	}
	return row
}

func tagsOf(l *Labels, row int32) []schema.Tag {
	if row == noRow {
		return nil
	}
	return l.rows[row]
}

// MergeTags returns the tags of both, sorted by key; where both have a key, that of top holds. Both must be sorted.
// It returns one of the two where the other is empty.
func MergeTags(top, base []schema.Tag) []schema.Tag {
	switch {
	case len(top) == 0:
		return base
	case len(base) == 0:
		return top
	}
	out := slices.Clone(top)
	for _, b := range base {
		if !slices.ContainsFunc(top, func(t schema.Tag) bool { return t.Key == b.Key }) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b schema.Tag) int { return strings.Compare(a.Key, b.Key) })
	return out
}
