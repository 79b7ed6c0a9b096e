package bfdwatch

import (
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// TestConformance has a leave the standard in one way each, beside a sound b.
func TestConformance(t *testing.T) {
	steady := func(percent int) func(*wire, *router, *router) {
		return func(w *wire, a, b *router) { w.periodic(0, a, b, 45, 100*ms, percent, percent, nil) }
	}
	sound := func(w *wire, a, b *router) { w.periodic(0, a, b, 45, 100*ms, 75, 100, nil) }
	for name, c := range map[string]struct {
		send  func(w *wire, a, b *router)
		count func(*schema.BFDSessionRow) int64
		want  int64
	}{
		"sound, jitter":   {sound, func(r *schema.BFDSessionRow) int64 { return r.NoJitter }, 0},
		"sound, fast":     {sound, func(r *schema.BFDSessionRow) int64 { return r.TooFast }, 0},
		"sound, slow":     {sound, func(r *schema.BFDSessionRow) int64 { return r.TooSlow }, 0},
		"sound, while up": {sound, func(r *schema.BFDSessionRow) int64 { return r.FastWhileDown }, 0},
		"no jitter":       {steady(90), func(r *schema.BFDSessionRow) int64 { return r.NoJitter }, 2},
		"too fast":        {steady(50), func(r *schema.BFDSessionRow) int64 { return r.TooFast }, 44},
		"too slow":        {steady(140), func(r *schema.BFDSessionRow) int64 { return r.TooSlow }, 44},
		"fast while Down": {func(w *wire, a, b *router) {
			a.c = up(100*ms, 100*ms)
			a.c.State = bfdwire.Down
			w.periodic(0, a, b, 10, 100*ms, 75, 100, nil)
		}, func(r *schema.BFDSessionRow) int64 { return r.FastWhileDown }, 9},
		"TTL": {func(w *wire, a, b *router) {
			w.look.ttl = 254
			sound(w, a, b)
			w.look.ttl = 0
		}, func(r *schema.BFDSessionRow) int64 { return r.BadTTL }, 45},
		"source port": {func(w *wire, a, b *router) {
			w.look.sport = 49151
			sound(w, a, b)
			w.look.sport = 0
		}, func(r *schema.BFDSessionRow) int64 { return r.BadSourcePort }, 45},
	} {
		a, b := pair4()
		w := newWire()
		w.look.direction = capture.Out
		w.periodic(0, b, a, 100, 100*ms, 75, 100, nil)
		c.send(w, a, b)
		w.sort()
		r := w.run(t)
		check(t, name, c.count(r.of(t, a)), c.want)
	}
}

// TestMultihopTTL: only single-hop packets must have one (RFC 5881, 5; RFC 5883, 3).
func TestMultihopTTL(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.look = look{dport: bfdwire.PortMultihop, ttl: 62, sport: 1024}
	w.both(0, a, b, 5, 100*ms)
	row := w.run(t).of(t, a)
	check(t, "hop", row.Hop, "multi")
	check(t, "TTL", row.TTL, 62)
	check(t, "bad ones", row.BadTTL+row.BadSourcePort, 0)
}

// TestBlame: intervals that the path has spread are no fault of the sender, unless it is captured on.
func TestBlame(t *testing.T) {
	for direction, want := range map[capture.Direction]int64{capture.Out: 1, capture.In: 0} {
		a, b := pair4()
		w := newWire()
		w.periodic(0, b, a, 20, 100*ms, 75, 100, nil)
		w.look.direction = direction
		next, last := w.periodic(ms, a, b, 5, 100*ms, 80, 95, nil)
		w.control(last+120*ms, a, b)
		w.periodic(max(next, last+200*ms), a, b, 5, 100*ms, 80, 95, nil)
		w.sort()
		row := w.run(t).of(t, a)
		check(t, "late", row.Late, 1)
		check(t, "too slow", row.TooSlow, want)
	}
}

// TestRefused: a packet that breaks a rule is counted by it, and changes nothing.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*bfdwire.Control)
		count func(*schema.BFDStatsRow) int64
	}{
		"version":            {func(c *bfdwire.Control) { c.Version = 0 }, func(r *schema.BFDStatsRow) int64 { return r.InvalidVersion }},
		"length":             {func(c *bfdwire.Control) { c.Length = 23 }, func(r *schema.BFDStatsRow) int64 { return r.InvalidLength }},
		"multiplier":         {func(c *bfdwire.Control) { c.DetectMult = 0 }, func(r *schema.BFDStatsRow) int64 { return r.InvalidDetectMult }},
		"multipoint":         {func(c *bfdwire.Control) { c.Multipoint = true }, func(r *schema.BFDStatsRow) int64 { return r.InvalidMultipoint }},
		"my discriminator":   {func(c *bfdwire.Control) { c.MyDiscriminator = 0 }, func(r *schema.BFDStatsRow) int64 { return r.InvalidMyDiscr }},
		"your discriminator": {func(c *bfdwire.Control) { c.YourDiscriminator = 0 }, func(r *schema.BFDStatsRow) int64 { return r.InvalidYourDiscr }},
		"authentication": {
			func(c *bfdwire.Control) {
				c.AuthPresent, c.Length, c.Auth = true, 26, bfdwire.Auth{Type: bfdwire.AuthMD5}
			},
			func(r *schema.BFDStatsRow) int64 { return r.InvalidAuth },
		},
	} {
		a, b := pair4()
		w := newWire()
		w.both(0, a, b, 3, 100*ms)
		w.control(400*ms, a, b, down(bfdwire.Up, 5), c.edit)
		r := w.run(t)
		check(t, name, c.count(r.stats[0]), 1)
		check(t, name+": all", r.stats[0].Control, 7)
		if row := r.of(t, a); row.Packets != 3 || row.DiagnosticCode != 0 || row.Invalid > 1 {
			t.Errorf("%s: %+v", name, row)
		}
		alone := newWire()
		alone.control(0, a, b, c.edit)
		check(t, name+": sessions made", len(alone.run(t).sessions), 0)
	}
}

// TestCut: what the capture left out is counted; what it left in is used.
func TestCut(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.both(0, a, b, 3, 100*ms)
	w.look.cut = 10
	w.control(400*ms, a, b)
	r := w.run(t)
	check(t, "packets", r.of(t, a).Packets, 3)
	check(t, "cut", r.of(t, a).Truncated, 1)
	check(t, "cut, of all", r.stats[0].Truncated, 1)
}

func TestPadding(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.control(0, a, b, func(c *bfdwire.Control) { c.Padding = 1400 })
	w.control(time.Second, a, b)
	check(t, "padding", w.run(t).of(t, a).Padding, 1400)
}
