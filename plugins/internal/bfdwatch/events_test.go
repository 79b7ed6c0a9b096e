package bfdwatch

import (
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// scene is a session whose ends are Up for a second, and that then something happens to.
type scene struct {
	*wire
	a, b *router
	last time.Duration // a's last packet
	now  time.Duration // the next thing happens
}

func newScene() *scene {
	s := &scene{wire: newWire()}
	s.a, s.b = pair4()
	s.now, s.last = s.periodic(0, s.a, s.b, 11, 100*ms, 75, 100, nil)
	s.periodic(ms, s.b, s.a, 11, 100*ms, 75, 100, nil)
	s.sort()
	s.now = time.Duration(s.packets[len(s.packets)-1].Stamp-epoch) + 50*ms
	return s
}

// says adds a packet after some time.
func (s *scene) says(after time.Duration, a, b *router, edits ...func(*bfdwire.Control)) {
	s.now += after
	s.control(s.now, a, b, edits...)
	if a == s.a {
		s.last = s.now
	}
}

// handshake brings both ends Up again: Down, Init, Up, Up.
func (s *scene) handshake() {
	nobody := func(c *bfdwire.Control) { c.YourDiscriminator = 0 }
	s.says(10*ms, s.a, s.b, down(bfdwire.Down, 0), nobody)
	s.says(ms, s.b, s.a, down(bfdwire.Init, bfdwire.DiagDetectionTime))
	s.says(ms, s.a, s.b)
	s.says(ms, s.b, s.a, down(bfdwire.Up, bfdwire.DiagDetectionTime))
}

func (r *told) kinds() string {
	var kinds []string
	for _, e := range r.events {
		if e.Event != schema.BFDEventState {
			kinds = append(kinds, e.Event)
		}
	}
	return strings.Join(kinds, " ")
}

func TestComesUp(t *testing.T) {
	w := &scene{wire: newWire()}
	w.a, w.b = pair4()
	w.handshake()
	r := w.run(t)
	check(t, "events", r.kinds(), "up")
	up := r.only(t, schema.BFDEventUp)
	check(t, "outage", up.Outage, schema.Opt{})
	check(t, "time", up.Time, epoch+int64(13*ms))
	check(t, "states", len(r.event(schema.BFDEventState)), 4)
	check(t, "transitions of a", r.of(t, w.a).Transitions, 1)
	check(t, "transitions of b", r.of(t, w.b).Transitions, 1)
	check(t, "flaps", r.of(t, w.a).FlapsTotal, 0)
}

// TestKilled: a dies; b's detection time passes, it says Down; a comes back with another discriminator.
func TestKilled(t *testing.T) {
	s := newScene()
	s.now = s.last
	lastUp := s.last
	s.sort()
	s.says(300*ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	at := s.now
	s.says(time.Second, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	s.a.discr = 12
	s.handshake()
	again := s.now
	s.sort()
	r := s.run(t)
	check(t, "events", r.kinds(), "up discriminator flap up")
	flap := r.only(t, schema.BFDEventFlap)
	check(t, "time", flap.Time, epoch+int64(at))
	check(t, "by", flap.Local, s.b.addr.String())
	check(t, "measured", flap.DetectionMeasured, some(300*ms))
	check(t, "gap", flap.Gap, some(300*ms))
	check(t, "detection time", flap.DetectionTime, some(300*ms))
	check(t, "diagnostic", flap.Diagnostic, "Control Detection Time Expired")
	check(t, "peer's state", flap.PeerState, "Down")
	row := r.of(t, s.b)
	check(t, "flaps", row.Flaps, 1)
	check(t, "total", row.FlapsTotal, 1)
	check(t, "measured, of the row", row.DetectionMeasured, some(300*ms))
	check(t, "discriminators of a", r.of(t, s.a).DiscriminatorChange, 1)
	check(t, "margin of a", r.of(t, s.a).DetectMargin, schema.OptFloat{Set: true})
	check(t, "discriminator", r.only(t, schema.BFDEventDiscriminator).Discriminator, schema.Some(12))
	check(t, "near misses", r.of(t, s.a).NearMisses, 0)
	check(t, "missing", r.of(t, s.a).Missing, 0)
	up := r.event(schema.BFDEventUp)[1]
	check(t, "up again", up.Time, epoch+int64(again))
	if since := time.Duration(up.Outage.N) - (again - lastUp); since.Abs() > 100*ms {
		t.Errorf("outage %v, since a's last packet %v", time.Duration(up.Outage.N), again-lastUp)
	}
}

// TestStaysUp: a was restarted and says Down without knowing b, which some implementations do not believe: b stays Up
// until its detection time has passed, and gives that as its reason.
func TestStaysUp(t *testing.T) {
	s := newScene()
	s.a.discr = 12
	s.says(10*ms, s.a, s.b, down(bfdwire.Down, 0), func(c *bfdwire.Control) { c.YourDiscriminator = 0 })
	at := s.now
	for range 8 {
		s.says(90*ms, s.b, s.a)
	}
	s.says(54*ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	r := s.run(t)
	flap := r.only(t, schema.BFDEventFlap)
	check(t, "by", flap.Local, s.a.addr.String())
	check(t, "time", flap.Time, epoch+int64(at))
	check(t, "peer's diagnostic", flap.PeerDiagnostic, "Control Detection Time Expired")
	check(t, "peer's state", flap.PeerState, "Down")
	check(t, "silences and near misses", len(r.event(schema.BFDEventSilent))+len(r.event(schema.BFDEventNearMiss)), 0)
}

// TestNotMeasured: b says that its detection time has passed, but the packet that tells is not the first one, or a's
// last packets passed here and did not arrive. How long b waited is not known; that no margin was left is.
func TestNotMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		state bfdwire.State
	}{
		"packets that did not arrive":     {40 * ms, bfdwire.Down},
		"the Down was lost":               {2 * time.Second, bfdwire.Init},
		"both, and a's silence was short": {40 * ms, bfdwire.Init},
	} {
		s := newScene()
		s.now = s.last
		s.sort()
		s.says(c.after, s.b, s.a, down(c.state, bfdwire.DiagDetectionTime))
		r := s.run(t)
		check(t, name, r.only(t, schema.BFDEventFlap).DetectionMeasured, schema.Opt{})
		check(t, name+": row", r.of(t, s.b).DetectionMeasured, schema.Opt{})
		check(t, name+": margin of a", r.of(t, s.a).DetectMargin, schema.OptFloat{Set: true})
	}
}

// TestPeerSaysNothing: the flap is told all the same.
func TestPeerSaysNothing(t *testing.T) {
	s := newScene()
	s.says(300*ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	at := s.now
	for range 10 {
		s.says(time.Second, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	}
	r := s.run(t)
	flap := r.only(t, schema.BFDEventFlap)
	check(t, "time", flap.Time, epoch+int64(at))
	check(t, "peer's diagnostic", flap.PeerDiagnostic, "")
}

// TestSignalled: b goes Down because a has told so.
func TestSignalled(t *testing.T) {
	s := newScene()
	s.says(10*ms, s.a, s.b, down(bfdwire.Down, bfdwire.DiagEchoFailed))
	s.says(ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagNeighborDown))
	r := s.run(t)
	flap := r.only(t, schema.BFDEventFlap)
	check(t, "diagnostic", flap.Diagnostic, "Echo Function Failed")
	check(t, "peer's diagnostic", flap.PeerDiagnostic, "Neighbor Signaled Session Down")
	check(t, "measured", flap.DetectionMeasured, schema.Opt{})
	check(t, "flaps of a", r.of(t, s.a).Flaps, 1)
	check(t, "flaps of b", r.of(t, s.b).Flaps, 1)
}

// TestAdminDown is no flap, nor is the peer's reaction, whenever it comes.
func TestAdminDown(t *testing.T) {
	for name, reaction := range map[string]func(*scene){
		"at once": func(s *scene) {
			s.says(ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagNeighborDown))
			s.says(time.Second, s.a, s.b, down(bfdwire.Down, 0))
		},
		"after the administrator has allowed it again": func(s *scene) {
			s.says(ms, s.a, s.b, down(bfdwire.Down, 0))
			s.says(ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagNeighborDown))
		},
	} {
		s := newScene()
		s.says(10*ms, s.a, s.b, down(bfdwire.AdminDown, 0))
		reaction(s)
		s.says(ms, s.b, s.a, down(bfdwire.Init, bfdwire.DiagNeighborDown))
		s.says(ms, s.a, s.b)
		s.says(ms, s.b, s.a)
		r := s.run(t)
		check(t, name, r.kinds(), "up admin_down up")
		check(t, name+": by", r.only(t, schema.BFDEventAdminDown).Local, s.a.addr.String())
		for _, e := range []*router{s.a, s.b} {
			check(t, name+": flaps", r.of(t, e).Flaps, 0)
		}
		if row := r.of(t, s.a); !row.Outage.Set {
			t.Errorf("%s: no outage", name)
		}
	}
}

// TestFlapAfterAdminDown: what an administrator did once does not excuse what happens later.
func TestFlapAfterAdminDown(t *testing.T) {
	s := newScene()
	s.says(10*ms, s.a, s.b, down(bfdwire.AdminDown, 0))
	s.says(ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagNeighborDown))
	s.handshake()
	s.says(90*ms, s.a, s.b, down(bfdwire.Down, bfdwire.DiagDetectionTime))
	r := s.run(t)
	check(t, "flaps", r.of(t, s.a).Flaps, 1)
	r.only(t, schema.BFDEventFlap)
}

