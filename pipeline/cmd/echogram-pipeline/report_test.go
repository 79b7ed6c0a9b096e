package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
		{"cpu usage=1 1\n", "--out " + dir, "report: nothing to draw for --picture map,animation,calendar,timeline,hours,churn,bfd,path in 1 lines", false},
		{echoLines, "--out " + dir + " --page data.txt", "--page data.txt does not end in .html: the word behind --page names the page", true},
		{sweepLines, "--out " + dir + " --network 10.0.0.0/8",
			"in 5 lines of 198.18.0.0/16, from 2026-01-10T12:00:00Z to 2026-01-11T12:00:00Z", false},
		{sweepLines, "--out " + dir + " --start 1768140000", "in 5 lines of 198.18.0.0/16, from 2026-01-10T12:00:00Z to 2026-01-11T12:00:00Z", false},
		{sweepLines, "--page " + dir + "/p.html --start 1768140000", "no rows of networks, so no page: there are 198.18.0.0/16, from 2026-01-10T12:00:00Z", false},
		{oneSweepLine, "--out " + dir + "/none --format gif", "report: nothing to draw: the pictures that there are have --format png,svg; an animation needs two sweeps", false},
		{oneSweepLine, "--out " + dir + "/none --picture animation",
			"in 1 lines of 198.18.0.0/16, from 2026-01-10T12:00:00Z to 2026-01-10T12:00:00Z: an animation needs two sweeps", false},
		{"path_estimate,target=a probes=1i 7\n", "--out " + dir, "in 1 lines: path_estimate has no RTTs; a path is drawn out of icmp_sample", false},
		{"192.0.2.1,0.25\n", "--out " + dir, "-: nothing but malformed lines, which look like con-ping's", false},
		{"", "--out " + dir + " " + filepath.Join(dir, "none"), "no such file", false},
		{echoLines, "--out /dev/null/x", "not a directory", false},
	} {
		_, _, err := runReport(k.text, strings.Fields(k.args)...)
		if err == nil || !strings.Contains(err.Error(), k.want) || errors.As(err, new(usageError)) != k.usage {
			t.Errorf("%q: %v, want %q", k.args, err, k.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory is made for nothing")
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

// conPingLines is a /24 of which every third address answers; line 8 is malformed.
func conPingLines() string {
	var b strings.Builder
	for i := range 256 {
		switch {
		case i == 7:
			b.WriteString("198.18.0.7;0.3\n")
		case i%3 == 0:
			fmt.Fprintf(&b, "198.18.0.%d,0.%03d\n", i, 20+i)
		default:
			fmt.Fprintf(&b, "198.18.0.%d,unreachable\n", i)
		}
	}
	return b.String()
}

// TestReportOfConPing: two sweeps make a map and an animation, and what is malformed is named.
func TestReportOfConPing(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, at := range []string{"1590469441", "1590470041"} {
		name := filepath.Join(dir, "198.18.0.0-24-"+at+".txt")
		if err := os.WriteFile(name, []byte(conPingLines()), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	out := filepath.Join(dir, "pictures")
	stdout, stderr, err := runReport("", append(files, "--out", out, "--format", "png,apng,gif", "--picture", "map,animation", "--max", "350ms")...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(stdout) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, filepath.Base(name))
	}
	if want := []string{"map_198.18.0.0-24.png", "animation_198.18.0.0-24.gif", "animation_198.18.0.0-24.apng"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	if !strings.Contains(stdout, "86 of 255 (33.7 %) answer") || !strings.Contains(stdout, "over 2 sweeps: 2 frames") {
		t.Errorf("%s", stdout)
	}
	if strings.Count(stderr, "malformed lines were left out") != 2 || !strings.Contains(stderr, "file="+files[0]) || !strings.Contains(stderr, "line=8 ") ||
		!strings.Contains(stderr, "no comma") {
		t.Errorf("%s", stderr)
	}
}

// TestReportOfPaths: samples make the picture that the command path draws of them.
func TestReportOfPaths(t *testing.T) {
	text := chain().lines(t, 5, 200, "192.0.2.3", "192.0.2.4")
	elsewhere := strings.ReplaceAll(chain().lines(t, 1, 200, "192.0.2.3"), "host=lab", "host=moon")
	dir := t.TempDir()
	stdout, stderr, err := runReport(text+elsewhere, "--out", dir, "--format", "svg")
	if err != nil || stderr != "" {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var names []string
	for line := range strings.Lines(stdout) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, filepath.Base(name))
	}
	if want := []string{"path_192.0.2.3.svg", "path_192.0.2.3_2.svg", "path_192.0.2.4.svg"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	if _, _, err := runPath(text, "--read", "-", "--picture", filepath.Join(dir, "own.svg"), "192.0.2.4"); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(filepath.Join(dir, "own.svg"))
	if b, _ := os.ReadFile(filepath.Join(dir, "path_192.0.2.4.svg")); len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the command path draws another picture")
	}
	for _, c := range []struct{ args, want string }{
		{"--picture path --network 192.0.2.4/32", "path_192.0.2.4"}, {"--picture path --stop 2026-01-10T12:00:02Z", "path_192.0.2.3"},
	} {
		stdout, _, err := runReport(text, append(strings.Fields(c.args), "--out", dir, "--format", "png")...)
		if err != nil || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, c.want) {
			t.Errorf("%s: %v\n%s", c.args, err, stdout)
		}
	}
	burst := newWires(map[string]float64{"192.0.2.3": 5000}, 12)
	burst.interval = time.Microsecond
	burst.Run(t.Context(), netip.MustParseAddr("192.0.2.9"), 1) // the first of the burst
	if _, stderr, err := runReport(chain().lines(t, 1, 1, "192.0.2.9")+burst.lines(t, 1, 50, "192.0.2.3"), "--out", dir, "--picture", "path"); err == nil ||
		!strings.Contains(stderr, "count=1") || !strings.Contains(stderr, "sweep with --burst 1 and --rate 500") {
		t.Errorf("%v\n%s", err, stderr)
	}
	if _, stderr, _ := runReport("icmp_sample,target=a probe=1 7\nicmp_sample,target=a probe=1i\n", "--out", dir); !strings.Contains(stderr, "count=2 line=1") {
		t.Errorf("%s", stderr)
	}
}

const oneSweepLine = "icmp_sweep,host=h,instance=i,network=198.18.0.0/16,block=198.18.1.0/24,target=198.18.1.1 sent=1i,received=1i,rtt_ns=2000000i,result_code=0i 1768046400000000000\n"

const sweepLines = `icmp_sweep,host=h,instance=i,network=198.18.0.0/16,block=198.18.1.0/24,target=198.18.1.1 sent=1i,received=1i,rtt_ns=2000000i,result_code=0i 1768046400000000000
icmp_sweep,host=h,instance=i,network=198.18.0.0/16,block=198.18.2.0/24,target=198.18.2.1 sent=1i,received=0i,result_code=1i 1768046400000000000
icmp_sweep,host=h,instance=i,network=198.18.0.0/16,block=198.18.1.0/24,target=198.18.1.1 sent=1i,received=0i,result_code=1i 1768132800000000000
block_outage,event=outage,group=block,host=h,instance=i,network=198.18.0.0/16,block=198.18.2.0/24 prefix="198.18.2.0/24",open=false,duration_ns=3600000000000i,uncertain_ns=600000000000i,addresses=9i,answering=0i,blocks=1i,belief_low=0.01 1768046400000000000
block_churn,group=block,host=h addresses="x" 1768046400000000000
`

// TestReportOfLines: sweeps, block analytics and BFD out of one stream; the flags say what of it is drawn.
func TestReportOfLines(t *testing.T) {
	for _, k := range []struct{ args, want string }{
		{"--format svg", "map_198.18.0.0-16 calendar_198.18.0.0-16 timeline_198.18.0.0-16 rtt_10.0.0.1_10.0.0.2 " +
			"rtt_distribution_10.0.0.1_10.0.0.2 echo_interval_10.0.0.1_10.0.0.2"},
		{"--format svg --picture bfd", "rtt_10.0.0.1_10.0.0.2 rtt_distribution_10.0.0.1_10.0.0.2 echo_interval_10.0.0.1_10.0.0.2"},
		{"--format svg --picture map,timeline --network 198.18.1.0/24", "map_198.18.1.0-24"},
		{"--format svg --picture map,hours --start 1768132800", "map_198.18.0.0-16"},
		{"--format gif --picture map,animation", "animation_198.18.0.0-16"},
	} {
		stdout, stderr, err := runReport(sweepLines+echoLines, append(strings.Fields(k.args), "--out", t.TempDir(), "-")...)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for line := range strings.Lines(stdout) {
			name, _, _ := strings.Cut(line, "\t")
			names = append(names, strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
		}
		if got := strings.Join(names, " "); got != k.want {
			t.Errorf("%s:\n got %s\nwant %s", k.args, got, k.want)
		}
		if !strings.Contains(stderr, "line=5 ") || !strings.Contains(stderr, "addresses has another type") {
			t.Errorf("%s", stderr)
		}
	}
}
