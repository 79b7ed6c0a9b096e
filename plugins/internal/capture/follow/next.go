package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"time"

	"echogram/plugins/internal/capture/pcapfile"
)

// notYet is older than every packet.
const notYet = math.MinInt64

// longWait is how long a file waits behind one that grows until somebody is told.
const longWait = time.Minute

// Next returns what comes next: a packet, the begin or the end of a file, or Idle when a Poll has brought nothing. It
// ends with ctx's error, and with io.EOF without Follow when all files are read.
func (f *Files) Next(ctx context.Context) (Item, error) {
	for {
		w := f.current
		if w == nil {
			if item, err := f.begin(ctx); err != nil || item.File != nil || item.Event == Idle {
				return item, err
			}
			continue
		}
		if w.n&0x3ff == 0 && ctx.Err() != nil { // a file may be long
			return Item{}, ctx.Err()
		}
		if w.reader == nil {
			return f.end(w, w.Err), nil
		}
		p, err := w.next()
		if err == nil {
			w.n++
			w.last = max(w.last, p.Stamp)
			return Item{Packet: p, File: w, Skip: p.Stamp <= w.skip || w.n <= w.seen || w.ignoring()}, nil
		}
		if !errors.Is(err, errPause) {
			return f.end(w, err), nil
		}
		if item, err := f.rest(ctx, w); err != nil || item.File != nil {
			return item, err
		}
	}
}

// begin opens the next file, if one is ready.
func (f *Files) begin(ctx context.Context) (Item, error) {
	w := f.pick()
	if w == nil {
		if !f.c.Follow {
			return Item{}, io.EOF
		}
		if err := f.tick(ctx); err != nil || f.pick() != nil {
			return Item{}, err
		}
		return Item{Event: Idle}, nil
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(o *File) bool { return o == w })
	if !w.stream {
		w.Err = w.open(f.c.Follow, w.entry.Ignored)
	}
	if w.Err != nil && f.c.Follow { // it was readable when its first packet was
		f.err.set(w.Path, w.Err)
		f.giveBack(w)
		return Item{}, nil
	}
	f.current = w
	f.know(w)
	return Item{File: w, Event: Begin}, nil
}

// giveBack leaves a file to the next scan.
func (f *Files) giveBack(w *File) {
	w.close()
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	w.entry.file, w.entry.modified = nil, time.Time{}
}

// know notes as much of a file's first bytes as there is, and how much was read.
func (f *Files) know(w *File) {
	if w.stream || w.in == nil || w.in.file == nil {
		return
	}
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	w.entry.Size = w.in.off
	if w.entry.Head.Bytes < headMost {
		if h, err := headOf(w.in.file, w.in.off); err == nil && h.Bytes > w.entry.Head.Bytes {
			w.entry.Head = h
		}
	}
}

// tick waits for a Poll and looks for files.
func (f *Files) tick(ctx context.Context) error {
	t := time.NewTimer(f.c.Poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	if !time.Now().Before(f.next) {
		f.scan()
	}
	return nil
}

// rest waits for more of a file that has come to the end of what is there, and ends it when no more is to come.
func (f *Files) rest(ctx context.Context, w *File) (Item, error) {
	if w.ignoring() {
		f.lift(w)
		return Item{}, nil
	}
	f.know(w)
	if w.in.final = f.isOver(w, time.Now()); w.in.final {
		return Item{}, nil
	}
	if err := f.tick(ctx); err != nil {
		return Item{}, err
	}
	now := time.Now()
	grown, err := w.look(now)
	if err != nil {
		return f.replaced(w, err), nil
	}
	if now.Sub(w.grew) < f.c.Idle {
		f.tell(w, now)
	}
	if w.in.final = f.isOver(w, now); grown || w.in.final {
		return Item{}, nil
	}
	return Item{File: w, Event: Idle}, nil
}

// isOver tells whether nothing more is to come of a file: all is read, it has not grown for Idle, and it is gone or
// another one is ready.
func (f *Files) isOver(w *File, now time.Time) bool {
	return w.in.off == w.size && now.Sub(w.grew) >= f.c.Idle && (w.gone || f.pick() != nil)
}

// lift ends the part of a file that was there before the first start.
func (f *Files) lift(w *File) {
	w.in.limit = math.MaxInt64
	w.Emitted = max(w.Emitted, w.last)
	f.state.mu.Lock()
	w.entry.Emitted = max(w.entry.Emitted, w.last)
	f.state.mu.Unlock()
}

// tell warns of files that wait for one that goes on growing.
func (f *Files) tell(w *File, now time.Time) {
	for _, o := range f.waiting {
		if !o.told && o.size > headLeast && now.Sub(o.found) > longWait {
			o.told = true
			f.c.Warn(fmt.Sprintf("follow: %s waits for %s, which still grows: files are read one after another, so those that grow at the same time need an input each", o.Path, w.Path))
		}
	}
}

// end closes a file after its last packet.
func (f *Files) end(w *File, err error) Item {
	if w.in != nil && f.c.Follow && err != io.EOF && !w.zipped {
		if _, changed := w.look(time.Now()); changed != nil {
			return f.replaced(w, changed)
		}
	}
	f.know(w)
	if err != io.EOF {
		w.Err = err
	}
	return f.finish(w)
}

func (f *Files) finish(w *File) Item {
	size := max(w.size, w.entry.Size)
	switch path := (*fs.PathError)(nil); {
	case errors.As(w.Err, &path):
		size = w.entry.Size // the rest was not seen
	case w.Err != nil && !errors.Is(w.Err, pcapfile.ErrTruncated):
		f.state.refuse(w.entry)
	}
	w.close()
	f.state.end(w.entry, size, w.last, w.n)
	f.current = nil
	return Item{File: w, Event: End}
}

// replaced ends a file whose content has been replaced under our hands; the next scan takes it for another one.
func (f *Files) replaced(w *File, err error) Item {
	f.c.Warn(fmt.Sprintf("follow: %s: %v while it was read, after %d packets: it is read from its beginning", w.Path, err, w.n))
	f.state.mu.Lock()
	e := w.entry
	f.state.byInode[e.inode] = slices.DeleteFunc(f.state.byInode[e.inode], func(o *entry) bool { return o == e })
	f.state.mu.Unlock()
	f.next = time.Time{}
	return f.finish(w)
}
