//go:build integration

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// holdStamps has the kernel stamp each frame once for all captures, and not for each of them, until the test ends.
func holdStamps(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err != nil {
		t.Fatal(err)
	}
}

// TestReadOwnSweep: what a capture by another program says of our sweep is what the sweep itself said, to the
// nanosecond.
func TestReadOwnSweep(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{})
	holdStamps(t)
	file := filepath.Join(t.TempDir(), "sweep.pcap")
	stop := startTcpdump(t, lab, file)
	own := inLab(t, lab, "sweep", "--rate", "20000", "--format", "influx", "198.18.0.0/16")
	stop()
	read := inLab(t, lab, "sweep", "--read", file, "--format", "influx", "198.18.0.0/16")
	if own.code != exitDone || read.code != exitDone {
		t.Fatalf("exit codes %d and %d: %s%s", own.code, read.code, own.stderr, read.stderr)
	}
	a, b := onlySweep(t, own.stdout), onlySweep(t, read.stdout)
	differ, exact := 0, 0
	for target, want := range a.rows {
		got := b.rows[target]
		if rowVerdict(got, b.late[target]) != rowVerdict(want, a.late[target]) {
			if differ++; differ < 5 {
				t.Errorf("%s: read %s, own %s", target, rowVerdict(got, b.late[target]), rowVerdict(want, a.late[target]))
			}
		}
		if want.RTT.Set && got.RTT == want.RTT {
			exact++
		}
	}
	if differ > 0 || len(b.rows) != len(a.rows) || b.blocks != a.blocks {
		t.Errorf("%d of %d rows differ; %d were read, and %d blocks for %d", differ, len(a.rows), len(b.rows), b.blocks, a.blocks)
	}
	if s := b.stats; s.Sent != a.stats.Sent || s.Received != a.stats.Received || s.ICMPErrors != a.stats.ICMPErrors || s.Trust != schema.TrustOK {
		t.Errorf("read %+v, own %+v", s, a.stats)
	}
	t.Logf("%d rows, %d RTTs the same to the nanosecond; read in %v: %s", len(b.rows), exact, read.took, read.stderr)
}

func onlySweep(t *testing.T, lines string) *sweepRows {
	t.Helper()
	all := readSweeps(t, strings.NewReader(lines))
	if len(all) != 1 {
		t.Fatalf("%d sweeps", len(all))
	}
	for _, s := range all {
		if s.stats == nil {
			t.Fatal("no stats row")
		}
		return s
	}
	return nil
}

func rowVerdict(r schema.SweepRow, late int64) string {
	return fmt.Sprintf("sent %d, received %d, rtt %+v, ttl %+v, late %d, code %d, error %d/%d from %q", r.Sent, r.Received, r.RTT, r.TTL,
		max(late, r.Late), r.ResultCode, r.ICMPType.N, r.ICMPCode.N, r.ErrorFrom)
}

// TestReadOtherPingersLive compares with what ping and fping say themselves of the same requests. Their RTTs hold
// their own time on top, so ours must lie below.
func TestReadOtherPingersLive(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{})
	alive := targetsOf(lab, netlab.Answering, 40)
	dead := targetsOf(lab, netlab.Silent, 3)
	failing := targetsOf(lab, netlab.Prohibited, 2)
	file := filepath.Join(t.TempDir(), "pings.pcap")
	stop := startTcpdump(t, lab, file)
	said := map[string]float64{} // ms
	o := finish(t, lab.Prober.Command(t.Context(), "ping", "-n", "-c", "1", alive[0]))
	if _, after, ok := strings.Cut(o.stdout, "time="); ok {
		v, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		said[alive[0]] = v
	}
	// Its timeout for the silent ones is longer than tcpdump waits for more to come before it reads.
	args := append([]string{"-C", "1", "-q", "-r", "0", "-t", "1500"}, slices.Concat(alive[1:], dead, failing)...)
	o = finish(t, lab.Prober.Command(t.Context(), "fping", args...))
	for line := range strings.Lines(o.stderr) {
		target, ms, ok := strings.Cut(line, ":")
		if v, err := strconv.ParseFloat(strings.TrimSpace(ms), 64); ok && err == nil {
			said[strings.TrimSpace(target)] = v
		}
	}
	stop()
	read := inLab(t, lab, "sweep", "--read", file, "--format", "influx")
	if read.code != exitDone {
		t.Fatalf("exit code %d: %s", read.code, read.stderr)
	}
	rows := onlySweep(t, read.stdout).rows
	if len(rows) != len(alive)+len(dead)+len(failing) || len(said) != len(alive) {
		t.Errorf("%d rows, and the pingers had %d answers", len(rows), len(said))
	}
	for _, target := range alive {
		ms := float64(rows[target].RTT.N) / 1e6
		if !rows[target].RTT.Set || ms > said[target]+.001 { // they print three digits
			t.Errorf("%s: RTT %v ms, its pinger said %v ms", target, ms, said[target])
		}
	}
	for _, target := range dead {
		if rows[target].ResultCode != schema.ResultSilent {
			t.Errorf("%+v", rows[target])
		}
	}
	for _, target := range failing {
		if rows[target].ResultCode != schema.ResultICMPError || rows[target].ICMPCode.N != 13 {
			t.Errorf("%+v", rows[target])
		}
	}
}

// targetsOf lists the first addresses of a kind's first block, without its network address.
func targetsOf(lab *netlab.Sweep, kind netlab.Kind, n int) []string {
	a := lab.Population.BlocksOf(kind)[0].Addr()
	var list []string
	for range n {
		a = a.Next()
		list = append(list, a.String())
	}
	return list
}
