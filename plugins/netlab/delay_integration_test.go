//go:build integration && linux

package netlab

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// prober sends lone requests, one when the reply to the one before has come. It has one tap for all: each costs time.
type prober struct {
	conn *pinger
	tap  *tap
	to   netip.Addr
}

func openProber(t *testing.T, n *Namespace, to netip.Addr) *prober {
	t.Helper()
	return &prober{openPinger(t, n), openTap(t, n, ProberLink), to}
}

// lone gives the RTTs of n requests with payloads of size bytes.
func (p *prober) lone(t *testing.T, n, size int) (rtts []time.Duration) {
	t.Helper()
	for len(rtts) < n {
		if err := p.conn.send(p.to, testID, 0, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		burst, replies := passages(t, p.tap, 1)
		if replies == 0 {
			t.Fatalf("no reply to probe %d", len(rtts))
		}
		rtts = append(rtts, rttAt(0)(burst))
	}
	return rtts
}

func median(ds []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(ds))[len(ds)/2]
}

// TestDelayLineIsTrue: what a delay adds to the RTT is what the program says it has spent, both over those at 0.
func TestDelayLineIsTrue(t *testing.T) {
	awake, err := StayAwake()
	Lasting(t, awake, err)
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	line, err := Delay(s.Responder, ResponderLink, 0)
	Lasting(t, line, err)
	probe := openProber(t, s.Prober, TargetNetwork.Addr())
	delays := []time.Duration{0, 100, 250, 500, 1000, 2500}
	rtts, spents := map[time.Duration][]time.Duration{}, map[time.Duration][]time.Duration{}
	const rounds, probes = 100, 50
	for range rounds {
		for _, d := range delays {
			if err := line.Set(d); err != nil {
				t.Fatal(err)
			}
			if err := line.Reset(); err != nil {
				t.Fatal(err)
			}
			got := probe.lone(t, probes, 24)
			spent, err := line.Spent()
			if err != nil {
				t.Fatal(err)
			}
			if len(spent) != len(got) || slices.Min(spent) < d {
				t.Errorf("%v: %d RTTs, %d delays, the shortest %v", d, len(got), len(spent), slices.Min(spent))
			}
			rtts[d], spents[d] = append(rtts[d], got...), append(spents[d], spent...)
		}
	}
	for _, d := range delays {
		added, truth := median(rtts[d])-median(rtts[0]), median(spents[d])-median(spents[0])
		t.Logf("%v: RTT %v, spent %v; over 0: RTT %v, spent %v", d, median(rtts[d]), median(spents[d]), added, truth)
		if miss := added - truth; miss.Abs() > 50 {
			t.Errorf("%v: the RTT has grown by %v, the line has spent %v more", d, added, truth)
		}
	}
}

// TestDelayLineHoldsEchoRequests of both families, and neither neighbour discovery nor replies, and remembers the
// latest.
func TestDelayLineHoldsEchoRequests(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: PairConfig{IPv6: true}})
	requests, err := Delay(s.Responder, ResponderLink, 100*time.Microsecond)
	Lasting(t, requests, err)
	replies, err := Delay(s.Prober, ProberLink, 100*time.Microsecond)
	Lasting(t, replies, err)
	for i, to := range []netip.Addr{TargetNetwork.Addr(), TargetNetwork6.Addr()} {
		rtts := openProber(t, s.Prober, to).lone(t, 7, 24)
		stats, err := requests.Stats()
		if n := uint64(7 * (i + 1)); err != nil || stats.Packets != n || stats.Spent < time.Duration(n)*100*time.Microsecond {
			t.Errorf("%v: %+v, %v", to, stats, err)
		}
		if least := slices.Min(rtts); least < 100*time.Microsecond {
			t.Errorf("%v: an RTT of %v", to, least)
		}
	}
	if stats, err := replies.Stats(); err != nil || stats.Packets != 0 {
		t.Errorf("replies: %+v, %v", stats, err)
	}
}

// TestDelayLineForgetsTheOldest has the line remember more than it can.
func TestDelayLineForgetsTheOldest(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	line, err := Delay(s.Responder, ResponderLink, time.Microsecond)
	Lasting(t, line, err)
	probe := openProber(t, s.Prober, TargetNetwork.Addr())
	probe.lone(t, DelaysKept-3, 24)
	if err := line.Set(2 * time.Microsecond); err != nil {
		t.Fatal(err)
	}
	probe.lone(t, 5, 24)
	spent, err := line.Spent()
	if err != nil || len(spent) != DelaysKept {
		t.Fatalf("%d delays, %v", len(spent), err)
	}
	if last := spent[DelaysKept-5:]; slices.Min(last) < 2*time.Microsecond {
		t.Errorf("the last five: %v", last)
	}
	err = line.Reset()
	if spent, after := line.Spent(); err != nil || after != nil || len(spent) != 0 {
		t.Errorf("after Reset: %d delays, %v, %v", len(spent), err, after)
	}
}

func TestDelayRefuses(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	for _, c := range []struct {
		link string
		d    time.Duration
	}{{ResponderLink, -1}, {ResponderLink, MaxDelayLine + 1}, {"nothing0", 0}} {
		if line, err := Delay(s.Responder, c.link, c.d); err == nil {
			t.Errorf("%s for %v is taken", c.link, c.d)
			line.Close()
		}
	}
}
