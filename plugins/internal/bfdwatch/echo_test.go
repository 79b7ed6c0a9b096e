package bfdwatch

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// shape is how somebody's echoes look.
type shape struct {
	layout  string
	payload func(a *router, i int, sent time.Duration) []byte
	// addresses of an echo on its way out, and on its way back; nil: a's own, twice.
	addresses func(a, b *router, returned bool) (src, dst netip.Addr)
	sport     uint16
	ids       bool // IPv4 identifications differ
	ttl       uint8
	same      bool // the reflector does not count hops
}

var (
	frr = shape{layout: "frr-ts", sport: bfdwire.PortEcho, ids: true, payload: func(a *router, i int, sent time.Duration) []byte {
		b := binary.BigEndian.AppendUint32([]byte{1, 0x18, 0, 0}, a.discr)
		b = binary.BigEndian.AppendUint64(b, 1000+uint64(sent/time.Second))
		return binary.BigEndian.AppendUint64(b, uint64(sent%time.Second/us))
	}}
	frrZero = shape{layout: "frr-zero", sport: bfdwire.PortEcho, payload: func(a *router, i int, sent time.Duration) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{1, 0x18, 0, 0}, a.discr), make([]byte, 16)...)
	}, addresses: func(a, b *router, returned bool) (src, dst netip.Addr) {
		if returned {
			return b.addr, a.addr
		}
		return a.addr, b.addr
	}}
	ios = shape{layout: "ios-seq", sport: 49152, ids: true, payload: func(a *router, i int, sent time.Duration) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), a.discr), uint32(i))
	}}
	elsewhere = func(a, b *router, returned bool) (src, dst netip.Addr) {
		return netip.MustParseAddr("198.51.100.7"), a.addr
	}
	vpp = shape{layout: "vpp", sport: 49152, addresses: elsewhere, payload: func(a *router, i int, sent time.Duration) []byte {
		b := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, a.discr), uint64(time.Hour+sent))
		return binary.LittleEndian.AppendUint64(b, uint64(sent)*7)
	}}
	h3c = shape{layout: "control-shaped", sport: 49152, ids: true, addresses: elsewhere, payload: func(a *router, i int, sent time.Duration) []byte {
		c := bfdwire.Control{Version: 1, State: bfdwire.Up, DetectMult: 5, MyDiscriminator: a.discr, YourDiscriminator: a.discr, RequiredMinEchoRX: 400_000}
		return bfdwire.AppendControl(nil, &c)
	}}
	rfc9747 = shape{layout: "control-shaped", sport: 49152, ids: true, payload: func(a *router, i int, sent time.Duration) []byte {
		c := bfdwire.Control{Version: 1, State: bfdwire.Up, DetectMult: 3, MyDiscriminator: a.discr, YourDiscriminator: a.discr, DesiredMinTX: 50_000, RequiredMinRX: 50_000}
		return bfdwire.AppendControl(nil, &c)
	}}
	opaque = shape{layout: "unknown", sport: 50000, ids: true, payload: func(a *router, i int, sent time.Duration) []byte {
		return []byte(fmt.Sprintf("echo %07d", i))
	}}
)

// edited returns a shape that differs.
func (s shape) edited(edit func(*shape)) shape {
	edit(&s)
	return s
}

// echo adds the i-th echo of a, which was sent at a time, on one of its ways.
func (w *wire) echo(stamp time.Duration, s *shape, a, b *router, i int, sent time.Duration, returned bool) {
	src, dst := a.addr, a.addr
	if s.addresses != nil {
		src, dst = s.addresses(a, b, returned)
	}
	before := w.look
	if s.ids {
		w.look.id = uint16(i*7 + int(a.mac))
	}
	ttl := max(s.ttl, 1)
	if s.ttl == 0 {
		ttl = 255
	}
	from, to := a.mac, b.mac
	if returned {
		from, to = to, from
		if !s.same {
			ttl--
		}
	}
	w.udp(stamp, from, to, src, dst, ttl, s.sport, bfdwire.PortEcho, s.payload(a, i, sent))
	w.look = before
}

