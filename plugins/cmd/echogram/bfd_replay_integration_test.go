//go:build integration && linux

package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// TestBFDLiveAndReplayOfFRR: FRR's control packets and echoes of both families, over a WAN that loses and copies some,
// give the same lines live and from tcpdump's file of them, in the same order, for all periods that are whole in both.
// Of frames that are no BFD the file has fewer, so that their counts differ.
func TestBFDLiveAndReplayOfFRR(t *testing.T) {
	ctx := bfdContext(t)
	way := netlab.WANWay{Delay: 30 * time.Millisecond, Jitter: 2 * time.Millisecond, Rule: func(p netlab.Passage) (t netlab.Treatment) {
		t.Drop = p.Kind == netlab.FrameEcho && p.N%11 == 3 || p.Kind == netlab.FrameControl && p.N%13 == 12
		if p.Kind == netlab.FrameEcho && p.N%17 == 5 {
			t.Copies = 1
		}
		return t
	}}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: way, FromB: way, Seed: 1}})
	file := filepath.Join(t.TempDir(), "frr.pcap")
	dump, err := witness.StartFilter(ctx, lab.A.Namespace, lab.A.Link, file, 0, bfdPorts)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--per-echo", "--period", "1s", "--tap", "a"}
	stop := listen(ctx, t, lab.A.Namespace, lab.A.Link, args...)
	a, _ := frrPair(ctx, t, lab, echoing)
	pause(ctx, t, 3*time.Second)
	if _, err := a.Pause(700 * time.Millisecond); err != nil { // for something to happen
		t.Fatal(err)
	}
	pause(ctx, t, 4*time.Second)
	live := stop().text
	if drops, err := dump.Stop(); err != nil || drops > 0 {
		t.Fatal(drops, err)
	}
	args = append([]string{"bfd", "--format", "influx", "--local", lab.A.Address.Addr().String(), "--local", lab.A.Address6.Addr().String(), file}, args...)
	o := from(t, lab.A.Namespace, program, args...)
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	end := wholeUntil(t, live)
	got, want := linesBefore(t, live, end), linesBefore(t, o.stdout, end)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d lines live, %d replayed; number %d is\n%sreplayed\n%s", len(got), len(want), i,
				strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
		}
	}
	counts := map[string]int{}
	for _, line := range got {
		name, _, _ := strings.Cut(line, ",")
		counts[name]++
	}
	t.Log(counts)
	if counts["bfd_echo"] < 4*5 || counts["bfd_session"] < 4*5 || counts["bfd_echo_rtt"] < 300 || counts["bfd_stats"] < 5 || counts["bfd_event"] < 8 {
		t.Errorf("too little: %v", counts)
	}
}

// wholeUntil is the time from which on periods may be cut: the last whole period but one, of which all echoes are known.
func wholeUntil(t *testing.T, text string) (end int64) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "bfd_session,") && !strings.Contains(line, "partial=true") {
			end = max(end, timeOf(t, line))
		}
	}
	return end
}

// notBFD are the counts of frames that are no BFD.
var notBFD = regexp.MustCompile(`\b(packets|other_frames|icmp|fragments)=\d+i,`)

func linesBefore(t *testing.T, text string, end int64) (list []string) {
	for line := range strings.Lines(text) {
		if timeOf(t, line) >= end {
			continue
		}
		if strings.HasPrefix(line, "bfd_stats,") {
			line = notBFD.ReplaceAllString(line, "")
			if strings.Contains(line, " control_packets=0i,echo_packets=0i,") {
				continue // it counts nothing else
			}
		}
		list = append(list, line)
	}
	return list
}

func timeOf(t *testing.T, line string) int64 {
	t.Helper()
	at, err := strconv.ParseInt(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
