// Package checkpoint keeps the pipeline's state in files, so that a process can be killed at any instant and the next
// one goes on. It owns their format, the way they are replaced, and the lock that keeps a second pipeline away. What a
// state means is its caller's business.
//
// What rollups need is one file of JSON:
//
//	{"version": 2, "source": "…", "sink": "…", "crc32": "1a2b3c4d", "state": {…}}
//
// crc32 (IEEE) is taken over the bytes of state. source and sink name what the state is about: it is of no use for
// another bucket. What is too large for that is a stream of bytes in a file of its own (SaveStream).
package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Version is the version of the format that this package writes and reads.
const Version = 2

// FileName is the file in the state directory.
const FileName = "checkpoint.json"

// Reasons for which there is no state to go on from.
var (
	ErrNone    = errors.New("checkpoint: there is none")
	ErrDamaged = errors.New("checkpoint: damaged")
	ErrOther   = errors.New("checkpoint: of another source, sink or version")
)

// ErrLocked: another process works with the state directory.
var ErrLocked = errors.New("checkpoint: another pipeline uses this directory")

// Store is a locked state directory.
type Store struct {
	dir, source, sink string
	lock              *os.File
}

// about says what a file is about: it is of no use for another bucket.
type about struct {
	Version int    `json:"version"`
	Source  string `json:"source"`
	Sink    string `json:"sink"`
}

type file struct {
	about
	CRC32 string          `json:"crc32"`
	State json.RawMessage `json:"state"`
}

// Open makes dir where it is missing and locks it until Close, or until the process ends in whatever way.
func Open(dir, source, sink string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", dir, err)
	}
	return &Store{dir: dir, source: source, sink: sink, lock: lock}, nil
}

// Close gives the directory free.
func (s *Store) Close() error { return s.lock.Close() }

// Load reads the state into v. The error is ErrNone, ErrDamaged or ErrOther when there is nothing to go on from, and
// then v may be half filled.
func (s *Store) Load(v any) error {
	data, err := os.ReadFile(filepath.Join(s.dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNone
	} else if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return s.decode(data, v)
}

func (s *Store) decode(data []byte, v any) error {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	if f.Version == Version && f.CRC32 != sum(f.State) {
		return fmt.Errorf("%w: crc32 is %s, the file says %q", ErrDamaged, sum(f.State), f.CRC32)
	}
	if err := s.same(&f.about); err != nil {
		return err
	}
	if err := json.Unmarshal(f.State, v); err != nil {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return nil
}

func sum(state []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(state)) }

// Save replaces the state by v. When it returns nil, v survives a crash of the machine; when it is interrupted, the
// former state is still there.
func (s *Store) Save(v any) error {
	data, err := s.encode(v)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	err = s.replace(FileName, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

func (s *Store) encode(v any) ([]byte, error) {
	state, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = enc.Encode(file{about: about{Version, s.source, s.sink}, CRC32: sum(state), State: state})
	return out.Bytes(), err
}