// loop adds n echoes every t, jittered, with the RTT that rtt gives; a negative one is a loss. It returns the RTTs.
func (w *wire) loop(start time.Duration, s *shape, a, b *router, n int, t time.Duration, rtt func(i int) time.Duration) (rtts []time.Duration) {
	for i := range n {
		w.echo(start, s, a, b, i, start, false)
		if r := rtt(i); r >= 0 {
			w.echo(start+r, s, a, b, i, start, true)
			rtts = append(rtts, r)
		}
		start += w.jittered(t, 75, 100)
	}
	w.sort()
	return rtts
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func (w *wire) session(a, b *router, n int) { w.both(0, a, b, n, 100*ms) }

func TestEchoShapes(t *testing.T) {
	for name, s := range map[string]shape{
		"FRR": frr, "IOS": ios, "VPP": vpp, "H3C": h3c, "RFC 9747": rfc9747, "opaque": opaque,
		"not counted by the reflector":   frr.edited(func(s *shape) { s.same = true }),
		"another TTL":                    frr.edited(func(s *shape) { s.ttl = 64 }),
		"another TTL, not counted":       ios.edited(func(s *shape) { s.ttl, s.same = 64, true }),
		"opaque, not counted":            opaque.edited(func(s *shape) { s.same = true }),
		"RFC 9747, not counted":          rfc9747.edited(func(s *shape) { s.same = true }),
		"source of its own, not counted": vpp.edited(func(s *shape) { s.same = true }),
	} {
		for _, known := range []bool{false, true} {
			name := fmt.Sprintf("%s, session known %v", name, known)
			a, b := pair4()
			w := newWire()
			if known {
				w.session(a, b, 20)
			}
			w.loop(100*ms, &s, a, b, 20, 50*ms, func(i int) time.Duration { return 12*ms + time.Duration(i)*us })
			row := w.run(t).echo(t)
			check(t, name+": layout", row.Layout, s.layout)
			check(t, name+": sent", row.Sent, 20)
			check(t, name+": returned", row.Returned, 20)
			check(t, name+": unmatched", row.Unmatched+row.Duplicates+row.Unanswered, 0)
			check(t, name+": pairing", row.Pairing, "identity")
			check(t, name+": least", row.RTTMin, some(12*ms))
			check(t, name+": most", row.RTTMax, some(12*ms+19*us))
			check(t, name+": initiator", row.Local, a.addr.String())
			check(t, name+": its MAC", row.InitiatorMAC, "02:00:00:00:00:01")
			check(t, name+": the reflector's", row.ReflectorMAC, "02:00:00:00:00:02")
			if known {
				check(t, name+": reflector", row.Peer, b.addr.String())
			}
		}
	}
}

// TestEchoStatistics holds what a row says against the list of RTTs.
func TestEchoStatistics(t *testing.T) {
	for name, n := range map[string]int{"exact": 200, "in bins": 1500} {
		a, b := pair4()
		w := newWire()
		w.session(a, b, 10)
		rtts := w.loop(0, &frr, a, b, n, 50*ms, func(i int) time.Duration { return 5*ms + time.Duration(w.random.Int64N(int64(10*ms))) })
		row := w.run(t).echo(t)
		var sum, squares, steps float64
		least, most := math.MaxFloat64, -math.MaxFloat64
		for i, r := range rtts {
			sum += float64(r)
			if i > 0 {
				d := float64(r - rtts[i-1])
				steps += math.Abs(d)
				least, most = min(least, d), max(most, d)
			}
		}
		mean := sum / float64(n)
		for _, r := range rtts {
			squares += (float64(r) - mean) * (float64(r) - mean)
		}
		slices.Sort(rtts)
		share := 0.0
		if n > 512 {
			share = 0.01
		}
		near := func(what string, got schema.Opt, want, share float64) {
			t.Helper()
			if !got.Set || math.Abs(float64(got.N)-want) > 1+share*want {
				t.Errorf("%s: %s %v, want %.0f", name, what, got, want)
			}
		}
		rank := func(p float64) float64 { return float64(rtts[int(math.Ceil(p*float64(n)))-1]) }
		near("min", row.RTTMin, float64(rtts[0]), 0)
		near("mean", row.RTTMean, mean, 0)
		near("max", row.RTTMax, float64(rtts[n-1]), 0)
		near("stddev", row.RTTStddev, math.Sqrt(squares/float64(n)), 1e-6)
		near("p50", row.RTTP50, rank(0.5), share)
		near("p95", row.RTTP95, rank(0.95), share)
		near("p99", row.RTTP99, rank(0.99), share)
		near("PDV max", row.PDVMax, float64(rtts[n-1]-rtts[0]), 0)
		near("PDV p95", row.PDVP95, rank(0.95)-float64(rtts[0]), 2*share)
		near("IPDV mean", row.IPDVMean, steps/float64(n-1), 0)
		near("IPDV max", row.IPDVMax, most, 0)
		check(t, name+": IPDV min", row.IPDVMin, schema.Some(int64(least)))
		check(t, name+": intervals", row.Count, int64(n-1))
		check(t, name+": late and early", row.Late+row.Early, 0)
	}
}

// TestDelayVariation: the jitter is RFC 3550's, of the times in FRR's payload, and the one-way delay variation from the same.
func TestDelayVariation(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 10)
	delays := []time.Duration{10 * ms, 13 * ms, 11 * ms, 16 * ms}
	want, transit := 0.0, time.Duration(0)
	for i, d := range delays {
		sent := time.Duration(i) * 45 * ms
		w.echo(sent+d, &frr, a, b, i, sent, false)
		w.echo(sent+2*d, &frr, a, b, i, sent, true)
		if i > 0 {
			want += (math.Abs(float64(2*d-transit)) - want) / 16
		}
		transit = 2 * d
	}
	w.sort()
	row := w.run(t).echo(t)
	check(t, "jitter", row.Jitter, schema.Some(int64(want)))
	check(t, "delay variation, most", row.DelayVarMax, some(6*ms))
	check(t, "delay variation, median", row.DelayVarP50, some(ms))
}

