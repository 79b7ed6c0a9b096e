package bfdwatch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// weather makes a minute of everything: sessions that come and go, loss, echoes of all shapes, copies, odd frames.
func weather(seed uint64) []capture.Packet {
	w := newWire()
	w.random = rand.New(rand.NewPCG(seed, 7))
	shapes := []shape{frr, frrZero, ios, vpp, h3c, opaque}
	for pair := range byte(6) {
		a, b := pair4()
		if pair%2 == 1 {
			a, b = pair6()
		}
		a.discr, b.discr = uint32(pair)*2+1, uint32(pair)*2+2
		a.c, b.c = up(300*ms, 300*ms), up(300*ms, 300*ms)
		w.look = look{vlan: uint16(pair / 2), sport: 49152 + uint16(pair)}
		lose := func(int) bool { return w.random.IntN(15) == 0 }
		start := time.Duration(0)
		for range 3 {
			x, _ := w.periodic(start, a, b, 40, 300*ms, 75, 100, lose)
			w.periodic(start+7*ms, b, a, 40, 300*ms, 75, 100, lose)
			w.control(x+900*ms, b, a, down(bfdwire.Down, bfdwire.DiagDetectionTime))
			a.discr += 100
			w.control(x+2*time.Second, a, b, down(bfdwire.Init, 0), asks)
			w.control(x+2001*ms, b, a, answers)
			start = x + 3*time.Second
		}
		s := shapes[int(pair)%len(shapes)]
		w.loop(500*ms, &s, a, b, 400, 100*ms, func(int) time.Duration {
			if lose(0) {
				return -1
			}
			return time.Duration(w.random.Int64N(int64(130 * ms)))
		})
	}
	for i := range len(w.packets) / 20 {
		p := w.packets[w.random.IntN(len(w.packets))]
		p.Stamp += w.random.Int64N(int64(2 * ms))
		if i%4 == 0 {
			p.Data = p.Data[:w.random.IntN(len(p.Data))]
		}
		w.packets = append(w.packets, p)
	}
	w.sort()
	for i := range w.packets[1:] {
		w.packets[i+1].Stamp = max(w.packets[i+1].Stamp, w.packets[i].Stamp+1) // all differ
	}
	return w.packets
}

func same(t *testing.T, name string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: row %d\n%swant\n%s", name, i, got[i], want[i])
			return
		}
	}
	check(t, name+": rows", len(got), len(want))
}

// TestAnyOrder: packets that are late by less than the window give the same rows.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(3) {
		packets := weather(seed)
		config := Config{Period: 5 * time.Second, PerEcho: true}
		want := run(t, config, packets)
		random := rand.New(rand.NewPCG(seed, 8))
		type late struct {
			capture.Packet
			at int64
		}
		shuffled := make([]late, len(packets))
		for i, p := range packets {
			shuffled[i] = late{p, p.Stamp + random.Int64N(int64(100*ms))}
		}
		slices.SortStableFunc(shuffled, func(a, b late) int { return int(a.at - b.at) })
		for i := range shuffled {
			packets[i] = shuffled[i].Packet
		}
		same(t, fmt.Sprint("seed ", seed), run(t, config, packets).lines, want.lines)
	}
}

// TestExpireChangesNothing: whenever time is told, up to what has come, the rows are the same.
func TestExpireChangesNothing(t *testing.T) {
	for seed := range uint64(3) {
		packets := weather(seed)
		config := Config{Period: 5 * time.Second, PerEcho: true}
		want := run(t, config, packets)
		r, watch := listen(t, config)
		random := rand.New(rand.NewPCG(seed, 9))
		for i := range packets {
			watch.Observe(&packets[i])
			if random.IntN(3) == 0 {
				watch.Expire(packets[i].Stamp - random.Int64N(int64(3*time.Second)))
			}
		}
		watch.Finish()
		same(t, fmt.Sprint("seed ", seed), r.lines, want.lines)
	}
}

