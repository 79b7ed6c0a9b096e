package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"echogram/pipeline/path"
)

// loadBaseline reads a stored calibration; without a name there is none, and one that will be made may be missing.
func loadBaseline(name string, mayBeMissing bool) (*path.Calibration, error) {
	cal := &path.Calibration{}
	if name == "" {
		return cal, nil
	}
	text, err := os.ReadFile(name)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && mayBeMissing:
		return cal, nil
	case missing:
		return nil, fmt.Errorf("--baseline %s: no such file: --save NAME makes it, of a target that later ones are compared with", name)
	case err != nil:
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(cal); err != nil {
		return nil, fmt.Errorf("--baseline %s: %w", name, err)
	}
	for i := range cal.Known {
		if k := &cal.Known[i]; k.Name == "" || len(k.Sizes) == 0 {
			return nil, fmt.Errorf("--baseline %s: entry %d has no name, or nothing was measured", name, i+1)
		}
	}
	return cal, nil
}

// warnFew says so when a measurement that is stored can never be compared with.
func warnFew(log *slog.Logger, k *path.Known) {
	for i := range k.Sizes {
		if s := &k.Sizes[i]; len(s.Level.Batches) == 0 {
			log.Warn("stored, but nothing can be compared with it: its error is unknown with fewer than 200 RTTs", "name", k.Name, "payload", s.Payload, "rtts", s.Filter.N)
		}
	}
}

// saveBaseline stores a measurement in place of one of the same name and target, all or nothing. One that was made under
// other facts than those stored is refused: nothing could be compared with both.
func saveBaseline(name string, cal *path.Calibration, k path.Known) error {
	if len(k.Sizes) == 0 {
		return fmt.Errorf("path: %s did not answer: nothing is stored", k.Target)
	}
	for i := range cal.Known {
		if old := &cal.Known[i]; old.Name == k.Name && old.Target != k.Target {
			return fmt.Errorf("path: --save %s: %s holds %s under that name: %s needs another", k.Name, name, old.Target, k.Target)
		}
	}
	kept := slices.DeleteFunc(slices.Clone(cal.Known), func(old path.Known) bool { return old.Name == k.Name })
	for i := range kept {
		if err := k.Facts.Differ(&kept[i].Facts); err != nil {
			err.Reference = kept[i].Name
			return err
		}
	}
	text, err := json.MarshalIndent(path.Calibration{Known: append(kept, k)}, "", "  ")
	if err != nil {
		return fmt.Errorf("path: %s: %w", name, err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails when it has been renamed
	_, err = file.Write(append(text, '\n'))
	if err := errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
