//go:build integration

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// TestReportFromInfluxDB: what a report draws out of InfluxDB, in either language, is what it draws of the same rows as
// line protocol, byte by byte.
func TestReportFromInfluxDB(t *testing.T) {
	w := newWorld(t)
	for at := noon; at.Before(noon.Add(30 * time.Hour)); at = at.Add(time.Hour) {
		w.add("one", 1, 1024, at, 0)
	}
	bfd := session(t)
	text := append(w.lines(), bfd...)
	w.store()
	if err := lab.influx.Write(t.Context(), w.source, string(bfd)); err != nil {
		t.Fatal(err)
	}
	sink := database(t, "made")
	made := analytics(t)
	if err := lab.influx.Write(t.Context(), sink, string(made)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "rows.lp")
	if err := os.WriteFile(file, append(text, made...), 0o644); err != nil {
		t.Fatal(err)
	}
	draw := func(dir string, from ...string) string {
		dir = filepath.Join(w.dir, dir)
		args := append([]string{"report", "--out", dir, "--format", "svg,apng", "--timezone", "Asia/Kolkata",
			"--start", noon.Format(time.RFC3339), "--stop", noon.Add(48 * time.Hour).Format(time.RFC3339)}, from...)
		if code, log := command(t, args...); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, log)
		}
		return dir
	}
	want := draw("lines", file)
	for _, language := range []string{"influxql", "flux"} {
		w.sourceKeys = "language = '" + language + "'"
		got := draw(language, "--config", w.config(sink, language+"-state"))
		if a, b := names(t, want), names(t, got); !slices.Equal(a, b) || len(a) != 9 {
			t.Fatalf("%s: %v, want %v", language, b, a)
		}
		for _, name := range names(t, want) {
			a, _ := os.ReadFile(filepath.Join(want, name))
			b, _ := os.ReadFile(filepath.Join(got, name))
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs", language, name)
			}
		}
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// analytics are rows of block analytics as they would be made of the sweeps.
func analytics(t *testing.T) (text []byte) {
	t.Helper()
	of := func(group, block string) schema.BlockSeries {
		return schema.BlockSeries{Host: "prober", Instance: "one", Group: group, Network: "10.1.0.0/16", Block: block}
	}
	at := noon.UnixNano()
	for _, r := range []schema.Row{
		&schema.BlockStateRow{BlockSeries: of(schema.GroupBlock, "10.1.1.0/24"), Time: at + 40*int64(time.Hour), Sweeps: 1, Targets: 256, PercentResponding: 12.5,
			State: schema.StateUp, Belief: schema.OptFloat{F: 0.99, Set: true}},
		&schema.BlockOutageRow{BlockSeries: of(schema.GroupBlock, "10.1.2.0/24"), Event: schema.EventOutage, Time: at + int64(time.Hour), Prefix: "10.1.2.128/25",
			Duration: int64(2 * time.Hour), Uncertain: int64(time.Hour), Reason: `the lower half, "all" of it`},
		&schema.BlockOutageRow{BlockSeries: of(schema.GroupNetwork, ""), Event: schema.EventVantage, Time: at + 9*int64(time.Hour), Duration: int64(time.Hour)},
		&schema.BlockChurnRow{BlockSeries: of(schema.GroupNetwork, ""), Time: at, Addresses: 900, Joined: 12, Left: 11, Class: schema.ChurnMixed},
		&schema.BlockDailyRow{BlockSeries: of(schema.GroupNetwork, ""), Time: at, Days: 3, Amplitude: schema.Some(2e6), LatencyClass: schema.DailyMild,
			LatencyHour: schema.OptFloat{F: 20, Set: true}},
	} {
		var err error
		if text, err = schema.AppendLine(text, r); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

// session is a day of a BFD session, with echoes, as both ends of it send.
func session(t *testing.T) (text []byte) {
	t.Helper()
	add := func(r schema.Row) {
		var err error
		if text, err = schema.AppendLine(text, r); err != nil {
			t.Fatal(err)
		}
	}
	ends := [2]schema.BFDSeries{{Host: "prober", Instance: "one", Local: "10.0.0.1", Peer: "10.0.0.2", Hop: "single", Family: "ipv4"}}
	ends[1] = ends[0]
	ends[1].Local, ends[1].Peer = ends[0].Peer, ends[0].Local
	for i := range int64(24 * 60) {
		at := noon.UnixNano() + i*int64(time.Minute)
		for _, end := range ends {
			add(&schema.BFDSessionRow{BFDSeries: end, Time: at, State: "Up", StateCode: 3, DetectMult: 3, Packets: 60, Interval: schema.Some(1e9),
				Intervals:    schema.Intervals{Count: 60, Min: schema.Some(76e7), Mean: schema.Some(87e7), Max: schema.Some(99e7 + i)},
				DetectMargin: schema.OptFloat{F: 0.6, Set: true}})
		}
		echoes := schema.BFDEchoSeries{BFDSeries: ends[0], Layout: "frr-ts", TapRole: "initiator"}
		add(&schema.BFDEchoRow{BFDEchoSeries: echoes, Time: at, Sent: 600, Returned: 600, Pairing: "identity",
			RTTMin: schema.Some(20e3), RTTP50: schema.Some(25e3 + i), RTTP95: schema.Some(30e3), RTTMax: schema.Some(50e3)})
	}
	add(&schema.BFDEventRow{BFDSeries: ends[0], Event: schema.BFDEventFlap, Time: noon.UnixNano() + int64(time.Hour), Text: `"Up" to Down`, From: "Up", To: "Down"})
	return text
}

// TestPathsFromInfluxDB: stored samples tell, in either language, what the same rows tell as line protocol, in words and in
// the picture.
func TestPathsFromInfluxDB(t *testing.T) {
	w := newWorld(t)
	text := chain().lines(t, 5, 200, "192.0.2.3", "192.0.2.1", "192.0.2.4")
	if err := lab.influx.Write(t.Context(), w.source, text); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "samples.lp")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stretch := []string{"--start", "2026-01-10T12:00:00Z", "--stop", "2026-01-10T13:00:00Z"}
	references := []string{"--reference", "192.0.2.1=1,5", "--reference", "192.0.2.4=4,5"}
	want, _, err := runPath("", append(references, "--read", file, "192.0.2.3")...)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(dir string, args ...string) string {
		dir = filepath.Join(w.dir, dir)
		if _, log, err := runReport("", append(args, "--out", dir, "--picture", "path", "--format", "svg")...); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		return dir
	}
	drawn := draw("lines", file)
	for _, language := range []string{"influxql", "flux"} {
		w.sourceKeys = "language = '" + language + "'"
		config := w.config(database(t, "made-"+language), language+"-state")
		args := slices.Concat(references, stretch, []string{"--stored", "--config", config, "192.0.2.3"})
		if got, log, err := runPath("", args...); err != nil || got != want {
			t.Errorf("%s: %v\n%s%s", language, err, log, got)
		}
		for _, name := range names(t, draw(language, append(stretch, "--config", config)...)) {
			a, _ := os.ReadFile(filepath.Join(drawn, name))
			b, _ := os.ReadFile(filepath.Join(w.dir, language, name))
			if len(a) == 0 || !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs", language, name)
			}
		}
	}
	if _, _, err := runPath("", "--stored", "--config", w.config(database(t, "made"), "state"), "--start", "2026-01-09T12:00:00Z", "--stop", "2026-01-09T13:00:00Z"); err == nil ||
		!strings.Contains(err.Error(), "path: no points of icmp_sample in bucket") {
		t.Error(err)
	}
}
