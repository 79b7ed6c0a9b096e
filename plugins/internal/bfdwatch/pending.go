package bfdwatch

import (
	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// pairing is how a return was told to belong to a send; the weaker the greater.
type pairing uint8

const (
	byIdentity  pairing = iota // its bytes are that send's alone
	byAlignment                // echoes are alike: by the sender's jitter
	ambiguous                  // echoes are alike, and nothing tells
)

func (p pairing) String() string {
	return [...]string{"identity", "aligned", "ambiguous"}[p]
}

// send is an echo on its way out, until its return is no longer awaited.
type send struct {
	at       int64
	id       uint64
	interval int64 // since the send before it; 0: there was none
	path     int64 // payload time, for RFC 3550
	sequence uint32
	answered bool
}

// copyWait is how long after an echo a second return of it is told from a return of no echo that was seen.
const copyWait = int64(250e6)

// over tells whether nothing is awaited any more of what becomes of e.
func (e *send) over(now int64) bool {
	age := now - e.at
	return age > echoWait || e.answered && age > copyWait
}

// pendingMax bounds the echoes of a stream whose returns are awaited; the oldest are given up when there are more.
const pendingMax = 2048

// echoTally is what a stream did in one period.
type echoTally struct {
	start                                                                                       int64
	sent, returned, unanswered, duplicates, reordered, unmatched, ambiguous, mirrored, inFlight int64
	weakest                                                                                     pairing
	rtt                                                                                         moments
	rtts                                                                                        sample
	ipdv                                                                                        changes
	path                                                                                        variation // from the sender's clock to the capture point
	intervals                                                                                   intervals
	least                                                                                       int64 // interval that the peer allows
	notUp, refused                                                                              int64
}

func (t *echoTally) empty() bool {
	return t.sent+t.returned+t.unanswered+t.duplicates+t.unmatched+t.ambiguous+t.mirrored+t.inFlight == 0
}

// tally returns the counts of the period that at lies in: it and the one before are open.
func (st *stream) tally(c *clock, at int64) *echoTally {
	start := c.start
	if at < start {
		start = c.echoes
	}
	t := &st.tallies[(start/c.period)&1]
	t.start = start
	return t
}

// sent books an echo on its way out.
func (w *Watch) sent(st *stream, s *sighting, t *echoTally) {
	if len(st.pending) == cap(st.pending) || w.config.PerEcho { // seldom, as it moves those that stay
		st.expire(w, s.at)
	}
	e := send{at: s.at, id: s.identity(), sequence: s.payload.Sequence, path: s.payload.Time}
	if st.count > 0 {
		e.interval = s.at - st.lastSend
	}
	st.count++
	st.lastSend = s.at
	t.sent++
	w.conformEcho(st, t, e.interval)
	if s.payload.HasTime {
		t.path.add(s.at - s.payload.Time)
	}
	st.compare(w, s.at, e.id)
	if len(st.pending) >= pendingMax {
		st.giveUp(w, 1)
	}
	st.pending = append(st.pending, e)
	if st.alike != nil && len(st.pending) >= alignMost {
		st.crowded(w, s.at)
	}
}

// fewSends are so few that all of them may be copies of one echo.
const fewSends = 5

// compare finds out whether all echoes of a stream are the same bytes. Of others one may come several times.
func (st *stream) compare(w *Watch, now int64, id uint64) {
	before := st.lastID
	if st.count > 1 && id == st.lastID {
		st.repeats++
	} else {
		st.repeats = 0
	}
	st.lastID = id
	switch {
	case st.alike == nil && st.repeats > 0 && st.repeats == st.count-1 && st.awaits(now):
		st.expire(w, now)
		st.alike = &alike{}
	case st.alike != nil && st.repeats == 0 && st.count < fewSends:
		returns := st.alike.returns
		st.alike = nil
		for _, at := range returns {
			w.paired(st, before, at)
		}
	}
}

// awaits tells whether the latest send is still in its time.
func (st *stream) awaits(now int64) bool {
	n := len(st.pending)
	return n > 0 && now-st.pending[n-1].at <= echoWait
}

// conformEcho looks at a send beside what the reflector allows (RFC 5880, 6.8.9).
func (w *Watch) conformEcho(st *stream, t *echoTally, interval int64) {
	w.link(st)
	least := int64(0)
	if st.heard {
		least = st.allowed
		if least == 0 {
			t.refused++
		}
		if st.notUp {
			t.notUp++
		}
	}
	if interval == 0 {
		return
	}
	st.intervals.add(interval)
	if least == 0 {
		t.intervals.moments.add(interval)
		return
	}
	t.intervals.add(interval, least, longest)
	t.least = least
}

// returned books an echo on its way back.
func (w *Watch) returned(st *stream, s *sighting) {
	if w.config.PerEcho {
		st.expire(w, s.at)
	}
	if st.alike != nil {
		st.alike.returns = append(st.alike.returns, s.at)
		if r := st.alike.returns; len(r) >= 2*alignMost {
			st.unmatched(w, r[alignMost])
		}
		return
	}
	w.paired(st, s.identity(), s.at)
}

// paired books the return of the latest send of an identity that has none.
func (w *Watch) paired(st *stream, id uint64, at int64) {
	answered := false
	for i := len(st.pending) - 1; i >= 0; i-- {
		e := &st.pending[i]
		if e.id != id || e.over(at) {
			continue
		}
		if !e.answered {
			w.answer(st, e, at, byIdentity)
			return
		}
		answered = true
	}
	if answered {
		st.tally(&w.clock, at).duplicates++
	} else {
		st.tally(&w.clock, at).unmatched++
	}
}

// answer books that e came back at a time.
func (w *Watch) answer(st *stream, e *send, at int64, how pairing) {
	t := st.tally(&w.clock, e.at)
	e.answered = true
	rtt := at - e.at
	t.returned++
	t.weakest = max(t.weakest, how)
	t.rtt.add(rtt)
	t.rtts.add(rtt)
	if e.at < st.newest {
		t.reordered++
	}
	st.newest = max(st.newest, e.at)
	if st.hasRTT {
		t.ipdv.add(rtt - st.lastRTT)
	}
	st.lastRTT, st.hasRTT = rtt, true
	if e.path != 0 {
		st.jitterOf(at - e.path)
	}
	w.echoRow(st, e, schema.Some(rtt), how.String())
}

// jitterOf is RFC 3550's interarrival jitter, of which transit is the difference between arrival and send time.
func (st *stream) jitterOf(transit int64) {
	if st.jittered {
		st.jitter += (float64(abs(transit-st.transit)) - st.jitter) / 16
	}
	st.transit, st.jittered = transit, true
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// expire gives up the sends whose returns would have come before now. With rows for each echo they are to come in time;
// else the end of the period is early enough.
func (st *stream) expire(w *Watch, now int64) {
	if st.alike != nil {
		return // by align
	}
	n := 0
	for n < len(st.pending) && st.pending[n].over(now) && (n < len(st.pending)-1 || now-st.pending[n].at > echoWait) {
		n++ // the last one stays as long as the next may be like it
	}
	if n > 0 {
		st.giveUp(w, n)
	}
}

// giveUp drops the n oldest sends; those without a return are unanswered.
func (st *stream) giveUp(w *Watch, n int) {
	for i := range st.pending[:n] {
		w.lost(st, &st.pending[i])
	}
	st.pending = append(st.pending[:0], st.pending[n:]...)
}

func (w *Watch) lost(st *stream, e *send) {
	if e.answered {
		return
	}
	st.tally(&w.clock, e.at).unanswered++
	w.echoRow(st, e, schema.Opt{}, "")
}

// echoRow emits one echo, if that was asked for.
func (w *Watch) echoRow(st *stream, e *send, rtt schema.Opt, how string) {
	if !w.config.PerEcho {
		return
	}
	r := &schema.BFDEchoRTTRow{BFDEchoSeries: *w.tags(st), Time: e.at, RTT: rtt, Pairing: how}
	if e.interval > 0 {
		r.Interval = schema.Some(e.interval)
		if p := st.peer; p != nil && p.control.RequiredMinEchoRX > 0 {
			r.IntervalRatio = schema.OptFloat{F: float64(e.interval) / float64(int64(p.control.RequiredMinEchoRX)*microsecond), Set: true}
		}
	}
	r.Discriminator = st.discriminator()
	if st.key.layout == bfdwire.IOS {
		r.Sequence = schema.Some(int64(e.sequence))
	}
	w.emit(r)
}

func (st *stream) discriminator() schema.Opt {
	if !st.key.hasDiscr {
		return schema.Opt{}
	}
	return schema.Some(int64(st.key.discr))
}

// Bounds of the time in which a sender takes an echo for lost, when nothing is known of its intervals, and at all.
const (
	detectMultGuess = 3
	leastIntervals  = 4
)

// window is the time in which the initiator misses an echo: its echo detection time, as far as the intervals and the
// peer's multiplier tell, and no more than is waited at all.
func (st *stream) window() int64 {
	if st.intervals.n < leastIntervals {
		return echoWait
	}
	mult := int64(detectMultGuess)
	if p := st.peer; p != nil && p.seen {
		mult = int64(p.control.DetectMult)
	}
	t := int64(float64(st.intervals.mean()) / ((shortest + longest) / 2))
	return min(mult*t, echoWait)
}

// resolve settles all sends from before end, of which no more returns come; at the end of the data (now) those younger
// than the window are still in flight.
func (w *Watch) resolve(now, end int64) {
	for _, st := range w.streams.list {
		if st.alike != nil {
			st.align(w, end, now)
			continue
		}
		window := st.window()
		n := 0
		for ; n < len(st.pending) && st.pending[n].at < end; n++ {
			e := &st.pending[n]
			if !e.answered && now-e.at < window {
				e.answered = true
				st.tally(&w.clock, e.at).inFlight++
			}
		}
		st.giveUp(w, n)
	}
}
