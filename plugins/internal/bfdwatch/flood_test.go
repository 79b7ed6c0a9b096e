package bfdwatch

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// heap returns the bytes in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFlood lets 100,000 sessions, and as many streams of echoes, come while there is room for 2,000: memory is that
// of 2,000, the others are counted, and the one that was there before goes on.
func TestFlood(t *testing.T) {
	const room, all, most = 2000, 100_000, 12 << 10
	for name, dport := range map[string]uint16{"control": 3784, "echo": 3785, "micro": 6784} {
		a, b := pair4()
		w := newWire()
		w.look.dport = map[uint16]uint16{3784: 3784, 3785: 3784, 6784: 6784}[dport]
		w.both(0, a, b, 4, 100*ms)
		known := w.packets
		var rows, noRoom int64
		watch := New(Config{MaxSessions: room, Emit: func(r schema.Row) {
			rows++
			if s, ok := r.(*schema.BFDStatsRow); ok {
				noRoom += s.NoRoom
			}
		}})
		for i := range known {
			watch.Observe(&known[i])
		}
		before := heap()
		w.packets = nil
		w.look.dport = dport
		w.control(time.Second, at("10.0.0.0", 3, 0x01020304), b)
		flood := w.packets[0]
		for i := range uint32(all) {
			binary.BigEndian.PutUint32(flood.Data[46:], i+1000) // its discriminator
			if dport != 6784 {
				binary.BigEndian.PutUint32(flood.Data[26:], 10<<24+i) // its address
			}
			flood.Stamp += int64(10 * us)
			watch.Observe(&flood)
		}
		grown := heap() - before
		if grown > room*most {
			t.Errorf("%s: %d bytes for %d, %d for each", name, grown, room, grown/room)
		}
		w.packets = nil
		w.look.dport = map[uint16]uint16{3784: 3784, 3785: 3784, 6784: 6784}[dport]
		w.both(2*time.Second+100*ms, a, b, 4, 100*ms)
		for i := range w.packets {
			watch.Observe(&w.packets[i])
		}
		watch.Expire(epoch + int64(5*time.Second))
		s := watch.sessions.list[0]
		check(t, name+": packets of the first session", s.ends[0].now.packets, 8)
		if sum := watch.Summary(); sum.NoRoom < all-room || sum.Sessions > room || sum.EchoStreams > room {
			t.Errorf("%s: %+v", name, sum)
		}
		watch.Finish()
		check(t, name+": counted", noRoom, watch.Summary().NoRoom)
		runtime.KeepAlive(watch)
	}
}

// TestEqualEchoesFlood: echoes that are all alike, far more of them than anybody sends, cost no more than others.
func TestEqualEchoesFlood(t *testing.T) {
	for name, ttls := range map[string][]byte{"sends": {255}, "returns": {255, 254, 254, 254, 254}, "pairs": {255, 254}} {
		a, b := pair6()
		w := newWire()
		w.echo(0, &frrZero, a, b, 0, 0, false)
		w.echo(us, &frrZero, a, b, 0, 0, false)
		p := w.packets[0]
		src, dst := append([]byte(nil), p.Data[22:38]...), append([]byte(nil), p.Data[38:54]...)
		r, watch := listen(t, Config{Period: 10 * time.Second, MirrorWindow: -1})
		before := heap()
		const n = 50_000
		returns := 0
		for i := range n {
			p.Stamp += int64(10 * us)
			p.Data[21] = ttls[i%len(ttls)]
			p.Data[5], p.Data[11] = 2, 1
			copy(p.Data[22:], src)
			copy(p.Data[38:], dst)
			if p.Data[21] == 254 {
				returns++
				p.Data[5], p.Data[11] = 1, 2
				copy(p.Data[22:], dst)
				copy(p.Data[38:], src)
			}
			watch.Observe(&p)
		}
		if grown := heap() - before; grown > 4<<20 {
			t.Errorf("%s: %d bytes", name, grown)
		}
		watch.Finish()
		row := r.echo(t)
		check(t, name+": sent", row.Sent, int64(n-returns))
		check(t, name+": became", row.Returned+row.Unanswered+row.InFlight, row.Sent)
		check(t, name+": returns", row.Returned+row.Duplicates+row.Unmatched, int64(returns))
	}
}

