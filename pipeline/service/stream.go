package service

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/lines"
	"echogram/pipeline/rollup"
	"echogram/pipeline/sink"
	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// StreamConfig is what a Stream needs to know. Of Config it does not use Interval and Readers.
type StreamConfig struct {
	Config
	OnlyBlocks bool          // nothing is rolled up
	Sweep      time.Duration // the longest interval of the sweeps
	// Now is the clock of a live stream, which began before it was listened to and may end in the middle: what is not
	// seen whole is not complete, and points that lie ahead of the clock are left out. nil: it is all there is.
	Now func() time.Time
}

// Stream rolls lines up as they come in. It takes its time from them, and is used by one goroutine.
//
// The windows of a live stream that had begun before it are left to its Filler, as soon as they are over. Without one
// they are written with complete=false, unless a former process has written what it had seen of them when it ended.
type Stream struct {
	refusals
	cfg      StreamConfig
	rollup   *rollup.Stream
	shifter  *shifter // nil: none
	out      *sink.Batcher
	store    Store           // nil: none
	filler   *Filler         // nil: none
	blocks   *blocks         // nil: none
	detailed map[string]bool // the windows with rows per target, by their tag

	newest int64 // time of the data
	next   int64 // time of the data at which a window may close
	closed int64 // what ends there or before is written, by a former process to begin with; 0: nothing is
	forgot int64 // end of the last longest window after which series were forgotten
	whole  int64 // windows that begin there or later are seen whole
	kept   bool  // a former process has written the windows that began before
	gaps   []gap // what the filler has still to do
	unread int64 // points of blocks before it are read from the source; 0: none are
	ending bool  // the rows that come out are of windows that may not be over
	told   [4]int64
	ahead  int64 // points that lay ahead of the clock
	held   *held // nil: none
	stray  strays
}

// gap are the windows of one length that begin in from <= t < to.
type gap struct {
	length   time.Duration
	from, to int64
}

// Closed is the lasting state of a live Stream.
type Closed struct {
	Closed int64 `json:"closed"`          // seconds since the Unix epoch: the windows that ended by then are written
	Ended  bool  `json:"ended,omitempty"` // the open ones, too, as they stood when the stream ended
}

// NewStream makes a Stream that goes on from what a former one has saved; zero if none has. store and filler may be
// nil.
func NewStream(cfg StreamConfig, from Closed, to Sink, store Store, filler *Filler) *Stream {
	s := &Stream{
		refusals: refusals{log: cfg.Log}, cfg: cfg, shifter: newShifter(cfg.Config),
		rollup: rollup.NewStream(rollup.StreamConfig{Config: cfg.Rollup, Lateness: cfg.Lateness}),
		out:    sink.NewBatcher(to, cfg.Batch, cfg.TargetFields), store: store, filler: filler, detailed: map[string]bool{},
		newest: math.MinInt64, next: math.MinInt64, whole: math.MinInt64, closed: from.Closed * int64(time.Second), kept: from.Ended,
	}
	ends := Ends{Sink: to}
	if filler != nil {
		ends = filler.Ends
	}
	if store == nil {
		store = forgetful{}
	}
	s.blocks = newBlocks(cfg.Config, ends, store, &s.refusals)
	for _, l := range cfg.Rollup.Lengths {
		s.detailed[rollup.Name(l)] = l >= cfg.Rollup.PerTarget
	}
	return s
}

// Read takes all lines of r and writes the windows that close meanwhile. It is called again for further files: a
// series must keep its pointer for as long as it comes, so by the same Reader.
func (s *Stream) Read(ctx context.Context, r *lines.Reader) error {
	if s.blocks != nil {
		s.blocks.load()
	}
	for {
		kind, err := r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if kind == lines.Other {
			continue
		}
		v := value{kind, r.Series, &r.Row, &r.Stats}
		if s.cfg.Now == nil {
			if err := s.decide(ctx, v.time()); err != nil {
				return err
			}
			if s.far(v.time(), s.newest) {
				s.hold(v, r)
				continue
			}
		}
		closed, err := s.take(ctx, v)
		if err != nil {
			return err
		}
		if !closed {
			continue
		}
		s.forget(r)
		if s.cfg.Now != nil {
			s.complain(r, 2)
		}
	}
}

