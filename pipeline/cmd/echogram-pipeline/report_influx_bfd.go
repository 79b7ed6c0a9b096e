package main

import (
	"context"
	"time"

	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// readBFD reads the rows of BFD, as many at a time as fit into little memory.
func (d *drawing) readBFD(ctx context.Context, from *source.Source) error {
	if d.bfd == nil {
		return nil
	}
	for _, fresh := range []func() schema.Row{
		func() schema.Row { return new(schema.BFDEventRow) }, func() schema.Row { return new(schema.BFDSessionRow) },
		func() schema.Row { return new(schema.BFDEchoRow) }, func() schema.Row { return new(schema.BFDEchoRTTRow) },
	} {
		err := eachStretch(d.within.Start, d.within.Stop, func(start, stop int64, most int) (int, bool, error) {
			d.p.say("%s: from %s", fresh().Measurement(), time.Unix(0, start).UTC().Format(time.RFC3339))
			return d.readStretch(ctx, from, fresh, start, stop, most)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readStretch takes the rows of a stretch of time unless they are more than most; 0: however many. They are taken when all
// have come: a connection that breaks makes their reading start over.
func (d *drawing) readStretch(ctx context.Context, from *source.Source, fresh func() schema.Row, start, stop int64, most int) (n int, fit bool, err error) {
	var rows []schema.Row
	err = from.Rows(ctx, fresh, "", "", start, stop, func() { rows, n = nil, 0 }, func(r schema.Row) {
		if n++; most == 0 || n <= most {
			rows = append(rows, r)
		}
	})
	if err != nil || n > len(rows) {
		return n, false, err
	}
	for _, r := range rows {
		d.bfd.Row(r)
	}
	d.lines += int64(n)
	return n, true, nil
}

// Stretches of time that are read at once.
const (
	firstStretch  = int64(time.Minute)
	leastStretch  = int64(time.Second)
	mostStretch   = int64(6 * time.Hour) // what comes behind a gap must not be too much at once
	rowsAtATime   = 1 << 15
	rowsForDouble = rowsAtATime / 4
)

// eachStretch has read take from <= t < to in stretches that hold at most rowsAtATime rows each: one that holds more is read
// again in halves, and those after it are as long as the rows before them allow. Stretches of a second hold what they hold.
func eachStretch(from, to int64, read func(start, stop int64, most int) (n int, fit bool, err error)) error {
	length := firstStretch
	for from < to {
		stop, most := min(from+length, to), rowsAtATime
		if length <= leastStretch {
			most = 0
		}
		n, fit, err := read(from, stop, most)
		switch {
		case err != nil:
			return err
		case !fit:
			length = max(length/2, leastStretch)
			continue
		case n < rowsForDouble:
			length = min(2*length, mostStretch)
		}
		from = stop
	}
	return nil
}
