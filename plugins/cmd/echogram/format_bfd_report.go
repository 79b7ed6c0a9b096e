package main

import (
	"cmp"
	"time"

	"echogram/plugins/schema"
)

// bfdReport collects the rows of a capture, or of a period of it, and writes them as pages for people.
type bfdReport struct {
	width    int
	full     bool   // all sessions in full, however many there are
	events   bool   // all events
	period   int64  // ns
	name     string // of the capture
	written  bool   // something stands above
	first    schema.Opt
	last     int64
	start    schema.Opt // of the period whose rows are here
	stats    schema.BFDStatsRow
	sessions []*bfdSession
	places   map[bfdKey]*bfdSession
	logs     map[bfdKey]*eventLog
}

// bfdKey is what both ends of a session have in common; a < b.
type bfdKey struct {
	tap, vlan, tunnel, vni, outerA, outerB, a, b, hop, parallel string
}

func keyOf(s *schema.BFDSeries) bfdKey {
	k := bfdKey{s.Tap, s.VLAN, s.Tunnel, s.VNI, s.OuterLocal, s.OuterPeer, s.Local, s.Peer, s.Hop, s.Parallel}
	if k.a > k.b {
		k.a, k.b, k.outerA, k.outerB = k.b, k.a, k.outerB, k.outerA
	}
	return k
}

// bfdSession is a session with all that is known of it. Its ends are a and b, in the order of their rows.
type bfdSession struct {
	key    bfdKey
	series schema.BFDSeries // as a has it
	ends   [2]*schema.BFDSessionRow
	echoes []*schema.BFDEchoRow
	log    *eventLog
}

func newBFDReport(width int, period time.Duration, full, events bool) *bfdReport {
	r := &bfdReport{width: width, period: period.Nanoseconds(), full: full, events: events}
	r.reset()
	return r
}

func (r *bfdReport) reset() {
	r.start, r.stats, r.sessions, r.places = schema.Opt{}, schema.BFDStatsRow{}, nil, map[bfdKey]*bfdSession{}
}

// begin starts a capture.
func (r *bfdReport) begin(name string) {
	r.reset()
	r.name, r.first, r.last, r.logs = name, schema.Opt{}, 0, map[bfdKey]*eventLog{}
}

// saw takes the time of a BFD packet.
func (r *bfdReport) saw(stamp int64) {
	if !r.first.Set || stamp < r.first.N {
		r.first = schema.Some(stamp)
	}
	r.last = max(r.last, stamp)
}

// row takes a row, and appends the pages of a period when it is the first of the next one.
func (r *bfdReport) row(dst []byte, row schema.Row) []byte {
	switch row := row.(type) {
	case *schema.BFDSessionRow:
		dst = r.at(dst, row.Time)
		c := *row
		r.addEnd(&c)
	case *schema.BFDEchoRow:
		dst = r.at(dst, row.Time)
		c := *row
		s := r.session(&c.BFDSeries)
		s.echoes = append(s.echoes, &c)
	case *schema.BFDStatsRow:
		dst = r.at(dst, row.Time)
		addStats(&r.stats, row)
	case *schema.BFDEventRow:
		k := keyOf(&row.BFDSeries)
		if r.logs[k] == nil {
			r.logs[k] = &eventLog{}
		}
		c := *row
		r.logs[k].add(&c, r.events)
	}
	return dst
}

// at says that a row of the period from start comes.
func (r *bfdReport) at(dst []byte, start int64) []byte {
	if r.start.Set && r.start.N != start {
		dst = r.end(dst)
	}
	r.start = schema.Some(start)
	return dst
}

func (r *bfdReport) session(series *schema.BFDSeries) *bfdSession {
	k := keyOf(series)
	s := r.places[k]
	if s == nil {
		s = &bfdSession{key: k, series: *series}
		r.places[k] = s
		r.sessions = append(r.sessions, s)
	}
	return s
}

// addEnd takes one direction of a session. A session that was forgotten and came again has two pages.
func (r *bfdReport) addEnd(row *schema.BFDSessionRow) {
	s := r.session(&row.BFDSeries)
	i := s.side(row.Local)
	if s.ends[i] != nil {
		delete(r.places, s.key)
		s = r.session(&row.BFDSeries)
		i = 0
	}
	s.ends[i] = row
}

// side is 0 for a and 1 for b.
func (s *bfdSession) side(local string) int {
	if local == s.series.Local {
		return 0
	}
	return 1
}

// address is the address of a side.
func (s *bfdSession) address(side int) string {
	if side == 0 {
		return s.series.Local
	}
	return cmp.Or(s.series.Peer, "unknown")
}

// addStats sums up the counts of a capture, of which there is one row in each period.
func addStats(t, row *schema.BFDStatsRow) {
	t.Sessions, t.EchoStreams = row.Sessions, row.EchoStreams
	for _, c := range []struct {
		sum *int64
		n   int64
	}{
		{&t.Packets, row.Packets}, {&t.Control, row.Control}, {&t.Echo, row.Echo}, {&t.Mirrored, row.Mirrored},
		{&t.OtherFrames, row.OtherFrames}, {&t.QuotedInICMP, row.QuotedInICMP}, {&t.Truncated, row.Truncated},
		{&t.Fragments, row.Fragments}, {&t.Disordered, row.Disordered}, {&t.CaptureDrops, row.CaptureDrops},
		{&t.NoRoom, row.NoRoom}, {&t.InvalidVersion, row.InvalidVersion}, {&t.InvalidLength, row.InvalidLength},
		{&t.InvalidPayloadLength, row.InvalidPayloadLength}, {&t.InvalidDetectMult, row.InvalidDetectMult},
		{&t.InvalidMultipoint, row.InvalidMultipoint}, {&t.InvalidMyDiscr, row.InvalidMyDiscr},
		{&t.InvalidYourDiscr, row.InvalidYourDiscr}, {&t.InvalidAuth, row.InvalidAuth},
	} {
		*c.sum += c.n
	}
}

// end appends the pages of what was collected, and forgets it.
func (r *bfdReport) end(dst []byte) []byte {
	if !r.start.Set {
		return dst
	}
	if r.written {
		dst = append(dst, '\n')
	}
	r.written = true
	for _, s := range r.sessions {
		if l := r.logs[s.key]; l != nil {
			s.log = l.until(r.start.N + r.period)
		}
	}
	p := page{dst: dst, width: r.width}
	r.head(&p)
	if r.full || len(r.sessions) <= fewSessions {
		for _, s := range r.sessions {
			p.session(s, r.first.N)
		}
	} else {
		p.list(r.sessions)
	}
	r.reset()
	return p.dst
}

// fewSessions is how many sessions are shown in full unasked.
const fewSessions = 8
