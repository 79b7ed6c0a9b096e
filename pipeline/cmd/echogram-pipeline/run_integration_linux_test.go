//go:build integration

package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/schema"
)

const day = 24 * time.Hour

// noon is long past, so that every lateness has passed.
var noon = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

// truth is one rollup row, computed in the plainest way.
type truth struct {
	points, sent, received, late, dup int64
	sweeps                            map[int64]bool
	answered                          map[string]bool
	rtts                              []int64
}

func truths(sweeps []*schema.SweepRow, length time.Duration, key func(*schema.SweepRow) string) map[string]*truth {
	all := map[string]*truth{}
	for _, r := range sweeps {
		k := fmt.Sprint(key(r), " ", r.Instance, " ", r.Time/int64(length)*int64(length))
		e := all[k]
		if e == nil {
			e = &truth{sweeps: map[int64]bool{}, answered: map[string]bool{}}
			all[k] = e
		}
		e.points++
		e.sent += r.Sent
		e.received += r.Received
		e.late += r.Late
		e.dup += r.Duplicates
		e.sweeps[r.Time] = true
		e.answered[r.Target] = e.answered[r.Target] || r.Received > 0
		if r.RTT.Set {
			e.rtts = append(e.rtts, r.RTT.N)
		}
	}
	return all
}

// compare holds the rows of a measurement and window against the truth.
func compare(t *testing.T, db, measurement, window, keyTag string, want map[string]*truth) {
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
			w := want[k]
			if w == nil {
				t.Fatalf("%s %s: nothing belongs here", measurement, k)
			}
			check := func(field string, v int64) {
				if got := s.Int(i, field); got != v {
					t.Fatalf("%s %s %s: %s is %d, want %d", measurement, window, k, field, got, v)
				}
			}
			check("sent", w.sent)
			check("received", w.received)
			check("late", w.late)
			check("lost", w.sent-w.received-w.late)
			check("duplicates", w.dup)
			check("sweeps", int64(len(w.sweeps)))
			check("missing", 0)
			if s.Value(i, "complete") != true {
				t.Fatalf("%s %s is not complete", measurement, k)
			}
			if loss := 100 * float64(w.sent-w.received-w.late) / float64(w.sent); math.Abs(s.Float(i, "percent_lost")-loss) > 1e-9 {
				t.Fatalf("percent_lost %v, want %v", s.Float(i, "percent_lost"), loss)
			}
			if len(w.rtts) == 0 {
				continue
			}
			slices.Sort(w.rtts)
			var sum int64
			for _, v := range w.rtts {
				sum += v
			}
			check("rtt_min_ns", w.rtts[0])
			check("rtt_max_ns", w.rtts[len(w.rtts)-1])
			check("rtt_mean_ns", sum/int64(len(w.rtts)))
			if keyTag != "block" {
				continue
			}
			check("points", w.points)
			check("targets", int64(len(w.answered)))
			var responding int64
			for _, a := range w.answered {
				if a {
					responding++
				}
			}
			check("responding", responding)
			for p, field := range map[int]string{50: "rtt_p50_ns", 90: "rtt_p90_ns", 99: "rtt_p99_ns"} {
				exact := w.rtts[(len(w.rtts)*p+99)/100-1]
				tolerance := 0.0
				if len(w.rtts) > 512 {
					tolerance = 0.01*float64(exact) + 1
				}
				if got := s.Int(i, field); math.Abs(float64(got-exact)) > tolerance {
					t.Fatalf("%s of %d values is %d, want %d", field, len(w.rtts), got, exact)
				}
			}
		}
	}
	if n != len(want) {
		t.Errorf("%s %s: %d rows, want %d", measurement, window, n, len(want))
	}
}

func block(r *schema.SweepRow) string  { return r.Block }
func target(r *schema.SweepRow) string { return r.Target }

