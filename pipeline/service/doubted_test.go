package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// dropping is an hour of sweeps of six targets, each ten minutes and each with a silent target; one in three dropped frames.
func dropping(m *memory) {
	for k := range 6 {
		at := noon.Add(time.Duration(k) * 10 * time.Minute)
		m.add(at, 6)
		silent := m.rows[len(m.rows)-1]
		silent.Received, silent.RTT = 0, schema.Opt{}
		stats := schema.SweepStatsRow{Host: "h", Instance: "i", Time: at.UnixNano(), Points: 6, Trust: schema.TrustOK}
		if k%3 == 1 {
			stats.Trust = "capture_drops,capture_freezes"
		}
		m.manifests = append(m.manifests, stats)
	}
}

// TestDoubtedIsNotLost: a service, a backfill and a stream of the same lines give the same rows, and the losses of sweeps that
// dropped frames are doubted.
func TestDoubtedIsNotLost(t *testing.T) {
	s, served := fixture()
	dropping(served)
	if err := s.Once(t.Context(), clock()); err != nil {
		t.Fatal(err)
	}
	_, filled := fixture()
	dropping(filled)
	f := Filler{Ends: Ends{Accounts: filled, Points: filled, Sink: filled}, Config: config, Ledger: accounts}
	if err := f.Backfill(t.Context(), 0, clock().UnixNano(), clock().UnixNano(), false); err != nil {
		t.Fatal(err)
	}
	_, streamed := fixture()
	if err := pour(t, NewStream(streamConfig(nil), Closed{}, streamed, nil, nil), served.text()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(filled.lines) != fmt.Sprint(served.lines) || fmt.Sprint(streamed.lines) != fmt.Sprint(served.lines) {
		t.Errorf("the service gives\n%v\na backfill\n%v\nthe stream\n%v", served.lines, filled.lines, streamed.lines)
	}
	found := map[string]int{}
	for line := range served.lines {
		if head, fields, _ := strings.Cut(line, " "); strings.HasPrefix(head, schema.ICMPSweepNetworkRollup) {
			_, loss, _ := strings.Cut(fields, ",sent=")
			loss, _, _ = strings.Cut(loss, ",late")
			found[head[strings.Index(head, "window="):]+" "+loss]++
		}
	}
	for _, want := range []string{"window=1h 36i,received=30i,lost=4i,doubted=2i,percent_lost=11.764705882352942",
		"window=1m 6i,received=5i,lost=1i,doubted=0i,percent_lost=16.666666666666668", "window=1m 6i,received=5i,lost=0i,doubted=1i,percent_lost=0"} {
		if found[want] == 0 {
			t.Errorf("%s is not there: %v", want, found)
		}
		delete(found, want)
	}
	if len(found) > 0 {
		t.Errorf("more is there: %v", found)
	}
}
