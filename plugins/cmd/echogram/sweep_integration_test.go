//go:build integration

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
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

	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/netlab"
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
	log := stop()
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	if !strings.Contains(log, "\n0 packets dropped by kernel") {
		t.Fatalf("void: tcpdump dropped packets, so it is no witness:\n%s", log)
	}
	truth := tcpdumpRTTs(t, file)
	var diffs []int64
	for line := range strings.Lines(o.stdout) {
		ip, seconds, _ := strings.Cut(strings.TrimSpace(line), ",")
		rtt, err := strconv.ParseFloat(seconds, 64)
		want, seen := truth[ip]
		if err != nil || !seen {
			t.Fatalf("%q: tcpdump saw an answer: %v", line, seen)
		}
		diffs = append(diffs, int64(rtt*1e9+.5)-want)
	}
	slices.Sort(diffs)
	within := 0
	for _, d := range diffs {
		if d >= -1000 && d <= 1000 {
			within++
		}
	}
	median := diffs[len(diffs)/2]
	t.Logf("%d RTTs less tcpdump's, ns: min %d, p0.1 %d, median %d, p99.9 %d, max %d; %.3f %% within 1 µs",
		len(diffs), diffs[0], diffs[len(diffs)/1000], median, diffs[len(diffs)-1-len(diffs)/1000], diffs[len(diffs)-1], 100*float64(within)/float64(len(diffs)))
	if len(diffs) != 65536 || median != 0 || float64(within) < .999*float64(len(diffs)) {
		t.Errorf("%d RTTs, median %d ns, %d within 1 µs", len(diffs), median, within)
	}
}

// startTcpdump captures on the prober's link until the returned function is called, which gives what it said.
func startTcpdump(t *testing.T, lab *netlab.Sweep, file string) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := lab.Prober.Command(ctx, "tcpdump", "-n", "-i", netlab.ProberLink, "--time-stamp-precision=nano",
		"-B", "262144", "-s", "64", "-Z", "root", "-w", file, "icmp")
	errPipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install it with: apt-get install tcpdump", err)
	}
	r := bufio.NewReader(errPipe)
	for { // it captures once it has said so
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("tcpdump ended: %v", err)
		}
		if strings.Contains(line, "listening on") {
			break
		}
	}
	return func() string {
		cmd.Process.Signal(syscall.SIGINT)
		rest, _ := io.ReadAll(r)
		if err := cmd.Wait(); err != nil {
			t.Errorf("tcpdump: %v", err)
		}
		return "\n" + string(rest)
	}
}

// tcpdumpRTTs reads the RTT of each target, ns, out of a capture.
func tcpdumpRTTs(t *testing.T, file string) map[string]int64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	sent, rtts := map[string]int64{}, map[string]int64{}
	for {
		data, info, err := r.ReadPacketData()
		if err == io.EOF {
			return rtts
		}
		if err != nil {
			t.Fatal(err)
		}
		ip, err := frame.Parse(data, capture.LinkEthernet)
		if err != nil {
			continue
		}
		switch at := info.Timestamp.UnixNano(); ip.Payload[0] {
		case icmpecho.TypeEchoRequest:
			sent[ip.Dst.String()] = at
		case icmpecho.TypeEchoReply:
			rtts[ip.Src.String()] = at - sent[ip.Src.String()]
		}
	}
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
		"unknown format":    {[]string{"sweep", "--format", "xml", "198.18.0.1"}, exitUsage, "csv or influx"},
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