// TestRollupsAreTrue: 4,096 targets and a small instance beside them, across an hour's end, against sums made the
// plainest way; by InfluxQL and by Flux.
func TestRollupsAreTrue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for at := noon.Add(-5 * time.Minute); at.Before(noon.Add(3 * time.Minute)); at = at.Add(10 * time.Second) {
		w.add("big", 1, 4096, at, 0)
		w.add("small", 2, 30, at, 0)
	}
	all := w.sweeps
	w.store()
	dumps := map[string]string{}
	for _, language := range []string{"influxql", "flux"} {
		sink := database(t, language)
		w.sourceKeys = fmt.Sprintf("language = %q", language)
		began := time.Now()
		w.once(w.config(sink, language), noon.Add(2*time.Hour))
		t.Logf("%s: %d points in %v", language, len(all), time.Since(began).Round(time.Millisecond))
		compare(t, sink, schema.ICMPSweepBlockRollup, "1m", "block", truths(all, time.Minute, block))
		compare(t, sink, schema.ICMPSweepBlockRollup, "1h", "block", truths(all, time.Hour, block))
		compare(t, sink, schema.ICMPSweepRollup, "1h", "target", truths(all, time.Hour, target))
		dumps[language] = dump(t, sink)
	}
	if dumps["influxql"] != dumps["flux"] {
		t.Error("Flux gives other rows than InfluxQL")
	}
	if !strings.Contains(dumps["flux"], `north, "hall" a=b\c`) {
		t.Error("the label is lost")
	}
}

// torn is what TestKilled does to the pipeline and its database: a little, or what ECHOGRAM_PIPELINE_KILLS says.
func torn(t *testing.T) (kills, stops int, stopped time.Duration) {
	t.Helper()
	text := os.Getenv("ECHOGRAM_PIPELINE_KILLS")
	if text == "" {
		return 5, 1, 2 * time.Second
	}
	kills, err := strconv.Atoi(text)
	if err != nil || kills < 4 {
		t.Fatalf("ECHOGRAM_PIPELINE_KILLS=%q is no number of kills from 4 on", text)
	}
	return kills, 3, 30 * time.Second
}