// TestDelayFalls: values count from the least of their period, also those that came before it, and whatever clocks do.
func TestDelayFalls(t *testing.T) {
	a, b := pair4()
	w := newWire()
	for i := range 40 {
		sent := time.Duration(i) * 50 * ms
		w.echo(sent+time.Duration(20-i%20)*ms+time.Duration(i/20)*time.Second, &frr, a, b, i, sent, false)
	}
	w.sort()
	r := run(t, Config{Period: time.Second}, w.packets)
	for _, row := range r.echoes {
		if row.Sent == 20 {
			check(t, "median", row.DelayVarP50, some(9*ms))
			check(t, "most", row.DelayVarMax, some(19*ms))
		}
	}
	if len(r.echoes) < 2 {
		t.Errorf("%d rows", len(r.echoes))
	}
}

// TestLongLoop: with an RTT of several intervals the next return is not that of the last echo.
func TestLongLoop(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 20)
	w.loop(0, &frr, a, b, 40, 50*ms, always(123*ms))
	row := w.run(t).echo(t)
	check(t, "least", row.RTTMin, some(123*ms))
	check(t, "most", row.RTTMax, some(123*ms))
	check(t, "returned", row.Returned, 40)
	check(t, "reordered", row.Reordered, 0)
}

// TestMidFlight: what returns first was sent before the capture began, and is not taken for a send.
func TestMidFlight(t *testing.T) {
	for name, s := range map[string]shape{"FRR": frr, "FRR, IPv6": frrZero, "IOS": ios} {
		a, b := pair4()
		if name == "FRR, IPv6" {
			a, b = pair6()
		}
		w := newWire()
		w.session(a, b, 20)
		w.loop(0, &s, a, b, 20, 50*ms, always(13*us))
		first := slices.IndexFunc(w.packets, func(p capture.Packet) bool {
			return p.Data[22] == 254 || p.Data[21] == 254
		})
		w.packets = w.packets[first:]
		row := w.run(t).echo(t)
		check(t, name+": unmatched", row.Unmatched, 1)
		check(t, name+": sent", row.Sent, 19)
		check(t, name+": returned", row.Returned, 19)
		check(t, name+": RTT", row.RTTMax, some(13*us))
		check(t, name+": initiator", row.Local, a.addr.String())
	}
}

