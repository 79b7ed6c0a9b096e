package follow

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// scanShare bounds the time that scans take: 1/20.
const scanShare = 20

// scan looks for files that are new, have grown or are gone. It returns those that are there for the first time, and
// the first error; errors are told once.
func (f *Files) scan() (found []*File, first error) {
	began := time.Now()
	fail := func(subject string, err error) {
		if err != nil && first == nil {
			first = fmt.Errorf("follow: %w", err)
		}
		if f.c.Follow {
			f.err.set(subject, err)
		}
	}
	var paths []string
	for _, p := range f.c.Patterns {
		some, err := expand(p)
		fail("pattern "+p, err)
		paths = append(paths, some...)
	}
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	f.state.scans++
	before := len(f.waiting)
	for _, path := range paths {
		if !f.isState(path) {
			fail("file "+path, f.lookAt(path, began))
		}
	}
	found = slices.Clone(f.waiting[before:])
	f.lose()
	f.next = began.Add(scanShare * time.Since(began))
	return found, first
}

// isState tells whether a path is the state file, which may lie beside the captures.
func (f *Files) isState(path string) bool {
	own := f.c.StateFile
	if own == "" || !strings.HasPrefix(filepath.Base(path), filepath.Base(own)) {
		return false
	}
	a, _ := filepath.Abs(strings.TrimSuffix(path, newSuffix))
	b, _ := filepath.Abs(own)
	return a == b
}

// lookAt finds out which file a path is.
func (f *Files) lookAt(path string, now time.Time) error {
	if path == stdin {
		return f.stream(path, now)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // since the pattern was matched
		return nil
	case err != nil:
		return err
	case info.IsDir() && slices.Contains(f.c.Patterns, path):
		return fmt.Errorf("%s is a directory", path)
	case info.IsDir():
		return nil
	case !info.Mode().IsRegular():
		return f.stream(path, now)
	}
	same := f.state.byInode[inodeOf(path, info)]
	if n := len(same); n > 0 && same[n-1].unchanged(info) {
		f.state.see(same[n-1], path, now)
		return nil
	}
	return f.identify(path, info, same, now)
}

func (f *Files) stream(path string, now time.Time) error {
	if f.c.Follow {
		return fmt.Errorf("%s: only regular files are followed", path)
	}
	w := &File{Path: path, Name: baseName(path), stream: true, found: now, entry: &entry{Path: path}}
	w.resume()
	f.waiting = append(f.waiting, w)
	return nil
}

// unchanged tells whether a file is as at the last look, in this process.
func (e *entry) unchanged(info fs.FileInfo) bool {
	return e.scan > 0 && e.looked == info.Size() && e.modified.Equal(info.ModTime())
}

func (s *state) see(e *entry, path string, now time.Time) {
	e.Path, e.scan, e.Seen = path, s.scans, now.UTC().Truncate(time.Second)
	if e.file != nil {
		e.file.Path = path
	}
}

// identify compares a file with what is known of its inode.
func (f *Files) identify(path string, info fs.FileInfo, same []*entry, now time.Time) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	var e *entry
	for _, known := range slices.Backward(same) {
		if ok, err := known.Head.of(in); err != nil {
			return err
		} else if ok {
			e = known
			break
		}
	}
	if e == nil {
		e = &entry{inode: inodeOf(path, info)}
		if e.Head, err = headOf(in, info.Size()); err != nil {
			return err
		}
		f.state.add(e)
	}
	e.looked, e.modified = info.Size(), info.ModTime()
	f.state.see(e, path, now)
	f.decide(e, hasPrefix(in, gzipMagic), now)
	return nil
}

func hasPrefix(in *os.File, magic []byte) bool {
	b := make([]byte, len(magic))
	in.ReadAt(b, 0)
	return bytes.Equal(b, magic)
}

// decide says what becomes of a file that is new or has changed.
func (f *Files) decide(e *entry, zipped bool, now time.Time) {
	switch w := e.file; {
	case w != nil && w == f.current: // looks for itself
	case w != nil:
		if w.size != e.looked {
			w.size, w.grew, w.zipped = e.looked, now, zipped
		}
	case !e.ended:
		f.wait(e, zipped, now)
	case e.looked > e.Size && !e.Refused:
		if e.Ignored == 0 {
			f.c.Warn(fmt.Sprintf("follow: %s grew after it had counted as finished, and is read on", e.Path))
		}
		f.state.again(e)
		f.wait(e, zipped, now)
	}
}

// wait puts a file into the queue.
func (f *Files) wait(e *entry, zipped bool, now time.Time) {
	w := &File{
		Path: e.Path, Name: baseName(e.Path), entry: e, seen: e.packets,
		size: e.looked, grew: now, found: now, probed: -1, zipped: zipped,
	}
	w.resume()
	if e.modified.Before(now) {
		w.grew = e.modified
	}
	e.file = w
	f.waiting = append(f.waiting, w)
}

// lose takes files that are gone out of the queue.
func (f *Files) lose() {
	gone := func(w *File) bool { return !w.stream && w.entry.scan != f.state.scans }
	f.waiting = slices.DeleteFunc(f.waiting, func(w *File) bool {
		if !gone(w) {
			return false
		}
		f.c.Warn(fmt.Sprintf("follow: %s is gone before it was read", w.Path))
		w.entry.file = nil
		return true
	})
	if f.current != nil {
		f.current.gone = gone(f.current)
	}
}

// ignore takes files that are there at the first start for read.
func (f *Files) ignore(files []*File) {
	for _, w := range files {
		e := w.entry
		e.Ignored = e.looked
		f.state.end(e, e.looked, 0, 0)
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(w *File) bool { return slices.Contains(files, w) })
}
