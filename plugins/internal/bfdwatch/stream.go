package bfdwatch

import (
	"net/netip"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/schema"
)

// Hop limits of an echo on its way out and on its way back: nobody who sends echoes was seen to use others.
const (
	sentTTL     = 255
	returnedTTL = 254
)

// stream is the echoes that one router has another loop back.
//
// Its order is that of use: with many streams a packet's cost is how much of its stream has to come from memory.
type stream struct {
	key             streamKey
	next            *stream // whose key has the same hash
	initiator, peer *end    // who sends and who loops, when the control packets have told
	sought          int64   // among the ends that were introduced until then, and not found
	last            int64   // stamp of its last packet
	lastSend        int64
	count           int64  // of sends
	lastID          uint64 // identity of the send before
	repeats         int64  // sends before that had the same
	allowed         int64  // least interval that the peer takes; 0: none. Of its control packets, as are heard and notUp
	pending         []send
	newest          int64 // stamp of the latest send that was answered
	alike           *alike
	intervals       average // between sends, since it began
	transit         int64   // of the return before (RFC 3550)
	jitter          float64 // RFC 3550
	lastRTT         int64
	jittered        bool
	hasRTT          bool
	heard           bool // the peer was heard
	notUp           bool // the initiator was, and is not Up
	sends           bool // one was seen: src, dst and sendTTL hold
	reversed        bool // returns have the addresses exchanged: they go to the peer's address, which sends them back
	named           bool // name and number hold
	tagged          bool // series holds; else it holds what is known of the place
	sendTTL         uint8
	role            role
	out, back       capture.Direction // of sends and of returns
	own             mac               // of the initiator
	reflector       mac
	room            [8]send      // for pending, as long as it is enough
	tallies         [2]echoTally // of the open period and of the one before it
	src, dst        netip.Addr
	series          schema.BFDEchoSeries
	name            name // as which it has number
	number          int
	median          schema.Opt // of the period that is being closed
}

// mac is a MAC address, once it is known.
type mac struct {
	frame.MAC
	known bool
}

// role is where the capture point is, seen from a stream.
type role uint8

const (
	roleUnknown role = iota
	roleInitiator
	roleReflector
	roleTransit
)

func (r role) String() string {
	return [...]string{"unknown", "initiator", "reflector", "transit"}[r]
}

// touch reads where a packet of st will look.
func (st *stream) touch() int64 {
	open := &st.tallies[0]
	if st.tallies[1].start > open.start {
		open = &st.tallies[1]
	}
	n := int64(st.key.length) + st.last + st.transit + open.sent + open.rtt.least + open.path.least + open.intervals.late
	if p := st.pending; len(p) > 0 {
		n += p[len(p)-1].at
	}
	if v := open.path.first; len(v) > 0 {
		n += v[len(v)-1]
	}
	return n
}

// keyOf makes the key of an echo on its way out, or of one on its way back.
func keyOf(s *sighting, returned bool) streamKey {
	k := streamKey{place: s.place(), length: s.length, layout: s.payload.Layout, hasDiscr: s.payload.HasDiscriminator, discr: s.payload.Discriminator}
	k.lo, k.hi = inOrder(s.src, s.dst)
	if !s.hasSrcMAC || !s.hasDstMAC {
		return k
	}
	own, other := s.srcMAC, s.dstMAC
	if returned {
		own, other = other, own
	}
	k.initiator = own
	if !k.hasDiscr {
		k.reflector = other
	}
	return k
}

// echo takes an echo packet.
func (w *Watch) echo(s *sighting, copied bool) {
	st, returned := w.streamOf(s)
	if st == nil {
		return
	}
	t := st.tally(&w.clock, s.at)
	if copied {
		t.mirrored++
		return
	}
	st.last = s.at
	st.place(s, returned, w)
	if returned {
		w.returned(st, s)
	} else {
		w.sent(st, s, t)
	}
}

