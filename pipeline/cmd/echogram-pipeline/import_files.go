package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"echogram/pipeline/lines"
)

// inputs are the files of an import, read one after the other.
type inputs struct {
	names    []string
	host     string // of con-ping's points
	stdin    io.Reader
	progress *progress
	log      *slog.Logger
	reader   *lines.Reader
	lines    int64 // read so far
}

// conPing is the name of a file of con-ping; the group is its time.
var conPing = regexp.MustCompile(`^[0-9.]+-[0-9]+-([0-9]+)\.txt(\.gz)?$`)

func conPingTime(name string) (t int64, ok bool) {
	m := conPing.FindStringSubmatch(filepath.Base(name))
	if m == nil {
		return 0, false
	}
	t, err := strconv.ParseInt(m[1], 10, 64)
	return t, err == nil
}

// order takes files of con-ping by their time: their names sort by network. Others stay as they are given, before these.
func (in *inputs) order(files []string, raw bool) (err error) {
	for _, name := range files {
		if _, ok := conPingTime(name); raw && !ok {
			return fmt.Errorf("%s is no file of con-ping, such as 192.0.2.0-24-1590469441.txt: line protocol is raw already", name)
		}
	}
	in.names = slices.SortedStableFunc(slices.Values(files), func(a, b string) int {
		x, _ := conPingTime(a)
		y, _ := conPingTime(b)
		return cmp.Compare(x, y)
	})
	if in.host == "" {
		in.host, err = os.Hostname()
	}
	return err
}

// each hands every file to read, by the same Reader, and says what was malformed in it.
func (in *inputs) each(read func(*lines.Reader) error) error {
	for i, name := range in.names {
		err := in.open(i, name, func() error { return read(in.reader) })
		in.lines += in.reader.Lines()
		warnMalformed(in.log, name, in.reader)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (in *inputs) open(i int, name string, read func() error) (err error) {
	file := in.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return errors.Unwrap(err)
		}
		defer f.Close()
		file = f
	}
	counted := &counting{in: file, say: func(n int64) {
		in.progress.say("file %d of %d, %s: %d MB", i+1, len(in.names), name, n>>20)
	}}
	if _, ok := conPingTime(name); ok {
		if err := in.reader.ResetConPing(name, counted, in.host); err != nil {
			return err
		}
	} else {
		in.reader.Reset(counted)
	}
	return read()
}

// counting tells how much has been read.
type counting struct {
	in  io.Reader
	n   int64
	say func(n int64)
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	c.say(c.n)
	return n, err
}
