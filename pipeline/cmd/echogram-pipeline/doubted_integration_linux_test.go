//go:build integration

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// loss is what did not come back in one window.
type loss struct{ sent, lost, doubted int64 }

// losses sums up, in the plainest way, what did not come back.
func (w *world) losses(length time.Duration, key func(*schema.SweepRow) string) map[string]*loss {
	all := map[string]*loss{}
	for _, r := range w.sweeps {
		k := fmt.Sprint(key(r), " ", r.Instance, " ", r.Time/int64(length)*int64(length))
		if all[k] == nil {
			all[k] = &loss{}
		}
		all[k].sent += r.Sent
		if n := r.Sent - r.Received - r.Late; w.stats[statsKey{r.Instance, r.Time}].Trust == schema.TrustOK {
			all[k].lost += n
		} else {
			all[k].doubted += n
		}
	}
	return all
}

func compareLosses(t *testing.T, db, measurement, window, keyTag string, want map[string]*loss) {
	t.Helper()
	series, err := lab.influx.Query(t.Context(), db, fmt.Sprintf("SELECT * FROM %s WHERE \"window\" = '%s' GROUP BY *", measurement, window))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range series {
		for i := range s.Values {
			n++
			k := fmt.Sprint(s.Tags[keyTag], " ", s.Tags["instance"], " ", s.Int(i, "time"))
			got := loss{s.Int(i, "sent"), s.Int(i, "lost"), s.Int(i, "doubted")}
			if want[k] == nil || got != *want[k] {
				t.Fatalf("%s %s %s: %+v, want %+v", measurement, window, k, got, want[k])
			}
			percent := 0.0
			if told := got.sent - got.doubted; told > 0 {
				percent = 100 * float64(got.lost) / float64(told)
			}
			if math.Abs(s.Float(i, "percent_lost")-percent) > 1e-9 {
				t.Fatalf("%s %s %s: percent_lost %v, want %v", measurement, window, k, s.Float(i, "percent_lost"), percent)
			}
		}
	}
	if n != len(want) || n == 0 {
		t.Errorf("%s %s: %d rows, want %d", measurement, window, n, len(want))
	}
}

// TestDoubtedIsNotLost: sweeps that dropped frames, each seventh of one instance and an hour of the other, among good ones.
// Their losses are doubted in every window, and InfluxQL, Flux and an import of the lines give the same bytes.
func TestDoubtedIsNotLost(t *testing.T) {
	w := newWorld(t)
	w.windows, w.extra = `["1m", "10m", "1h", "1d"]`, `sweep_interval = "5m"`
	midnight := noon.Truncate(day)
	for k := range 288 {
		at := midnight.Add(time.Duration(k) * 5 * time.Minute)
		w.add("one", 1, 200, at, 0)
		w.add("two", 2, 20, at, 0)
		if k%7 == 3 {
			w.stats[statsKey{"one", at.UnixNano()}].Trust = "capture_drops,capture_freezes"
		}
		if k/12 == 5 {
			w.stats[statsKey{"two", at.UnixNano()}].Trust = "nic_drops"
		}
	}
	all := *w
	text := w.lines()
	w.store()
	files := map[string]string{}
	for _, language := range []string{"influxql", "flux"} {
		sink := database(t, language)
		w.sourceKeys = fmt.Sprintf("language = %q", language)
		w.once(w.config(sink, language), midnight.Add(2*day))
		for window, length := range map[string]time.Duration{"1m": time.Minute, "10m": 10 * time.Minute, "1h": time.Hour, "1d": day} {
			compareLosses(t, sink, schema.ICMPSweepNetworkRollup, window, "network", all.losses(length, network))
			compareLosses(t, sink, schema.ICMPSweepBlockRollup, window, "block", all.losses(length, block))
			if length >= time.Hour {
				compareLosses(t, sink, schema.ICMPSweepRollup, window, "target", all.losses(length, target))
			}
		}
		files[language] = w.toFile(language, midnight.Add(2*day))
	}
	shuffled, out := filepath.Join(w.dir, "points.lp"), filepath.Join(w.dir, "imported.lp")
	if err := os.WriteFile(shuffled, shuffle(text, 5*time.Minute), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, log := command(t, "import", "--config", filepath.Join(w.dir, "influxql.toml"), "--output", out, shuffled); code != 0 {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	files["import"] = sortedLines(t, out)
	if files["influxql"] != files["flux"] || files["influxql"] != files["import"] {
		t.Errorf("rows differ: influxql %d bytes, flux %d, import %d: %s%s", len(files["influxql"]), len(files["flux"]), len(files["import"]),
			difference(files["influxql"], files["import"]), difference(files["influxql"], files["flux"]))
	}
}

// TestLateManifestDoubts: a window that was rolled up before the manifest of its sweep came is read again, and its losses are
// doubted then.
func TestLateManifestDoubts(t *testing.T) {
	w := newWorld(t)
	w.add("one", 1, 100, noon, 0)
	manifests := w.stats
	manifests[statsKey{"one", noon.UnixNano()}].Trust = "capture_drops"
	want := w.losses(time.Hour, network)
	w.stats = map[statsKey]*schema.SweepStatsRow{}
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	w.once(config, noon.Add(time.Hour))
	if n := rows(t, sink, schema.ICMPSweepNetworkRollup, "doubted = 0 AND lost > 0 AND complete = false"); n != 2 {
		t.Errorf("%d rows before the manifest, want those of a minute and an hour", n)
	}
	w.stats = manifests
	w.store()
	w.once(config, noon.Add(2*time.Hour))
	compareLosses(t, sink, schema.ICMPSweepNetworkRollup, "1h", "network", want)
}
