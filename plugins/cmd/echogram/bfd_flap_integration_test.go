//go:build integration && linux

package main

import (
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// TestBFDNearMissAndFlap: A's bfdd is stopped for 0.6 of the detection time, which is a near miss and no flap, and later
// killed, which is a flap that B explains, and no near miss. At B's tap the gaps are those that B's own clock sees.
func TestBFDNearMissAndFlap(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{})
	stop := listen(ctx, t, lab.B.Namespace, lab.B.Link, "--period", "60s")
	const interval, mult = 200 * time.Millisecond, 5 // a busy machine may stand still for half an interval
	const detection = mult * interval
	a, b := frrPair(ctx, t, lab, func(r, other netlab.Router) []netlab.FRRPeer {
		p := r.Peer(other, false)
		p.Transmit, p.Receive, p.DetectMult = interval, interval, mult
		return []netlab.FRRPeer{p}
	})
	pause(ctx, t, 2*time.Second) // until both use the intervals, and some have passed
	stopped, err := a.Pause(detection * 6 / 10)
	if err != nil {
		t.Fatal(err)
	}
	pause(ctx, t, 2*time.Second)
	if err := a.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now().UnixNano()
	pause(ctx, t, 2*detection)
	rows := stop()
	checkNearMiss(t, rows, lab, stopped, interval, detection)
	checkFlap(t, rows, lab, killed, interval, detection)
	if c, err := b.Counters(); err != nil || c[0].SessionDown != 1 {
		t.Errorf("FRR: %+v, %v", c, err)
	}
}

func checkNearMiss(t *testing.T, rows bfdRows, lab *netlab.BFDLab, stopped, interval, detection time.Duration) {
	t.Helper()
	events := rows.ofKind(schema.BFDEventNearMiss)
	if len(events) != 1 {
		t.Fatalf("%d near misses: %s", len(events), rows.text)
	}
	e := events[0]
	gap := time.Duration(e.Gap.N)
	t.Logf("%s; stopped for %v, %d packets missed", e.Text, stopped, e.Missed.N)
	// What was due while bfdd stood still is sent when it goes on.
	if e.Local != lab.A.Address.Addr().String() || gap < stopped || gap > stopped+interval+interval/2 || e.DetectionTime.N != int64(detection) {
		t.Errorf("%+v", e)
	}
	if len(rows.ofKind(schema.BFDEventSilent)) > 0 {
		t.Errorf("silence: %s", rows.text)
	}
}

func checkFlap(t *testing.T, rows bfdRows, lab *netlab.BFDLab, killed int64, interval, detection time.Duration) {
	t.Helper()
	events := rows.ofKind(schema.BFDEventFlap)
	if len(events) != 1 {
		t.Fatalf("%d flaps: %s", len(events), rows.text)
	}
	e := events[0]
	t.Log(e.Text)
	late := time.Duration(e.DetectionMeasured.N) - detection
	if e.Local != lab.B.Address.Addr().String() || e.From != "Up" || e.To != "Down" || e.DiagnosticCode != schema.Some(1) ||
		e.Time < killed || late < -time.Millisecond || late > interval/2 || e.Gap != e.DetectionMeasured {
		t.Errorf("%+v", e)
	}
	flaps, misses := map[string]int64{}, map[string]int64{}
	for _, s := range rows.sessions {
		flaps[s.Local] += s.Flaps
		misses[s.Local] += s.NearMisses
	}
	own, other := lab.B.Address.Addr().String(), lab.A.Address.Addr().String()
	if flaps[own] != 1 || flaps[other] != 0 || misses[own] != 0 || misses[other] != 1 {
		t.Errorf("flaps %v, near misses %v", flaps, misses)
	}
}
