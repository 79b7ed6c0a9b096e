//go:build integration && linux

package netlab

import (
	"testing"
	"time"
)

// TestWANServesAPair: probes through a WAN come back after its delay, but for those that its rule spoils.
func TestWANServesAPair(t *testing.T) {
	spoiler := Spoiler{Seed: 3, Loss: .1, Outliers: .1, Least: 20 * time.Millisecond, Most: 40 * time.Millisecond}
	way := WANWay{Delay: time.Millisecond}
	back := way
	back.Rule = spoiler.Rule
	s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: PairConfig{WAN: &WANConfig{FromA: way, FromB: back}}})
	conn, tap := openPinger(t, s.Prober), openTap(t, s.Prober, ProberLink)
	const n = 200
	var lost, late, prompt int
	for range n {
		if err := conn.send(TargetNetwork.Addr(), testID, 0, make([]byte, 24)); err != nil {
			t.Fatal(err)
		}
		burst, replies := passagesWithin(t, tap, 1, 50*time.Millisecond)
		switch rtt := rttAt(0)(burst); {
		case replies == 0:
			lost++
		case rtt >= 22*time.Millisecond:
			late++
		case rtt >= 2*time.Millisecond:
			prompt++
		}
	}
	var wantLost, wantLate int
	for _, p := range s.WAN.Passages() {
		if p.From == SideB && p.Bytes == 14+20+8+24 { // a kernel says other things, too
			switch t := spoiler.Rule(p); {
			case t.Drop:
				wantLost++
			case t.Extra > 0:
				wantLate++
			}
		}
	}
	if lost != wantLost || late != wantLate || prompt != n-lost-late || lost == 0 || late == 0 {
		t.Errorf("%d lost, want %d; %d late, want %d; %d prompt", lost, wantLost, late, wantLate, prompt)
	}
	median, most := s.WAN.Lateness()
	t.Logf("of %d probes %d lost, %d late; frames left %v late, at most %v", n, lost, late, median, most)
}
