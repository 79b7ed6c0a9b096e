//go:build integration && linux

package bfd

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

const embeddedConfig = `
[agent]
  interval = "10s"
  omit_hostname = true
[[inputs.bfd]]
  interval = "10s"
  files = [%q]
  follow = false
  period = "20s"
  log_events = []
[[outputs.file]]
  files = ["stdout"]
`

// TestEmbedded: a Telegraf with our input compiled in takes the stanza, and has all points of a file when it ends.
func TestEmbedded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	program, err := parts.EmbeddedTelegraf(ctx, "../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	capture, config := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "telegraf.conf")
	write(t, capture, pcapHead, records(0, 35))
	write(t, config, fmt.Appendf(nil, embeddedConfig, capture))
	cmd := exec.CommandContext(ctx, program, "--config", config, "--once")
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if n := strings.Count(string(out), schema.BFDSession+","); n != 2 || strings.Contains(log.String(), " E! ") {
		t.Errorf("%d points of two periods\n%s\n%s", n, out, log.String())
	}
}
