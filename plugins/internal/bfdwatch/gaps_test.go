package bfdwatch

import (
	"fmt"
	"math"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// TestMissing drops packets of senders that jitter by the rules: one or two in a row are counted exactly.
func TestMissing(t *testing.T) {
	for name, c := range map[string]struct {
		mult   uint8
		lo, hi int
		t      time.Duration
	}{
		"as RFC 5880 says":     {3, 75, 100, 100 * ms},
		"fast":                 {3, 75, 100, 10 * ms},
		"as BIRD does":         {5, 75, 90, 300 * ms},
		"with a multiplier: 1": {1, 75, 90, 100 * ms},
	} {
		for row := 1; row <= 2; row++ {
			a, b := pair4()
			a.c, b.c = up(c.t, c.t), up(c.t, c.t)
			a.c.DetectMult = c.mult
			w := newWire()
			dropped := 0
			w.periodic(0, b, a, 400, c.t, 75, 100, nil)
			w.periodic(ms, a, b, 400, c.t, c.lo, c.hi, func(i int) bool {
				if i%7 < 5 || i%7 >= 5+row || i > 390 {
					return false
				}
				dropped++
				return true
			})
			w.sort()
			r := w.run(t)
			check(t, fmt.Sprintf("%s, %d in a row", name, row), r.of(t, a).Missing, int64(dropped))
			check(t, name+": of the peer", r.of(t, b).Missing, 0)
		}
	}
}

// TestOvershoot: timers that wake up late make intervals of more than T, and no packet missing.
func TestOvershoot(t *testing.T) {
	a, b := pair4()
	a.c, b.c = up(50*ms, 50*ms), up(50*ms, 50*ms)
	w := newWire()
	w.periodic(0, b, a, 100, 50*ms, 75, 100, nil)
	w.periodic(ms, a, b, 80, 50*ms, 90, 106, nil)
	w.sort()
	row := w.run(t).of(t, a)
	check(t, "missing", row.Missing, 0)
	if row.Late == 0 || row.LateMax.N < int64(2*ms) || row.LateMax.N > int64(3*ms) {
		t.Errorf("late %d, %v", row.Late, row.LateMax)
	}
	check(t, "near misses", row.NearMisses, 0)
}

// TestWindow: intervals are late above T, or above 0.9 T with a multiplier of 1, and early below 0.75 T, by more than
// the tolerance of 2 % and of 1 ms.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		mult            uint8
		percent         int
		late, early     int64
		lateBy, earlyBy time.Duration
	}{
		{3, 100, 0, 0, 0, 0}, {3, 102, 0, 0, 0, 0}, {3, 103, 1, 0, 3 * ms, 0},
		{3, 75, 0, 0, 0, 0}, {3, 73, 0, 0, 0, 0}, {3, 72, 0, 1, 0, 3 * ms},
		{1, 90, 0, 0, 0, 0}, {1, 92, 0, 0, 0, 0}, {1, 93, 1, 0, 3 * ms, 0}, {1, 72, 0, 1, 0, 3 * ms},
	} {
		a, b := pair4()
		a.c.DetectMult = c.mult
		w := newWire()
		w.look.direction = capture.Out
		w.control(0, b, a)
		w.control(ms, a, b)
		w.control(ms+time.Duration(c.percent)*ms, a, b)
		row := w.run(t).of(t, a)
		name := fmt.Sprintf("%d %% with × %d", c.percent, c.mult)
		check(t, name+": intervals", row.Count, 1)
		check(t, name+": late", row.Late, c.late)
		check(t, name+": early", row.Early, c.early)
		check(t, name+": late by", time.Duration(row.LateMax.N), c.lateBy)
		check(t, name+": early by", time.Duration(row.EarlyMax.N), c.earlyBy)
		check(t, name+": too slow", row.TooSlow, c.late)
		check(t, name+": too fast", row.TooFast, c.early)
		if math.Abs(row.RatioMax.F-float64(c.percent)/100) > 1e-9 {
			t.Errorf("%s: ratio %v", name, row.RatioMax)
		}
	}
}

// TestSilenceThatIsNone: demand mode, and an end that takes no packets, make the peer silent by agreement.
func TestSilenceThatIsNone(t *testing.T) {
	for name, edit := range map[string]func(*bfdwire.Control){
		"demand mode":      func(c *bfdwire.Control) { c.Demand = true },
		"takes no packets": func(c *bfdwire.Control) { c.RequiredMinRX = 0 },
	} {
		a, b := pair4()
		w := newWire()
		edit(&b.c)
		w.control(0, a, b)
		w.periodic(ms, b, a, 100, 100*ms, 75, 100, nil)
		w.control(10*time.Second, a, b)
		w.sort()
		r, watch := listen(t, Config{Period: time.Second})
		for i := range w.packets {
			watch.Observe(&w.packets[i])
		}
		watch.Expire(epoch + int64(20*time.Second))
		for _, row := range r.sessions {
			if row.Local == a.addr.String() && (row.Missing != 0 || row.NearMisses != 0 || row.MaxGap.Set) {
				t.Errorf("%s: %+v", name, row)
			}
		}
		for _, e := range r.event(schema.BFDEventSilent) {
			if e.Local == a.addr.String() {
				t.Errorf("%s: %+v", name, e)
			}
		}
		check(t, name+": near misses", len(r.event(schema.BFDEventNearMiss)), 0)
	}
}

