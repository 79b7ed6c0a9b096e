//go:build integration && linux

package main

import (
	"slices"
	"testing"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// whole keeps the points of periods that Telegraf has seen as a whole: not its first, not its last.
func whole(points []schema.Point, sessions []map[string]string) (kept []schema.Point) {
	if len(sessions) == 0 {
		return nil
	}
	first, last := sessions[0]["_time"], sessions[len(sessions)-1]["_time"]
	for _, p := range points {
		if at := fluxTime(p.Time); first < at && at < last {
			kept = append(kept, p)
		}
	}
	return kept
}

// checkSessions holds the rows of bfd_session.flux against the capture's points.
func checkSessions(t *testing.T, rows []map[string]string, want []schema.Point, lab *netlab.BFDLab) {
	t.Helper()
	stored := map[string]map[string]string{}
	flaps, misses := map[string]float64{}, map[string]float64{}
	for _, r := range rows {
		stored[r["_time"]+r["local"]] = r
		flaps[r["local"]] += number(r["flaps"])
		misses[r["local"]] += number(r["near_misses"])
	}
	a, b := lab.A.Address.Addr().String(), lab.B.Address.Addr().String()
	if flaps[a] != 1 || flaps[b] != 1 || misses[b] == 0 {
		t.Errorf("flaps %v, near misses %v", flaps, misses)
	}
	compared := map[string]int{}
	for i := range want {
		p := &want[i]
		if p.Measurement == schema.BFDEcho && p.Tag("tap_role") != "initiator" || p.Measurement == schema.BFDEvent {
			continue
		}
		row := stored[fluxTime(p.Time)+p.Tag("local")]
		for _, name := range []string{"rtt_mean_ns", "echo_unanswered", "detect_margin", "near_misses", "flaps"} {
			f, ok := p.Field(name)
			if !ok {
				continue
			}
			compared[name]++
			if row[name] == "" || number(row[name]) != inNumber(f) {
				t.Errorf("%s of %s at %s: %q in InfluxDB, %v by the capture", name, p.Tag("local"), fluxTime(p.Time), row[name], f.Value())
			}
		}
	}
	if compared["rtt_mean_ns"] < 8 || compared["detect_margin"] < 16 || compared["flaps"] < 16 {
		t.Errorf("compared %v", compared)
	}
}

// checkTraffic holds the rows of bfd_echo_with_traffic.flux against the capture's points, and against what was sent.
func checkTraffic(t *testing.T, rows []map[string]string, want []schema.Point) {
	t.Helper()
	byCapture := map[string]float64{}
	for i := range want {
		if f, ok := want[i].Field("rtt_mean_ns"); ok {
			byCapture[fluxTime(want[i].Time)] = inNumber(f)
		}
	}
	var quiet, loaded []float64 // RTTs
	compared := 0
	for _, r := range rows {
		rtt, out := number(r["rtt_mean_ns"]), number(r["out_bit_s"])
		switch {
		case out > 0.7*linkRate:
			loaded = append(loaded, rtt)
		case out < 0.03*linkRate:
			quiet = append(quiet, rtt)
		}
		if number(r["in_bit_s"]) <= 0 || number(r["rtt_min_ns"]) < 4e6 {
			t.Errorf("RTT and traffic: %v", r)
		}
		if w, ok := byCapture[r["_time"]]; ok {
			if compared++; w != rtt {
				t.Errorf("RTT %v at %s, %v by the capture", rtt, r["_time"], w)
			}
		}
	}
	slices.Sort(quiet) // a machine with other things to do holds up the lab's link at times
	if len(quiet) < 4 || quiet[len(quiet)/2] > 10e6 || len(loaded) == 0 || slices.Min(loaded) < 20e6 || compared < 8 {
		t.Errorf("RTTs %v without load, %v under load, %d compared: %v", quiet, loaded, compared, rows)
	}
}