// TestLossAndMore: lost, duplicated and reordered echoes are each what they are.
func TestLossAndMore(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 30)
	lost := 0
	w.loop(0, &frr, a, b, 40, 50*ms, func(i int) time.Duration {
		switch {
		case i%10 == 3:
			lost++
			return -1
		case i == 15:
			return 75 * ms // those behind it come before it
		}
		return 12 * ms
	})
	w.echo(1500*ms, &frr, a, b, 99, 1500*ms, false)
	w.echo(1512*ms, &frr, a, b, 99, 1500*ms, true)
	w.echo(1520*ms, &frr, a, b, 99, 1500*ms, true)
	w.sort()
	row := w.run(t).echo(t)
	check(t, "unanswered", row.Unanswered, int64(lost))
	check(t, "returned", row.Returned, int64(41-lost))
	check(t, "duplicates", row.Duplicates, 1)
	check(t, "reordered", row.Reordered, 1)
	check(t, "unmatched", row.Unmatched, 0)
}

// TestSentTwice: an echo that was seen twice makes no others alike, be it the first or another one.
func TestSentTwice(t *testing.T) {
	for _, twice := range []int{0, 1, 7} {
		a, b := pair4()
		w := newWire()
		w.session(a, b, 20)
		w.loop(0, &ios, a, b, 20, 50*ms, func(i int) time.Duration { return time.Duration(60+i*i%60) * ms })
		sends := 0
		for _, p := range slices.Clone(w.packets) {
			if p.Data[22] == 255 && len(p.Data) == 54 {
				if sends == twice {
					p.Stamp += int64(2 * ms)
					w.packets = append(w.packets, p)
				}
				sends++
			}
		}
		w.sort()
		row := w.run(t).echo(t)
		name := fmt.Sprint("echo ", twice)
		check(t, name+": sent", row.Sent, 21)
		check(t, name+": returned", row.Returned, 20)
		check(t, name+": pairing", row.Pairing, "identity")
		if row.RTTMin.N < int64(58*ms) {
			t.Errorf("%s: RTT %v", name, time.Duration(row.RTTMin.N))
		}
	}
}

// TestInFlight: what was sent within the window before the end is not lost.
func TestInFlight(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 20)
	w.loop(0, &frr, a, b, 30, 50*ms, always(123*ms))
	sends := 0
	for i, p := range w.packets {
		if p.Data[22] == 255 && p.Data[37] == 0xc9 {
			if sends++; sends == 30 {
				w.packets = w.packets[:i+1]
				break
			}
		}
	}
	row := w.run(t).echo(t)
	check(t, "sent", row.Sent, 30)
	check(t, "unanswered", row.Unanswered, 0)
	check(t, "all", row.Returned+row.InFlight, 30)
	if row.InFlight < 2 || row.InFlight > 4 {
		t.Errorf("%d in flight", row.InFlight)
	}
}

