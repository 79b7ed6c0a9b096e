package prober

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture/follow"
	"echogram/plugins/schema"
)

// saveEvery is the least time between two writings of the state file while there is more to read.
const saveEvery = time.Second

// followed is what follow.Files is to a watch: see there.
type followed interface {
	Next(ctx context.Context) (follow.Item, error)
	Emitted(file *follow.File, stamp int64)
	Save() error
	Close() error
}

// fileWatch is a goroutine that reads files and shows them to engines, one for each continuous stream of packets: a
// rotated capture is one stream. Rows go out where they arise, so that slow emission holds up the reading.
//
// What was emitted is told by time: when the bfd_stats row of a period is out, so is all from before the period; its
// own echoes may still be open. A restart reads an unfinished file from its beginning, for the engine's state, and
// drops the rows from before that time.
type fileWatch struct {
	config    WatchConfig
	files     followed
	newEngine func(bfdwatch.Config) watchEngine
	pace      pacer

	ctx      context.Context // of the reading
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	caughtUp chan struct{} // closed when files have been read as far as they go, or cannot be
	once     sync.Once     // of that
	err      error         // that ended the reading; valid once caughtUp is closed

	stream  *stream // nil: none is under way
	packets int64   // of the file that is read
	unsaid  bool    // there is something that the state file does not know
	saved   time.Time
	failed  string // what the last failure to save was told as
	point   schema.Point
}

// stream is what one engine sees.
type stream struct {
	engine  watchEngine
	tap     string           // that files of it have by configuration
	names   map[int32]string // of the interfaces that the engine has asked for
	file    *follow.File     // of the last packet
	drops   uint64           // of the file, that the engine was told of
	seen    int64            // latest stamp
	over    int64            // rows from before this are out
	known   int64            // rows from before this were emitted by an earlier run
	skipped bool             // the last packet was evaluated by an earlier run
}

func openFiles(ctx context.Context, c WatchConfig, hurry <-chan struct{}) (*fileWatch, error) {
	files, err := follow.Open(follow.Config{
		Patterns: c.Files, Follow: c.Follow, FromBeginning: c.FromBeginning, StateFile: c.StateFile, Warn: c.Warn,
	})
	if err != nil {
		return nil, err
	}
	w := newFileWatch(ctx, c, files, hurry)
	w.newEngine = func(c bfdwatch.Config) watchEngine { return bfdwatch.New(c) }
	w.start()
	return w, nil
}

