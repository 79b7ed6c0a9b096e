package follow

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	stateVersion = 1
	keepGone     = 30 * 24 * time.Hour // for how long a file that is gone is remembered
	keepEntries  = 10_000              // and the most that are remembered, unless more are there
	newSuffix    = ".new"
)

// inode tells files apart as long as they are there.
type inode struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// entry is what is known of one file's content.
type entry struct {
	Path string `json:"path"` // where it was last; for people
	inode
	Head     head      `json:"head"`
	Size     int64     `json:"size"`              // bytes that were read
	Finished bool      `json:"finished"`          // read to its end, and all of it delivered
	Emitted  int64     `json:"emitted"`           // ns since the Unix epoch
	Ignored  int64     `json:"ignored,omitempty"` // bytes that were there before the first start
	Refused  bool      `json:"refused,omitempty"` // no capture, or damaged: growth makes it no better
	Seen     time.Time `json:"seen"`              // last seen there

	ended    bool      // read to its end
	order    uint64    // place among those that have ended
	last     int64     // youngest packet, once ended
	packets  int64     // how many were read, once ended
	looked   int64     // size at the last look
	modified time.Time // at the last look
	scan     uint64    // the last one that has seen it
	file     *File     // while it waits or is read
}

// state is what is known of all files.
type state struct {
	path string

	mu      sync.Mutex
	scans   uint64 // number of the last scan
	endings uint64
	entries []*entry // oldest first
	byInode map[inode][]*entry
	ended   []*entry // ended and not yet delivered, in the order of reading
}

// document is the state file.
type document struct {
	Version int      `json:"version"`
	Files   []*entry `json:"files"`
}

// loadState reads a state file; known is false if there is none.
func loadState(path string) (s *state, known bool, err error) {
	s = &state{path: path, byInode: map[inode][]*entry{}}
	if path == "" {
		return s, false, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrState, err)
	}
	var d document
	if err = json.Unmarshal(data, &d); err == nil && d.Version != stateVersion {
		err = fmt.Errorf("version %d, want %d", d.Version, stateVersion)
	}
	if err == nil && slices.Contains(d.Files, nil) {
		err = errors.New("a file without content")
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w %s: %w: put it back from a copy, or remove it to start as at the first time", ErrState, path, err)
	}
	for _, e := range d.Files {
		e.ended = e.Finished
		s.add(e)
	}
	return s, true, nil
}

func (s *state) add(e *entry) {
	s.entries = append(s.entries, e)
	s.byInode[e.inode] = append(s.byInode[e.inode], e)
}

func (s *state) emitted(e *entry, stamp int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Emitted = max(e.Emitted, stamp)
	open := s.ended[:0]
	for _, was := range s.ended {
		if before := !e.ended || was.order < e.order; before {
			was.Emitted = max(was.Emitted, min(stamp, was.last))
		}
		if was.Finished = was.Emitted >= was.last; !was.Finished {
			open = append(open, was)
		}
	}
	clear(s.ended[len(open):])
	s.ended = open
}

// end notes that a file was read to its end.
func (s *state) end(e *entry, size, last, packets int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings++
	e.order = s.endings
	e.Size, e.last, e.packets, e.ended, e.file = size, last, packets, true, nil
	if e.Finished = packets == 0 || e.Emitted >= last; !e.Finished {
		s.ended = append(s.ended, e)
	}
}

func (s *state) refuse(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Refused = true
}

// again takes a file back that had ended.
func (s *state) again(e *entry) {
	e.ended, e.Finished = false, false
	s.ended = slices.DeleteFunc(s.ended, func(was *entry) bool { return was == e })
}

// prune forgets what is gone for long, and the oldest of what is gone if there is too much.
func (s *state) prune(now time.Time) {
	drop := map[*entry]bool{}
	var gone []*entry
	for _, e := range s.entries {
		switch {
		case e.file != nil || e.scan == s.scans:
		case now.Sub(e.Seen) >= keepGone:
			drop[e] = true
		default:
			gone = append(gone, e)
		}
	}
	if over := len(s.entries) - len(drop) - keepEntries; over > 0 {
		slices.SortStableFunc(gone, func(a, b *entry) int { return a.Seen.Compare(b.Seen) })
		for _, e := range gone[:min(over, len(gone))] {
			drop[e] = true
		}
	}
	if len(drop) > 0 {
		s.forget(drop)
	}
}

func (s *state) forget(drop map[*entry]bool) {
	dropped := func(e *entry) bool { return drop[e] }
	s.entries = slices.DeleteFunc(s.entries, dropped)
	s.ended = slices.DeleteFunc(s.ended, dropped)
	for e := range drop {
		if s.byInode[e.inode] = slices.DeleteFunc(s.byInode[e.inode], dropped); len(s.byInode[e.inode]) == 0 {
			delete(s.byInode, e.inode)
		}
	}
}

// save replaces the state file.
func (s *state) save(now time.Time) error {
	s.mu.Lock()
	s.prune(now)
	data, err := json.MarshalIndent(document{Version: stateVersion, Files: s.entries}, "", "\t")
	s.mu.Unlock()
	if err == nil && s.path != "" {
		err = replace(s.path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// replace writes a file such that after a crash it is the old one or the new one.
func replace(path string, data []byte) error {
	f, err := os.OpenFile(path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) // a fixed name: a killed process leaves one at most
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Sync())
	if err = cmp.Or(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" { // has no such thing
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return cmp.Or(d.Sync(), d.Close())
}
