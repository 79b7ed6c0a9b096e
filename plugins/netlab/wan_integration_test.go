//go:build integration && linux

package netlab_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// TestWANBooksAgainstCapture: FRR's echoes pass a WAN with jitter that loses every seventh echo of A on its way there,
// every ninth on its way back, and copies every eleventh of B's. A capture at A, as tshark reads it, has them so too.
func TestWANBooksAgainstCapture(t *testing.T) {
	ctx := bfdContext(t)
	way := netlab.WANWay{Delay: 5 * time.Millisecond, Jitter: 2 * time.Millisecond}
	fromA, fromB := way, way
	fromA.Rule = func(p netlab.Passage) (t netlab.Treatment) {
		t.Drop = p.Kind == netlab.FrameEcho && !p.Returning && p.N%7 == 3
		return t
	}
	fromB.Rule = func(p netlab.Passage) (t netlab.Treatment) {
		t.Drop = p.Kind == netlab.FrameEcho && p.Returning && p.N%9 == 4
		if p.Kind == netlab.FrameEcho && !p.Returning && p.N%11 == 5 {
			t.Copies = 1
		}
		return t
	}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: fromA, FromB: fromB, Seed: 1}})
	file := filepath.Join(t.TempDir(), "a.pcap")
	dump, err := witness.StartFilter(ctx, lab.A.Namespace, lab.A.Link, file, 0, "udp")
	if err != nil {
		t.Fatal(err)
	}
	frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		return []netlab.FRRPeer{echoing(r, other, false)}
	})
	wait(ctx, t, 3*time.Second)
	if drops, err := dump.Stop(); err != nil || drops > 0 {
		t.Fatal(drops, err)
	}
	packets, err := witness.ReadBFD(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	compareEchoes(t, packets, lab)
	for _, e := range lab.WAN.Echoes(netlab.SideB) {
		if want := 1 + e.There.Copies; e.End == netlab.EchoAnswered && e.Backs != want {
			t.Errorf("%d copies of echo %d came back, want %d", e.Backs, e.There.N, want)
		}
	}
	median, most := lab.WAN.Lateness()
	t.Logf("late: median %v, most %v", median, most)
	if median > 100*time.Microsecond { // the books have it: a busy machine only makes it longer
		t.Errorf("frames leave %v late", median)
	}
}

// compareEchoes sets A's echoes as captured against the books.
func compareEchoes(t *testing.T, packets []witness.BFDPacket, lab *netlab.BFDLab) {
	t.Helper()
	sent, returned := map[string]int64{}, map[string]int64{}
	var order []string
	for _, p := range packets {
		if !p.Echo || p.Src != lab.A.Address.Addr() {
			continue
		}
		key := string(p.Payload) // FRR's send time, and so each its own
		if p.TTL == 255 {
			sent[key], order = p.Time, append(order, key)
		} else {
			returned[key] = p.Time
		}
	}
	truth := lab.WAN.Echoes(netlab.SideA)
	if len(truth) < len(order) || len(order) < 40 {
		t.Fatalf("%d echoes captured, %d in the books", len(order), len(truth))
	}
	var beyond []time.Duration
	ends := map[netlab.EchoEnd]int{}
	for i, key := range order {
		e := truth[i]
		ends[e.End]++
		back, answered := returned[key]
		last := order[len(order)-1]
		if answered != (e.End == netlab.EchoAnswered) && sent[last]-sent[key] > 50e6 { // 50 ms: it may have been under way at the end
			t.Errorf("echo %d: captured as answered: %v, in the books: %+v", i, answered, e)
		}
		if answered && e.End == netlab.EchoAnswered {
			beyond = append(beyond, time.Duration(back-sent[key])-e.RTT())
		}
		if d := e.There.Due - e.There.Received; e.End != netlab.EchoLostThere && (d < 5e6 || d > 7e6) {
			t.Errorf("echo %d was to be held %d ns", i, d)
		}
	}
	slices.Sort(beyond)
	t.Logf("%d echoes: ends %v; RTT less the books': median %v, %v to %v", len(order), ends, beyond[len(beyond)/2], beyond[0], beyond[len(beyond)-1])
	if m := beyond[len(beyond)/2]; m < 0 || m > 100*time.Microsecond {
		t.Errorf("the median RTT is %v above the books'", m)
	}
	if ends[netlab.EchoLostThere] != len(order)/7+btoi(len(order)%7 > 3) || ends[netlab.EchoLostBack] < 3 {
		t.Errorf("ends %v of %d echoes", ends, len(order))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestWANReorders: an echo that is held back longer is overtaken by the next, and both are booked right.
func TestWANReorders(t *testing.T) {
	ctx := bfdContext(t)
	way := netlab.WANWay{Delay: time.Millisecond}
	slow := way
	slow.Rule = func(p netlab.Passage) (t netlab.Treatment) {
		if p.Kind == netlab.FrameEcho && !p.Returning && p.N%5 == 1 {
			t.Extra = 70 * time.Millisecond
		}
		return t
	}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: slow, FromB: way}})
	frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		return []netlab.FRRPeer{echoing(r, other, false)}
	})
	wait(ctx, t, time.Second)
	overtaken := 0
	echoes := lab.WAN.Echoes(netlab.SideA)
	for i, e := range echoes[:len(echoes)-5] {
		next := echoes[i+1]
		if e.End != netlab.EchoAnswered {
			t.Errorf("%+v", e)
		}
		if next.There.Sent < e.There.Sent && next.Back.Received < e.Back.Received {
			overtaken++
		}
		if want := time.Duration(2+70*btoi(i%5 == 1)) * time.Millisecond; e.Added() < want || e.Added() > want+5*time.Millisecond {
			t.Errorf("echo %d was held %v, want %v", i, e.Added(), want)
		}
	}
	if overtaken < 3 {
		t.Errorf("%d of %d echoes were overtaken", overtaken, len(echoes))
	}
}
