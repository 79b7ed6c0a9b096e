//go:build integration && linux

package parts

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

const embeddedConfig = `
[agent]
  interval = "10s"
  metric_batch_size = 5000
  metric_buffer_limit = 600000
  omit_hostname = true
[[inputs.icmp_sweep]]
  interval = "10s"
  instance = "embedded"
  networks = ["198.18.0.0/16"]
[[outputs.file]]
  files = ["stdout"]
`

// A Telegraf with our input compiled in sweeps a /16 once and loses no row.
func TestEmbeddedTelegrafSweeps(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	program, err := EmbeddedTelegraf(ctx, "../../..")
	if err != nil {
		t.Fatal(err)
	}
	lab, err := netlab.SweepLab(netlab.SweepConfig{})
	netlab.Lasting(t, lab, err)
	config := filepath.Join(t.TempDir(), "telegraf.conf")
	if err := os.WriteFile(config, []byte(embeddedConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	out := runOnce(t, lab.Prober.Command(ctx, program, "--config", config, "--once"))
	rows := countRows(t, out)
	want := rowCount{
		sweep:      lab.Population.Targets(),
		responding: lab.Population.Count(netlab.Answering),
		points:     int64(lab.Population.Targets()),
		blocks:     len(lab.Population.Blocks()),
	}
	if rows != want {
		t.Errorf("rows %+v, want %+v", rows, want)
	}
}

// runOnce returns what a command prints that must end well within a minute.
func runOnce(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, tail(stderr.String(), 20))
	}
	if s := stderr.String(); strings.Contains(s, " E! ") {
		t.Errorf("telegraf: %s", tail(s, 20))
	}
	return stdout.Bytes()
}

type rowCount struct {
	sweep, responding, blocks int
	points                    int64 // by the manifest
}

func countRows(t *testing.T, lines []byte) (n rowCount) {
	t.Helper()
	var p schema.Point
	for line := range bytes.Lines(lines) {
		if err := p.Parse(line); err != nil {
			t.Fatal(err)
		}
		switch p.Measurement {
		case schema.ICMPSweep:
			var row schema.SweepRow
			if err := schema.Read(&p, &row); err != nil {
				t.Fatal(err)
			}
			if row.Sent > 0 { // else the late answers of a row that was written before
				n.sweep++
			}
			if row.Sent > 0 && row.ResultCode == schema.ResultAnswered {
				n.responding++
			}
		case schema.ICMPSweepBlock:
			n.blocks++
		case schema.ICMPSweepStats:
			var row schema.SweepStatsRow
			if err := schema.Read(&p, &row); err != nil {
				t.Fatal(err)
			}
			n.points += row.Points
		}
	}
	return n
}