// TestConformantEchoes counts echoes that should not have been sent.
func TestConformantEchoes(t *testing.T) {
	for name, c := range map[string]struct {
		edit                    func(a, b *router)
		notUp, refused, tooFast int64
	}{
		"sound":    {func(a, b *router) {}, 0, 0, 0},
		"not Up":   {func(a, b *router) { a.c.State = bfdwire.Init }, 20, 0, 0},
		"refused":  {func(a, b *router) { b.c.RequiredMinEchoRX = 0 }, 0, 20, 0},
		"too fast": {func(a, b *router) { b.c.RequiredMinEchoRX = 100_000 }, 0, 0, 19},
	} {
		a, b := pair4()
		c.edit(a, b)
		w := newWire()
		w.control(0, a, b)
		w.control(ms, b, a)
		w.loop(10*ms, &frr, a, b, 20, 50*ms, always(ms))
		r := w.run(t)
		row := r.echo(t)
		check(t, name+": not Up", row.NotUp, c.notUp)
		check(t, name+": refused", row.Refused, c.refused)
		check(t, name+": too fast", row.TooFast, c.tooFast)
		check(t, name+": slow timers", r.of(t, a).SlowTimerEcho, 1)
	}
}

// TestFullLoop: when both sides echo, the two loops at one capture point make up the whole path.
func TestFullLoop(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 30)
	w.loop(0, &frr, a, b, 30, 50*ms, always(12*ms))
	w.loop(7*ms, &frr, b, a, 30, 50*ms, always(4*us))
	r := w.run(t)
	check(t, "streams", len(r.echoes), 2)
	for _, row := range r.echoes {
		check(t, "whole path", row.RTTFull, some(12*ms+4*us))
	}
}

// TestTapRole is told by the direction of frames, and by the addresses that are local.
func TestTapRole(t *testing.T) {
	a, b := pair4()
	for name, c := range map[string]struct {
		local     []string
		out, back capture.Direction
		role      string
	}{
		"nothing known":      {nil, capture.Unknown, capture.Unknown, "unknown"},
		"sent here":          {nil, capture.Out, capture.In, "initiator"},
		"looped here":        {nil, capture.In, capture.Out, "reflector"},
		"neither":            {nil, capture.Other, capture.Other, "transit"},
		"address of a":       {[]string{"192.0.2.1"}, capture.Unknown, capture.Unknown, "initiator"},
		"address of b":       {[]string{"192.0.2.2"}, capture.Unknown, capture.Unknown, "reflector"},
		"address of neither": {[]string{"192.0.2.3"}, capture.Unknown, capture.Unknown, "transit"},
		"MAC of a":           {[]string{"02:00:00:00:00:01"}, capture.Unknown, capture.Unknown, "initiator"},
		"MAC of b":           {[]string{"02:00:00:00:00:02"}, capture.Unknown, capture.Unknown, "reflector"},
	} {
		w := newWire()
		w.session(a, b, 3)
		for i := range 5 {
			w.look.direction = c.out
			w.echo(time.Duration(i)*50*ms+10*ms, &frr, a, b, i, 0, false)
			w.look.direction = c.back
			w.echo(time.Duration(i)*50*ms+20*ms, &frr, a, b, i, 0, true)
		}
		w.sort()
		check(t, name, run(t, Config{Local: c.local}, w.packets).echo(t).TapRole, c.role)
	}
}

// TestEachEcho asks for a row for each.
func TestEachEcho(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 10)
	w.loop(0, &ios, a, b, 10, 50*ms, func(i int) time.Duration { return time.Duration(i%2*13-1) * ms })
	r := run(t, Config{PerEcho: true}, w.packets)
	check(t, "rows", len(r.rtts), 10)
	for _, row := range r.rtts {
		switch odd := row.Sequence.N%2 == 1; {
		case odd != row.RTT.Set, odd && row.RTT != some(12*ms), odd && row.Pairing != "identity", !odd && row.Pairing != "":
			t.Errorf("%+v", row)
		}
	}
}
