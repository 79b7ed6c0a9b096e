//go:build integration

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// runs is how often the tests that look for rare losses repeat what they do.
var runs = flag.Int("runs", 2, "repetitions of each way to sweep and to end")

// program is the command under test, built as it ships.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // such tests wait more than they work
		panic(err)
	}
	dir, err := os.MkdirTemp("", "echogram-test-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "echogram")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs it, too
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// newLab makes a sweep lab that goes with the test.
func newLab(t *testing.T, cfg netlab.SweepConfig) *netlab.Sweep {
	t.Helper()
	lab, err := netlab.SweepLab(cfg)
	return netlab.Lasting(t, lab, err)
}

// outcome is how a command ended.
type outcome struct {
	stdout, stderr string
	code           int
	took           time.Duration
}

// inLab runs the command in the prober's namespace, for a minute at most.
func inLab(t *testing.T, lab *netlab.Sweep, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return finish(t, lab.Prober.Command(ctx, program, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(begin)}
}

// writeFile writes a file of the test's and returns its path.
func writeFile(t *testing.T, name string, text ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(text, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// startTcpdump captures on the prober's link into file. stop ends that; a capture that has dropped packets is no witness.
func startTcpdump(t *testing.T, lab *netlab.Sweep, file string) (stop func()) {
	t.Helper()
	dump, err := witness.Start(t.Context(), lab.Prober, netlab.ProberLink, file)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if drops, err := dump.Stop(); drops > 0 || err != nil {
			t.Fatalf("void: tcpdump dropped %d packets, so it is no witness: %v", drops, err)
		}
	}
}
