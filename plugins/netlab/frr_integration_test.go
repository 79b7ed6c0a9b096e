//go:build integration && linux

package netlab_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// TestFRREchoesThroughWAN: both sides echo in both IP versions over 5 ms each way, and FRR measures that.
func TestFRREchoesThroughWAN(t *testing.T) {
	ctx := bfdContext(t)
	const delay = 5 * time.Millisecond
	way := netlab.WANWay{Delay: delay}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: way, FromB: way}})
	a, b := frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		return []netlab.FRRPeer{echoing(r, other, false), echoing(r, other, true)}
	})
	ids := map[uint32]bool{}
	for _, f := range []*netlab.FRR{a, b} {
		for _, p := range measured(ctx, t, f, 2*delay) {
			ids[p.ID] = true
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d discriminators, want 4", len(ids))
	}
	counters, err := a.Counters()
	if err != nil || len(counters) != 2 || counters[0].SessionUp != 1 || counters[0].EchoInput == 0 || counters[1].EchoInput == 0 {
		t.Errorf("%+v, %v", counters, err)
	}
	for _, side := range []netlab.Side{netlab.SideA, netlab.SideB} {
		checkAnswered(t, lab.WAN, side, 2*delay)
	}
}

// measured waits until FRR has an RTT within 2 ms above rtt, over IPv4: its mean is of 8 echoes, among which a busy
// machine may have held up one.
func measured(ctx context.Context, t *testing.T, f *netlab.FRR, rtt time.Duration) []netlab.FRRStatus {
	t.Helper()
	for {
		wait(ctx, t, 500*time.Millisecond)
		peers, err := f.Peers()
		if err != nil || len(peers) != 2 {
			t.Fatal(peers, err)
		}
		for _, p := range peers {
			d := time.Duration(p.RTTAvg)*time.Microsecond - rtt
			t.Logf("%v: RTT %d µs", p.Peer, p.RTTAvg)
			if p.Peer.Is4() && d >= 0 && d <= 2*time.Millisecond {
				return peers
			}
		}
	}
}

// checkAnswered: all echoes of a side have come back, most of them held for hardly longer than held in all.
func checkAnswered(t *testing.T, w *netlab.WAN, side netlab.Side, held time.Duration) {
	t.Helper()
	var late, turnaround []time.Duration
	for i, e := range w.Echoes(side) {
		if e.End == netlab.EchoHeld {
			continue
		}
		if e.End != netlab.EchoAnswered || e.Backs != 1 || e.RTT() != e.Added()+e.Turnaround() || e.Added() < held {
			t.Errorf("echo %d of side %d: %+v", i, side, e)
		}
		late, turnaround = append(late, e.Added()-held), append(turnaround, e.Turnaround())
	}
	if len(late) < 10 {
		t.Fatalf("side %d: %d answered echoes", side, len(late))
	}
	slices.Sort(late)
	slices.Sort(turnaround)
	t.Logf("side %d: %d echoes, medians: held %v too long, turned round in %v", side, len(late), late[len(late)/2], turnaround[len(late)/2])
	if late[len(late)/2] > 200*time.Microsecond || turnaround[len(late)/2] > 2*time.Millisecond {
		t.Errorf("side %d: late %v, turned round in %v", side, late, turnaround)
	}
}

// TestFRRPauseAndKill: 0.6 of the detection time does not take a session down, death does.
func TestFRRPauseAndKill(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{Bridge: true})
	a, b := frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		p := r.Peer(other, false)
		p.Transmit, p.Receive, p.DetectMult = 150*time.Millisecond, 150*time.Millisecond, 3
		return []netlab.FRRPeer{p}
	})
	wait(ctx, t, time.Second) // until both use the intervals
	const detection = 450 * time.Millisecond
	stopped, err := a.Pause(detection * 6 / 10)
	if err != nil || stopped < detection*6/10 {
		t.Errorf("paused for %v, %v", stopped, err)
	}
	wait(ctx, t, detection)
	if c, err := b.Counters(); err != nil || c[0].SessionDown != 0 {
		t.Errorf("after a pause: %+v, %v", c, err)
	}
	if err := a.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, 2*detection)
	c, err := b.Counters()
	p, err2 := b.Peers()
	if err != nil || err2 != nil || c[0].SessionDown != 1 || p[0].Status != "down" || p[0].Diagnostic != "control detection time expired" {
		t.Errorf("after the death: %+v, %v; %+v, %v", c, err, p, err2)
	}
}

// TestFRRMultihopAndConfigure: a multihop session, whose peer then shuts it down.
func TestFRRMultihopAndConfigure(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{})
	a, b := frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		return []netlab.FRRPeer{r.MultihopPeer(other, false), r.MultihopPeer(other, true)}
	})
	if err := a.Configure(lab.A.MultihopPeer(lab.B, false), "shutdown"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, time.Second)
	peers, err := b.Peers()
	if err != nil || len(peers) != 2 {
		t.Fatal(peers, err)
	}
	for _, p := range peers {
		if (p.Status == "up") == p.Peer.Is4() {
			t.Errorf("%+v", p)
		}
	}
}
