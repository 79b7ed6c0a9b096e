//go:build integration

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// pings are rows of Telegraf's inputs.ping: every target a minute, one in ten unanswered.
func pings(targets int, from, to time.Time) []*schema.PingRow {
	var rows []*schema.PingRow
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		for i := range targets {
			r := &schema.PingRow{URL: fmt.Sprintf("192.0.2.%d", i), Host: "prober", Labels: []schema.Tag{{Key: "site", Value: "north"}},
				Time: at.UnixNano(), Transmitted: 1, ResultCode: schema.PingReplied}
			if n := noise("ping", i, at.Unix()); n%10 != 3 {
				r.Received, r.RTTMean, r.TTL = 1, schema.Some(int64(200_000+n>>8%90_000_000)), schema.Some(64)
			}
			rows = append(rows, r)
		}
	}
	return rows
}

const pingKeys = `
sweep_interval = "5m"
[[measurement]]
name = "ping"
field = "average_response_ms"
unit = "ms"
target = "url"
sent = "packets_transmitted"
received = "packets_received"
`

// TestEveryWindow: two days of sweeps and of pings. Out of InfluxDB, in both languages, the rollups over each window
// are those of the plainest sums; and lines in any order within the lateness give the same bytes.
func TestEveryWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.windows, w.extra = `["1m", "10m", "1h", "1d"]`, pingKeys
	midnight := noon.Truncate(day)
	for at := midnight; at.Before(midnight.Add(2 * day)); at = at.Add(5 * time.Minute) {
		w.add("one", 1, 300, at, 0)
	}
	for _, r := range w.sweeps {
		r.Labels = nil // one network
	}
	sweeps, pinged := w.sweeps, pings(20, midnight, midnight.Add(2*day))
	text := w.lines()
	for _, r := range pinged {
		text, _ = schema.AppendLine(text, r)
	}
	text = append(text, malformedPing(t, pinged[0], midnight.Add(26*time.Hour+30*time.Second))...)
	for chunk := range slices.Chunk(bytes.SplitAfter(text, []byte("\n")), 20000) {
		if err := lab.influx.Write(t.Context(), w.source, string(bytes.Join(chunk, nil))); err != nil {
			t.Fatal(err)
		}
	}
	until := midnight.Add(3 * day)
	files := map[string]string{}
	for _, language := range []string{"influxql", "flux"} {
		sink := database(t, language)
		w.sourceKeys = fmt.Sprintf("language = %q", language)
		w.once(w.config(sink, language), until)
		for window, length := range map[string]time.Duration{"1m": time.Minute, "10m": 10 * time.Minute, "1h": time.Hour, "1d": day} {
			compare(t, sink, schema.ICMPSweepNetworkRollup, window, "network", truths(sweeps, length, network))
			compare(t, sink, schema.ICMPSweepBlockRollup, window, "block", truths(sweeps, length, block))
			if length >= time.Hour {
				compare(t, sink, schema.ICMPSweepRollup, window, "target", truths(sweeps, length, target))
				comparePings(t, sink, window, length, pinged)
			}
		}
		files[language] = w.toFile(language, until)
	}
	shuffled := filepath.Join(w.dir, "points.lp")
	if err := os.WriteFile(shuffled, shuffle(text, 5*time.Minute), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(w.dir, "imported.lp")
	code, log := command(t, "import", "--config", filepath.Join(w.dir, "influxql.toml"), "--output", out, shuffled)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	files["import"] = sortedLines(t, out)
	if files["influxql"] != files["flux"] || files["influxql"] != files["import"] || len(files["import"]) < 1e6 {
		t.Errorf("rows differ: influxql %d bytes, flux %d, import %d: %s", len(files["influxql"]), len(files["flux"]), len(files["import"]),
			difference(files["influxql"], files["import"]))
	}
	// A backfill of one hour writes the hour, its parts and its day again, as they were.
	before := dump(t, "influxql_"+w.source[len("raw_"):])
	code, log = command(t, "backfill", "--config", filepath.Join(w.dir, "influxql.toml"), "--start", midnight.Add(26*time.Hour).Format(time.RFC3339),
		"--stop", midnight.Add(27*time.Hour).Format(time.RFC3339))
	if code != 0 || !strings.Contains(log, "windows=20") || !strings.Contains(log, "of=ping") ||
		!strings.Contains(log, `msg="malformed points are left out" of=ping count=1 first="target `+pinged[0].URL) {
		t.Errorf("backfill: exit code %d\n%s", code, log)
	}
	if dump(t, "influxql_"+w.source[len("raw_"):]) != before {
		t.Error("a backfill changed rows")
	}
}

