package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"

	"echogram/plugins/schema"
)

// appendRow appends one row in some format; rows that the format has no place for append nothing.
type appendRow func(dst []byte, p *schema.Point, row schema.Row) ([]byte, error)

var formats = map[string]appendRow{"csv": appendCSV, "influx": appendInflux}

// appendCSV is the format of the first ping scanners: ip,seconds with nine decimals, or ip,unreachable.
func appendCSV(dst []byte, _ *schema.Point, row schema.Row) ([]byte, error) {
	r, ok := row.(*schema.SweepRow)
	if !ok {
		return dst, nil
	}
	dst = append(append(dst, r.Target...), ',')
	if !r.RTT.Set {
		return append(dst, "unreachable\n"...), nil
	}
	return append(strconv.AppendFloat(dst, float64(r.RTT.N)/1e9, 'f', 9, 64), '\n'), nil
}

func appendInflux(dst []byte, p *schema.Point, row schema.Row) ([]byte, error) {
	schema.Fill(p, row)
	return p.AppendLine(dst)
}

// writer turns rows into lines and keeps the sums that the summary tells.
type writer struct {
	out    *bufio.Writer
	format appendRow
	line   []byte
	point  schema.Point
	err    error

	answered, sum, least, most int64
}

func newWriter(out io.Writer, format appendRow) *writer {
	return &writer{out: bufio.NewWriterSize(out, 64<<10), format: format}
}

// emit takes one row; after the first error it does nothing.
func (w *writer) emit(row schema.Row) {
	if r, ok := row.(*schema.SweepRow); ok && r.RTT.Set {
		if w.answered == 0 || r.RTT.N < w.least {
			w.least = r.RTT.N
		}
		w.answered++
		w.sum += r.RTT.N
		w.most = max(w.most, r.RTT.N)
	}
	if w.err != nil {
		return
	}
	if w.line, w.err = w.format(w.line[:0], &w.point, row); w.err == nil {
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

// thousands writes 65536 as 65,536.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// micros writes nanoseconds in the unit that fits them.
func micros(ns int64) string {
	switch {
	case ns < 1_000_000:
		return fmt.Sprintf("%.1f µs", float64(ns)/1e3)
	case ns < 1_000_000_000:
		return fmt.Sprintf("%.2f ms", float64(ns)/1e6)
	}
	return fmt.Sprintf("%.2f s", float64(ns)/1e9)
}
