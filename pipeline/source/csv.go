package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"echogram/plugins/schema"
)

// maxLine bounds a line of an answer: all tags of a series and a few numbers.
const maxLine = 1 << 20

// readCSV reads InfluxDB's CSV: a header name,tags,time,FIELD… then a line a point. Lines of a series follow each
// other; their tags, escaped as in line protocol and those of g only, are parsed once. A statement without rows answers
// nothing.
func readCSV[R any](r io.Reader, t *table[R], g *grouping, add func(*schema.RTTSeries, *R)) error {
	p := csvParser[R]{table: t, group: g, add: add}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if err := p.line(lines.Bytes()); err != nil {
			return fmt.Errorf("source: line %d of the answer: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

type csvParser[R any] struct {
	table  *table[R]
	group  *grouping
	add    func(*schema.RTTSeries, *R)
	header bool
	failed bool  // the header was that of an error
	column []int // of each column behind the tags: index into the table's, or a special below
	series *schema.RTTSeries
	tags   []byte // as the last line wrote them
	row    R
}

const (
	columnTime  = -1
	columnOther = -2
)

func (p *csvParser[R]) line(b []byte) error {
	switch {
	case len(b) == 0:
		p.header = false
		return nil
	case p.failed:
		return fmt.Errorf("the server says %q", b)
	case !p.header || bytes.HasPrefix(b, []byte("name,tags,")):
		return p.head(b)
	}
	_, b, ok := bytes.Cut(b, []byte{','}) // the measurement is the one that was asked for
	if !ok {
		return errors.New("it has no tags")
	}
	tags, b, err := cutField(b)
	if err != nil {
		return err
	}
	if p.series == nil || !bytes.Equal(tags, p.tags) {
		if err := p.newSeries(tags); err != nil {
			return err
		}
	}
	return p.point(b)
}

func (p *csvParser[R]) head(b []byte) error {
	if string(b) == "error" {
		p.failed = true
		return nil
	}
	names := bytes.Split(b, []byte{','})
	if len(names) < 3 || string(names[0]) != "name" || string(names[1]) != "tags" {
		return fmt.Errorf("%.80q is not a header", b)
	}
	p.column = p.column[:0]
	for _, name := range names[2:] {
		switch i := p.table.index(string(name)); {
		case string(name) == "time":
			p.column = append(p.column, columnTime)
		case i >= 0:
			p.column = append(p.column, i)
		default:
			p.column = append(p.column, columnOther)
		}
	}
	p.header = true
	return nil
}

// cutField takes one CSV field and its comma off. The field keeps its quotes.
func cutField(b []byte) (field, rest []byte, err error) {
	end := 0
	if len(b) > 0 && b[0] == '"' {
		for end = 1; ; end++ {
			if end >= len(b) {
				return nil, nil, errors.New("a quote does not end")
			}
			if b[end] != '"' {
				continue
			}
			if end+1 < len(b) && b[end+1] == '"' {
				end++
				continue
			}
			end++
			break
		}
		if end < len(b) && b[end] != ',' {
			return nil, nil, errors.New("text behind a quote")
		}
	} else if end = bytes.IndexByte(b, ','); end < 0 {
		end = len(b)
	}
	if end == len(b) {
		return b, nil, nil
	}
	return b[:end], b[end+1:], nil
}

// newSeries parses tags as a line of line protocol says them.
func (p *csvParser[R]) newSeries(tags []byte) error {
	p.tags = append(p.tags[:0], tags...)
	text := unquote(tags)
	line := []byte("m") // the name does not matter
	if text = dropEmpty(text); len(text) > 0 {
		line = append(append(line, ','), text...)
	}
	var pt schema.Point
	err := pt.Parse(append(line, " f=0i"...))
	if err == nil {
		pt.Tags, err = p.group.whole(pt.Tags)
	}
	if err == nil {
		p.series, err = p.table.series(&pt)
	}
	return err
}

// dropEmpty leaves out tags without a value: GROUP BY * names the tags that other series of the answer have.
func dropEmpty(tags []byte) []byte {
	var out []byte
	for len(tags) > 0 {
		end := unescapedComma(tags)
		tag := tags[:end]
		if tags = tags[end:]; len(tags) > 0 {
			tags = tags[1:]
		}
		if len(tag) == 0 || tag[len(tag)-1] == '=' && (len(tag) < 2 || tag[len(tag)-2] != '\\') {
			continue
		}
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = append(out, tag...)
	}
	return out
}

func unescapedComma(b []byte) int {
	for i := range b {
		if b[i] == ',' && (i == 0 || b[i-1] != '\\') {
			return i
		}
	}
	return len(b)
}

// point reads the values of a line.
func (p *csvParser[R]) point(b []byte) error {
	var zero R
	p.row = zero
	whole := false
	for _, c := range p.column {
		field, rest, err := cutField(b)
		if err != nil {
			return err
		}
		b = rest
		switch {
		case len(field) == 0 || c == columnOther:
		case c == columnTime:
			*p.table.time(&p.row), err = parseInt(field)
		default:
			err = p.table.columns[c].set(&p.row, field)
			whole = whole || c == 0
		}
		if err != nil {
			return err
		}
	}
	if whole {
		p.add(p.series, &p.row)
	}
	return nil
}

// parseInt reads an integer of at most 18 digits by itself, and leaves the rest to strconv.
func parseInt(b []byte) (int64, error) {
	digits := bytes.TrimPrefix(b, []byte{'-'})
	if len(digits) == 0 || len(digits) > 18 {
		return strconv.ParseInt(string(b), 10, 64)
	}
	var v int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return strconv.ParseInt(string(b), 10, 64)
		}
		v = v*10 + int64(c-'0')
	}
	if len(digits) < len(b) {
		v = -v
	}
	return v, nil
}
