//go:build integration && linux

package netlab

import (
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// passage is when a request of a burst left and when its reply came, by kernel stamps.
type passage struct{ sent, back time.Time }

// bursts sends bursts of n requests with payloads of size bytes and gives each burst's passages by place.
func bursts(t *testing.T, s *Sweep, count, n, size int) [][]passage {
	t.Helper()
	conn, p := openBatch(t, s.Prober, false), openTap(t, s.Prober, ProberLink)
	msgs := make([]ipv4.Message, n)
	for i := range msgs {
		b := make([]byte, 8+size)
		b[0] = icmpEchoRequest
		binary.BigEndian.PutUint16(b[4:], testID)
		binary.BigEndian.PutUint16(b[6:], uint16(i))
		finishICMP(b)
		msgs[i] = ipv4.Message{Buffers: [][]byte{b}, Addr: &net.IPAddr{IP: TargetNetwork.Addr().AsSlice()}}
	}
	var all [][]passage
	for failed := 0; len(all) < count; {
		for done := 0; done < n; {
			k, err := conn.WriteBatch(msgs[done:], 0)
			if err != nil {
				t.Fatal(err)
			}
			done += k
		}
		// A machine that is busy with something else drops replies: the burst is sent again, a few times.
		if burst, replies := passages(t, p, n); replies == n {
			all = append(all, burst)
		} else if failed++; failed > count/10 {
			t.Fatalf("%d of %d replies, in the last of %d bursts", replies, n, failed)
		}
	}
	return all
}

// passages reads until all n replies are there, or none has come for a second.
func passages(t *testing.T, p *tap, n int) (burst []passage, replies int) {
	t.Helper()
	return passagesWithin(t, p, n, time.Second)
}

// passagesWithin reads until all n replies are there, or nothing has come for so long.
func passagesWithin(t *testing.T, p *tap, n int, wait time.Duration) (burst []passage, replies int) {
	t.Helper()
	burst = make([]passage, n)
	for replies < n {
		c, ok := p.next(t, wait)
		if !ok {
			return burst, replies
		}
		m, _, ok := icmpOf(c)
		if !ok || m.rest>>16 != testID {
			continue
		}
		if place := m.rest & 0xffff; c.outgoing {
			burst[place].sent = c.at
		} else {
			burst[place].back = c.at
			replies++
		}
	}
	return burst, replies
}

// quantile of what f says of each burst.
func quantile(all [][]passage, q float64, f func([]passage) time.Duration) time.Duration {
	var ds []time.Duration
	for _, b := range all {
		ds = append(ds, f(b))
	}
	slices.Sort(ds)
	return ds[int(q*float64(len(ds)-1))]
}

func rttAt(place int) func([]passage) time.Duration {
	return func(b []passage) time.Duration { return b[place].back.Sub(b[place].sent) }
}

// queued is what an ideal link would hold the frame of a place, after what was sent before it.
func queued(b []passage, place int, wire time.Duration) time.Duration {
	var free time.Time
	for _, p := range b[:place+1] {
		if free.Before(p.sent) {
			free = p.sent
		}
		free = free.Add(wire)
	}
	return free.Sub(b[place].sent)
}

// TestSerialiserQueuesABurst holds bursts of 128 against an ideal link of 100 Mbit/s: what is above it must be the
// same for each place. The first of a burst finds the serialiser's CPU at other work, its caches cold; of short frames
// the first is left out, because to interrupt that CPU may take longer than the frame.
func TestSerialiserQueuesABurst(t *testing.T) {
	if err := Pin(); err != nil {
		t.Fatal(err)
	}
	const rate, places, reference = 100_000_000, 128, 100
	for _, c := range []struct{ size, first int }{{12, 2}, {200, 0}} {
		s := sweepLab(t, SweepConfig{AllAnswering: true})
		wire := wireTime(42+c.size, rate)
		free := quantile(bursts(t, s, 100, 1, c.size), .1, rttAt(0))
		serial, err := Serialise(s.Responder, ResponderLink, rate)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Prober.Steer(ProberLink, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { serial.Close() })
		alone := quantile(bursts(t, s, 100, 1, c.size), .1, rttAt(0))
		full := bursts(t, s, 100, places, c.size)
		stats, err := serial.Stats()
		if err != nil {
			t.Fatal(err)
		}
		above := func(place int) time.Duration {
			return quantile(full, .1, func(b []passage) time.Duration { return rttAt(place)(b) - queued(b, place, wire) })
		}
		for _, place := range []int{0, 1, 2, 7, 31, 63, 127} {
			t.Logf("place %3d: RTT p10 %v, p50 %v; above an ideal link p10 %v", place,
				quantile(full, .1, rttAt(place)), quantile(full, .5, rttAt(place)), above(place))
			allowed := 3 * time.Microsecond
			if place == 0 {
				allowed = wire / 2
			}
			if d := above(place) - above(reference); place >= c.first && d.Abs() > allowed {
				t.Errorf("place %d: %v from what place %d has above an ideal link", place, d, reference)
			}
		}
		gap := quantile(full, .5, func(b []passage) time.Duration { return b[127].back.Sub(b[63].back) / 64 })
		if (gap - wire).Abs() > wire/10 {
			t.Errorf("replies come %v apart; want %v", gap, wire)
		}
		if want := uint64(100 + 100*places); stats.Packets < want || stats.Cut != 0 || stats.Wire < time.Duration(want)*wire {
			t.Errorf("%+v", stats)
		}
		t.Logf("%d bytes, %v a frame: one probe: RTT p10 %v without, %v with; replies %v apart; %+v", c.size, wire, free, alone, gap, stats)
	}
}

func TestSerialiseRefuses(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	for _, c := range []struct {
		link string
		rate int64
	}{{ResponderLink, 0}, {ResponderLink, 10_000_000}, {"nothing0", 100_000_000}} {
		if _, err := Serialise(s.Responder, c.link, c.rate); err == nil {
			t.Errorf("%s at %d bit/s is taken", c.link, c.rate)
		}
	}
}
