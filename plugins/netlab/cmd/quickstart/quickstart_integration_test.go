//go:build integration && linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab/command"
)

const script = "../../../../scripts/quickstart"

// quickstart prepares the script with a directory of its own for what it leaves behind.
func quickstart(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	tmp := t.TempDir()
	cmd := exec.CommandContext(ctx, script, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd, tmp
}

func TestQuickstart(t *testing.T) {
	cmd, tmp := quickstart(t, "--sweeps", "1", "--outage", "1", "--report", t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"falls silent at", "and answers again at", "BFD: Up, ", "report.html", "of the BFD session",
		"0 dropped",
		"ok: all is as the lab made it",
	} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	wantNothingLeft(t, string(out), tmp)
}

func TestQuickstartInterrupted(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd, tmp := quickstart(t)
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for lines := bufio.NewScanner(pipe); lines.Scan(); {
				out.WriteString(lines.Text() + "\n")
				if step := lines.Text(); strings.HasPrefix(step, "==> ") && strings.Contains(step, "sweeps, one every") { // all of it runs by now
					if err := cmd.Process.Signal(sig); err != nil {
						t.Fatal(err)
					}
				}
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != command.Interrupted {
				t.Errorf("ended with %v, want exit code %d\n%s", err, command.Interrupted, out.String())
			}
			wantNothingLeft(t, out.String(), tmp)
		})
	}
}

// wantNothingLeft looks for the namespaces that a run named, and for processes that have to do with its files.
func wantNothingLeft(t *testing.T, out, tmp string) {
	t.Helper()
	names := regexp.MustCompile(`echogram-lab-\S+`).FindAllString(out, -1)
	if len(names) != 2 {
		t.Errorf("the output names the namespaces %v", names)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("/run/netns", name)); !os.IsNotExist(err) {
			t.Errorf("namespace %s is left: %v", name, err)
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range processes {
		line, err := os.ReadFile(file)
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2]) // by the pattern it is a number
		if err == nil && pid != os.Getpid() && bytes.Contains(line, []byte(tmp)) {
			t.Errorf("process %d is left: %q", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
}