// streamOf finds or makes the stream of an echo, and tells on which way it is.
func (w *Watch) streamOf(s *sighting) (st *stream, returned bool) {
	t := &w.streams
	returned = s.ttl == returnedTTL
	key := s.key
	if st = t.find(key, s.keyHash); st != nil && (s.ttl == sentTTL || returned) {
		return st, returned
	}
	if len(t.returns) > 0 && t.returns[*key] != nil {
		return t.returns[*key], true
	}
	if !returned {
		way := keyOf(s, true)
		if back := t.find(&way, t.hash(&way)); back != nil && back.loops(s, st != nil) {
			if st == nil {
				t.returns[*key] = back
			}
			return back, true
		}
	}
	if st != nil {
		return st, returned
	}
	if len(t.list) >= w.config.MaxSessions {
		w.tally(s.at).NoRoom++
		w.summary.NoRoom++
		return nil, false
	}
	st = &stream{key: *key, series: schema.BFDEchoSeries{BFDSeries: w.series(s, s.src, netip.Addr{}, !returned)}}
	st.pending = st.room[:0]
	t.add(st)
	return st, returned
}

// loops tells whether an echo that does not have the TTL of a returned one is the return of one that st has sent: it has
// that one's addresses and contents, and one hop less, or as many where the reflector does not count.
func (st *stream) loops(s *sighting, known bool) bool {
	if !st.sends || s.src != st.src || s.dst != st.dst || s.ttl != st.sendTTL && s.ttl+1 != st.sendTTL {
		return false
	}
	if known && s.ttl == st.sendTTL {
		return false
	}
	id := s.identity()
	for i := range st.pending {
		if e := &st.pending[i]; e.id == id && s.at-e.at <= echoWait {
			return true
		}
	}
	return false
}

// place learns from an echo who sends and who loops, and where between them the capture is.
func (st *stream) place(s *sighting, returned bool, w *Watch) {
	if !returned && !st.sends {
		st.sends, st.src, st.dst, st.sendTTL = true, s.src, s.dst, s.ttl
		st.series.BFDSeries = w.series(s, s.src, netip.Addr{}, true)
		st.tagged = false
	}
	if returned && st.sends && !st.reversed && s.src != st.src {
		st.reversed = true
		st.tagged = false
	}
	sender, receiver, way := &st.own, &st.reflector, &st.out
	if returned {
		sender, receiver, way = receiver, sender, &st.back
	}
	st.learn(sender, s.srcMAC, s.hasSrcMAC)
	st.learn(receiver, s.dstMAC, s.hasDstMAC)
	if *way == capture.Unknown && s.direction != capture.Unknown {
		*way = s.direction
		st.role = roleOf(st.out, st.back)
		st.tagged = false
	}
}

func (st *stream) learn(m *mac, address frame.MAC, told bool) {
	if told && !m.known {
		*m = mac{address, true}
		st.tagged = false
	}
}

// roleOf tells the role by the directions of sends and returns, as far as they are known: whoever sees both on the same
// way is neither end.
func roleOf(out, back capture.Direction) role {
	switch {
	case out == back, out == capture.Other, back == capture.Other:
		return roleTransit
	case out == capture.Out, back == capture.In:
		return roleInitiator
	}
	return roleReflector
}

// link finds the session that a stream belongs to: by the discriminator, else by its addresses and the reflector's MAC.
func (w *Watch) link(st *stream) {
	if st.peer != nil || !st.sends || st.sought == w.sessions.introduced {
		return
	}
	st.sought = w.sessions.introduced
	own := st.src
	if st.key.hasDiscr {
		for _, a := range [2]netip.Addr{st.src, st.dst} {
			if s := w.sessions.byDiscr[discrKey{st.key.place.ifindex, a, st.key.discr}]; s != nil && s.place == st.key.place {
				w.join(st, s, a)
				return
			}
		}
	}
	var found *session
	var end netip.Addr
	for _, s := range w.sessions.byAddr[st.dst] { // all that follow have an end there
		if s.place != st.key.place {
			continue
		}
		for i, e := range s.ends {
			peer := s.ends[1-i]
			loop := e.addr == st.dst && st.own.known && e.hasMAC && e.mac == st.own.MAC && (!peer.hasMAC || peer.mac == st.reflector.MAC)
			direct := st.src != st.dst && e.addr == own && peer.addr == st.dst
			if direct {
				w.join(st, s, e.addr)
				return
			}
			if loop && found != nil && found != s {
				return // two sessions that it may belong to
			}
			if loop {
				found, end = s, e.addr
			}
		}
	}
	if found != nil {
		w.join(st, found, end)
	}
}