// TestKilled: killed in the midst of a backlog, again and again, while now and then the database is away, the pipeline
// gives the rows of an undisturbed run.
func TestKilled(t *testing.T) {
	kills, stops, stopped := torn(t)
	w := newWorld(t)
	for at := noon; at.Before(noon.Add(time.Duration(kills) * day)); at = at.Add(24 * time.Minute) {
		w.add("one", 1, 256, at, 0)
	}
	w.store()
	calm, torn := database(t, "calm"), database(t, "torn")
	w.windows = `["1m", "1h", "1d"]`
	w.sinkKeys = "batch = 100" // many writes a day
	w.once(w.config(calm, "calm"), time.Now())
	config := w.config(torn, "torn")
	checkpoint := func() string {
		data, _ := os.ReadFile(filepath.Join(w.dir, "torn", "checkpoint.json"))
		return string(data)
	}
	for kill := range kills {
		cmd, stderr := start(t, "run", "--config", config)
		if kill%2 == 0 {
			w.awaitChange(func() string { return fmt.Sprint(written(t, torn)) })
		} else {
			w.awaitChange(checkpoint)
		}
		if (kill+1)*stops/kills > kill*stops/kills {
			w.stopInflux(stopped)
			if before := written(t, torn); !within(2*time.Minute, func() bool { return written(t, torn) != before }) {
				cmd.Process.Kill()
				cmd.Wait()
				t.Fatalf("kill %d: nothing happens after the database came back:\n%s", kill, stderr)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
			t.Fatalf("kill %d came too late: %v\n%s", kill, cmd.ProcessState, stderr)
		}
		t.Logf("kill %d: %d rows in the sink, %d days done by this process", kill, written(t, torn), strings.Count(stderr.String(), "rolled up"))
	}
	if a, b := dump(t, calm), dump(t, torn); a == b {
		t.Error("the kills came too late to prove anything")
	}
	log := w.once(config, time.Now())
	left := strings.Count(log, "rolled up")
	t.Logf("the last run had %d of %d days left", left, kills+1)
	if left == 0 || left > kills {
		t.Error("the checkpoint was of no use, or there was nothing left")
	}
	if a, b := dump(t, calm), dump(t, torn); a != b || len(a) < 1000 {
		t.Errorf("the rollups differ: %d and %d bytes", len(a), len(b))
	}
}

// stopInflux takes the database away for a while.
func (w *world) stopInflux(d time.Duration) {
	w.t.Helper()
	err := lab.influx.Stop()
	time.Sleep(d)
	if err = errors.Join(err, lab.influx.Restart(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
}

// written counts all rollup rows.
func written(t *testing.T, db string) int64 {
	return rows(t, db, schema.ICMPSweepBlockRollup, "time > 0") + rows(t, db, schema.ICMPSweepRollup, "time > 0")
}

// awaitChange polls until state says something else than at first.
func (w *world) awaitChange(state func() string) {
	w.t.Helper()
	before := state()
	if !within(time.Minute, func() bool { return state() != before }) {
		w.t.Fatal("nothing happens")
	}
}

// within polls until done says so, and tells whether it did in time.
func within(d time.Duration, done func() bool) bool {
	for deadline := time.Now().Add(d); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// TestLateSweepReopensOnlyItsWindow: what arrives late is rolled up, and nothing else is written again.
func TestLateSweepReopensOnlyItsWindow(t *testing.T) {
	w := newWorld(t)
	for at := noon; at.Before(noon.Add(70 * time.Minute)); at = at.Add(time.Minute) {
		w.add("one", 1, 512, at, 0)
	}
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	w.once(config, noon.Add(3*time.Hour))
	if log := w.once(config, noon.Add(3*time.Hour)); strings.Contains(log, "rolled up") {
		t.Errorf("a second run had something to do:\n%s", log)
	}
	// If a window is written again, it comes back.
	if _, err := lab.influx.Query(t.Context(), sink, "DELETE FROM "+schema.ICMPSweepBlockRollup+" WHERE \"window\" = '1m'"); err != nil {
		t.Fatal(err)
	}
	w.add("one", 1, 512, noon.Add(20*time.Minute+10*time.Second), 0)
	w.store()
	log := w.once(config, noon.Add(3*time.Hour))
	if !strings.Contains(log, "windows=2 complete=2") {
		t.Errorf("log:\n%s", log)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, `"window" = '1m'`); n != 2 {
		t.Errorf("%d minutes were written again, want 2 blocks' one", n)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, fmt.Sprintf("\"window\" = '1m' AND sweeps = 2 AND points = 512 AND time = %d", noon.Add(20*time.Minute).UnixNano())); n != 2 {
		t.Errorf("%d rows hold both sweeps, want 2", n)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, "\"window\" = '1h' AND sweeps = 61 AND complete = true"); n != 2 {
		t.Errorf("%d hours hold it, want 2", n)
	}
}

// TestUnfinishedIsOverwritten: running and incomplete windows carry complete=false until a later run.
func TestUnfinishedIsOverwritten(t *testing.T) {
	w := newWorld(t)
	w.add("one", 1, 100, noon, 0)
	w.add("one", 1, 100, noon.Add(time.Minute), 256) // rows of another block are still missing
	w.add("one", 1, 100, noon.Add(2*time.Minute), 0)
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	w.once(config, noon.Add(2*time.Minute+30*time.Second))
	minutes := "\"window\" = '1m' AND complete = "
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, minutes+"true AND missing = 0"); n != 1 {
		t.Errorf("%d complete minutes, want 1", n)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, minutes+"false AND missing = 256"); n != 1 {
		t.Errorf("%d minutes miss rows, want 1", n)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, minutes+"false AND missing = 0"); n != 1 {
		t.Errorf("%d running minutes, want 1", n)
	}
	if n := rows(t, sink, schema.ICMPSweepRollup, "complete = false AND missing = 256"); n != 100 {
		t.Errorf("%d targets of a running hour, want 100", n)
	}
	w.sweeps = append(w.sweeps, w.sweep("one", 3, 256, noon.Add(time.Minute))...)
	w.add("one", 1, 100, noon.Add(2*time.Minute+40*time.Second), 0)
	w.store()
	w.once(config, noon.Add(2*time.Hour))
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, "complete = false"); n != 0 {
		t.Errorf("%d rows are still incomplete", n)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, minutes+"true"); n != 4 {
		t.Errorf("%d complete rows of minutes, want 4", n)
	}
	if n := rows(t, sink, schema.ICMPSweepRollup, "complete = true"); n != 356 {
		t.Errorf("%d targets of the hour, want 356", n)
	}
}

// TestLateReplies: a second row of the same series and time makes a lost probe a late one.
func TestLateReplies(t *testing.T) {
	w := newWorld(t)
	w.add("one", 1, 100, noon, 0)
	silent := w.sweeps[slices.IndexFunc(w.sweeps, func(r *schema.SweepRow) bool { return r.Received == 0 && r.Late == 0 })]
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	w.once(config, noon.Add(time.Hour))
	hour := fmt.Sprintf("target = '%s' AND ", silent.Target)
	if n := rows(t, sink, schema.ICMPSweepRollup, hour+"lost = 1 AND late = 0"); n != 1 {
		t.Errorf("%d lost before, want 1", n)
	}
	late, err := schema.AppendLine(nil, &schema.LateRow{Series: silent.Series, Time: silent.Time, Late: 1, LateRTT: schema.Some(2e9)})
	if err != nil {
		t.Fatal(err)
	}
	late, _ = schema.AppendLine(late, &schema.StatsLateRow{Host: "prober", Instance: "one", Time: silent.Time, Late: 1})
	if err := lab.influx.Write(t.Context(), w.source, string(late)); err != nil {
		t.Fatal(err)
	}
	w.once(config, noon.Add(2*time.Hour))
	if n := rows(t, sink, schema.ICMPSweepRollup, hour+"lost = 0 AND late = 1"); n != 1 {
		t.Errorf("%d late afterwards, want 1", n)
	}
}

// TestCheckpointLostOrDamaged: reading starts again, says so, and writes the same rows.
func TestCheckpointLostOrDamaged(t *testing.T) {
	w := newWorld(t)
	for at := noon; at.Before(noon.Add(5 * time.Minute)); at = at.Add(time.Minute) {
		w.add("one", 1, 64, at, 0)
	}
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	w.once(config, noon.Add(2*time.Hour))
	before := dump(t, sink)
	file := filepath.Join(w.dir, "state", "checkpoint.json")
	if err := os.WriteFile(file, []byte("{\"version\":1"), 0o644); err != nil {
		t.Fatal(err)
	}
	log := w.once(config, noon.Add(2*time.Hour))
	if !strings.Contains(log, "checkpoint not usable") || !strings.Contains(log, "damaged") || dump(t, sink) != before {
		t.Errorf("damaged:\n%s", log)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	log = w.once(config, noon.Add(2*time.Hour))
	if !strings.Contains(log, "no checkpoint") || dump(t, sink) != before {
		t.Errorf("lost:\n%s", log)
	}
}

// TestServiceStopsAtOnce: the service rolls up a backlog, holds its state directory, and ends within a second.
func TestServiceStopsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.extra = "interval = '1s'\nlateness = '10s'\nlog_level = 'debug'"
	begin := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	for at := begin; at.Before(begin.Add(5 * time.Minute)); at = at.Add(10 * time.Second) {
		w.add("one", 1, 300, at, 0)
	}
	w.store()
	sink := database(t, "sink")
	config := w.config(sink, "state")
	cmd, stderr := start(t, "run", "--config", config)
	for deadline := time.Now().Add(20 * time.Second); rows(t, sink, schema.ICMPSweepBlockRollup, "complete = true") < 10; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("nothing was rolled up:\n%s", stderr)
		}
	}
	code, second := command(t, "run", "--config", config, "--once")
	if code != 1 || !strings.Contains(second, "another pipeline uses this directory") || strings.Count(second, "\n") != 1 {
		t.Errorf("a second pipeline: %d\n%s", code, second)
	}
	w.add("one", 1, 300, begin.Add(6*time.Minute), 0)
	w.store()
	for deadline := time.Now().Add(20 * time.Second); rows(t, sink, schema.ICMPSweepBlockRollup, "complete = true AND \"window\" = '1m'") < 12; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("a new minute is not rolled up")
			break
		}
	}
	began := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if took := time.Since(began); took > time.Second || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("ended after %v with %v\n%s", took, cmd.ProcessState, stderr)
	}
}

