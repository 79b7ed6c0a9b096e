// Package bfdwatch follows BFD sessions and echoes through a capture and says about them what the capture can
// honestly tell: rows for each period, and events at their own time.
//
// It is a step engine: Observe takes a frame, Expire says how far time has come. There are no timers, so that a file
// that is replayed and a live capture give the same rows.
//
// Layers, in the order in which a packet meets them: sighting.go (a frame -> what BFD it carries), sorter.go (packets
// into their order), mirror.go (second copies out), place.go (where it was seen); then for control packets session.go
// (which session's it is), control.go, timers.go (agreed intervals), gaps.go, conform.go and events.go; for echoes
// streams.go and stream.go (whose echo, on which way), pending.go (sends and their returns), align.go (returns of echoes
// that are all alike); period.go (the boundaries), rows.go, names.go (tags that are the same for two), stats.go (moments and
// quantiles).
//
// What cannot be known is left out of the rows: no agreed interval without the peer's packets, no RTT without a return
// that can be told from others.
package bfdwatch

import (
	"math"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/schema"
)

// Sight is one BFD packet as it was read. It and what it points to are valid during the call only.
type Sight struct {
	Packet    *capture.Packet
	Number    int64 // of the frame in the capture, from 1
	Datagram  *frame.Datagram
	IsEcho    bool
	Control   bfdwire.Control // of control packets and control-shaped echoes, as far as captured
	Rule      bfdwire.Rule    // by which it is refused; bfdwire.Accepted
	Truncated bool            // the capture cut it inside BFD
	Echo      bfdwire.Echo
}

// Watch follows all sessions of one capture. It is for one goroutine at a time.
type Watch struct {
	config Config
	emit   func(schema.Row)
	local  map[string]bool

	datagram frame.Datagram // scratch of Observe
	sight    Sight
	sorter   sorter
	mirrors  mirrors

	clock    clock
	sessions sessions
	streams  streams
	names    names
	tallies  []*schema.BFDStatsRow // of the open periods, in their order
	tallied  *schema.BFDStatsRow   // of these, the one that was used last
	summary  Summary
	keys     [batch]streamKey // scratch of takeNext, as is warm
	warm     [batch]*stream
	touched  int64 // makes the loads of touch worth something
	dropped  int64 // frames that are not in a tally yet: no time is known
}

// Summary is what a Watch has seen so far.
type Summary struct {
	Packets, Control, Echo, Invalid, Truncated, Mirrored, Sessions, EchoStreams, NoRoom, Rows int64
	First, Last                                                                               int64 // stamps of BFD packets, ns
}

// New makes a Watch.
func New(c Config) *Watch {
	c.setDefaults()
	w := &Watch{config: c, local: c.localSet()}
	w.emit = func(r schema.Row) { w.summary.Rows++; c.Emit(r) }
	w.sorter.window = int64(c.SortWindow)
	w.mirrors.window = int64(c.MirrorWindow)
	w.clock.period = int64(c.Period)
	w.sessions.init()
	w.streams.init()
	w.names = names{}
	return w
}

// Observe takes one frame; p is only read, and not kept.
func (w *Watch) Observe(p *capture.Packet) {
	w.summary.Packets++
	odd := p.Stamp < 0 || p.Stamp > lastStamp
	at := p.Stamp
	if odd {
		at = w.clock.now
	}
	stats := w.tally(at)
	stats.Packets++
	if odd {
		stats.Disordered++
		return
	}
	s := w.read(p, stats)
	if s == nil {
		return
	}
	if !w.sorter.add(s) {
		stats.Disordered++
		return
	}
	for n := w.sorter.ready(); n > 0; n = w.sorter.ready() {
		w.takeNext(n)
	}
}

// lastStamp bounds the times that a file may claim, so that those of periods after them are times, too.
const lastStamp = int64(1) << 62

// Expire says that no frame from before now (ns) will come any more: periods that are over by then are emitted.
func (w *Watch) Expire(now int64) {
	w.takeBefore(now)
	w.sorter.passed(now)
	w.advance(now)
}

// Dropped says how many frames the capture has lost since the last call.
func (w *Watch) Dropped(frames uint64) {
	w.dropped += int64(frames)
	if w.clock.begun {
		w.countDropped(w.clock.now)
	}
}

func (w *Watch) countDropped(at int64) {
	if w.dropped > 0 {
		w.tally(at).CaptureDrops += w.dropped
		w.dropped = 0
	}
}

// Finish emits what is open, as partial. The Watch cannot be used after it.
func (w *Watch) Finish() {
	w.takeBefore(math.MaxInt64)
	w.finish()
}

// Summary returns what has been seen so far.
func (w *Watch) Summary() Summary {
	s := w.summary
	s.Sessions, s.EchoStreams = int64(len(w.sessions.list)), int64(len(w.streams.list))
	return s
}

// takeBefore takes all packets from before t.
func (w *Watch) takeBefore(t int64) {
	for n := w.sorter.before(t); n > 0; n = w.sorter.before(t) {
		w.takeNext(n)
	}
}

// takeNext takes the n oldest packets, a batch at most. What an echo needs of its stream comes from memory, which takes
// longer than all that is done with it; what is asked for together comes together.
func (w *Watch) takeNext(n int) {
	for i := range n {
		if s := *w.sorter.slot(i); s.echo {
			s.key = &w.keys[i]
			*s.key = keyOf(s, s.ttl == returnedTTL)
			s.keyHash = w.streams.hash(s.key)
			w.warm[i] = w.streams.byHash[s.keyHash]
		}
	}
	for i, st := range w.warm[:n] {
		if st != nil {
			w.touched += st.touch()
		}
		w.warm[i] = nil
	}
	for range n {
		w.take(w.sorter.pop())
	}
}

// take takes the next packet in the order of time.
func (w *Watch) take(s *sighting) {
	w.advance(s.at)
	if w.summary.First == 0 {
		w.summary.First = s.at
		w.clock.first = s.at // a live capture's time has begun before, with other frames
	}
	w.summary.Last = s.at
	copied := w.mirrors.seen(s.copyHash(), s.at)
	w.count(s, copied)
	if s.echo {
		w.echo(s, copied)
	} else {
		w.control(s, copied)
	}
}

// Config's defaults.
const (
	DefaultPeriod      = 10 * time.Second
	DefaultMaxSessions = 10_000
	DefaultNearMiss    = 1.5
	DefaultForget      = 10 * time.Minute
	defaultMirror      = time.Millisecond
	defaultSort        = time.Second
)
