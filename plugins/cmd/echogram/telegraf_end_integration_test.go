//go:build integration

package main

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// ended starts cmd, has end end it after a time, and demands that it ends well within a second. 0.3 s of that the
// command waits for its reader.
func ended(t *testing.T, cmd *exec.Cmd, after time.Duration, end func()) sweeps {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	begin := time.Now()
	end()
	err := cmd.Wait()
	if took := time.Since(begin); took > 1100*time.Millisecond {
		t.Errorf("ended after %v", took)
	}
	if err != nil || stderr.Len() > 0 {
		t.Errorf("ended with %v, said %q", err, stderr.String())
	}
	return readSweeps(t, &stdout)
}

// TestSIGTERM ends the command in the phases of a sweep: what was measured so far comes out.
func TestSIGTERM(t *testing.T) {
	lan := func(t *testing.T) *netlab.Namespace {
		lab, err := netlab.LANLab(netlab.LANConfig{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := lab.Close(); err != nil {
				t.Error(err)
			}
		})
		return lab.Prober
	}
	const discovery = -1 // nothing is sent before its end, so there is no sweep
	for name, c := range map[string]struct {
		prober          func(*testing.T) *netlab.Namespace
		stanza          string
		atLeast, atMost int64 // rows
	}{
		"while requests leave": {answering, "", 2000, 16000},
		"between two requests": {answering, "networks = [\"198.18.0.0/24\"]\n  count = 3\n  count_interval = \"5s\"", 256, 256},
		"in a discovery":       {lan, "on_link = true", discovery, discovery},
	} {
		t.Run(name, func(t *testing.T) {
			config := "[[inputs.icmp_sweep]]\n  interval = \"60s\"\n  " + c.stanza
			if !strings.Contains(config, "networks") {
				config += "\n  networks = [\"198.18.0.0/16\"]"
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := c.prober(t).Command(ctx, program, "telegraf", "--once", "--config", writeFile(t, "echogram.conf", config))
			all := ended(t, cmd, 1500*time.Millisecond, func() { cmd.Process.Signal(syscall.SIGTERM) })
			if c.atMost == discovery {
				if len(all) > 0 {
					t.Errorf("%d sweeps", len(all))
				}
				return
			}
			all.wantWhole(t, 1)
			for _, s := range all {
				if s.stats != nil && (!s.stats.Partial || s.stats.Points < c.atLeast || s.stats.Points > c.atMost) {
					t.Errorf("%+v", s.stats)
				}
			}
		})
	}
}

// TestEndWhileRowsAreSpread: nothing is left to be measured then, so all rows come at once, of a whole sweep.
func TestEndWhileRowsAreSpread(t *testing.T) {
	const (
		slots     = 8 * time.Second // of which the sweep takes 2.3 s, or a little more on a busy machine, and its rows 6
		startTime = 500 * time.Millisecond
	)
	const config = "[[inputs.icmp_sweep]]\n  interval = \"8s\"\n  networks = [\"198.18.0.0/16\"]\n  rate = 50000"
	for name, end := range map[string]func(stdin io.Closer, cmd *exec.Cmd){
		"SIGTERM":          func(_ io.Closer, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) },
		"the end of STDIN": func(stdin io.Closer, _ *exec.Cmd) { stdin.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			prober := answering(t)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := prober.Command(ctx, program, "telegraf", "--config", writeFile(t, "echogram.conf", config))
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			slot := time.Now().Add(startTime).Truncate(slots).Add(slots)
			time.Sleep(time.Until(slot.Add(-startTime)))
			timer := time.AfterFunc(startTime, func() { io.WriteString(stdin, "\n") })
			defer timer.Stop()
			all := ended(t, cmd, startTime+3600*time.Millisecond, func() { end(stdin, cmd) })
			all.wantWhole(t, 1)
			for _, s := range all {
				if s.stats != nil && (s.stats.Partial || s.stats.Points != 65536 || s.stats.Trust != schema.TrustOK) {
					t.Errorf("%+v", s.stats)
				}
			}
		})
	}
}