// malformedPing is a row that InfluxDB stores and whose RTT is none.
func malformedPing(t *testing.T, like *schema.PingRow, at time.Time) []byte {
	t.Helper()
	bad := *like
	bad.Time, bad.Received, bad.RTTMean = at.UnixNano(), 1, schema.Some(-7e6)
	text, err := schema.AppendLine(nil, &bad)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func network(r *schema.SweepRow) string { return r.Network }

// toFile rolls everything up into a file and returns its sorted lines.
func (w *world) toFile(name string, until time.Time) string {
	w.t.Helper()
	out := filepath.Join(w.dir, name+".lp")
	path := filepath.Join(w.dir, name+"-file.toml")
	text, err := os.ReadFile(filepath.Join(w.dir, name+".toml"))
	if err == nil {
		head, _, _ := strings.Cut(string(text), "[sink]")
		head = strings.Replace(head, filepath.Join(w.dir, name), filepath.Join(w.dir, name+"-file"), 1)
		err = os.WriteFile(path, fmt.Appendf(nil, "%s[sink]\ntype = 'file'\npath = %q\n", head, out), 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.once(path, until)
	return sortedLines(w.t, out)
}

func sortedLines(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(data), "\n")
	slices.Sort(all)
	return strings.Join(all, "")
}

// difference is the first line that differs.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("\n%s\n%s", x[i], y[i])
		}
	}
	return ""
}

// shuffle puts lines whose times lie within so much of each other in any order; others in that of time.
func shuffle(text []byte, within time.Duration) []byte {
	type timed struct {
		at   int64
		line []byte
	}
	random := rand.New(rand.NewPCG(1, 2))
	var all []timed
	for line := range bytes.Lines(text) {
		var at int64
		fmt.Sscan(string(line[bytes.LastIndexByte(line, ' ')+1:]), &at)
		all = append(all, timed{at + random.Int64N(int64(within)), line})
	}
	slices.SortStableFunc(all, func(a, b timed) int { return int(a.at - b.at) })
	var out []byte
	for _, l := range all {
		out = append(out, l.line...)
	}
	return out
}

// comparePings holds the rollups of pings against sums made the plainest way.
func comparePings(t *testing.T, db, window string, length time.Duration, pinged []*schema.PingRow) {
	t.Helper()
	type sum struct{ points, received, rtts int64 }
	want := map[string]*sum{}
	for _, r := range pinged {
		k := fmt.Sprint(r.URL, " ", r.Time/int64(length)*int64(length))
		if want[k] == nil {
			want[k] = &sum{}
		}
		want[k].points++
		want[k].received += r.Received
		want[k].rtts += r.RTTMean.N
	}
	series, err := lab.influx.Query(t.Context(), db, fmt.Sprintf("SELECT * FROM ping_rollup WHERE \"window\" = '%s' GROUP BY *", window))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range series {
		for i := range s.Values {
			n++
			e := want[fmt.Sprint(s.Tags["url"], " ", s.Int(i, "time"))]
			if e == nil || s.Tags["site"] != "north" || s.Int(i, "points") != e.points || s.Int(i, "received") != e.received ||
				s.Int(i, "lost") != e.points-e.received || s.Int(i, "rtt_mean_ns") != e.rtts/e.received {
				t.Fatalf("ping %v: %v, want %+v", s.Tags, s.Values[i], e)
			}
		}
	}
	if n != len(want) {
		t.Errorf("ping %s: %d rows, want %d", window, n, len(want))
	}
}