// forget has r drop what the rollup has dropped, which is once in each longest window: series of these have other pointers
// when they come again.
func (s *Stream) forget(r *lines.Reader) {
	longest := int64(s.cfg.Rollup.Lengths[len(s.cfg.Rollup.Lengths)-1])
	if end := window.Floor(s.closed, longest); end > s.forgot {
		s.forgot = end
		r.Forget(s.rollup.Knows)
		if s.blocks != nil && s.blocks.monitor != nil {
			s.blocks.monitor.Forget()
		}
	}
}

// value is what a line told.
type value struct {
	kind   lines.Kind
	series *schema.RTTSeries     // of a Point or Late
	row    *schema.SweepRow      // of a Point or Late
	stats  *schema.SweepStatsRow // of a Manifest
}

func (v *value) time() int64 {
	if v.kind == lines.Manifest {
		return v.stats.Time
	}
	return v.row.Time
}

// take takes one value, and closes the windows that are over by it.
func (s *Stream) take(ctx context.Context, v value) (closed bool, err error) {
	t := v.time()
	if !s.sane(t) {
		return false, nil
	}
	s.add(v)
	if t < s.next {
		return false, nil
	}
	return true, s.close(ctx)
}

func (s *Stream) add(v value) {
	if s.blocks != nil {
		s.look(v)
	}
	if s.cfg.OnlyBlocks {
		return
	}
	switch v.kind {
	case lines.Point:
		s.rollup.Add(v.series, v.row)
	case lines.Late:
		s.rollup.Late(v.series, v.row)
	case lines.Manifest:
		s.rollup.Manifest(v.stats)
		if s.shifter != nil {
			s.shifter.tell(v.stats.Host, v.stats.Instance, v.stats.Time, &v.stats.Link)
		}
	}
}

// sane takes note of a time. It refuses one that lies ahead of the clock: it would close every window before it.
func (s *Stream) sane(t int64) bool {
	if t <= s.newest {
		return true
	}
	if s.cfg.Now != nil && t > s.cfg.Now().UnixNano()+int64(s.cfg.Lateness) {
		s.ahead++
		return false
	}
	first := s.newest == math.MinInt64
	s.newest = t
	if first && s.cfg.Now != nil {
		s.begin(t)
	}
	return true
}

// begin finds out what a live stream has not seen, by the time of its first point: a sweep before it may still be
// under way, one interval later all are seen from their beginning.
func (s *Stream) begin(first int64) {
	s.whole = first + int64(s.cfg.Sweep)
	if s.blocks != nil && s.filler != nil && s.blocks.next > 0 {
		s.unread = s.whole
	}
	from := first
	if s.closed > 0 {
		from = min(s.closed, first)
	}
	switch {
	case s.filler != nil:
		s.log.Info("points before the stream are read from the source", "from", stamp(from), "to", stamp(s.whole))
		for _, l := range s.cfg.Rollup.Lengths {
			s.gaps = append(s.gaps, gap{l, window.Floor(from, int64(l)), window.Floor(s.whole-1, int64(l)) + int64(l)})
		}
	case s.closed > 0:
		s.log.Warn("points are missing: no source.url is configured to read them from", "from", stamp(from), "to", stamp(s.whole))
	}
}

// close writes the windows that are over, fills the gaps that are, and saves how far it has come.
func (s *Stream) close(ctx context.Context) error {
	if err := s.roll(ctx, s.rollup.Close); err != nil {
		return err
	}
	if err := s.judge(ctx, s.newest-int64(s.cfg.Lateness)); err != nil {
		return err
	}
	shortest, lateness := int64(s.cfg.Rollup.Lengths[0]), int64(s.cfg.Lateness)
	s.closed = max(s.closed, window.Floor(s.newest-lateness, shortest))
	s.next = window.Floor(s.newest-lateness, shortest) + shortest + lateness
	if s.cfg.Now == nil {
		return ctx.Err()
	}
	if err := s.refused(s.out.Flush(ctx)); err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil || s.store == nil {
		return err
	}
	return s.store.Save(Closed{Closed: s.closed / int64(time.Second)})
}