// TestOneClearLine: what is wrong with the surroundings.
func TestOneClearLine(t *testing.T) {
	w := newWorld(t)
	w.add("one", 1, 4, noon, 0)
	w.store()
	path := filepath.Join(w.dir, "p.toml")
	config := func(text string) {
		text = fmt.Sprintf("state_dir = %q\n", filepath.Join(w.dir, "state")) + text
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here := lab.influx.URL
	cases := []struct {
		name, text string
		code       int
		want       []string
	}{
		{"unreachable", "[source]\nurl = '" + closed() + "'\nbucket = 'a'\n[sink]\nbucket = 'b'", 1,
			[]string{"cannot reach " + closed(), path + ":3", "connection refused"}},
		{"no source", "[source]\nurl = '" + here + "'\nbucket = 'nowhere/autogen'\n[sink]\nbucket = 'b'", 1,
			[]string{here, `no bucket "nowhere/autogen"`, path + ":4", "database not found"}},
		{"no policy", "[source]\nurl = '" + here + "'\nbucket = '" + w.source + "/nope'\n[sink]\nbucket = 'b'", 1,
			[]string{here, `no bucket "` + w.source + `/nope"`, path + ":4", "retention policy not found"}},
		{"no sink", "[source]\nurl = '" + here + "'\nbucket = '" + w.source + "/autogen'\n[sink]\nbucket = 'nowhere/autogen'", 1,
			[]string{here, `no bucket "nowhere/autogen"`, path + ":6", "database not found"}},
		{"bad key", "[source]\nulr = '" + here + "'\n", 2, []string{path + `:3: key "source.ulr": unknown; did you mean "url"?`}},
	}
	for _, k := range cases {
		config(k.text)
		code, log := command(t, "run", "--config", path, "--once", "--until", noon.Add(time.Hour).Format(time.RFC3339))
		var lines []string
		for line := range strings.Lines(log) {
			if !strings.Contains(line, "level=INFO") {
				lines = append(lines, line)
			}
		}
		if code != k.code || len(lines) != 1 {
			t.Errorf("%s: exit code %d, want %d, %d lines:\n%s", k.name, code, k.code, len(lines), log)
			continue
		}
		for _, text := range k.want {
			if !strings.Contains(lines[0], text) {
				t.Errorf("%s: %q is not in\n%s", k.name, text, lines[0])
			}
		}
	}
	if code, log := command(t, "run", "--config", path+".none"); code != 2 || strings.Count(log, "\n") != 1 {
		t.Errorf("no file: %d\n%s", code, log)
	}
}

// TestServiceWaitsForTheServer: it keeps trying, says so, and can be stopped meanwhile.
func TestServiceWaitsForTheServer(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "p.toml")
	text := fmt.Sprintf("state_dir = %q\n[source]\nurl = %q\nbucket = 'a'\n[sink]\nbucket = 'b'\n", w.dir, closed())
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd, stderr := start(t, "run", "--config", path)
	time.Sleep(1500 * time.Millisecond)
	began := time.Now()
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if took := time.Since(began); took > time.Second || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("ended after %v with %v", took, cmd.ProcessState)
	}
	if n := strings.Count(stderr.String(), "cannot reach "+closed()+" ("+path+":3)"); n < 2 {
		t.Errorf("%d attempts:\n%s", n, stderr)
	}
}
