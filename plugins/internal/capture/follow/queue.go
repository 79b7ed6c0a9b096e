package follow

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"echogram/plugins/internal/capture/pcapfile"
)

// pick returns the file to read next, the one with the oldest first packet, or nil while there is none to begin with.
func (f *Files) pick() *File {
	now := time.Now()
	var best *File
	for _, w := range slices.Clone(f.waiting) {
		if !w.ready && f.settling(w, now) && now.Sub(w.found) < f.c.Idle {
			return nil // it may be the oldest
		}
		if f.prepare(w, now) && (best == nil || w.FirstStamp < best.FirstStamp) {
			best = w
		}
	}
	return best
}

// settling tells whether a gzip file may still be written.
func (f *Files) settling(w *File, now time.Time) bool {
	return w.zipped && f.c.Follow && now.Sub(w.grew) < f.c.Idle
}

// prepare reads a file's first packet, unless it is known, or known not to be there.
func (f *Files) prepare(w *File, now time.Time) bool {
	if f.settling(w, now) || f.leaveToTwin(w) {
		return false
	}
	if w.ready || w.probed == w.size && !w.stream {
		return w.ready
	}
	err := w.probe(f.c.Follow)
	path := (*fs.PathError)(nil)
	switch {
	case err == nil || !f.c.Follow || err == io.EOF || errors.Is(err, pcapfile.ErrTruncated):
		w.ready = true
	case errors.Is(err, errPause):
		w.probed = w.size
	case errors.As(err, &path):
		f.err.set(w.Path, err)
	default:
		f.refuse(w, err)
	}
	return w.ready
}

// refuse drops a file that is no capture.
func (f *Files) refuse(w *File, err error) {
	f.c.Warn(fmt.Sprintf("follow: %s: %v", w.Path, err))
	f.drop(w)
	if w.size >= headLeast {
		f.state.refuse(w.entry)
	}
	f.state.end(w.entry, w.size, 0, 0)
}

func (f *Files) drop(w *File) {
	f.waiting = slices.DeleteFunc(f.waiting, func(o *File) bool { return o == w })
}