// newFileWatch makes a watch that does not read yet.
func newFileWatch(ctx context.Context, c WatchConfig, files followed, hurry <-chan struct{}) *fileWatch {
	w := &fileWatch{config: c, files: files, pace: newPacer(c.EmitRate, hurry), caughtUp: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

func (w *fileWatch) start() { w.wg.Go(w.run) }

func (w *fileWatch) run() {
	for {
		item, err := w.files.Next(w.ctx)
		if err != nil {
			w.end(err)
			return
		}
		switch item.Event {
		case follow.Begin:
			w.begin(item.File)
		case follow.Packet:
			w.observe(&item)
		case follow.End:
			w.finished(item.File)
		case follow.Idle:
			w.save()
			w.settled(nil)
		}
	}
}

// end is that of all reading.
func (w *fileWatch) end(err error) {
	if errors.Is(err, io.EOF) {
		w.endStream()
		w.save()
		err = nil
	}
	w.settled(err)
}

func (w *fileWatch) settled(err error) {
	w.once.Do(func() {
		w.err = err
		close(w.caughtUp)
	})
}

// begin is that of a file, which may turn out to have no packets.
func (w *fileWatch) begin(file *follow.File) {
	say(w.config.Debug, "reads %s", file.Path)
	w.packets = 0
}

// enter has a file with packets go on with the stream, or begin another.
func (w *fileWatch) enter(file *follow.File) {
	if w.stream != nil && !w.continues(file) {
		w.endStream()
	}
	if w.stream == nil {
		w.stream = &stream{tap: w.tapOf(file), names: map[int32]string{}}
		w.stream.engine = w.newEngine(w.config.engine(w.name, w.emit))
	}
	w.stream.file, w.stream.drops = file, 0
}

// continues tells whether a file's packets come after those of the stream, from the same capture points.
func (w *fileWatch) continues(file *follow.File) bool {
	s := w.stream
	for ifindex, name := range s.names {
		if file.InterfaceName(ifindex) != name {
			return false
		}
	}
	return file.FirstStamp >= s.seen && w.tapOf(file) == s.tap
}

func (w *fileWatch) tapOf(file *follow.File) string {
	if w.config.Tap == TapFile {
		return file.Name
	}
	return w.config.Tap
}

// name is the tag tap of an interface. Where files have a tap of their own, and several interfaces, both name it.
func (w *fileWatch) name(ifindex int32) string {
	s := w.stream
	name, ok := s.names[ifindex]
	if !ok {
		name = s.file.InterfaceName(ifindex)
		s.names[ifindex] = name
	}
	switch {
	case s.tap == "":
		return name
	case name == "" || ifindex == 0:
		return s.tap
	}
	return s.tap + "/" + name
}

func (w *fileWatch) observe(item *follow.Item) {
	if w.packets++; w.packets == 1 {
		w.enter(item.File)
	}
	s := w.stream
	s.seen = max(s.seen, item.Packet.Stamp)
	s.known, s.skipped = max(s.known, item.File.Emitted), item.Skip
	before := s.over
	s.engine.Observe(item.Packet)
	if s.over > before {
		w.count()
		w.tell()
		if time.Since(w.saved) >= saveEvery {
			w.save()
		}
	}
}

// emit takes a row of the engine's.
func (w *fileWatch) emit(row schema.Row) {
	s := w.stream
	schema.Fill(&w.point, row)
	if stats, ok := row.(*schema.BFDStatsRow); ok {
		s.over = max(s.over, stats.Time)
	}
	if s.skipped || w.point.Time < s.known {
		return
	}
	w.pace.wait(w.ctx)
	w.config.Emit(row)
}

// tell says which rows of the stream are out: follow knows which of its files that makes finished.
func (w *fileWatch) tell() {
	w.files.Emitted(w.stream.file, w.stream.over)
	w.unsaid = true
}

// count tells the engine what the capture has lost, as far as the stream's file says.
func (w *fileWatch) count() {
	s := w.stream
	if drops := s.file.Dropped(); drops > s.drops {
		say(w.config.Warn, "%s: its capture has lost %d frames", s.file.Path, drops-s.drops)
		s.engine.Dropped(drops - s.drops)
		s.drops = drops
	}
}

// finished is the end of a file, whose last rows may be still to come.
func (w *fileWatch) finished(file *follow.File) {
	if file.Err != nil {
		say(w.config.Warn, "%s: %v: what comes before that counts", file.Path, file.Err)
	}
	say(w.config.Info, "has read %s: %d packets", file.Path, w.packets)
	if w.packets > 0 {
		w.count()
	}
	w.unsaid = true
}

// endStream emits what is open.
func (w *fileWatch) endStream() {
	s := w.stream
	if s == nil {
		return
	}
	s.engine.Finish()
	s.over = s.seen + 1
	w.tell()
	w.stream = nil
}

// save writes the state file if there is something to say, and tells once if it cannot.
func (w *fileWatch) save() {
	if !w.unsaid {
		return
	}
	w.unsaid, w.saved = false, time.Now()
	failed := ""
	if err := w.files.Save(); err != nil {
		failed = err.Error()
	}
	if failed != "" && failed != w.failed {
		say(w.config.Warn, "what was read will be read again after a restart: %s", failed)
	}
	w.failed = failed
}

// flush does nothing: a file's time is that of its packets.
func (*fileWatch) flush(int64) {}

func (w *fileWatch) settle(ctx context.Context) error {
	select {
	case <-w.caughtUp:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the reading. With a state file, periods that are open stay so for the next run.
func (w *fileWatch) close() {
	w.cancel()
	w.wg.Wait()
	if w.config.StateFile == "" {
		w.endStream()
	}
	w.save()
	w.files.Close()
}
