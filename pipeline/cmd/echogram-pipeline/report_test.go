package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const echoLines = `bfd_echo_rtt,local=10.0.0.1,peer=10.0.0.2 rtt_ns=12000i,answered=true 1768046400000000000
bfd_echo_rtt,local=10.0.0.1,peer=10.0.0.2 rtt_ns=13000i,interval_ns=50000000i,answered=true 1768046400050000000
bfd_echo_rtt,local=10.0.0.1 rtt_ns=
cpu usage=1 1
`

// runReport runs the command on text and returns both outputs.
func runReport(text string, args ...string) (stdout, stderr string, err error) {
	root := newRoot()
	var out, log bytes.Buffer
	root.SetIn(strings.NewReader(text))
	root.SetOut(&out)
	root.SetErr(&log)
	root.SetArgs(append([]string{"report"}, args...))
	err = root.ExecuteContext(context.Background())
	return out.String(), log.String(), err
}

func TestReportWritesPicturesAndIndex(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "pictures")
	stdout, stderr, err := runReport(echoLines, "--out", dir)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(stdout) {
		name, text, ok := strings.Cut(line, "\t")
		if !ok || !strings.Contains(text, "10.0.0.1 → 10.0.0.2") {
			t.Errorf("index: %q", line)
		}
		listed = append(listed, filepath.Base(name))
	}
	var there []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		there = append(there, e.Name())
	}
	slices.Sort(listed)
	if len(there) != 6 || !slices.Equal(listed, there) {
		t.Errorf("listed %v, there %v", listed, there)
	}
	if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "count=1") || !strings.Contains(stderr, "line=3 ") {
		t.Errorf("STDERR: %s", stderr)
	}
}

func TestReportFormat(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bfd.lp")
	if err := os.WriteFile(file, []byte(echoLines), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := runReport("", "--out", t.TempDir(), "--format", "svg", file)
	if err != nil || strings.Count(stdout, ".svg\t") != 3 || strings.Contains(stdout, ".png") {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestReportErrors(t *testing.T) {
	dir := t.TempDir()
	for _, k := range []struct {
		text  string
		args  string
		want  string
		usage bool
	}{
		{echoLines, "", "--out is missing", true},
		{echoLines, "--out " + dir + " --format bmp", `--format "bmp" is none of png, svg, gif, apng`, true},
		{echoLines, "--out " + dir + " --picture globe", `--picture "globe" is none of map, animation,`, true},
		{echoLines, "--out " + dir + " --network 10", `--network "10" is no CIDR`, true},
		{echoLines, "--out " + dir + " --timezone Moon", `--timezone "Moon" is unknown`, true},
		{echoLines, "--out " + dir + " --max -1s", "--max -1s is negative", true},
		{echoLines, "--out " + dir + " --start 7 --stop 5", "--start 1970-01-01T00:00:07Z does not lie before --stop, 1970-01-01T00:00:05Z", true},
		{echoLines, "--out " + dir + " --config c.toml a", "--config and a: read from InfluxDB or from files", true},
		{echoLines, "--out " + dir + " --config " + filepath.Join(dir, "none"), "no such file", true},
		{"cpu usage=1 1\n", "--out " + dir, "report: nothing to draw for --picture map,animation,calendar,timeline,hours,churn,bfd in 1 lines", false},
		{"", "--out " + dir + " " + filepath.Join(dir, "none"), "no such file", false},
		{echoLines, "--out /dev/null/x", "not a directory", false},
	} {
		_, _, err := runReport(k.text, strings.Fields(k.args)...)
		if err == nil || !strings.Contains(err.Error(), k.want) || errors.As(err, new(usageError)) != k.usage {
			t.Errorf("%q: %v, want %q", k.args, err, k.want)
		}
	}
}

func TestReportStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	if err := interruptible(ctx, func() error { <-never; return nil }); err == nil {
		t.Error("it goes on")
	}
}
