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
	lines    int64   // read so far
	useless  []error // of files without a line that could be read
}

// conPing is the name of a file of con-ping; its groups are network and time.
var conPing = regexp.MustCompile(`^([0-9.]+-[0-9]+)-([0-9]+)\.txt(\.gz)?$`)

func conPingTime(name string) (t int64, ok bool) {
	m := conPing.FindStringSubmatch(filepath.Base(name))
	if m == nil {
		return 0, false
	}
	t, err := strconv.ParseInt(m[2], 10, 64)
	return t, err == nil
}

// conPingNetwork is the network in such a name.
func conPingNetwork(name string) string { return conPing.FindStringSubmatch(filepath.Base(name))[1] }

// order takes files of con-ping by their time: their names sort by network. Others stay as they are given, before these.
// Of a directory it takes the files.
func (in *inputs) order(files []string, raw bool) (err error) {
	if files, err = filesOf(files); err != nil {
		return err
	}
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

// filesOf puts its files in the place of each directory, by name, without hidden ones and those of directories below.
func filesOf(names []string) (files []string, err error) {
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, name) // opening it tells what is wrong
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		before := len(files)
		for _, e := range entries {
			path := filepath.Join(name, e.Name())
			if info, err := os.Stat(path); err == nil && !info.IsDir() && e.Name()[0] != '.' {
				files = append(files, path)
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: there is no file in it", name)
		}
	}
	return files, nil
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
		if in.reader.OnlyMalformed() {
			in.useless = append(in.useless, useless(name, in.reader.Faults()))
		}
	}
	return nil
}

// useless says that a file had nothing but malformed lines, and what it may be.
func useless(name string, faults []lines.Fault) error {
	alike := func(f lines.Fault) bool { return lines.LooksLikeConPing(f.Text) }
	if _, named := conPingTime(name); !named && slices.ContainsFunc(faults, alike) {
		return fmt.Errorf("%s: nothing but malformed lines, which look like con-ping's: name the file NETWORK-LENGTH-EPOCH.txt, such as 192.0.2.0-24-1590469441.txt", name)
	}
	return fmt.Errorf("%s: nothing but malformed lines", name)
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
