package checkpoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveStream replaces the file name in the directory by what write writes, with the same promise as Save: a state that is
// too large for JSON has a file of its own. A line stands before it that says what it is about, as that of the state does:
//
//	{"version":2,"source":"…","sink":"…"}
//
// What follows has no checksum: it must carry its own.
func (s *Store) SaveStream(name string, write func(io.Writer) error) error {
	err := s.replace(name, func(w io.Writer) error {
		if err := json.NewEncoder(w).Encode(about{Version: Version, Source: s.source, Sink: s.sink}); err != nil {
			return err
		}
		return write(w)
	})
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// LoadStream hands what SaveStream has saved to read. The error is ErrNone or ErrOther when there is nothing to read, and
// else that of read.
func (s *Store) LoadStream(name string, read func(io.Reader) error) error {
	f, err := os.Open(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNone
	} else if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	line, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("%w: %s has no first line: %v", ErrDamaged, name, err)
	}
	var a about
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrDamaged, name, err)
	}
	if err := s.same(&a); err != nil {
		return err
	}
	return read(r)
}

// same tells whether a file is about this source and sink, and in this format.
func (s *Store) same(a *about) error {
	if a.Version != Version {
		return fmt.Errorf("%w: version %d, want %d", ErrOther, a.Version, Version)
	}
	if a.Source != s.source || a.Sink != s.sink {
		return fmt.Errorf("%w: it goes from %s to %s", ErrOther, a.Source, a.Sink)
	}
	return nil
}

// replace writes a file beside the one called name and puts it in its place.
func (s *Store) replace(name string, write func(io.Writer) error) error {
	tmp := filepath.Join(s.dir, name+".new") // a fixed name: a killed process leaves one at most
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(f)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(s.dir, name))
	}
	if err != nil {
		return err
	}
	return syncDir(s.dir)
}
