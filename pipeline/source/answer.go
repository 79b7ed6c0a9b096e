package source

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// What bounds an answer that is none of InfluxDB's.
const (
	mostElements = 1 << 20 // of a map or list
	mostBytes    = 1 << 20 // of a string
)

// readAnswer reads InfluxDB's MessagePack: a map a chunk, {results: [{series: [{name, tags, columns, values: [[…], …]}]}]}.
// The series of a statement follow each other, each in as many chunks as it takes; their tags are those of g only. A
// statement without rows has no series. What the server says of an error inside of it comes as influx.Said.
func readAnswer[R any](r io.Reader, t *table[R], g *grouping, add func(*schema.RTTSeries, *R)) error {
	p := answerReader[R]{Reader: msgp.NewReaderSize(r, 64<<10), table: t, group: g, add: add}
	p.SetMaxElements(mostElements)
	p.SetMaxStringLength(mostBytes)
	for {
		if _, err := p.NextType(); err == io.EOF {
			return nil
		}
		err := p.eachKey(p.chunk)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("source: the answer: %w", err)
		}
	}
}

type answerReader[R any] struct {
	*msgp.Reader
	table  *table[R]
	group  *grouping
	add    func(*schema.RTTSeries, *R)
	column []int        // of each column: index into the table's, or a special below
	tags   []schema.Tag // as the series has them, sorted
	last   []schema.Tag // those of series
	series *schema.RTTSeries
	value  value
	row    R
}

const (
	columnTime  = -1
	columnOther = -2
)

// eachKey reads a map: its values by of, which is told their keys.
func (p *answerReader[R]) eachKey(of func(key string) error) error {
	n, err := p.ReadMapHeader()
	for range n {
		var key string
		if key, err = p.ReadString(); err == nil {
			err = of(key)
		}
		if err != nil {
			return err
		}
	}
	return err
}

// eachElement reads a list.
func (p *answerReader[R]) eachElement(of func() error) error {
	n, err := p.ReadArrayHeader()
	for range n {
		if err := of(); err != nil {
			return err
		}
	}
	return err
}

func (p *answerReader[R]) chunk(key string) error {
	switch key {
	case "results":
		return p.eachElement(func() error { return p.eachKey(p.result) })
	case "error":
		return p.said()
	}
	return p.Skip()
}

func (p *answerReader[R]) result(key string) error {
	switch key {
	case "series":
		return p.eachElement(p.oneSeries)
	case "error":
		return p.said()
	}
	return p.Skip()
}

func (p *answerReader[R]) said() error {
	text, err := p.ReadString()
	if err == nil {
		err = influx.Said(text)
	}
	return err
}

func (p *answerReader[R]) oneSeries() error {
	p.column, p.tags = p.column[:0], p.tags[:0]
	return p.eachKey(func(key string) error {
		switch key {
		case "tags":
			return p.eachKey(p.tag)
		case "columns":
			return p.eachElement(p.head)
		case "values":
			if err := p.begin(); err != nil {
				return err
			}
			return p.eachElement(p.point)
		}
		return p.Skip()
	})
}

// tag reads a tag. GROUP BY * names those that other series have, too, with nothing in them.
func (p *answerReader[R]) tag(key string) error {
	text, err := p.ReadString()
	if text != "" {
		p.tags = append(p.tags, schema.Tag{Key: key, Value: text})
	}
	return err
}

func (p *answerReader[R]) head() error {
	name, err := p.ReadString()
	i := p.table.index(name)
	switch {
	case name == "time":
		i = columnTime
	case i < 0:
		i = columnOther
	}
	p.column = append(p.column, i)
	return err
}

// begin finds the series of the rows that follow.
func (p *answerReader[R]) begin() error {
	if len(p.column) == 0 {
		return errors.New("values without columns")
	}
	point := schema.Point{}
	for _, t := range p.tags {
		point.SetTag(t.Key, t.Value)
	}
	if p.series != nil && slices.Equal(point.Tags, p.last) {
		return nil
	}
	p.last = point.Tags
	whole, err := p.group.whole(point.Tags)
	if err != nil {
		return err
	}
	p.series, err = p.table.series(&schema.Point{Tags: whole})
	return err
}

// point reads a row.
func (p *answerReader[R]) point() error {
	n, err := p.ReadArrayHeader()
	if err == nil && int(n) != len(p.column) {
		err = fmt.Errorf("a row of %d values below %d columns", n, len(p.column))
	}
	if err != nil {
		return err
	}
	var zero R
	p.row = zero
	whole := false
	for _, c := range p.column {
		if c == columnOther {
			err = p.Skip()
		} else if err = p.value.read(p.Reader); err == nil && p.value.kind != 0 {
			err = p.set(c)
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

// set enters the value into the row.
func (p *answerReader[R]) set(column int) (err error) {
	if column == columnTime {
		*p.table.time(&p.row), err = p.value.integer()
		return err
	}
	c := &p.table.columns[column]
	if err = c.set(&p.row, &p.value); err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	return err
}
