package strict

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Document knows where each key of a decoded file stands.
type Document struct {
	file    string
	entries []entry
	byPath  map[string]int // lower-case path with indices -> line: keys match in any case
}

// entry is one key, table header or array element.
type entry struct {
	path  string   // with the indices of array tables and arrays
	show  string   // the same without the indices of array tables
	parts []string // names only
	line  int
	col   int
	kind  unstable.Kind // of the value; Table or ArrayTable for a header
	text  string        // of a scalar value
}

// Errorf makes an *Error at the line of key, whose array tables and array elements are indexed from 0:
// "source.url", "inputs.icmp_sweep[1].networks[0]". The line of an absent key is that of its nearest table.
func (d *Document) Errorf(key, format string, args ...any) error {
	return &Error{File: d.file, Line: d.Line(key), Key: key, Problem: fmt.Sprintf(format, args...)}
}

// Line is the line of key, or of the nearest table around it, or 0.
func (d *Document) Line(key string) int {
	for path := strings.ToLower(key); path != ""; path = parent(path) {
		if line, ok := d.byPath[path]; ok {
			return line
		}
	}
	return 0
}

// Has tells whether key is written in the file.
func (d *Document) Has(key string) bool {
	_, ok := d.byPath[strings.ToLower(key)]
	return ok
}

// File is the name that Decode was given.
func (d *Document) File() string { return d.file }

// parent cuts the last index or name off. A dot or bracket inside a quoted name is not a separator.
func parent(path string) string {
	quoted, cut := false, 0
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			cut = i
		}
	}
	return path[:cut]
}

// joinPath joins key parts with dots and quotes those that a bare key cannot spell.
func joinPath(parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(bareOrQuoted(p))
	}
	return b.String()
}

func bareOrQuoted(s string) string {
	for _, c := range s {
		if !(c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// indexer walks the parser's tree once and fills a Document.
type indexer struct {
	p      unstable.Parser
	doc    *Document
	counts map[string]int // path of an array table -> number of its tables so far
	starts []int          // offset of each line
}

func newDocument(file string, data []byte) (*Document, error) {
	doc := &Document{file: file, byPath: map[string]int{}}
	x := indexer{doc: doc, counts: map[string]int{}, starts: []int{0}}
	for i, c := range data {
		if c == '\n' {
			x.starts = append(x.starts, i+1)
		}
	}
	x.p.Reset(data)
	var table position
	for x.p.NextExpression() {
		switch n := x.p.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = x.header(n)
		case unstable.KeyValue:
			x.keyValue(table, n)
		}
	}
	if err := x.p.Error(); err != nil {
		return nil, x.syntax(file, data, err)
	}
	return doc, nil
}

func (x *indexer) syntax(file string, data []byte, err error) error {
	e := &Error{File: file, Problem: strings.TrimPrefix(err.Error(), "toml: ")}
	var pe *unstable.ParserError
	if errors.As(err, &pe) {
		e.Problem = pe.Message
		e.Line, _ = x.place(int(x.p.Range(pe.Highlight).Offset))
	}
	return e
}

// position is a place in the tree of keys.
type position struct {
	path, show string
	parts      []string
}

func (pos position) child(name string) position {
	key := bareOrQuoted(name)
	next := position{path: key, show: key, parts: append(pos.parts[:len(pos.parts):len(pos.parts)], name)}
	if pos.path != "" {
		next.path, next.show = pos.path+"."+key, pos.show+"."+key
	}
	return next
}

// header records [a.b] and [[a.b]]. A name on the way that is an array table means its latest table.
func (x *indexer) header(n *unstable.Node) position {
	var pos position
	first := -1
	for it := n.Key(); it.Next(); {
		if first < 0 {
			first = int(it.Node().Raw.Offset)
		}
		pos = pos.child(string(it.Node().Data))
		count, isArray := x.counts[strings.ToLower(pos.path)]
		if it.IsLast() && n.Kind == unstable.ArrayTable {
			x.counts[strings.ToLower(pos.path)] = count + 1
			x.addOnce(pos, first, n.Kind)
			pos.path += fmt.Sprintf("[%d]", count)
		} else if isArray {
			pos.path += fmt.Sprintf("[%d]", count-1)
		}
	}
	x.add(pos, first, n.Kind, "")
	return pos
}

func (x *indexer) keyValue(table position, n *unstable.Node) {
	pos, first := table, -1
	for it := n.Key(); it.Next(); {
		if first < 0 {
			first = int(it.Node().Raw.Offset)
		}
		pos = pos.child(string(it.Node().Data))
		if !it.IsLast() {
			x.addOnce(pos, first, unstable.Table)
		}
	}
	x.value(pos, first, n.Value())
}

// value records a key's value and, in turn, what an array or inline table holds.
func (x *indexer) value(pos position, offset int, v *unstable.Node) {
	x.add(pos, offset, v.Kind, string(v.Data))
	i := 0
	for it := v.Children(); it.Next(); {
		n := it.Node()
		switch {
		case n.Kind == unstable.Comment:
		case v.Kind == unstable.InlineTable:
			x.keyValue(pos, n)
		case v.Kind == unstable.Array:
			at := offset
			if n.Raw.Length > 0 {
				at = int(n.Raw.Offset)
			}
			elem := pos
			elem.path += fmt.Sprintf("[%d]", i)
			elem.show += fmt.Sprintf("[%d]", i)
			x.value(elem, at, n)
			i++
		}
	}
}

func (x *indexer) addOnce(pos position, offset int, kind unstable.Kind) {
	if _, ok := x.doc.byPath[strings.ToLower(pos.path)]; !ok {
		x.add(pos, offset, kind, "")
	}
}

func (x *indexer) add(pos position, offset int, kind unstable.Kind, text string) {
	line, col := x.place(offset)
	x.doc.entries = append(x.doc.entries, entry{pos.path, pos.show, pos.parts, line, col, kind, text})
	x.doc.byPath[strings.ToLower(pos.path)] = line
}

// place turns an offset into a line and column, both from 1.
func (x *indexer) place(offset int) (line, col int) {
	lo, hi := 0, len(x.starts)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; x.starts[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1, offset - x.starts[lo] + 1
}

// at finds the last entry that starts at or before a position.
func (d *Document) at(line, col int) *entry {
	var found *entry
	for i := range d.entries {
		e := &d.entries[i]
		if e.line < line || e.line == line && e.col <= col {
			if found == nil || e.line > found.line || e.line == found.line && e.col >= found.col {
				found = e
			}
		}
	}
	return found
}
