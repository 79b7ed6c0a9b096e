package bfdwatch

import (
	"net/netip"
	"slices"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/schema"
)

// session is two ends that speak BFD with each other. Discriminators are not what it is known by: a restart changes
// them, and some vendors give both ends the same.
type session struct {
	key    sessionKey
	next   *session // that runs parallel to it: of the same key
	hop    hop
	place  place
	ends   [2]*end // of the lower address, of the higher one
	last   int64   // stamp of its last packet
	bothUp int64   // since when both ends are Up; 0: they are not
	leftUp int64   // last packet that was Up of the end that left Up first, while not both are Up
	admin  bool    // an administrator took it down, since both were Up
	flap   *flap   // of which the peer has not spoken yet
}

// end is one end of a session: what it says, and what it sends.
type end struct {
	addr       netip.Addr
	series     schema.BFDSeries
	name       name // as which it has number
	number     int
	seen       bool
	mac        frame.MAC
	hasMAC     bool
	direction  capture.Direction // of its packets
	control    bfdwire.Control   // of its last packet
	ttl        uint8
	last       int64 // stamp of its last packet
	lastUp     int64 // of its last packet that was Up
	exempt     bool  // its last packet was out of turn: Poll, Final, or changed
	interval   int64 // T when its last packet came; 0: not known
	detection  int64 // detection time at the peer when its last packet came
	timers     timers
	poll       poll
	requests   int   // S-BFD: sent since the last answer
	requested  int64 // S-BFD: the last of them
	silent     bool  // since its last packet the detection time has passed, and that was said
	jitter     moments
	flapsTotal int64
	streams    []*stream // of echoes that it initiates
	now        tally     // of the open period
}

// tally is what an end did in one period.
type tally struct {
	packets, invalid, truncated, mirrored, polls, finals     int64
	padding                                                  int
	intervals                                                intervals
	missing, missingSequence                                 int64
	counted                                                  bool // sequence numbers were there to count missing packets by
	events                                                   int64
	maxGap, nearMisses                                       int64
	risk                                                     float64 // greatest gap / detection time in use; 1 when that has passed
	controlRTT                                               moments
	transitions, flaps, changes                              int64
	outage, detection                                        int64
	noJitter, fastWhileDown, unansweredPoll, ttl, sourcePort int64
	sequence                                                 int64
}

// sessionKey is what a session is known by, but for those that run parallel to each other.
type sessionKey struct {
	place  place
	hop    hop
	lo, hi netip.Addr
}

// sessions are all that is known, in the order of their appearance.
type sessions struct {
	list    []*session
	byKey   map[sessionKey]*session // the first of those with a key
	byDiscr map[discrKey]*session
	byAddr  map[netip.Addr][]*session // single-hop ones, by the address of either end

	introduced int64 // ends that came, or came with another discriminator
}

// discrKey finds the session of an end by the discriminator that it announces.
type discrKey struct {
	ifindex int32
	addr    netip.Addr
	discr   uint32
}

func (t *sessions) init() {
	t.byKey, t.byDiscr = map[sessionKey]*session{}, map[discrKey]*session{}
	t.byAddr = map[netip.Addr][]*session{}
}

// sessionOf finds the session of a control packet, and tells which of its ends has sent it. A packet that was accepted
// makes one, up to the limit.
func (w *Watch) sessionOf(s *sighting, accepted bool) (*session, int) {
	key := sessionKey{place: s.place(), hop: s.hop}
	key.lo, key.hi = inOrder(s.src, s.dst)
	t := &w.sessions
	found, room := t.byKey[key], true
	switch {
	case found == nil && (s.hop == single || s.hop == multi):
		found = w.answered(s)
	case found != nil && (s.hop != single && s.hop != multi || found.next != nil || accepted && found.stranger(s)):
		found, room = found.member(s)
	}
	if found == nil {
		if !accepted {
			return nil, 0
		}
		if !room || len(t.list) >= w.config.MaxSessions {
			w.tally(s.at).NoRoom++
			w.summary.NoRoom++
			return nil, 0
		}
		found = w.newSession(s, key)
	}
	found.last = s.at
	if s.src == found.ends[0].addr {
		return found, 0
	}
	return found, 1
}

// answered finds the session of an LSP whose egress answers: it was asked at an address of 127/8 and answers from its
// own, so only the discriminator tells.
func (w *Watch) answered(s *sighting) *session {
	asked := w.sessions.byDiscr[discrKey{s.ifindex, s.dst, s.control.YourDiscriminator}]
	if asked == nil || asked.hop != lsp {
		return nil
	}
	for _, e := range asked.ends {
		if e.addr != s.dst && !e.seen {
			w.names.give(e.name, e.number)
			e.addr, e.name.local = s.src, s.src
			e.number = w.names.take(e.name)
			e.series.Local, e.series.Parallel = text(s.src), parallelName(e.number)
		}
		if e.addr == s.src {
			return asked
		}
	}
	return nil
}

