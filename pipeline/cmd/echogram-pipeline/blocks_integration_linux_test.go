//go:build integration

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	population "echogram/plugins/netlab/world"
	"echogram/plugins/schema"
)

// populate writes four blocks for three days, every ten minutes, to the source of w, and returns their lines, too.
func populate(t *testing.T, w *world) (lines []byte, end time.Time) {
	p := population.New(population.Config{Seed: 11, Network: netip.MustParsePrefix("198.18.0.0/22"), Days: 3})
	for n := range p.Sweeps() {
		before := len(lines)
		lines = p.AppendSweep(lines, n)
		if err := lab.influx.Write(t.Context(), w.source, string(lines[before:])); err != nil {
			t.Fatal(err)
		}
	}
	truth := p.Truth()
	return lines, truth.Start.Add(time.Duration(truth.Sweeps) * truth.Interval)
}

// blockDump returns every row of blocks in a database, sorted.
func blockDump(t *testing.T, db string) string {
	t.Helper()
	var all []string
	for _, m := range []string{schema.BlockState, schema.BlockOutage, schema.BlockChurn, schema.BlockDaily} {
		series, err := lab.influx.Query(t.Context(), db, "SELECT * FROM "+m+" GROUP BY *")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range series {
			for _, v := range s.Values {
				all = append(all, fmt.Sprintln(s.Name, s.Tags, s.Columns, v))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// TestBlocksAreTheSameHoweverRead: from InfluxDB in either language, from a file, and by a process that is killed four
// times, when it has saved its state and while it reads on.
func TestBlocksAreTheSameHoweverRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines, end := populate(t, w)
	until := end.Add(time.Hour)
	w.windows, w.extra = `["1h", "1d"]`, "sweep_interval = '10m'"
	calm := database(t, "calm")
	began := time.Now()
	w.once(w.config(calm, "calm"), until)
	want := blockDump(t, calm)
	t.Logf("%d MB of lines, %d rows of blocks in %v", len(lines)>>20, strings.Count(want, "\n"), time.Since(began).Round(time.Millisecond))
	if n := strings.Count(want, "\n"); n < 4*3*24 || !strings.Contains(want, schema.BlockDaily) {
		t.Fatalf("%d rows of blocks", n)
	}

	w.sourceKeys = "language = 'flux'"
	flux := database(t, "flux")
	w.once(w.config(flux, "flux"), until)
	sameRows(t, "Flux", blockDump(t, flux), want)
	w.sourceKeys = ""

	file := filepath.Join(t.TempDir(), "lines.lp")
	if err := os.WriteFile(file, lines, 0o644); err != nil {
		t.Fatal(err)
	}
	imported := database(t, "imported")
	if code, log := command(t, "import", "--only-blocks", "--config", w.config(imported, "imported"), file); code != exitDone {
		t.Fatal(log)
	}
	sameRows(t, "a file", blockDump(t, imported), want)

	torn := database(t, "torn")
	w.killed(w.config(torn, "torn"), "torn", until)
	sameRows(t, "kills", blockDump(t, torn), want)
}

// killOnChange kills the command some time after it has saved its state in the file of a name: the more so, the later the
// kill is in number.
func (w *world) killOnChange(cmd *exec.Cmd, stderr fmt.Stringer, name string, kill int) {
	w.t.Helper()
	w.awaitChange(func() string {
		info, err := os.Stat(name)
		if err != nil {
			return ""
		}
		return info.ModTime().String()
	})
	time.Sleep(time.Duration(kill) * 7 * time.Millisecond) // in the middle of what comes next
	if err := cmd.Process.Kill(); err != nil {
		w.t.Fatalf("kill %d: %v", kill, err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		w.t.Fatalf("kill %d came too late: %v\n%s", kill, cmd.ProcessState, stderr)
	}
}

// killed runs the command to its end, after it has been killed four times.
func (w *world) killed(config, state string, until time.Time) {
	t := w.t
	name := filepath.Join(w.dir, state, "blocks.state")
	for kill := range 4 {
		cmd, stderr := start(t, "run", "--config", config, "--once", "--until", until.Format(time.RFC3339))
		w.killOnChange(cmd, stderr, name, kill)
	}
	log := w.once(config, until)
	if n := strings.Count(log, "looked at blocks"); n == 0 || n > 13 {
		t.Errorf("the last run had %d stretches left:\n%s", n, log)
	}
}

func sameRows(t *testing.T, how, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s: %d rows, want %d; the first that differs:\ngot  %s\nwant %s", how, len(g), len(w), g[i], w[i])
		}
	}
	t.Fatalf("%s: %d rows, want %d", how, len(g), len(w))
}

// TestStreamOfBlocksAfterKills: what a stream says of blocks is the same when it is killed four times while it reads, and goes
// on with later sweeps each time: what came by meanwhile is read from the source, from where the state ends.
func TestStreamOfBlocksAfterKills(t *testing.T) {
	w := newWorld(t)
	lines, end := populate(t, w)
	w.windows, w.extra, w.sourceKeys = `["1h", "1d"]`, "sweep_interval = '10m'", "type = 'stdin'"
	from := func(begin time.Time) []byte {
		for at := 0; ; {
			n := bytes.IndexByte(lines[at:], '\n')
			line := lines[at : at+n]
			if ns, err := strconv.ParseInt(string(line[bytes.LastIndexByte(line, ' ')+1:]), 10, 64); err != nil || ns >= begin.UnixNano() {
				return lines[at:]
			}
			at += n + 1
		}
	}
	whole := func(config string, text []byte) string {
		cmd, in, stderr := child(t, config)
		in.Write(text)
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		return stderr.String()
	}
	calm := database(t, "calm")
	whole(w.config(calm, "calm"), lines)
	want := blockDump(t, calm)
	if n := strings.Count(want, "\n"); n < 4*3*23 || !strings.Contains(want, schema.BlockChurn) {
		t.Fatalf("%d rows of blocks", n)
	}
	torn := database(t, "torn")
	config, state := w.config(torn, "torn"), filepath.Join(w.dir, "torn", "blocks.state")
	begin := end.Add(-3 * 24 * time.Hour)
	for kill := range 4 {
		cmd, in, stderr := child(t, config)
		fed := make(chan struct{})
		go func() {
			defer close(fed)
			in.Write(from(begin)) // breaks off when the child is gone
		}()
		w.killOnChange(cmd, stderr, state, kill)
		<-fed
		begin = begin.Add(14 * time.Hour)
	}
	if log := whole(config, from(begin)); !strings.Contains(log, "points before the stream are read from the source") {
		t.Error(log)
	}
	sameRows(t, "kills", blockDump(t, torn), want)
}

// TestServiceOfBlocks runs the service over what is there and ends it: its state is saved, and another one has nothing to do.
func TestServiceOfBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, end := populate(t, w)
	w.windows, w.extra = `["1h", "1d"]`, "sweep_interval = '10m'\ninterval = '1s'"
	sink := database(t, "sink")
	config := w.config(sink, "state")
	// The points are far in the past: without a state it would begin behind them.
	w.once(config, end.Add(-24*time.Hour))
	before := blockDump(t, sink)
	cmd, stderr := start(t, "run", "--config", config)
	w.awaitChange(func() string { return fmt.Sprint(strings.Count(blockDump(t, sink), schema.BlockDaily)) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if after := blockDump(t, sink); strings.Count(after, "\n") <= strings.Count(before, "\n") {
		t.Errorf("nothing was added:\n%s", stderr)
	}
}
