package bfdwatch

import (
	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// controlLen is what must have been captured of a control packet for it to be used.
const controlLen = 24

// control takes a control packet.
func (w *Watch) control(p *sighting, copied bool) {
	usable := p.rule == bfdwire.Accepted && p.captured >= controlLen
	s, i := w.sessionOf(p, usable && !copied)
	if s == nil {
		return
	}
	e, peer := s.ends[i], s.ends[1-i]
	switch {
	case copied:
		e.now.mirrored++
		return
	case p.truncated && !usable:
		e.now.truncated++
		return
	case !usable:
		e.now.invalid++
		return
	case p.truncated:
		e.now.truncated++
	}
	e.now.packets++
	e.now.padding = max(e.now.padding, p.control.Padding)
	w.conformPacket(e, p)
	w.arrive(s, e, peer, p)
}

// arrive compares a packet with the one before it, and makes it the last one.
func (w *Watch) arrive(s *session, e, peer *end, p *sighting) {
	c := &p.control
	before := e.control
	if !e.seen || before.MyDiscriminator != c.MyDiscriminator {
		w.introduce(s, e, p)
	}
	changed := e.seen && contents(&before) != contents(c)
	exempt := c.Poll || c.Final || changed
	e.timers.announce(c, &before, e.seen)
	if c.Final {
		w.finalCame(s, e, peer, p.at)
	}
	interval := s.interval(e, peer)
	if e.seen {
		w.gapEnded(s, e, peer, p, exempt, interval)
		w.conformSequence(e, c)
	}
	if c.Poll {
		w.pollSeen(s, e, peer, p, changed)
	}
	if s.hop == sbfd {
		exchanged(e, peer, p)
	}
	if e.seen && (before.State != c.State || before.Diag != c.Diag) {
		w.stateChanged(s, e, peer, p, &before)
	} else if !e.seen {
		w.firstState(s, e, p)
	}
	if e.seen && before.State == bfdwire.Up && c.State == bfdwire.Up && timersOf(&before) != timersOf(c) {
		w.event(s, e, schema.BFDEventTimers, p.at, func(r *schema.BFDEventRow) { r.Text = "announces " + timersOf(c).String() })
	}
	first := !e.seen
	e.seen, e.control, e.last, e.ttl, e.exempt, e.interval, e.silent = true, *c, p.at, p.ttl, exempt, interval, false
	e.detection = s.detection(e, peer)
	if c.State == bfdwire.Up {
		e.lastUp = p.at
	}
	if first || changed {
		e.tellStreams()
		peer.tellStreams()
	}
	e.mac, e.hasMAC = p.srcMAC, p.hasSrcMAC
	e.direction = p.direction
	w.settle(s, e, peer, p.at)
}

// exchanged pairs an S-BFD reflector's answer with the request it answers (RFC 7880, 7.2): when several are under way no
// packet tells which.
func exchanged(e, peer *end, p *sighting) {
	if p.dstPort == bfdwire.PortSBFD {
		e.requests++
		e.requested = p.at
		return
	}
	if peer.requests == 1 {
		peer.now.controlRTT.add(p.at - peer.requested)
	}
	peer.requests = 0
}

func (e *end) tellStreams() {
	for _, st := range e.streams {
		st.hear()
	}
}

// introduce books the discriminator that an end comes with.
func (w *Watch) introduce(s *session, e *end, p *sighting) {
	index := w.sessions.byDiscr
	w.sessions.introduced++
	if e.seen {
		if k := (discrKey{s.place.ifindex, e.addr, e.control.MyDiscriminator}); index[k] == s {
			delete(index, k)
		}
		e.now.changes++
		w.event(s, e, schema.BFDEventDiscriminator, p.at, func(r *schema.BFDEventRow) {
			r.Discriminator = schema.Some(int64(p.control.MyDiscriminator))
			r.Text = "came with another discriminator: it was restarted, or its session was made anew"
		})
		e.timers = timers{}
		e.poll = poll{}
	}
	index[discrKey{s.place.ifindex, e.addr, p.control.MyDiscriminator}] = s
}

// contents is what must not change between two packets for the time between them to tell something. Poll and Final
// are looked at apart.
func contents(c *bfdwire.Control) (k struct {
	state                  bfdwire.State
	diag                   bfdwire.Diag
	demand                 bool
	mult                   uint8
	my, your, tx, rx, echo uint32
}) {
	k.state, k.diag, k.demand, k.mult = c.State, c.Diag, c.Demand, c.DetectMult
	k.my, k.your, k.tx, k.rx, k.echo = c.MyDiscriminator, c.YourDiscriminator, c.DesiredMinTX, c.RequiredMinRX, c.RequiredMinEchoRX
	return k
}

// poll is an end's Poll Sequence (RFC 5880, 6.5).
type poll struct {
	at       int64 // its first packet; 0: none is under way
	reported bool  // as unanswered
}

// pollSeen books a Poll. After the Final that ended its sequence others may still come that left before it arrived.
func (w *Watch) pollSeen(s *session, e, peer *end, p *sighting, changed bool) {
	e.now.polls++
	if e.poll.at == 0 {
		if !e.control.Poll || changed {
			e.poll = poll{at: p.at}
		}
		return
	}
	if limit := s.detection(e, peer); peer.seen && limit > 0 && !e.poll.reported && p.at-e.poll.at > limit {
		peer.now.unansweredPoll++
		e.poll.reported = true
	}
}

// finalCame ends the peer's Poll Sequence: what it announced holds from now on.
func (w *Watch) finalCame(s *session, e, peer *end, at int64) {
	e.now.finals++
	if peer.poll.at == 0 {
		return
	}
	peer.now.controlRTT.add(at - peer.poll.at)
	peer.poll = poll{}
	peer.timers.agreed()
}