// sides returns the end that has an address, and the other one.
func (t *session) sides(src netip.Addr) (own, peer *end) {
	if t.ends[0].addr == src {
		return t.ends[0], t.ends[1]
	}
	return t.ends[1], t.ends[0]
}

// stranger tells whether a packet is of a session that runs parallel to t, such as one of another path (RFC 5883) or
// of another VRF whose frames look the same: neither discriminator is one that t's ends speak with at the moment. An end
// that was restarted knows its peer's not yet, and its peer keeps its own.
func (t *session) stranger(s *sighting) bool {
	own, peer := t.sides(s.src)
	c := &s.control
	switch {
	case c.YourDiscriminator == 0:
		return false
	case own.seen:
		o := &own.control
		return o.MyDiscriminator != c.MyDiscriminator && o.YourDiscriminator != c.YourDiscriminator && o.YourDiscriminator != 0 &&
			s.at-own.last <= memberSilence
	}
	p := &peer.control
	return p.MyDiscriminator != c.YourDiscriminator && p.YourDiscriminator != c.MyDiscriminator && p.YourDiscriminator != 0
}

// parallelMost bounds the sessions that run parallel to each other.
const parallelMost = 128

// member finds the session that a packet belongs to among those between the same two addresses: micro-BFD has one for
// each link of a bundle (RFC 7130), an S-BFD reflector, the end of several LSPs and multipoint heads have as many as
// they like, others may have some. Discriminators tell, or that one of them fell silent, which this is the restart of. room tells whether
// there may be another one.
func (t *session) member(s *sighting) (found *session, room bool) {
	c, total := &s.control, 0
	var restarted *session
	for m := t; m != nil; m = m.next {
		own, peer := m.sides(s.src)
		asked := !peer.seen || peer.control.MyDiscriminator == c.YourDiscriminator
		switch {
		case own.seen && own.control.MyDiscriminator == c.MyDiscriminator && (asked || s.hop != sbfd), // a reflector has but one
			!own.seen && peer.seen && asked:
			return m, true
		case own.seen && s.at-own.last > memberSilence, !own.seen && c.YourDiscriminator == 0:
			if restarted == nil || peer.seen && asked {
				restarted = m
			}
		}
		total++
	}
	return restarted, total < parallelMost
}

// memberSilence is how long an end of a bundle's link must have been silent for another discriminator to be its own.
const memberSilence = int64(2e9)

func (w *Watch) newSession(s *sighting, key sessionKey) *session {
	t := &w.sessions
	n := &session{key: key, hop: s.hop, place: key.place}
	for i, a := range [2]netip.Addr{key.lo, key.hi} {
		peer := key.hi
		if i == 1 {
			peer = key.lo
		}
		e := &end{addr: a, series: w.series(s, a, peer, a == s.src)}
		e.name = name{tap: e.series.Tap, place: key.place, hop: s.hop, local: a, peer: peer}
		e.name.place.ifindex = 0
		e.number = w.names.take(e.name)
		e.series.Parallel = parallelName(e.number)
		n.ends[i] = e
	}
	if first := t.byKey[key]; first != nil {
		n.next, first.next = first.next, n
	} else {
		t.byKey[key] = n
	}
	t.list = append(t.list, n)
	if key.hop == single {
		for _, e := range n.ends {
			t.byAddr[e.addr] = append(t.byAddr[e.addr], n)
		}
	}
	return n
}

// forgetSessions drops those that have been silent since before then, and returns how many.
func (w *Watch) forgetSessions(then int64) (n int64) {
	t := &w.sessions
	kept := t.list[:0]
	for _, s := range t.list {
		if s.last >= then {
			kept = append(kept, s)
			continue
		}
		n++
		t.unchain(s)
		for _, e := range s.ends {
			w.names.give(e.name, e.number)
			t.dropAddr(e.addr, s)
			if k := (discrKey{s.place.ifindex, e.addr, e.control.MyDiscriminator}); t.byDiscr[k] == s {
				delete(t.byDiscr, k)
			}
			for _, echo := range e.streams {
				echo.initiator, echo.peer, echo.heard = nil, nil, false
			}
		}
	}
	clear(t.list[len(kept):])
	t.list = kept
	return n
}

func (t *sessions) dropAddr(a netip.Addr, s *session) {
	left := slices.DeleteFunc(t.byAddr[a], func(other *session) bool { return other == s })
	if len(left) == 0 {
		delete(t.byAddr, a)
	} else {
		t.byAddr[a] = left
	}
}

// unchain takes a session out of those with its key.
func (t *sessions) unchain(s *session) {
	first := t.byKey[s.key]
	switch {
	case first != s:
		for first.next != s {
			first = first.next
		}
		first.next = s.next
	case s.next != nil:
		t.byKey[s.key] = s.next
	default:
		delete(t.byKey, s.key)
	}
}