// TestStrangeEchoes: echoes that belong to none of many sessions are not sought among all of them each time.
func TestStrangeEchoes(t *testing.T) {
	w := newWire()
	b := at("10.1.0.0", 2, 22)
	for i := range uint32(4000) {
		w.control(time.Duration(i)*us, at(fmt.Sprintf("10.0.%d.%d", i>>8, i&255), 3, i+1), b)
	}
	stranger := at("192.0.2.1", 9, 99_999)
	for i := range 20_000 {
		w.echo(time.Second+time.Duration(i)*100*us, &opaque, stranger, b, i, 0, false)
	}
	r := w.run(t)
	check(t, "sent", r.echo(t).Sent, 20_000)
	check(t, "sessions", r.stats[0].Sessions, 4000)
}

// TestForgotten: sessions and streams that are silent for long make room for others, and are new when they come back.
func TestForgotten(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 3)
	w.loop(0, &frr, a, b, 3, 50*ms, always(ms))
	other := at("192.0.2.9", 9, 9)
	for i := range 90 {
		w.control(time.Duration(i)*time.Second+time.Second, other, b)
	}
	w.control(90*time.Second+500*ms, a, b)
	r, watch := listen(t, Config{Period: 10 * time.Second, Forget: time.Minute})
	for i := range w.packets {
		watch.Observe(&w.packets[i])
	}
	check(t, "sessions", watch.Summary().Sessions, 1)
	watch.Finish()
	var forgotten int64
	for _, s := range r.stats {
		forgotten += s.Forgotten
	}
	check(t, "forgotten", forgotten, 2)
	check(t, "found twice", len(r.event(schema.BFDEventState)), 4)
	check(t, "discriminators", len(watch.sessions.byDiscr), 2)
	check(t, "keys", len(watch.sessions.byKey), 2)
}

// TestOneDay: a file that jumps by a day makes no rows for its whole length.
func TestOneDay(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 3)
	w.loop(0, &frr, a, b, 3, 50*ms, always(ms))
	w.both(24*time.Hour, a, b, 3, 100*ms)
	r := run(t, Config{Period: time.Second}, w.packets)
	if len(r.lines) > 1500 {
		t.Errorf("%d rows", len(r.lines))
	}
	check(t, "stats", len(r.stats) < 700, true)
}

// TestOddStamps: a file may claim any time; nothing hangs.
func TestOddStamps(t *testing.T) {
	a, b := pair4()
	for _, stamps := range [][]int64{{0, 1}, {-5e9, 5e9}, {-1 << 63, 1<<63 - 1}, {1<<63 - 1, 1<<63 - 1, 5}, {epoch, 1<<63 - 1}, {0, 4e18, 9e18}} {
		w := newWire()
		for range stamps {
			w.control(0, a, b)
			w.echo(0, &frr, a, b, 0, 0, false)
		}
		_, watch := listen(t, Config{Period: time.Second})
		for i := range w.packets {
			w.packets[i].Stamp = stamps[i/2]
			watch.Observe(&w.packets[i])
		}
		watch.Finish()
	}
}

// TestFloodOfEvents: who comes with another discriminator each time has a bounded number of events, and the rest is counted.
func TestFloodOfEvents(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.both(0, a, b, 2, 100*ms)
	for i := range 1000 {
		a.discr = uint32(1000 + i)
		w.control(time.Second+time.Duration(i)*ms, a, b)
	}
	r := run(t, Config{Period: 10 * time.Second}, w.packets)
	var leftOut int64
	for _, s := range r.stats {
		leftOut += s.EventsLeftOut
	}
	if n := int64(len(r.event(schema.BFDEventDiscriminator))); n == 0 || n > 200 || n+leftOut < 1000 {
		t.Errorf("%d events, %d left out", n, leftOut)
	}
}