// fill has the filler write the windows that are over and were not seen whole.
func (s *Stream) fill(ctx context.Context) error {
	for len(s.gaps) > 0 && s.gaps[0].to <= s.closed {
		g := s.gaps[0]
		err := s.filler.fill(ctx, g.from, g.to, s.newest, func(w *ledger.Window) bool {
			return w.Length == g.length && w.Start >= g.from && w.Start < g.to
		})
		switch err = s.refused(err); {
		case errors.Is(err, ErrShort):
			s.log.Warn(err.Error())
			return nil // the gap stays for the next time
		case err != nil:
			return err
		}
		s.gaps = s.gaps[1:]
	}
	return nil
}

// roll writes the rows that come out, and the shifts that wait for all of them.
func (s *Stream) roll(ctx context.Context, out func(emit func(schema.Row) error) error) error {
	err := out(func(r schema.Row) error { return s.emit(ctx, r) })
	if err == nil && s.shifter != nil {
		err = s.refused(s.out.Put(ctx, s.shifter.rest()...))
	}
	return err
}

// emit writes one row, and what it tells of a shift.
func (s *Stream) emit(ctx context.Context, row schema.Row) error {
	start := int64(0)
	complete := new(bool)
	switch r := row.(type) {
	case *schema.NetworkRollupRow:
		start, complete = r.Time, &r.Complete
	case *schema.BlockRollupRow:
		start, complete = r.Time, &r.Complete
	case *schema.SweepRollupRow:
		start, complete = r.Time, &r.Complete
	case *schema.RTTRollupRow:
		if start = r.Time; !s.detailed[r.Window] {
			return nil
		}
	}
	if start < s.whole && (s.filler != nil || s.kept) {
		return nil
	}
	*complete = *complete && start >= s.whole && !s.ending
	if err := s.refused(s.out.Put(ctx, row)); err != nil {
		return err
	}
	if r, ok := row.(*schema.SweepRollupRow); ok && s.shifter != nil && start+int64(s.shifter.length) <= s.newest {
		return s.refused(s.out.Put(ctx, s.shifter.add(r)...))
	}
	return nil
}

// End writes all that is open as it stands; of a live stream with complete=false. It returns what went wrong with
// single rows.
func (s *Stream) End(ctx context.Context) error {
	s.ending = s.cfg.Now != nil
	if s.held != nil { // nothing speaks against it
		if err := s.decide(ctx, s.held.time()); err != nil {
			return err
		}
	}
	if err := s.roll(ctx, s.rollup.Finish); err != nil {
		return err
	}
	if err := s.refused(s.out.Flush(ctx)); err != nil {
		return err
	}
	if err := s.endBlocks(ctx); err != nil {
		return err
	}
	if s.store != nil && s.newest != math.MinInt64 {
		if err := s.store.Save(Closed{Closed: s.closed / int64(time.Second), Ended: true}); err != nil {
			return err
		}
	}
	s.complain(nil, 1)
	return s.failed
}

// Rows is how many rows have been written, but for those of the Filler.
func (s *Stream) Rows() int64 {
	if s.blocks == nil {
		return s.out.Rows()
	}
	return s.out.Rows() + s.blocks.out.Rows()
}

// complain says what was left out, if that is more than factor times what it said before.
func (s *Stream) complain(r *lines.Reader, factor int64) {
	type complaint struct {
		n    int64
		text string
		args []any
	}
	all := []complaint{
		{s.rollup.TooLate(), "points that came too late are left out", []any{"lateness", s.cfg.Lateness.String()}},
		{s.ahead, "points ahead of the clock are left out", nil},
		{s.stray.n, "points far ahead of those around them are left out", []any{"line", s.stray.line, "first", s.stray.first}},
	}
	if r != nil {
		n, first, line := r.Malformed()
		all = append(all, complaint{n, "malformed lines are left out", []any{"line", line, "first", first}})
	}
	for i, c := range all {
		if c.n > factor*s.told[i] {
			s.told[i] = c.n
			s.log.Warn(c.text, append([]any{"count", c.n}, c.args...)...)
		}
	}
}
