package report

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"echogram/plugins/schema"
)

const (
	maxLine    = 1 << 20 // bytes; a longer line is malformed
	quoted     = 160     // bytes of a malformed line that are quoted
	readerSize = 1 << 18
	checkEvery = 1 << 12 // lines between two looks at the context
)

// Read takes all lines of in. It fails only with the reader or the context; progress, if any, is called now and then.
func (r *Report) Read(ctx context.Context, in io.Reader, progress func(lines int64)) error {
	lines := lineReader{in: bufio.NewReaderSize(in, readerSize)}
	var p schema.Point
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, errLong) {
			return fmt.Errorf("report: line %d: %w", r.Lines+1, err)
		}
		r.Lines++
		if err != nil {
			r.malformed(line, err)
		} else {
			r.add(&p, line)
		}
		if r.Lines%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(r.Lines)
			}
		}
	}
}

// add takes one line.
func (r *Report) add(p *schema.Point, line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' {
		return
	}
	row, ok := rowOf(line)
	if !ok {
		r.Other++
		return
	}
	if err := parse(p, line, row); err != nil {
		r.malformed(line, err)
		return
	}
	switch row := row.(type) {
	case *schema.BFDEchoRTTRow:
		if s := r.echoes.get(p, newEchoStream(&row.BFDEchoSeries)); s != nil {
			s.addEcho(row)
		}
	case *schema.BFDEchoRow:
		if s := r.echoes.get(p, newEchoStream(&row.BFDEchoSeries)); s != nil {
			s.addPeriod(row)
		}
	case *schema.BFDSessionRow:
		if s := r.controls.get(p, newControlStream(&row.BFDSeries)); s != nil {
			s.add(row)
		}
	case *schema.BFDEventRow:
		r.addEvent(row)
	}
}

// rowOf makes an empty row of the line's measurement, if it is one that is drawn.
func rowOf(line []byte) (schema.Row, bool) {
	end := bytes.IndexAny(line, ", ")
	if end < 0 {
		end = len(line)
	}
	switch string(line[:end]) {
	case schema.BFDEchoRTT:
		return new(schema.BFDEchoRTTRow), true
	case schema.BFDEcho:
		return new(schema.BFDEchoRow), true
	case schema.BFDSession:
		return new(schema.BFDSessionRow), true
	case schema.BFDEvent:
		return new(schema.BFDEventRow), true
	}
	return nil, false
}

var errNoTime = errors.New("no time")

func parse(p *schema.Point, line []byte, row schema.Row) error {
	if err := p.Parse(line); err != nil {
		return err
	}
	if !p.HasTime {
		return errNoTime
	}
	return schema.Read(p, row)
}

func (r *Report) malformed(line []byte, err error) {
	if r.Malformed++; r.Malformed == 1 {
		r.First = fmt.Errorf("line %d: %w: %.*q", r.Lines, err, quoted, line)
	}
}

var errLong = fmt.Errorf("longer than %d bytes", maxLine)

// lineReader cuts a stream into lines and survives lines of any length.
type lineReader struct {
	in   *bufio.Reader
	long []byte // of a line that the reader's buffer does not hold
}

// next returns a line, valid until the next call; errLong comes with the beginning of a line that was passed over.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	l.long = l.long[:0]
	for err == bufio.ErrBufferFull {
		if len(l.long) < maxLine {
			l.long = append(l.long, line...)
		}
		line, err = l.in.ReadSlice('\n')
		if err != bufio.ErrBufferFull {
			if line = append(l.long, line...); len(line) > maxLine {
				return line[:quoted], errLong
			}
		}
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return line, err
}
