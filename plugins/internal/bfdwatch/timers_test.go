package bfdwatch

import (
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// TestAgreed has a say something else while both are Up, and asks for T of what a sends, its detection time at b, and
// T of what b sends: at the change, and after b's Final (RFC 5880, 6.8.3).
func TestAgreed(t *testing.T) {
	type agreed struct{ interval, detection, peers time.Duration }
	for name, c := range map[string]struct {
		change        func(*bfdwire.Control)
		before, after agreed
	}{
		"nothing":               {asks, agreed{100 * ms, 300 * ms, 100 * ms}, agreed{100 * ms, 300 * ms, 100 * ms}},
		"raised Desired Min TX": {func(c *bfdwire.Control) { asks(c); c.DesiredMinTX = 200_000 }, agreed{100 * ms, 600 * ms, 100 * ms}, agreed{200 * ms, 600 * ms, 100 * ms}},
		"without a Poll":        {func(c *bfdwire.Control) { c.DesiredMinTX = 200_000 }, agreed{200 * ms, 600 * ms, 100 * ms}, agreed{200 * ms, 600 * ms, 100 * ms}},
		"lowered Desired Min TX": {
			func(c *bfdwire.Control) { asks(c); c.DesiredMinTX = 50_000 },
			agreed{100 * ms, 300 * ms, 100 * ms}, agreed{100 * ms, 300 * ms, 100 * ms},
		},
		"raised Required Min RX": {
			func(c *bfdwire.Control) { asks(c); c.RequiredMinRX = 400_000 },
			agreed{100 * ms, 300 * ms, 400 * ms}, agreed{100 * ms, 300 * ms, 400 * ms},
		},
		"multiplier": {func(c *bfdwire.Control) { c.DetectMult = 5 }, agreed{100 * ms, 500 * ms, 100 * ms}, agreed{100 * ms, 500 * ms, 100 * ms}},
		"takes no packets": {
			func(c *bfdwire.Control) { asks(c); c.RequiredMinRX = 0 },
			agreed{100 * ms, 300 * ms, 0}, agreed{100 * ms, 300 * ms, 0},
		},
	} {
		for _, answered := range []bool{false, true} {
			a, b := pair4()
			w := newWire()
			w.control(0, a, b)
			w.control(ms, b, a)
			w.control(100*ms, a, b, c.change)
			want := c.before
			if answered {
				want = c.after
				w.control(101*ms, b, a, answers)
			}
			r := w.run(t)
			got := agreed{time.Duration(r.of(t, a).Interval.N), time.Duration(r.of(t, a).DetectionTime.N), time.Duration(r.of(t, b).Interval.N)}
			if got != want {
				t.Errorf("%s, answered %v: %v, want %v", name, answered, got, want)
			}
		}
	}
}

// TestDetectionWaitsForFinal: a lowered Required Min RX shortens the detection time of the peer's packets only after
// the peer's Final, though the peer may send faster at once.
func TestDetectionWaitsForFinal(t *testing.T) {
	for answered, want := range map[bool]time.Duration{false: 900 * ms, true: 300 * ms} {
		a, b := pair4()
		a.c.RequiredMinRX = 300_000
		w := newWire()
		w.control(0, a, b)
		w.control(ms, b, a)
		a.c.RequiredMinRX = 100_000
		w.control(100*ms, a, b, asks)
		if answered {
			w.control(101*ms, b, a, answers)
		}
		r := w.run(t)
		check(t, "interval", r.of(t, b).Interval, some(100*ms))
		check(t, "detection time", r.of(t, b).DetectionTime, some(want))
	}
}

func TestOneDirectionAlone(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.periodic(0, a, b, 20, 100*ms, 75, 100, func(i int) bool { return i == 5 })
	row := w.run(t).of(t, a)
	check(t, "packets", row.Packets, 19)
	for what, v := range map[string]schema.Opt{"interval": row.Interval, "detection time": row.DetectionTime, "max gap": row.MaxGap} {
		check(t, what, v, schema.Opt{})
	}
	check(t, "missing", row.Missing, 0)
	check(t, "intervals", row.Count, 0)
}

// TestTimersThatChange: of a sender that turns to longer or to shorter intervals no packet is missing, no near miss is
// seen, and the margin is that of the detection time in use.
func TestTimersThatChange(t *testing.T) {
	for name, c := range map[string]struct{ before, after time.Duration }{
		"shorter": {time.Second, 50 * ms},
		"longer":  {50 * ms, time.Second},
	} {
		a, b := pair4()
		a.c, b.c = up(c.before, 10*ms), up(c.before, 10*ms)
		w := newWire()
		next := w.both(0, a, b, 5, c.before)
		a.c, b.c = up(c.after, 10*ms), up(c.after, 10*ms)
		w.control(next, a, b, asks)
		w.control(next+ms, b, a, answers)
		w.control(next+2*ms, b, a, asks)
		w.control(next+3*ms, a, b, answers)
		w.both(next+c.after*3/4, a, b, 5, c.after)
		r := w.run(t)
		for _, e := range []*router{a, b} {
			row := r.of(t, e)
			check(t, name+": missing", row.Missing, 0)
			check(t, name+": near misses", row.NearMisses, 0)
			check(t, name+": late", row.Late, 0)
			check(t, name+": early", row.Early, 0)
			if row.DetectMargin.F < 0.5 {
				t.Errorf("%s: margin %v", name, row.DetectMargin)
			}
		}
		check(t, name+": silences", len(r.event(schema.BFDEventSilent)), 0)
	}
}

func TestControlRTT(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.both(0, a, b, 3, 100*ms)
	w.control(400*ms, a, b, asks)
	w.control(413*ms, b, a, answers)
	w.control(500*ms, a, b)
	w.control(600*ms, b, a, asks)
	w.control(601*ms, a, b, answers)
	r := w.run(t)
	row := r.of(t, a)
	check(t, "polls", row.Polls, 1)
	check(t, "finals", row.Finals, 1)
	check(t, "RTT", row.ControlRTT, some(13*ms))
	check(t, "RTT of the peer", r.of(t, b).ControlRTT, some(ms))
}

// TestControlRTTInTransit: on the way between routers that are far apart a Poll may still come after the Final that
// ends its sequence has passed, and is no new one.
func TestControlRTTInTransit(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.control(0, a, b)
	w.control(ms, b, a)
	for i := range 4 {
		w.control(time.Duration(100+50*i)*ms, a, b, asks)
		w.control(time.Duration(160+50*i)*ms, b, a, answers)
	}
	w.sort()
	row := w.run(t).of(t, a)
	check(t, "RTTs", row.ControlRTTs, 1)
	check(t, "RTT", row.ControlRTT, some(60*ms))
}

func TestUnansweredPoll(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.both(0, a, b, 10, 100*ms)
	for i := range 8 {
		w.control(time.Second+time.Duration(i)*90*ms, a, b, asks)
		w.control(time.Second+time.Duration(i)*90*ms+ms, b, a)
	}
	r := w.run(t)
	check(t, "of the one that does not answer", r.of(t, b).UnansweredPoll, 1)
	check(t, "of the one that asks", r.of(t, a).UnansweredPoll, 0)
}