// TestExpireBrings: time alone closes periods, no later than 1.5 s after their end.
func TestExpireBrings(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.session(a, b, 20)
	w.loop(0, &frr, a, b, 20, 50*ms, always(ms))
	r, watch := listen(t, Config{Period: 10 * time.Second})
	for i := range w.packets {
		watch.Observe(&w.packets[i])
	}
	watch.Expire(epoch + int64(9999*ms))
	check(t, "rows inside of the period", len(r.sessions)+len(r.echoes)+len(r.stats), 0)
	watch.Expire(epoch + int64(10*time.Second))
	check(t, "sessions at its end", len(r.sessions), 2)
	watch.Expire(epoch + int64(11500*ms))
	check(t, "echoes", len(r.echoes), 1)
	check(t, "partial", r.sessions[0].Partial || r.echoes[0].Partial, false)
	watch.Expire(epoch + int64(5*time.Second))
	watch.Finish()
}

// TestSums: short periods add up to a long one.
func TestSums(t *testing.T) {
	type sums struct {
		packets, missing, intervals, late, nearMisses, flaps, transitions, polls, finals, changes int64
	}
	type echoes struct{ sent, returned, unanswered, duplicates, reordered, unmatched, inFlight, mirrored int64 }
	for seed := range uint64(3) {
		packets := weather(seed)
		all := func(period time.Duration) (map[string]sums, echoes, []string) {
			found := map[string]sums{}
			var e echoes
			r := run(t, Config{Period: period}, packets)
			for _, s := range r.sessions {
				k := s.VLAN + " " + s.Local
				v := found[k]
				found[k] = sums{
					v.packets + s.Packets, v.missing + s.Missing, v.intervals + s.Count, v.late + s.Late, v.nearMisses + s.NearMisses, v.flaps + s.Flaps,
					v.transitions + s.Transitions, v.polls + s.Polls, v.finals + s.Finals, v.changes + s.DiscriminatorChange,
				}
			}
			for _, row := range r.echoes {
				if row.Layout == "frr-zero" || row.Layout == "unknown" {
					continue // what is told by jitter depends on what is looked at together; what the capture cut is alike
				}
				e = echoes{
					e.sent + row.Sent, e.returned + row.Returned, e.unanswered + row.Unanswered, e.duplicates + row.Duplicates,
					e.reordered + row.Reordered, e.unmatched + row.Unmatched, e.inFlight + row.InFlight, e.mirrored + row.Mirrored,
				}
			}
			var events []string
			for _, row := range r.events {
				if row.Event != schema.BFDEventSilent {
					events = append(events, line(t, row))
				}
			}
			slices.Sort(events)
			return found, e, events
		}
		want, wantEchoes, wantEvents := all(time.Hour)
		for _, period := range []time.Duration{time.Second, 1700 * ms, 10 * time.Second} {
			got, gotEchoes, events := all(period)
			name := fmt.Sprintf("seed %d, %s", seed, period)
			check(t, name+": sessions", len(got), len(want))
			for k, v := range want {
				check(t, name+": "+k, got[k], v)
			}
			check(t, name+": echoes", gotEchoes, wantEchoes)
			same(t, name+": events", events, wantEvents)
		}
	}
}

// FuzzObserve: no frame makes a Watch panic, say what cannot be written, or say two things of one series and time.
func FuzzObserve(f *testing.F) {
	packets := weather(1)
	for i := 0; i < len(packets); i += len(packets) / 20 {
		f.Add(packets[i].Data, uint8(i), int64(i)*int64(10*ms))
	}
	f.Fuzz(func(t *testing.T, data []byte, mixed uint8, step int64) {
		_, watch := listen(t, Config{Period: time.Second, PerEcho: true, MaxSessions: 20, Forget: 3 * time.Second})
		p := capture.Packet{Stamp: epoch, Link: capture.LinkType(mixed % 5), Direction: capture.Direction(mixed >> 3 & 3), OrigLen: uint32(len(data))}
		for i := range 40 {
			p.Data = slices.Clone(data)
			if n := len(p.Data); n > 0 && i%3 > 0 {
				p.Data[(i*int(mixed)+i)%n] ^= byte(i)
			}
			watch.Observe(&p)
			p.Stamp += step % int64(20*time.Second)
			if i%10 == 9 {
				watch.Expire(p.Stamp)
			}
		}
		watch.Finish()
		if n := watch.Summary(); n.Sessions > 20 || n.EchoStreams > 20 {
			t.Errorf("%+v", n)
		}
	})
}
