// Package follow reads capture files as they come: those that patterns name, one after another, while they grow, and
// what comes after them. It owns the question what has been read: a file is read once, under whatever name, also
// across restarts.
//
// Layers: follow.go (the API), next.go (a file is begun, read, ended), queue.go (which one is next), twin.go (what
// gzip has made of one), scan.go (which files there are), glob.go (patterns), file.go (one file, and its reader at the
// end of what is there), state.go (what was read, and the state file).
//
// A file is known by device, inode and a hash of its first bytes: a rename does not make it new, and new content
// under an old name or inode does. What gzip makes of a file that was read is that file.
//
// Nothing is lost and nothing comes twice, if the caller tells with Emitted how far its results are delivered: a file
// counts as finished in the state file when it has ended and Emitted has reached its last packet. Else it is read
// again after a restart from its beginning, and what was delivered comes marked (Item.Skip), so that an engine has
// its state again.
//
// Files that grow at the same time would wait for each other: give each its own Files. Not here: decoding, notices of
// the kernel about changes (polling works on every file system), and two processes that share a state file.
package follow

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"echogram/plugins/internal/capture"
)

// Defaults of Config.
const (
	DefaultPoll = 250 * time.Millisecond
	DefaultIdle = 5 * time.Second
)

// ErrState says that the state file cannot be used as it is.
var ErrState = errors.New("follow: state file")

// Config says what is read.
type Config struct {
	Patterns      []string      // paths and globs as of path/filepath; "-" is STDIN, only without Follow
	Follow        bool          // go on as files grow and others come; else read what is there, and end
	FromBeginning bool          // with Follow, of files that are there when no state is known: all, not just what is added
	StateFile     string        // where to remember what was read; "" for not at all
	Poll          time.Duration // how often growth and patterns are looked at; DefaultPoll
	Idle          time.Duration // a file that has not grown for so long has ended if another waits or it is gone; DefaultIdle
	Warn          func(string)  // takes what people should know; nil: nobody
}

// Event says what an Item is.
type Event uint8

// The events. Each file has one Begin, its packets and one End; Idle may come at any time.
const (
	Packet Event = iota
	Begin        // a file begins
	End          // and is finished; File.Err tells of truncation and damage
	Idle         // nothing has come for a Poll
)

// Item is what Next returns.
type Item struct {
	Packet *capture.Packet // valid until the next call; nil unless Event is Packet
	File   *File           // nil if Idle while no file is read
	Event  Event
	Skip   bool // the packet was evaluated before: it is for the engine's state, and what it gives up to File.Emitted is delivered
}

// Files reads files. Next is for one goroutine; Emitted and Save may be called from any.
type Files struct {
	c       Config
	err     warnings
	waiting []*File // in order of appearance
	current *File
	next    time.Time // when to scan again
	state   *state
	saving  sync.Mutex
}

// Open checks the patterns, reads the state file and looks for files. Without Follow each path must exist and each
// pattern match. Where there is no state file yet, one is written, so that a place that does not allow it is known
// at once. The errors wrap filepath.ErrBadPattern, fs.ErrNotExist and ErrState.
func Open(c Config) (*Files, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s, known, err := loadState(c.StateFile)
	if err != nil {
		return nil, err
	}
	f := &Files{c: c, state: s, err: warnings{warn: c.Warn}}
	found, err := f.scan()
	if err != nil && !c.Follow {
		return nil, err
	}
	if !known && c.Follow && !c.FromBeginning {
		f.ignore(found)
	}
	if !known {
		if err := f.Save(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (c *Config) complete() error {
	if len(c.Patterns) == 0 {
		return errors.New("follow: no files are named")
	}
	for _, p := range c.Patterns {
		if _, err := filepath.Match(p, ""); err != nil {
			return fmt.Errorf("follow: %q: %w", p, err)
		}
	}
	if c.Follow && slices.Contains(c.Patterns, stdin) {
		return errors.New("follow: STDIN (\"-\") cannot be followed")
	}
	if c.Poll <= 0 {
		c.Poll = DefaultPoll
	}
	if c.Idle <= 0 {
		c.Idle = DefaultIdle
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	return nil
}

// Emitted records that everything up to stamp (ns since the Unix epoch) of a file's data is delivered. Data is
// delivered in the order in which it was read: of files that ended before this one everything up to stamp is delivered
// as well. Call it for a file of its own when its engine is finished.
func (f *Files) Emitted(file *File, stamp int64) { f.state.emitted(file.entry, stamp) }

// Save writes the state file. When it returns nil the state survives a crash of the machine; if it is interrupted the
// former state is still there.
func (f *Files) Save() error {
	f.saving.Lock()
	defer f.saving.Unlock()
	return f.state.save(time.Now())
}

// Close closes the file that is being read. It saves nothing.
func (f *Files) Close() error {
	for _, w := range f.waiting {
		w.close()
	}
	if f.current != nil {
		f.current.close()
	}
	return nil
}

// warnings passes each subject's error on when its text changes.
type warnings struct {
	warn func(string)
	last map[string]string
}

func (w *warnings) set(subject string, err error) {
	if err == nil {
		delete(w.last, subject)
		return
	}
	if w.last[subject] == err.Error() {
		return
	}
	if w.last == nil {
		w.last = map[string]string{}
	}
	w.last[subject] = err.Error()
	w.warn(err.Error())
}
