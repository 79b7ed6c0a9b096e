// Package sink is where the pipeline's rows go when they do not go straight to InfluxDB, and what gathers rows into
// batches on their way to either.
//
//   - File: line protocol to a file or to STDOUT.
//   - Batcher: rows into lines, lines into batches, batches into a Sink, such as a File or pipeline/influx's Client.
//
// Nothing is queued: a slow sink slows its writers down, and nothing is dropped.
package sink

import (
	"context"
	"errors"
	"slices"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// Sink takes whole lines of line protocol, and keeps none of their memory. It returns nil when they are safe as far
// as it goes: acknowledged by the server, or handed to the system.
type Sink interface {
	Write(ctx context.Context, lines []byte) error
}

// Batcher gathers rows into batches. It is used by one goroutine at a time.
type Batcher struct {
	to    Sink
	size  int
	only  []string // fields of rows of targets; none: all
	buf   []byte
	point schema.Point
	lines int
	rows  int64
}

// NewBatcher makes a Batcher of batches of size lines. Rollups of single targets get the fields that only names, or all
// where it names none.
func NewBatcher(to Sink, size int, only []string) *Batcher {
	return &Batcher{to: to, size: max(size, 1), only: only}
}

// Put adds rows and writes each batch that becomes full; it blocks for as long as that takes. When the server refuses
// lines (influx.ErrRefused) the rest of the batch is stored and Put goes on with the rows; the error comes at the end.
// After any other error the batch is kept, for Flush to try again, and the rows from there on have not been taken:
// Rows tells how many were.
func (b *Batcher) Put(ctx context.Context, rows ...schema.Row) error {
	var refused error
	for _, r := range rows {
		if b.lines >= b.size {
			if err := b.Flush(ctx); errors.Is(err, influx.ErrRefused) {
				refused = errors.Join(refused, err)
			} else if err != nil {
				return errors.Join(refused, err)
			}
		}
		schema.Fill(&b.point, r)
		if !b.thin(r) {
			continue
		}
		buf, err := b.point.AppendLine(b.buf)
		if err != nil {
			return errors.Join(refused, err)
		}
		b.buf = buf
		b.lines++
		b.rows++
	}
	return refused
}

// thin takes off the fields that nobody wants, and tells whether one is left.
func (b *Batcher) thin(r schema.Row) bool {
	switch r.(type) {
	case *schema.SweepRollupRow, *schema.RTTRollupRow:
	default:
		return true
	}
	if len(b.only) > 0 {
		b.point.Fields = slices.DeleteFunc(b.point.Fields, func(f schema.Field) bool { return !slices.Contains(b.only, f.Key) })
	}
	return len(b.point.Fields) > 0
}

// Flush writes what has been gathered.
func (b *Batcher) Flush(ctx context.Context) error {
	if b.lines == 0 {
		return nil
	}
	err := b.to.Write(ctx, b.buf)
	if err == nil || errors.Is(err, influx.ErrRefused) {
		b.buf, b.lines = b.buf[:0], 0
	}
	return err
}

// Rows is how many rows have been taken, but for those of which no field was left.
func (b *Batcher) Rows() int64 { return b.rows }