// TestChildOfTelegraf: lines on STDIN, killed once, then ended; what it missed comes out of InfluxDB.
func TestChildOfTelegraf(t *testing.T) {
	w := newWorld(t)
	w.windows = `["1m", "10m"]`
	w.extra = "late_window = '0s'\nlateness = '20s'\nper_target = '10m'"
	begin := time.Now().Add(-40 * time.Minute).Truncate(10 * time.Minute)
	for at := begin; at.Before(begin.Add(35 * time.Minute)); at = at.Add(10 * time.Second) {
		w.add("one", 1, 50, at, 0)
	}
	sweeps := w.sweeps
	text := shuffle(w.lines(), 1)
	if err := lab.influx.Write(t.Context(), w.source, string(text)); err != nil {
		t.Fatal(err)
	}
	sink := database(t, "sink")
	w.sourceKeys = "type = 'stdin'"
	config := w.config(sink, "state")
	part := func(from, to time.Duration) []byte {
		var b []byte
		for line := range bytes.Lines(text) {
			var at int64
			fmt.Sscan(string(line[bytes.LastIndexByte(line, ' ')+1:]), &at)
			if d := time.Duration(at - begin.UnixNano()); d >= from && d < to {
				b = append(b, line...)
			}
		}
		return b
	}
	cmd, in, _ := child(t, config)
	in.Write(part(0, 7*time.Minute))
	w.awaitChange(func() string {
		data, _ := os.ReadFile(filepath.Join(w.dir, "state", "checkpoint.json"))
		return string(data)
	})
	cmd.Process.Kill()
	cmd.Wait()
	cmd, in, stderr := child(t, config)
	in.Write(append(part(12*time.Minute, 35*time.Minute), "not a line\n"...))
	in.Close()
	if err := cmd.Wait(); err != nil || !strings.Contains(stderr.String(), "malformed lines") || !strings.Contains(stderr.String(), "points before the stream are read from the source") {
		t.Errorf("%v\n%s", err, stderr)
	}
	over := func(r *schema.SweepRow) bool { return r.Time < begin.Add(30*time.Minute).UnixNano() }
	var seen []*schema.SweepRow
	for _, r := range sweeps {
		if over(r) {
			seen = append(seen, r)
		}
	}
	last := fmt.Sprintf("time >= %d", begin.Add(30*time.Minute).UnixNano())
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, last+" AND complete = false"); n == 0 {
		t.Error("what was open at the end is not there")
	}
	if _, err := lab.influx.Query(t.Context(), sink, "DELETE WHERE "+last); err != nil {
		t.Fatal(err)
	}
	compare(t, sink, schema.ICMPSweepBlockRollup, "1m", "block", truths(seen, time.Minute, block))
	compare(t, sink, schema.ICMPSweepRollup, "10m", "target", truths(seen, 10*time.Minute, target))
}

// child starts the command with a pipe for its STDIN.
func child(t *testing.T, config string) (*exec.Cmd, interface {
	Write([]byte) (int, error)
	Close() error
}, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), lab.binary, "run", "--config", config)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, &stderr
}

// TestStreamEndsOnSignal: within a second, with what is open written.
func TestStreamEndsOnSignal(t *testing.T) {
	w := newWorld(t)
	w.sourceKeys = "type = 'stdin'"
	sink := database(t, "sink")
	for at := time.Now().Add(-3 * time.Minute).Truncate(time.Minute); at.Before(time.Now()); at = at.Add(10 * time.Second) {
		w.add("one", 1, 50, at, 0)
	}
	cmd, in, stderr := child(t, w.config(sink, "state"))
	in.Write(shuffle(w.lines(), 1))
	time.Sleep(500 * time.Millisecond)
	began := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if took := time.Since(began); took > time.Second || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("ended after %v with %v\n%s", took, cmd.ProcessState, stderr)
	}
	if n := rows(t, sink, schema.ICMPSweepBlockRollup, "complete = false"); n < 2 || n > 3 {
		t.Errorf("%d minutes that are open, want 2 or 3\n%s", n, stderr)
	}
}

// TestImportConPing: a collection becomes points and rollups.
func TestImportConPing(t *testing.T) {
	w := newWorld(t)
	var files []string
	for k := range 3 {
		name := filepath.Join(w.dir, fmt.Sprintf("192.0.2.0-29-%d.txt", 1_600_000_000+600*k))
		if err := os.WriteFile(name, []byte("192.0.2.0,unreachable\n192.0.2.1,0.000250\n192.0.2.2,0.001500000\nnonsense\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	sink := database(t, "sink")
	config := w.config(sink, "state")
	code, log := command(t, append([]string{"import", "--config", config, "--host", "h", "--raw"}, files...)...)
	if code != 0 || strings.Count(log, "malformed lines") != 3 {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if n := rows(t, w.source, schema.ICMPSweep, "rtt_ns = 250000"); n != 3 {
		t.Errorf("%d points, want 3", n)
	}
	w.once(config, time.Now())
	direct := database(t, "direct")
	if code, log := command(t, append([]string{"import", "--config", w.config(direct, "none"), "--host", "h"}, files...)...); code != 0 {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if a, b := dump(t, sink), dump(t, direct); a != b || !strings.Contains(a, "icmp_sweep_rollup") {
		t.Errorf("by way of the database\n%s\ndirectly\n%s", a, b)
	}
}

// TestRetentionScript: InfluxDB takes what the script would send.
func TestRetentionScript(t *testing.T) {
	w := newWorld(t)
	w.windows = `["1m", "10m", "1h", "1d"]`
	sink := database(t, "sink")
	out, err := exec.CommandContext(t.Context(), lab.binary, "retention", "--config", w.config(sink, "state")).Output()
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for line := range strings.Lines(string(out)) {
		if _, statement, ok := strings.Cut(line, "-execute "); ok {
			statements++
			statement = strings.ReplaceAll(strings.Trim(statement, "'\n"), `'\''`, "'")
			if _, err := lab.influx.Query(t.Context(), sink, statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	if statements != 5 {
		t.Errorf("%d statements in\n%s", statements, out)
	}
}
