//go:build integration && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// bfdTime bounds each of the tests with real daemons.
const bfdTime = 25 * time.Second

func bfdContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), bfdTime)
	t.Cleanup(cancel)
	return ctx
}

func bfdLab(t *testing.T, cfg netlab.BFDConfig) *netlab.BFDLab {
	t.Helper()
	lab, err := netlab.NewBFDLab(cfg)
	return netlab.Lasting(t, lab, err)
}

// frrPair starts FRR on both routers, with the sessions that peers gives each, and waits until all are up.
func frrPair(ctx context.Context, t *testing.T, lab *netlab.BFDLab, peers func(r, other netlab.Router) []netlab.FRRPeer) (a, b *netlab.FRR) {
	t.Helper()
	start := func(r, other netlab.Router) *netlab.FRR {
		f, err := lab.StartFRR(ctx, r, netlab.FRRConfig{Peers: peers(r, other)})
		return netlab.Lasting(t, f, err)
	}
	a, b = start(lab.A, lab.B), start(lab.B, lab.A)
	for _, f := range []*netlab.FRR{a, b} {
		if err := f.WaitUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// echoing is a session of either family with echoes every 50 ms, which bears it when a busy machine stands still.
func echoing(r, other netlab.Router) []netlab.FRRPeer {
	both := []netlab.FRRPeer{r.Peer(other, false), r.Peer(other, true)}
	for i := range both {
		p := &both[i]
		p.Echo, p.EchoTransmit, p.EchoReceive, p.DetectMult = true, 50*time.Millisecond, 50*time.Millisecond, 20
	}
	return both
}

// pause waits for d, unless the test is over before.
func pause(ctx context.Context, t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
}

// listen has the command capture on a link, and write line protocol. The returned function ends that as Ctrl-C does.
func listen(ctx context.Context, t *testing.T, n *netlab.Namespace, link string, args ...string) (stop func() bfdRows) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := n.Command(ctx, program, append([]string{"bfd", "-I", link, "--format", "influx", "--duration", bfdTime.String()}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitRing(ctx, t, cmd.Process.Pid)
	return func() bfdRows {
		t.Helper()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || strings.Contains(stderr.String(), "lost") {
			t.Fatalf("%v: %s", err, &stderr)
		}
		return parseBFD(t, stdout.String())
	}
}

// awaitRing returns once a process captures: one of its sockets is bound for frames of all protocols.
func awaitRing(ctx context.Context, t *testing.T, pid int) {
	t.Helper()
	for !captures(pid) {
		pause(ctx, t, 10*time.Millisecond)
	}
}

func captures(pid int) bool {
	process := fmt.Sprintf("/proc/%d/", pid)
	table, _ := os.ReadFile(process + "net/packet") // sk RefCnt Type Proto Iface R Rmem User Inode
	inodes := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) == 9 && f[3] == "0003" { // ETH_P_ALL
			inodes["socket:["+f[8]+"]"] = true
		}
	}
	files, _ := filepath.Glob(process + "fd/*")
	return slices.ContainsFunc(files, func(file string) bool {
		to, _ := os.Readlink(file)
		return inodes[to]
	})
}

// bfdRows are what a run has written.
type bfdRows struct {
	text     string
	sessions []schema.BFDSessionRow
	echoes   []schema.BFDEchoRow
	rtts     []schema.BFDEchoRTTRow // by time
	events   []schema.BFDEventRow
	stats    []schema.BFDStatsRow
}

func parseBFD(t *testing.T, text string) bfdRows {
	t.Helper()
	r := bfdRows{text: text}
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, ",")
		var err error
		switch name {
		case schema.BFDSession:
			err = parseRow(&r.sessions, line)
		case schema.BFDEcho:
			err = parseRow(&r.echoes, line)
		case schema.BFDEchoRTT:
			err = parseRow(&r.rtts, line)
		case schema.BFDEvent:
			err = parseRow(&r.events, line)
		case schema.BFDStats:
			err = parseRow(&r.stats, line)
		default:
			t.Errorf("unknown measurement: %s", line)
		}
		if err != nil {
			t.Error(err)
		}
	}
	slices.SortFunc(r.rtts, func(a, b schema.BFDEchoRTTRow) int { return int(a.Time - b.Time) })
	return r
}

// parseRow appends a line to a list of rows.
func parseRow[T any, R interface {
	*T
	schema.Row
}](list *[]T, line string) error {
	var row T
	err := schema.ParseLine([]byte(strings.TrimSuffix(line, "\n")), R(&row))
	*list = append(*list, row)
	return err
}

// ofKind lists the events of a kind.
func (r *bfdRows) ofKind(kind string) (list []schema.BFDEventRow) {
	for _, e := range r.events {
		if e.Event == kind {
			list = append(list, e)
		}
	}
	return list
}

// bfdPorts is the command's own kernel filter, as tcpdump has it.
const bfdPorts = "udp and (dst port 3784 or 3785 or 4784 or 6784 or 7784 or src port 7784)"
