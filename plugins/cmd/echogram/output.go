package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"echogram/plugins/schema"
)

// writer turns rows into the lines of one format and keeps the tally that the summary tells.
type writer struct {
	out   *bufio.Writer
	row   appendRow
	line  []byte
	point schema.Point
	err   error
	tally tally
}

func newWriter(out io.Writer, f format) *writer {
	w := &writer{out: bufio.NewWriterSize(out, 64<<10), row: f.row}
	_, w.err = w.out.WriteString(f.head)
	return w
}

// emit takes one row; after the first error it does nothing.
func (w *writer) emit(row schema.Row) {
	if r, ok := row.(*schema.SweepRow); ok {
		w.tally.add(r)
	}
	if w.err != nil {
		return
	}
	if w.line, w.err = w.row(w.line[:0], &w.point, row); w.err == nil {
		_, w.err = w.out.Write(w.line)
	}
}

func (w *writer) flush() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	if w.err != nil {
		return fmt.Errorf("write results: %w", w.err)
	}
	return nil
}

// openOutput opens the file of --output, or STDOUT.
func openOutput(name string) (io.Writer, func() error, error) {
	if name == "" || name == "-" {
		return os.Stdout, func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, nil, fmt.Errorf("--output: %w", err)
	}
	return f, f.Close, nil
}