func (w *Watch) join(st *stream, s *session, own netip.Addr) {
	for i, e := range s.ends {
		if e.addr == own {
			st.initiator, st.peer = e, s.ends[1-i]
			e.streams = append(e.streams, st)
			st.tagged = false
			st.hear()
		}
	}
}

// hear takes over what the control packets of both ends say, so that echoes need not look at them.
func (st *stream) hear() {
	st.heard = st.peer.seen
	st.allowed = int64(st.peer.control.RequiredMinEchoRX) * microsecond
	st.notUp = st.initiator.seen && st.initiator.control.State != bfdwire.Up
}

// tags returns the stream's tags as they are known.
func (w *Watch) tags(st *stream) *schema.BFDEchoSeries {
	if st.tagged {
		return &st.series
	}
	b := &st.series
	own, other := st.dst, netip.Addr{} // looped by the peer's forwarding: it comes to whom it is addressed
	if st.reversed {
		own, other = st.src, st.dst
	}
	if !st.sends {
		own = st.key.lo
	}
	if p := st.peer; p != nil {
		own, other = st.initiator.addr, p.addr
	}
	b.Local, b.Peer, b.Family = text(own), text(other), family(own)
	if st.role == roleUnknown {
		st.role = w.roleByAddress(st, b.Local, b.Peer)
	}
	if st.named {
		w.names.give(st.name, st.number)
	}
	st.name = name{
		tap: b.Tap, place: st.key.place, local: own, peer: other, echo: true, layout: st.key.layout, role: st.role,
		initiator: st.own, reflector: st.reflector,
	}
	st.name.place.ifindex = 0
	st.number, st.named = w.names.take(st.name), true
	b.Parallel = parallelName(st.number)
	b.Layout, b.TapRole = st.key.layout.String(), st.role.String()
	b.InitiatorMAC, b.ReflectorMAC = st.own.name(), st.reflector.name()
	st.tagged = true
	return b
}

// roleByAddress tells the role by the addresses that are said to be local.
func (w *Watch) roleByAddress(st *stream, own, peer string) role {
	switch {
	case len(w.local) == 0:
		return roleUnknown
	case w.local[own] || st.own.known && w.local[st.own.name()]:
		return roleInitiator
	case w.local[peer] || st.reflector.known && w.local[st.reflector.name()]:
		return roleReflector
	case peer == "":
		return roleUnknown
	}
	return roleTransit
}

// forgetStreams drops those that have been silent since before then, and returns how many.
func (w *Watch) forgetStreams(then int64) (n int64) {
	t := &w.streams
	kept := t.list[:0]
	for _, st := range t.list {
		if st.last >= then {
			kept = append(kept, st)
			continue
		}
		n++
		t.remove(st)
		for k, v := range t.returns {
			if v == st {
				delete(t.returns, k)
			}
		}
		if st.named {
			w.names.give(st.name, st.number)
		}
		if e := st.initiator; e != nil {
			e.drop(st)
		}
	}
	clear(t.list[len(kept):])
	t.list = kept
	return n
}

func (e *end) drop(st *stream) {
	for i := range e.streams {
		if e.streams[i] == st {
			e.streams = append(e.streams[:i], e.streams[i+1:]...)
			return
		}
	}
}
