package prober

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"echogram/plugins/schema"
)

const (
	maxLine = 1 << 20 // bytes; a longer line ends the reading
	quoted  = 160     // bytes of a malformed line that are quoted
)

// Reader takes rows of single probes and of whole sweeps out of line protocol. The zero value is ready.
type Reader struct {
	Lines     int64 // empty ones and comments, too
	Malformed int64 // lines of ours that cannot be read
	First     error // what is wrong with the first of them, and the line

	point schema.Point
}

var errNoTime = errors.New("no time")

// Read gives each *schema.SampleRow and *schema.SweepStatsRow of in to each, which may keep it. Lines of other
// measurements, and those that only correct the late count of a sweep, are passed over. It fails only with in.
func (r *Reader) Read(in io.Reader, each func(schema.Row)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		r.Lines++
		row, err := r.row(bytes.TrimSpace(lines.Bytes()))
		switch {
		case err != nil:
			if r.Malformed++; r.Malformed == 1 {
				r.First = fmt.Errorf("line %d: %w: %.*q", r.Lines, err, quoted, lines.Bytes())
			}
		case row != nil:
			each(row)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("prober: line %d: %w", r.Lines+1, err)
	}
	return nil
}

// row reads a line; nil is one that is passed over.
func (r *Reader) row(line []byte) (schema.Row, error) {
	var row schema.Row
	switch end := max(0, bytes.IndexAny(line, ", ")); string(line[:end]) {
	case schema.ICMPSample:
		row = new(schema.SampleRow)
	case schema.ICMPSweepStats:
		row = new(schema.SweepStatsRow)
	default:
		return nil, nil
	}
	if err := r.point.Parse(line); err != nil {
		return nil, err
	}
	if !r.point.HasTime {
		return nil, errNoTime
	}
	if _, whole := r.point.Field("points"); !whole && row.Measurement() == schema.ICMPSweepStats {
		return nil, nil
	}
	return row, schema.Read(&r.point, row)
}
