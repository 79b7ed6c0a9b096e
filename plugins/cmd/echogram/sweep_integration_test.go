//go:build integration

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
	"echogram/plugins/schema"
)

func TestSweepFindsAll(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	for range *runs {
		o := inLab(t, lab, "sweep", "--rate", "0", "--format", "influx", "198.18.0.0/16")
		if o.code != exitDone {
			t.Fatalf("exit code %d: %s", o.code, o.stderr)
		}
		all := readSweeps(t, strings.NewReader(o.stdout))
		all.wantWhole(t, 1)
		for _, s := range all {
			if s.stats.Points != 65536 || s.stats.CaptureDrops != 0 || s.blocks != 256 || s.stats.Partial {
				t.Errorf("stats: %+v", s.stats)
			}
			t.Logf("%d of %d found, %d drops, %.0f requests/s, %v in all", s.stats.Received, s.stats.Sent, s.stats.CaptureDrops, s.stats.Rate, o.took)
		}
	}
}

func TestSweepTellsKindsApart(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{})
	o := inLab(t, lab, "sweep", "--rate", "50000", "--format", "influx", "198.18.0.0/16")
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	counts := map[string]int{}
	for _, s := range readSweeps(t, strings.NewReader(o.stdout)) {
		for target, row := range s.rows {
			kind, ok := lab.Population.Kind(netip.MustParseAddr(target))
			if !ok {
				t.Fatalf("%s is no target", target)
			}
			counts[fmt.Sprintf("%v: %s", kind, verdict(row, s.late[target]))]++
		}
		if s.stats.Trust != schema.TrustOK {
			t.Errorf("stats: %+v", s.stats)
		}
	}
	want := map[string]int{
		"answering: answered":     lab.Population.Count(netlab.Answering),
		"silent: silent":          lab.Population.Count(netlab.Silent),
		"unreachable: error 3/1":  lab.Population.Count(netlab.Unreachable),
		"prohibited: error 3/13":  lab.Population.Count(netlab.Prohibited),
		"late: silent, late once": lab.Population.Count(netlab.Late),
	}
	for k, n := range want {
		if counts[k] != n {
			t.Errorf("%s: %d, want %d", k, counts[k], n)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

func verdict(row schema.SweepRow, late int64) string {
	if late == 0 {
		late = row.Late
	}
	switch {
	case row.ResultCode == schema.ResultAnswered && late == 0:
		return "answered"
	case row.ResultCode == schema.ResultICMPError:
		return fmt.Sprintf("error %d/%d", row.ICMPType.N, row.ICMPCode.N)
	case row.ResultCode == schema.ResultSilent && late == 1:
		return "silent, late once"
	case row.ResultCode == schema.ResultSilent:
		return "silent"
	}
	return fmt.Sprintf("%+v", row)
}

// TestRTTAgainstTcpdump compares every RTT with that of an independent capture of the same frames.
func TestRTTAgainstTcpdump(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	file := filepath.Join(t.TempDir(), "sweep.pcap")
	stop := startTcpdump(t, lab, file)
	o := inLab(t, lab, "sweep", "--rate", "0", "198.18.0.0/16")
	stop()
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	truth, err := witness.ReadRTTs(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	got := witness.Compare(csvRTTs(t, o.stdout), truth)
	t.Logf("RTT less tcpdump's, ns: %+v, %.3f %% within 1 µs", got, 100*got.Share())
	if got.Compared != 65536 || got.Unseen > 0 || got.Median != 0 || got.Share() < .999 {
		t.Error("too far")
	}
}

// csvRTTs reads the lines of --format csv, of targets that have all answered.
func csvRTTs(t *testing.T, out string) map[netip.Addr]int64 {
	t.Helper()
	rtts := map[netip.Addr]int64{}
	for line := range strings.Lines(out) {
		ip, seconds, _ := strings.Cut(strings.TrimSpace(line), ",")
		target, err := netip.ParseAddr(ip)
		rtt, err2 := strconv.ParseFloat(seconds, 64)
		if err := errors.Join(err, err2); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		rtts[target] = int64(math.Round(rtt * 1e9))
	}
	return rtts
}

func TestInterruptedSweepIsPartial(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := lab.Prober.Command(ctx, program, "sweep", "--rate", "5000", "--format", "influx", "198.18.0.0/16")
	timer := time.AfterFunc(2*time.Second, func() { cmd.Process.Signal(os.Interrupt) })
	defer timer.Stop()
	o := finish(t, cmd)
	if o.code != exitFailed || !strings.Contains(o.stderr, "partial") || o.took > 5*time.Second {
		t.Errorf("exit code %d after %v: %s", o.code, o.took, o.stderr)
	}
	all := readSweeps(t, strings.NewReader(o.stdout))
	all.wantWhole(t, 1)
	for _, s := range all {
		if !s.stats.Partial || s.stats.Points < 5000 || s.stats.Points > 15000 {
			t.Errorf("stats: %+v", s.stats)
		}
	}
}

// TestErrorsHelp: each refusal is one line that says what would be right, with the right exit code.
func TestErrorsHelp(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no target":         {[]string{"sweep"}, exitUsage, "no target"},
		"bad CIDR":          {[]string{"sweep", "198.18.0.0/33"}, exitUsage, `"198.18.0.0/33" is no network`},
		"host bits":         {[]string{"sweep", "198.18.0.1/16"}, exitUsage, "did you mean 198.18.0.0/16?"},
		"unknown flag":      {[]string{"sweep", "--bogus", "198.18.0.1"}, exitUsage, "--bogus"},
		"unknown command":   {[]string{"swep"}, exitUsage, `"swep"`},
		"unknown format":    {[]string{"sweep", "--format", "xml", "198.18.0.1"}, exitUsage, "table, csv, json or influx"},
		"bad rate":          {[]string{"sweep", "--rate", "-1", "198.18.0.1"}, exitUsage, "rate"},
		"no route":          {[]string{"sweep", "203.0.113.1"}, exitFailed, "no route to 203.0.113.1"},
		"no interface":      {[]string{"sweep", "-I", "eth99", "198.18.0.1"}, exitFailed, "no such interface: eth99"},
		"no such source":    {[]string{"sweep", "--source", "192.0.2.77", "198.18.0.1"}, exitFailed, "192.0.2.77"},
		"no such directory": {[]string{"sweep", "-o", "/nonexistent/file", "198.18.0.1"}, exitFailed, "/nonexistent/file"},
		"full disk":         {[]string{"sweep", "-o", "/dev/full", "198.18.0.1"}, exitFailed, "no space left"},
	} {
		t.Run(name, func(t *testing.T) {
			o := inLab(t, lab, c.args...)
			if o.code != c.code || !strings.Contains(o.stderr, c.want) || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("exit code %d, said %q; want %d and one line with %q", o.code, o.stderr, c.code, c.want)
			}
		})
	}
	t.Run("missing capability", func(t *testing.T) {
		cmd := lab.Prober.Command(t.Context(), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "sweep", "198.18.0.1")
		o := finish(t, cmd)
		if o.code != exitFailed || !strings.Contains(o.stderr, "setcap cap_net_raw+ep "+program) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("exit code %d, said %q", o.code, o.stderr)
		}
	})
}

// TestRunsWithFileCapability: what the README tells to do works, for a user who is nobody.
func TestRunsWithFileCapability(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	own := filepath.Join(filepath.Dir(program), "echogram-capable")
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("setcap", "cap_net_raw+ep", own).CombinedOutput(); err != nil {
		t.Fatalf("setcap: %v %s: install it with: apt-get install libcap2-bin", err, out)
	}
	cmd := lab.Prober.Command(t.Context(), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", own, "sweep", "198.18.0.0/24")
	if o := finish(t, cmd); o.code != exitDone || strings.Count(o.stdout, ",0.") != 256 {
		t.Errorf("exit code %d, %d answers: %s", o.code, strings.Count(o.stdout, ",0."), o.stderr)
	}
}
