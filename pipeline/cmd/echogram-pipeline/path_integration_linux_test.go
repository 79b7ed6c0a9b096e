//go:build integration

package main

import (
	"bufio"
	"bytes"
	"context"
	"image/png"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// nearAddress is a second host on a link of the prober's own, without a bridge.
const nearAddress = "198.19.1.2"

// newPathLab makes a prober, a responder behind bridges and a near host. The command echogram is built beside ours,
// where it is looked for.
func newPathLab(t *testing.T, bridges int) *netlab.Pair {
	t.Helper()
	program := filepath.Join(filepath.Dir(lab.binary), "echogram")
	if _, err := os.Stat(program); err != nil {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "echogram/plugins/cmd/echogram")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: bridges})
	netlab.Lasting(t, p, err)
	near, err := p.Namespace("near")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlab.Connect(netlab.End{Namespace: p.Prober, Link: "near0"}, netlab.End{Namespace: near, Link: "near1"}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		n             *netlab.Namespace
		link, address string
	}{{p.Prober, "near0", "198.19.1.1/30"}, {near, "near1", nearAddress + "/30"}} {
		if err := a.n.AddAddress(a.link, netip.MustParsePrefix(a.address)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// pathIn prepares the command in the prober's namespace, for a minute at most.
func pathIn(t *testing.T, p *netlab.Pair, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return p.Prober.Command(ctx, lab.binary, append([]string{"path"}, args...)...)
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return stdout.String()
}

func estimateOf(t *testing.T, line string) *schema.PathEstimateRow {
	t.Helper()
	row := new(schema.PathEstimateRow)
	if err := schema.ParseLine([]byte(line), row); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return row
}

// TestPathBesideReference: a target behind three bridges is farther than a near host measured in turn with it.
func TestPathBesideReference(t *testing.T) {
	p := newPathLab(t, 3)
	picture := filepath.Join(t.TempDir(), "path.png")
	row := estimateOf(t, output(t, pathIn(t, p, "--count", "600", "--interval", "1ms", "--reference", nearAddress+"=0,1",
		"--hop-delay", "2300ns", "--picture", picture, "--format", "influx", netlab.ResponderAddress.String())))
	if row.Target != netlab.ResponderAddress.String() || row.Reference != nearAddress || row.Probes != 600 || row.Kept < 300 || row.TTL != schema.Some(64) {
		t.Errorf("%+v", row)
	}
	if !row.Offset.Set || row.Offset.N < 2000 || row.Floor.N <= row.Offset.N || row.RTT.N < row.Floor.N {
		t.Errorf("three bridges take 5 to 9 µs, not %+v of a floor of %+v", row.Offset, row.Floor)
	}
	if row.Verdict == schema.VerdictNotTold && row.Reason == "" || row.Verdict == schema.VerdictTold && !row.Hops.Set {
		t.Errorf("%s: %q, %+v", row.Verdict, row.Reason, row.Hops)
	}
	file, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := png.Decode(file); err != nil {
		t.Error(err)
	}
}

// TestPathRemembers: what was stored is compared with under the same interval, and refused under another.
func TestPathRemembers(t *testing.T) {
	p := newPathLab(t, 1)
	file := filepath.Join(t.TempDir(), "site.json")
	args := []string{"--count", "300", "--interval", "1ms", "--sizes", "12,800", "--baseline", file, netlab.ResponderAddress.String()}
	output(t, pathIn(t, p, append(args, "--save", "rack", "--hops", "1", "--metres", "2")...))
	text := output(t, pathIn(t, p, args...))
	if !strings.Contains(words(text), "600 echo requests of 2 sizes in turn, one every 1 ms, 600 answered.") || !strings.Contains(words(text), "that of rack.") {
		t.Errorf("it says:\n%s", text)
	}
	cmd := pathIn(t, p, append(args, "--interval", "2ms")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(stderr.String(), `2ms here and 1ms at the reference "rack"`) {
		t.Errorf("%v: %s", err, stderr.String())
	}
}

// TestPathEndsEarly: an interrupt ends the measurement, and what there is, is told.
func TestPathEndsEarly(t *testing.T) {
	p := newPathLab(t, 0)
	cmd := pathIn(t, p, "--count", "100000", "--interval", "2ms", "--error", "0", "--progress", "--format", "influx", netlab.ResponderAddress.String())
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for sent := false; lines.Scan(); { // a second interrupt would end it at once
		if !sent && strings.HasPrefix(lines.Text(), "round 2: 198.19.0.2: ") {
			sent = cmd.Process.Signal(os.Interrupt) == nil
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if row := estimateOf(t, stdout.String()); row.Probes < 400 || row.Probes > 1000 {
		t.Errorf("%d probes", row.Probes)
	}
}

// TestPathPassesWordsOn: what the child cannot do it says itself.
func TestPathPassesWordsOn(t *testing.T) {
	p := newPathLab(t, 0)
	for target, want := range map[string]string{
		"203.0.113.9":   "no route to 203.0.113.9 (exit status 1)",
		"198.19.0.1/32": "is a network: a path leads to one address",
	} {
		cmd := pathIn(t, p, target)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: %v: %s", target, err, stderr.String())
		}
	}
}

// TestReadmeFlux: the queries of the README's section on paths find what the command writes.
func TestReadmeFlux(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## Paths\n")
	section, _, _ = strings.Cut(section, "\n## ")
	db := database(t, "paths")
	row := &schema.PathEstimateRow{Host: "lab", Instance: "path", Target: "198.19.2.2", Reference: "198.19.0.2", Time: time.Now().UnixNano(), Probes: 2000, Kept: 1900,
		RTT: schema.Some(15176), Floor: schema.Some(11385), Verdict: schema.VerdictTold, Hops: schema.Some(3)}
	if err := lab.influx.Write(t.Context(), db, string(appendRow(t, nil, row))); err != nil {
		t.Fatal(err)
	}
	queries := strings.Split(section, `    from(bucket: "paths/autogen")`)[1:]
	if len(queries) != 2 {
		t.Fatalf("%d queries", len(queries))
	}
	for i, wants := range [][]string{{",hops,", ",verdict,", "198.19.0.2", "told"}, {",rtt_ns,", ",rtt_floor_ns,", "11385"}} {
		query, _, _ := strings.Cut(queries[i], "\n\n")
		answer, err := lab.influx.QueryFlux(t.Context(), `from(bucket: "`+db+`/autogen")`+query)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(answer, want) {
				t.Errorf("%s:\n%q is not in\n%s", query, want, answer)
			}
		}
	}
}