// TestTwoFlaps in a row are two.
func TestTwoFlaps(t *testing.T) {
	s := newScene()
	for range 2 {
		s.says(10*ms, s.b, s.a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
		s.handshake()
	}
	r := s.run(t)
	check(t, "events", r.kinds(), "up flap up flap up")
	check(t, "flaps", r.of(t, s.b).FlapsTotal, 2)
}

func TestTimersEvent(t *testing.T) {
	s := newScene()
	s.b.c.DesiredMinTX, s.b.c.DetectMult = 20_000, 5
	s.says(10*ms, s.b, s.a, asks)
	s.says(ms, s.a, s.b, answers)
	e := s.run(t).only(t, schema.BFDEventTimers)
	check(t, "text", e.Text, "announces Desired Min TX 20ms, Required Min RX 100ms, Required Min Echo RX 50ms, Detect Mult 5")
}

// TestBothSilent: both ends stop, and nobody says Down.
func TestBothSilent(t *testing.T) {
	s := newScene()
	r, w := listen(t, Config{Period: 10 * time.Second})
	for i := range s.packets {
		w.Observe(&s.packets[i])
	}
	w.Expire(epoch + int64(time.Minute))
	silent := r.event(schema.BFDEventSilent)
	check(t, "silences", len(silent), 2)
	check(t, "detection time", silent[0].DetectionTime, some(300*ms))
	check(t, "end of a's", silent[0].Time, epoch+int64(s.last+300*ms))
	check(t, "flaps", len(r.event(schema.BFDEventFlap)), 0)
}
