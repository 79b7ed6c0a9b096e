//go:build integration

package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// fickle answers for the first half of each /24, keeps silent for the next quarter, and answers each second request
// to the last. Block 4 answers later with each of five requests.
func fickle(p netlab.Probe) netlab.Fate {
	a := p.Target.As4()
	switch {
	case a[3] < 128 && a[2] == 4:
		return netlab.Fate{Delay: time.Duration(p.N%5) * 10 * time.Millisecond}
	case a[3] < 128:
		return netlab.Fate{}
	}
	return netlab.Fate{Lose: a[3] < 192 || p.N%2 == 1}
}

// fickleNetwork is the prober of a wild network that is fickle.
func fickleNetwork(t *testing.T) *netlab.Namespace {
	t.Helper()
	lab, err := netlab.WildLab(netlab.WildConfig{Networks: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/21")}, Behaviour: fickle})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return lab.Prober
}

// pointStanzas are named after what they show.
func pointStanzas() string {
	var all strings.Builder
	for _, s := range []struct{ instance, interval, network, more string }{
		{"all", "2s", "198.18.0.0/24", ""},
		{"responding", "2s", "198.18.1.0/24", `per_target = "responding"`},
		{"changed", "2s", "198.18.2.0/24", `per_target = "changed"`},
		{"none", "2s", "198.18.3.0/24", `per_target = "none"`},
		{"percentiles", "2s", "198.18.4.0/25", "count = 5\n  count_interval = \"100ms\"\n  percentiles = [50, 90]"},
		{"samples", "2s", "198.18.5.0/24", "samples = true\n  count = 2\n  count_interval = \"200ms\""},
		{"fast", "1s", "198.18.6.0/28", ""},
		{"slow", "1s", "198.18.7.128/26", "retries = 1"}, // silent, so that the retry makes it longer than its interval
	} {
		fmt.Fprintf(&all, "[[inputs.icmp_sweep]]\n  instance = %q\n  interval = %q\n  networks = [%q]\n  timeout = \"600ms\"\n  %s\n",
			s.instance, s.interval, s.network, s.more)
	}
	return all.String()
}

// TestTelegrafPoints runs all stanzas at once and looks at what reaches the output.
func TestTelegrafPoints(t *testing.T) {
	var shapes []map[string]string
	eachRig(t, fickleNetwork, pointStanzas(), func(t *testing.T, r *rig) {
		o := r.live(t, func(signal func(os.Signal)) {
			sleepUntil(2*time.Second, 4)
			r.wantOneRing(t)
			time.Sleep(1700 * time.Millisecond)
			signal(syscall.SIGTERM)
		})
		wantQuiet(t, o)
		data, err := os.ReadFile(r.out)
		if err != nil {
			t.Fatal(err)
		}
		points := parsePoints(t, data)
		checkPoints(t, data, points)
		shapes = append(shapes, shape(points))
	})
	if len(shapes) == 2 && !maps.Equal(shapes[0], shapes[1]) {
		t.Errorf("what is compiled in and what is not write\n%v\n%v", shapes[0], shapes[1])
	}
}

// wantOneRing demands that all stanzas share one capture.
func (r *rig) wantOneRing(t *testing.T) {
	t.Helper()
	out, err := r.prober.Command(t.Context(), "cat", "/proc/net/packet").Output()
	if err != nil {
		t.Error(err)
	}
	const rawOfAllProtocols = " 3    0003 " // columns Type and Proto: SOCK_RAW, ETH_P_ALL
	if n := strings.Count(string(out), rawOfAllProtocols); n != 1 {
		t.Errorf("%d rings:\n%s", n, out)
	}
}

func parsePoints(t *testing.T, data []byte) (all []schema.Point) {
	t.Helper()
	for line := range bytes.Lines(data) {
		var p schema.Point
		if err := p.Parse(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, p)
	}
	return all
}

// shape lists the tags and the typed fields of each measurement, those left out that chance may bring.
func shape(points []schema.Point) map[string]string {
	keys := map[string]map[string]bool{}
	for i := range points {
		p := &points[i]
		if keys[p.Measurement] == nil {
			keys[p.Measurement] = map[string]bool{}
		}
		for k := range p.TagMap() {
			keys[p.Measurement]["tag "+k] = true
		}
		for _, f := range p.Fields {
			if f.Key != "late" && f.Key != "late_rtt_ns" && f.Key != "partial" {
				keys[p.Measurement][fmt.Sprintf("%s %d", f.Key, f.Kind())] = true
			}
		}
	}
	all := map[string]string{}
	for m, set := range keys {
		all[m] = strings.Join(slices.Sorted(maps.Keys(set)), ", ")
	}
	return all
}

func checkPoints(t *testing.T, data []byte, points []schema.Point) {
	t.Helper()
	want := map[string]func(i int) int{ // rows of the i-th sweep
		"all":         func(int) int { return 256 },
		"responding":  func(int) int { return 192 },
		"changed":     func(i int) int { return 256 - 192*min(i, 1) },
		"none":        func(int) int { return 0 },
		"percentiles": func(int) int { return 128 },
		"samples":     func(int) int { return 256 },
		"fast":        func(int) int { return 16 },
		"slow":        func(int) int { return 64 },
	}
	for instance, rows := range want {
		var own bytes.Buffer
		for line := range bytes.Lines(data) {
			if bytes.Contains(line, []byte(",instance="+instance+",")) || bytes.Contains(line, []byte(",instance="+instance+" ")) {
				own.Write(line)
			}
		}
		all := readSweeps(t, &own)
		if len(all) < 2 {
			t.Errorf("%s: %d sweeps", instance, len(all))
		}
		for i, at := range slices.Sorted(maps.Keys(all)) {
			s := all[at]
			switch {
			case s.stats == nil:
				t.Errorf("%s: sweep %d has no manifest", instance, at)
			case s.stats.Partial:
			case len(s.rows) != rows(i) || int64(len(s.rows)) != s.stats.Points || s.stats.Trust != schema.TrustOK || s.blocks != 1:
				t.Errorf("%s: sweep %d has %d rows and %d blocks, want %d: %+v", instance, i, len(s.rows), s.blocks, rows(i), s.stats)
			}
		}
		checkTimes(t, instance, all)
		if instance == "percentiles" {
			checkPercentiles(t, all)
		}
		if instance == "samples" {
			checkSamples(t, all, points)
		}
	}
}

// checkTimes looks at the times of a stanza's sweeps: they are its slots, and what did not fit is left out.
func checkTimes(t *testing.T, instance string, all sweeps) {
	t.Helper()
	step, skipped := map[string]time.Duration{"fast": time.Second}[instance], int64(0)
	if step == 0 {
		step = 2 * time.Second
	}
	if instance == "slow" {
		skipped = 1
	}
	times := slices.Sorted(maps.Keys(all))
	for i, at := range times {
		if instance != "slow" && time.Duration(at)%step != 0 || i > 0 && time.Duration(at-times[i-1]) != step {
			t.Errorf("%s: sweeps at %v", instance, times)
			return
		}
		if s := all[at].stats; i > 0 && s != nil && s.Skipped != skipped {
			t.Errorf("%s: %d sweeps skipped, want %d", instance, s.Skipped, skipped)
		}
	}
}

func checkPercentiles(t *testing.T, all sweeps) {
	t.Helper()
	for _, s := range all {
		for _, r := range s.rows {
			if s.stats.Partial || r.Received != 5 {
				continue
			}
			p := map[int]int64{}
			for _, q := range r.Percentiles {
				p[q.P] = q.RTT.N
			}
			const ms = 1_000_000
			if !(r.RTTMin.N < p[50] && p[50] >= 20*ms && p[90] > p[50] && p[90] <= r.RTTMax.N && r.RTTMax.N >= 40*ms) {
				t.Errorf("%s: delays of 0 to 40 ms, RTT %d to %d, percentiles %v", r.Target, r.RTTMin.N, r.RTTMax.N, r.Percentiles)
				return
			}
		}
	}
}

// checkSamples: one point for each request, at the nanosecond at which it left.
func checkSamples(t *testing.T, all sweeps, points []schema.Point) {
	t.Helper()
	got, precise := map[int64]int64{}, false
	seen := map[string]bool{}
	for i := range points {
		if points[i].Measurement != schema.ICMPSample {
			continue
		}
		var row schema.SampleRow
		if err := schema.Read(&points[i], &row); err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprint(row.Target, row.Time)
		if after := row.Time - row.Sweep; seen[key] || after < 0 || after > int64(2*time.Second) {
			t.Errorf("sample of %s %d ns after the sweep's start, twice: %v", row.Target, after, seen[key])
		}
		seen[key] = true
		got[row.Sweep]++
		precise = precise || row.Time%1000 != 0
	}
	for at, s := range all {
		if s.stats != nil && (got[at] != s.stats.Sent || got[at] == 0 && !s.stats.Partial) {
			t.Errorf("sweep %d: %d samples of %d requests", at, got[at], s.stats.Sent)
		}
	}
	if !precise {
		t.Error("the times of samples were rounded")
	}
}
