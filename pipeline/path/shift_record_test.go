package path

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// record is a row of RTTs from the lab, with the times at which a CPU hog was on.
type record struct {
	hogs [][2]int64 // from, to; ms since the first request
	at   []int64    // of the requests, ms since the first
	rtt  []int64    // ns
}

// A file of a record is gzip over varints: the number of hogs and their times, the number of RTTs, each request's time
// after the one before, each RTT less the one before.

func (r *record) append(b []byte) []byte {
	b = binary.AppendVarint(b, int64(len(r.hogs)))
	for _, h := range r.hogs {
		b = binary.AppendVarint(binary.AppendVarint(b, h[0]), h[1])
	}
	b = binary.AppendVarint(b, int64(len(r.at)))
	for _, column := range [][]int64{r.at, r.rtt} {
		last := int64(0)
		for _, v := range column {
			b, last = binary.AppendVarint(b, v-last), v
		}
	}
	return b
}

func (r *record) save(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(r.append(nil)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

func loadRecord(name string) (*record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := &record{}
	if err := r.read(bufio.NewReader(z)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func (r *record) read(from io.ByteReader) (err error) {
	next := func() (v int64) {
		if err == nil {
			v, err = binary.ReadVarint(from)
		}
		return v
	}
	column := func(n int64) []int64 {
		vs, last := make([]int64, n), int64(0)
		for i := range vs {
			last += next()
			vs[i] = last
		}
		return vs
	}
	r.hogs = make([][2]int64, next())
	for i := range r.hogs {
		r.hogs[i] = [2]int64{next(), next()}
	}
	n := next()
	r.at, r.rtt = column(n), column(n)
	return err
}
