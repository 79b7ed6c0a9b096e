//go:build integration

package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// lab is one InfluxDB and the built command, for all tests.
var lab struct {
	influx *parts.Influx
	binary string
}

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "echogram-pipeline-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	lab.binary = filepath.Join(dir, "echogram-pipeline")
	build := exec.CommandContext(ctx, "go", "build", "-o", lab.binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	data := filepath.Join(dir, "influx")
	if err := os.Mkdir(data, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if lab.influx, err = parts.StartInfluxDB(ctx, data); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer lab.influx.Stop()
	return m.Run()
}

// world is a source and a sink of one test.
type world struct {
	t          *testing.T
	dir        string
	source     string
	sweeps     []*schema.SweepRow
	stats      map[statsKey]*schema.SweepStatsRow
	windows    string // of the configuration
	extra      string // further lines of the configuration
	sourceKeys string // further lines of [source]
	sinkKeys   string // further lines of [sink]
}

type statsKey struct {
	instance string
	time     int64
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), source: database(t, "raw"), stats: map[statsKey]*schema.SweepStatsRow{},
		windows: `["1m", "1h"]`}
	return w
}

func database(t *testing.T, kind string) string {
	h := fnv.New32a()
	h.Write([]byte(t.Name()))
	name := fmt.Sprintf("%s_%08x", kind, h.Sum32())
	if err := lab.influx.CreateDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

// noise is a number that depends on its arguments alone.
func noise(values ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, values...)
	x := h.Sum64() // FNV's low bits are poor: mix
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// sweep makes the rows of one sweep over targets addresses in 10.net.0.0; one in ten is silent, one in fifty late.
func (w *world) sweep(instance string, net, targets int, at time.Time) []*schema.SweepRow {
	var rows []*schema.SweepRow
	for i := range targets {
		r := &schema.SweepRow{Time: at.UnixNano(), Sent: 1}
		r.Series = schema.Series{Host: "prober", Instance: instance, Network: fmt.Sprintf("10.%d.0.0/16", net),
			Block:  fmt.Sprintf("10.%d.%d.0/24", net, i/256),
			Target: fmt.Sprintf("10.%d.%d.%d", net, i/256, i%256)}
		if i/256%2 == 1 {
			r.Labels = []schema.Tag{{Key: "site", Value: `north, "hall" a=b\c`}}
		}
		n := noise(instance, net, i, at.Unix())
		switch {
		case n%50 == 7:
			r.Late, r.LateRTT, r.ResultCode = 1, schema.Some(1_500_000_000), schema.ResultSilent
		case n%10 == 3:
			r.ResultCode = schema.ResultSilent
		default:
			r.Received, r.RTT, r.TTL = 1, schema.Some(int64(200_000+n>>8%90_000_000)), schema.Some(64)
			if n%97 == 0 {
				r.Duplicates = 2
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// add makes a sweep part of the world; its manifest promises promised rows more than there are.
func (w *world) add(instance string, net, targets int, at time.Time, promised int) {
	rows := w.sweep(instance, net, targets, at)
	w.sweeps = append(w.sweeps, rows...)
	var late int64
	for _, r := range rows {
		late += r.Late
	}
	w.stats[statsKey{instance, at.UnixNano()}] = &schema.SweepStatsRow{Host: "prober", Instance: instance, Time: at.UnixNano(), Late: late,
		Points: int64(len(rows) + promised), Targets: int64(targets), Sent: int64(targets), Trust: schema.TrustOK}
}

// store writes everything added since the last store: rows first, manifests last.
func (w *world) store() {
	w.t.Helper()
	for chunk := range slices.Chunk(bytes.SplitAfter(w.lines(), []byte("\n")), 20000) {
		if err := lab.influx.Write(w.t.Context(), w.source, string(bytes.Join(chunk, nil))); err != nil {
			w.t.Fatal(err)
		}
	}
	w.sweeps, w.stats = nil, map[statsKey]*schema.SweepStatsRow{}
}

// lines is all that store would write.
func (w *world) lines() (text []byte) {
	w.t.Helper()
	var p schema.Point
	line := func(r schema.Row) {
		schema.Fill(&p, r)
		var err error
		if text, err = p.AppendLine(text); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, r := range w.sweeps {
		line(r)
	}
	for _, r := range w.stats {
		line(r)
	}
	return text
}

// config writes a configuration for the sink database and returns its path.
func (w *world) config(sink, state string) string {
	text := fmt.Sprintf("state_dir = %q\nwindows = %s\n%s\n[source]\nurl = %q\nbucket = %q\n%s\n[sink]\nbucket = %q\n%s\n",
		filepath.Join(w.dir, state), w.windows, w.extra, lab.influx.URL, w.source+"/autogen", w.sourceKeys, sink+"/autogen", w.sinkKeys)
	path := filepath.Join(w.dir, state+".toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// start begins the command; its STDERR goes to the returned buffer once it has ended.
func start(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, lab.binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// command runs the command to its end and returns its exit code and STDERR.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd, stderr := start(t, args...)
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// once rolls up everything before until and returns STDERR.
func (w *world) once(config string, until time.Time) string {
	w.t.Helper()
	code, log := command(w.t, "run", "--config", config, "--once", "--until", until.Format(time.RFC3339))
	if code != 0 {
		w.t.Fatalf("exit code %d:\n%s", code, log)
	}
	return log
}

// dump returns every rollup row of a database, sorted.
func dump(t *testing.T, db string) string {
	t.Helper()
	var out strings.Builder
	for _, m := range []string{schema.ICMPSweepNetworkRollup, schema.ICMPSweepBlockRollup, schema.ICMPSweepRollup, "ping" + schema.RollupSuffix, schema.PathShift} {
		series, err := lab.influx.Query(t.Context(), db, "SELECT * FROM "+m+" GROUP BY *")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range series {
			for _, v := range s.Values {
				fmt.Fprintln(&out, s.Name, s.Tags, s.Columns, v)
			}
		}
	}
	return out.String()
}

// rows counts the rollup rows of a measurement that satisfy where.
func rows(t *testing.T, db, measurement, where string) int64 {
	t.Helper()
	series, err := lab.influx.Query(t.Context(), db, "SELECT count(sent) FROM "+measurement+" WHERE "+where)
	if err != nil {
		t.Fatal(err)
	}
	if len(series) == 0 {
		return 0
	}
	return series[0].Int(0, "count")
}

// closed makes a URL on which nobody listens.
func closed() string { return (&url.URL{Scheme: "http", Host: "127.0.0.1:9"}).String() }
