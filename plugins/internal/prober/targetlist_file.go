package prober

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"echogram/plugins/internal/targets"
)

// file is a file of a configuration that is read again when it has changed, with the last content that was good.
type file[T any] struct {
	option, path string
	parse        func(name string, r io.Reader) (T, error)
	content      T
	sum          []byte      // of content's text
	info         fs.FileInfo // of what was read last, good or not; nil before that
	err          error       // what is wrong with the file as it is
}

// watchedFile is a file of any content.
type watchedFile interface {
	key() string
	name() string
	refresh() (changed bool)
	failure() error
}

func (f *file[T]) key() string    { return f.option }
func (f *file[T]) name() string   { return f.path }
func (f *file[T]) failure() error { return f.err }

// refresh reads the file if it is another than the last time, or changed; changed tells of a new good content. What
// is no regular file (a pipe) is read once.
func (f *file[T]) refresh() (changed bool) {
	info, err := os.Stat(f.path)
	if err == nil && f.info != nil && (sameFile(info, f.info) || !info.Mode().IsRegular()) {
		return false
	}
	if err == nil {
		changed, err = f.read()
	} else {
		f.info = nil
	}
	f.err = err
	return changed
}

func (f *file[T]) read() (changed bool, err error) {
	r, err := os.Open(f.path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	if f.info, err = r.Stat(); err != nil { // before the first byte: what is written from now on shows the next time
		return false, err
	}
	sum := sha256.New()
	content, err := f.parse(f.path, io.TeeReader(r, sum))
	if err != nil || bytes.Equal(sum.Sum(nil), f.sum) {
		return false, err
	}
	f.content, f.sum = content, sum.Sum(nil)
	return true, nil
}

func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (l *TargetList) addFiles(c TargetConfig) {
	limits := targets.Limits{Values: c.LabelValues}
	for _, path := range c.TargetFiles {
		l.files = append(l.files, &file[*targets.File]{option: "target_files", path: path, parse: func(name string, r io.Reader) (*targets.File, error) {
			f, err := targets.ParseFile(name, r, limits)
			if err == nil && len(f.Ranges)+len(f.Names) == 0 { // one that is being written, more often than one that is meant
				err = fmt.Errorf("%s: %w", name, errNoTargets)
			}
			return f, err
		}})
	}
	for _, path := range c.ExcludeFiles {
		l.excludes = append(l.excludes, &file[[]targets.Range]{option: "exclude_files", path: path, parse: targets.ParseExclusions})
	}
	if c.LabelsFile != "" {
		l.labels = &file[*targets.Labels]{option: "labels_file", path: c.LabelsFile, parse: func(name string, r io.Reader) (*targets.Labels, error) {
			return targets.ParseLabels(name, r, limits)
		}}
	}
}

var errNoTargets = errors.New("the file holds no targets")

// watched returns all files, those of targets first.
func (l *TargetList) watched() []watchedFile {
	var out []watchedFile
	for _, f := range l.files {
		out = append(out, f)
	}
	for _, f := range l.excludes {
		out = append(out, f)
	}
	if l.labels != nil {
		out = append(out, l.labels)
	}
	return out
}

// readFiles reads what has changed, and tells whether set and labels have to be made again.
func (l *TargetList) readFiles(news *news) (set, labels bool) {
	for _, f := range l.watched() {
		if f.refresh() {
			set = set || f != watchedFile(l.labels)
			labels = true
		}
		if err := f.failure(); err != nil {
			news.fails(f.name(), err.Error(), fmt.Sprintf("%s: %v; its last good content stays", f.key(), err))
		}
	}
	return set, labels
}