// TestDistanceToFailure stops a for some part of the detection time of 300 ms, without b's going Down.
func TestDistanceToFailure(t *testing.T) {
	for stop, want := range map[time.Duration]struct {
		near, silent int
		margin       float64
	}{
		120 * ms: {0, 0, 0.6},
		180 * ms: {1, 0, 0.4},
		295 * ms: {1, 0, 1 - 295.0/300},
		350 * ms: {0, 1, 0},
	} {
		a, b := pair4()
		w := newWire()
		w.periodic(0, b, a, 20, 100*ms, 75, 100, nil)
		_, last := w.periodic(ms, a, b, 5, 100*ms, 75, 100, nil)
		w.periodic(last+stop, a, b, 14, 100*ms, 75, 100, nil)
		w.sort()
		r := w.run(t)
		row, name := r.of(t, a), stop.String()
		near, silent := r.event(schema.BFDEventNearMiss), r.event(schema.BFDEventSilent)
		check(t, name+": near misses", len(near), want.near)
		check(t, name+": counted", row.NearMisses, int64(want.near))
		check(t, name+": silences", len(silent), want.silent)
		check(t, name+": flaps", row.Flaps+r.of(t, b).Flaps, 0)
		check(t, name+": gap", row.MaxGap, some(stop))
		if math.Abs(row.DetectMargin.F-want.margin) > 1e-9 {
			t.Errorf("%s: margin %v, want %v", name, row.DetectMargin.F, want.margin)
		}
		for _, e := range near {
			check(t, name+": gap of the event", e.Gap, some(stop))
			check(t, name+": missed", e.Missed, schema.Some((int64(stop)+int64(100*ms)-1)/int64(100*ms)-1))
			check(t, name+": detection time", e.DetectionTime, some(300*ms))
			check(t, name+": time", e.Time, epoch+int64(last+stop))
		}
		for _, e := range silent {
			check(t, name+": time", e.Time, epoch+int64(last+300*ms))
		}
	}
}

// TestNearMissThreshold: another k makes other near misses.
func TestNearMissThreshold(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.periodic(0, b, a, 10, 100*ms, 75, 100, nil)
	w.control(ms, a, b)
	w.control(181*ms, a, b)
	w.sort()
	for k, want := range map[float64]int{1.5: 1, 1.7: 1, 2: 0} {
		check(t, fmt.Sprint(k), len(run(t, Config{NearMiss: k}, w.packets).event(schema.BFDEventNearMiss)), want)
	}
}

// TestSequence counts what is lost by the sequence numbers of authentication. Those of type 2 and 4 move as they like.
func TestSequence(t *testing.T) {
	for _, c := range []struct {
		kind    uint8
		missing schema.Opt
	}{
		{bfdwire.AuthMD5, schema.Opt{}}, {bfdwire.AuthSHA1, schema.Opt{}},
		{bfdwire.AuthMeticulousMD5, schema.Some(4)}, {bfdwire.AuthMeticulousSHA1, schema.Some(4)}, {bfdwire.AuthNull, schema.Some(4)},
		{bfdwire.AuthPassword, schema.Opt{}},
	} {
		a, b := pair4()
		w := newWire()
		sequence := uint32(math.MaxUint32 - 3) // goes round
		for i := range 20 {
			signed := func(control *bfdwire.Control) {
				control.AuthPresent = true
				control.Auth = bfdwire.Auth{Type: c.kind, Sequence: sequence + uint32(i), HasSequence: c.kind != bfdwire.AuthPassword}
			}
			if i != 5 && (i < 10 || i > 12) {
				w.control(time.Duration(i)*90*ms, a, b, signed)
			}
			w.control(time.Duration(i)*90*ms+ms, b, a)
		}
		row := w.run(t).of(t, a)
		check(t, fmt.Sprintf("type %d", c.kind), row.MissingSequence, c.missing)
		check(t, fmt.Sprintf("type %d, by gaps", c.kind), row.Missing, 4)
		check(t, fmt.Sprintf("type %d, jumps", c.kind), row.SequenceJumps, 0)
		check(t, "type", row.AuthType, int64(c.kind))
	}
}

// TestSequenceOfRestart: who is restarted may begin anywhere.
func TestSequenceOfRestart(t *testing.T) {
	a, b := pair4()
	w := newWire()
	for i, sequence := range []uint32{7, 8, 10, 9000, 9001} {
		if i == 3 {
			a.discr++
		}
		w.control(time.Duration(i)*90*ms, a, b, func(c *bfdwire.Control) {
			c.AuthPresent, c.Auth = true, bfdwire.Auth{Type: bfdwire.AuthMeticulousSHA1, Sequence: sequence, HasSequence: true}
		})
	}
	row := w.run(t).of(t, a)
	check(t, "missing", row.MissingSequence, schema.Some(1))
	check(t, "jumps", row.SequenceJumps, 0)
}

// TestSequenceJumps are told: a packet sent again, one from long ago, one from far ahead.
func TestSequenceJumps(t *testing.T) {
	a, b := pair4()
	w := newWire()
	for i, sequence := range []uint32{7, 8, 8, 2, 3, 5000} {
		w.control(time.Duration(i)*90*ms, a, b, func(c *bfdwire.Control) {
			c.AuthPresent, c.Auth = true, bfdwire.Auth{Type: bfdwire.AuthMeticulousMD5, Sequence: sequence, HasSequence: true}
		})
	}
	check(t, "jumps", w.run(t).of(t, a).SequenceJumps, 3)
}
