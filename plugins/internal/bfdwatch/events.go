package bfdwatch

import (
	"fmt"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// flap is a session's leave from Up, kept until the peer has said why it left, too.
type flap struct {
	row schema.BFDEventRow
	by  *end
}

// flapWait is how long the peer may take: there are some that stay Up until their own detection time has passed.
const flapWait = int64(5e9)

// Events of one end are bounded, so that who floods it with changes does not flood the database: in each period by
// these, and as many more as it has seconds times the second.
const (
	eventsAtOnce    = 64
	eventsPerSecond = 8
)

func (w *Watch) event(s *session, e *end, kind string, at int64, fill func(*schema.BFDEventRow)) {
	if e.now.events++; e.now.events > eventsAtOnce+eventsPerSecond*(w.clock.period/int64(time.Second)) {
		w.tally(at).EventsLeftOut++
		return
	}
	r := &schema.BFDEventRow{BFDSeries: e.series, Event: kind, Time: at}
	fill(r)
	w.emit(r)
}

// firstState says in which state an end was found.
func (w *Watch) firstState(s *session, e *end, p *sighting) {
	w.event(s, e, schema.BFDEventState, p.at, func(r *schema.BFDEventRow) { describe(r, "", &p.control) })
}

func describe(r *schema.BFDEventRow, from string, c *bfdwire.Control) {
	r.From, r.To = from, c.State.String()
	r.DiagnosticCode, r.Diagnostic = schema.Some(int64(c.Diag)), c.Diag.String()
	r.Discriminator = schema.Some(int64(c.MyDiscriminator))
	switch {
	case from == "":
		r.Text = "is " + r.To
	case from == r.To:
		r.Text = fmt.Sprintf("is %s for another reason: %s", r.To, r.Diagnostic)
	default:
		r.Text = fmt.Sprintf("went from %s to %s", from, r.To)
		if c.Diag != bfdwire.DiagNone {
			r.Text += ": " + r.Diagnostic
		}
	}
}

// stateChanged books a change of an end's state or diagnostic; before is its packet before p.
func (w *Watch) stateChanged(s *session, e, peer *end, p *sighting, before *bfdwire.Control) {
	c := &p.control
	w.event(s, e, schema.BFDEventState, p.at, func(r *schema.BFDEventRow) { describe(r, before.State.String(), c) })
	if before.State == c.State {
		return
	}
	e.now.transitions++
	switch {
	case before.State == bfdwire.Up && c.State == bfdwire.AdminDown:
		s.admin = true
		w.event(s, e, schema.BFDEventAdminDown, p.at, func(r *schema.BFDEventRow) {
			describe(r, before.State.String(), c)
			r.Text = "was taken down by an administrator"
		})
	case before.State == bfdwire.Up && !s.admin && peer.control.State != bfdwire.AdminDown:
		w.flapped(s, e, peer, p)
	case c.State == bfdwire.Up && e.lastUp != 0:
		e.now.outage = p.at - e.lastUp
	}
}

// flapped books that an end has left Up: the first of the two makes the flap, the second says what it knows of it.
func (w *Watch) flapped(s *session, e, peer *end, p *sighting) {
	c := &p.control
	e.now.flaps++
	e.flapsTotal++
	measured := w.expired(e, peer, p)
	switch {
	case s.bothUp != 0:
		f := &flap{by: e, row: schema.BFDEventRow{BFDSeries: e.series, Event: schema.BFDEventFlap, Time: p.at, DetectionMeasured: measured}}
		describe(&f.row, bfdwire.Up.String(), c)
		if peer.last != 0 {
			f.row.Gap = schema.Some(p.at - peer.last)
		}
		if d := s.detection(peer, e); d > 0 {
			f.row.DetectionTime = schema.Some(d)
		}
		f.row.Text = fmt.Sprintf("left Up for %s: %s", c.State, cause(c, &f.row))
		s.flap = f
	case s.flap != nil && s.flap.by != e:
		w.flapOver(s, c)
	}
}

// expired books what an end says of its detection time: that it has passed leaves the peer's packets no margin. How long
// it was can be told by the first packet with that word alone, which has the state Down. Less than the detection time
// it never is: then the peer's last packets were seen here, but did not arrive.
func (w *Watch) expired(e, peer *end, p *sighting) (measured schema.Opt) {
	c := &p.control
	if c.Diag != bfdwire.DiagDetectionTime || !peer.seen {
		return measured
	}
	peer.now.risk = max(peer.now.risk, 1)
	waited := p.at - peer.last
	if least := float64(peer.detection) * (1 - toleranceShare); c.State == bfdwire.Down && float64(waited) >= least {
		e.now.detection, measured = waited, schema.Some(waited)
	}
	return measured
}

// cause says in words why an end left Up.
func cause(c *bfdwire.Control, r *schema.BFDEventRow) string {
	switch {
	case c.Diag == bfdwire.DiagDetectionTime && r.Gap.Set:
		return fmt.Sprintf("%s, %s after the peer's last packet", c.Diag, duration(r.Gap.N))
	case c.Diag == bfdwire.DiagNone:
		return "it gives no reason; a restart, when its discriminator is another"
	}
	return c.Diag.String()
}

// flapOver emits the flap; c is what the peer said of it, nil if nothing.
func (w *Watch) flapOver(s *session, c *bfdwire.Control) {
	if c != nil {
		s.flap.row.PeerState, s.flap.row.PeerDiagnostic = c.State.String(), c.Diag.String()
	}
	w.emit(&s.flap.row)
	s.flap = nil
}

// settle looks at whether both ends are Up, after a packet of e.
func (w *Watch) settle(s *session, e, peer *end, at int64) {
	up := e.control.State == bfdwire.Up && (peer.control.State == bfdwire.Up || s.hop == multipoint)
	switch {
	case up && s.bothUp == 0:
		if s.flap != nil {
			w.flapOver(s, nil)
		}
		s.bothUp, s.admin = at, false
		w.event(s, e, schema.BFDEventUp, at, func(r *schema.BFDEventRow) {
			r.Text = "both ends are Up"
			if s.leftUp != 0 {
				r.Outage = schema.Some(at - s.leftUp)
				r.Text += " again after " + duration(at-s.leftUp)
			}
		})
	case !up && s.bothUp != 0:
		s.bothUp, s.leftUp = 0, e.lastUp
	case s.flap != nil && at-s.flap.row.Time > flapWait:
		w.flapOver(s, nil)
	}
}

// silenceSlack is how much later than the detection time a peer may say that it is over.
const silenceSlack = int64(100e6)

// expireSessions says what has not happened until now.
func (w *Watch) expireSessions(now int64) {
	for _, s := range w.sessions.list {
		if s.flap != nil && now-s.flap.row.Time > flapWait {
			w.flapOver(s, nil)
		}
		if s.bothUp == 0 {
			continue
		}
		for i, e := range s.ends {
			peer := s.ends[1-i]
			if d := s.detection(e, peer); e.seen && !e.silent && d > 0 && !s.quiet(peer) && now-e.last > d+d/10+silenceSlack {
				w.silence(s, e, d)
			}
		}
	}
}

// finishEvents says what is still open at the end.
func (w *Watch) finishEvents() {
	for _, s := range w.sessions.list {
		if s.flap != nil {
			w.flapOver(s, nil)
		}
	}
}
