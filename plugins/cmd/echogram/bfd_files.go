package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"echogram/plugins/internal/prober"
)

// captureFile is a file to be read.
type captureFile struct {
	name string // for people
	file *os.File
	err  error // that kept it from being opened
}

// openCaptures opens all files before the privilege goes that it may take. Those that cannot be opened say so when it
// is their turn.
func openCaptures(names []string) []captureFile {
	files := make([]captureFile, len(names))
	for i, name := range names {
		if name == "-" {
			files[i] = captureFile{name: "STDIN", file: os.Stdin}
			continue
		}
		file, err := os.Open(name)
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			err = path.Err // the name stands before it anyway
		}
		files[i] = captureFile{name, file, err}
	}
	return files
}

// capturePoint is what one engine reads: a file, or with --join all of them.
type capturePoint struct {
	name  string // for people
	tap   string
	files []captureFile
}

// points says which files go together.
func (f *bfdFlags) points(files []captureFile) []capturePoint {
	if f.join {
		files = byFirstPacket(files)
		names := make([]string, len(files))
		for i := range files {
			names[i] = files[i].name
		}
		return []capturePoint{{strings.Join(names, ", "), f.tap, files}}
	}
	points := make([]capturePoint, len(files))
	for i, file := range files {
		points[i] = capturePoint{file.name, f.tap, []captureFile{file}}
		if f.tap == "" && len(files) > 1 {
			points[i].tap = captureName(file.name)
		}
	}
	return points
}

// captureName is the base name of a capture file without what tells its format.
func captureName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	for _, ext := range []string{".pcap", ".pcapng", ".cap"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// byFirstPacket sorts capture files by their first packets, and has them begin again. Those that have none, or
// something wrong, come last.
func byFirstPacket(files []captureFile) []captureFile {
	type begun struct {
		captureFile
		stamp int64
	}
	list := make([]begun, len(files))
	for i, f := range files {
		list[i] = begun{f, math.MaxInt64}
		if f.err != nil {
			continue
		}
		if stamp, err := prober.FirstStamp(f.file); err == nil {
			list[i].stamp = stamp
		}
		_, list[i].err = f.file.Seek(0, io.SeekStart)
	}
	slices.SortStableFunc(list, func(a, b begun) int { return cmp.Compare(a.stamp, b.stamp) })
	sorted := make([]captureFile, len(list))
	for i := range list {
		sorted[i] = list[i].captureFile
	}
	return sorted
}

// runBFDFiles reads one capture point after another. A file that fails is named, and the rest is read all the same.
func runBFDFiles(ctx context.Context, f *bfdFlags, names []string) (err error) {
	results, err := f.newResults()
	if err != nil {
		return usageError{err}
	}
	files := openCaptures(names)
	defer closeCaptures(files)
	done, err := results.open(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := prober.DropPrivileges(); err != nil { // files from elsewhere are read with none
		return err
	}
	failed := false
	for _, p := range f.points(files) {
		failed = f.read(ctx, p, results) || failed
		if results.w.err != nil || ctx.Err() != nil {
			break
		}
	}
	if err := results.w.flush(); err != nil {
		return err
	}
	if failed {
		return quietError{exitFailed}
	}
	return nil
}

// read evaluates one capture point. It says what is wrong with its files, and whether anything is.
func (f *bfdFlags) read(ctx context.Context, p capturePoint, results *bfdResults) (failed bool) {
	config := f.config
	config.Emit, config.Trace = results.row, results.trace()
	replay := prober.NewBFDReplay(config, p.tap)
	results.begin(p.name, replay.Tap)
	var problems []error
	for _, file := range p.files {
		if err := f.feed(ctx, replay, file); err != nil {
			problems = append(problems, fileProblem(file.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	sum := replay.Finish()
	switch {
	case sum.Control+sum.Echo+sum.Invalid > 0:
		results.end()
	case len(problems) == 0:
		problems = append(problems, fmt.Errorf("%s: no BFD in %s", p.name, count(sum.Packets, "packet")))
	}
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, "echogram bfd:", problem)
	}
	return len(problems) > 0
}

// fileProblem says what cut the reading of a file short.
func fileProblem(name string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: interrupted: the results are partial", name)
	}
	if errors.Is(err, prober.ErrTruncated) {
		return fmt.Errorf("%s: %w: the results are partial", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// feed reads one file into a replay.
func (f *bfdFlags) feed(ctx context.Context, replay *prober.BFDReplay, in captureFile) error {
	if in.err != nil {
		return in.err
	}
	if in.file == os.Stdin {
		ctx = context.WithoutCancel(ctx) // Ctrl-C ends the program that writes, too, and with it the input
	}
	sorted, err := inOrder(ctx, in.file)
	if err != nil {
		return err
	}
	bar := newReading(in.file, f.progress)
	defer bar.stop()
	if sorted {
		return replay.Read(ctx, bar)
	}
	return replay.ReadSorted(ctx, bar)
}

// inOrder tells whether a file's packets are in the order of time, and leaves it at its beginning. Of what cannot be
// read twice it is taken for granted.
func inOrder(ctx context.Context, file *os.File) (bool, error) {
	if _, err := file.Seek(0, io.SeekCurrent); err != nil {
		return true, nil // a pipe
	}
	sorted := prober.Sorted(ctx, file)
	_, err := file.Seek(0, io.SeekStart)
	return sorted, err
}

func closeCaptures(files []captureFile) {
	for _, f := range files {
		if f.file != nil {
			f.file.Close()
		}
	}
}
