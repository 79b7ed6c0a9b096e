//go:build integration && linux

package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabs brings each lab up, types the commands that it prints, and ends it: nothing must be left.
func TestLabs(t *testing.T) {
	for args, want := range map[string]string{ // a regular expression
		"bridges 3":                      "a chain of 3 bridges",
		"delay 250ns":                    `the line held 205 requests, for (2[5-9]\d|[3-9]\d\d|\d\.\d+µ)`, // it is never shorter, but may be kept from going on
		"links 2 100M":                   "2 links of 100 Mbit/s",
		"wan 4ms --loss 5% --jitter 1ms": "loss 5%",
		"world --seed 3 --speed 60":      "requests 2",
	} {
		t.Run(args, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			tmp := t.TempDir()
			cmd := exec.CommandContext(ctx, "../../../../scripts/lab", strings.Fields(args)...)
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			cmd.WaitDelay = 30 * time.Second
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			for lines := bufio.NewScanner(pipe); lines.Scan(); {
				line := lines.Text()
				said.WriteString(line + "\n")
				if strings.Contains(line, " sweep ") {
					sweep(ctx, t, line)
				}
				if strings.HasSuffix(line, "$SHELL") { // the last
					if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("ended with %v\n%s", err, said.String())
			}
			if !regexp.MustCompile(want).MatchString(said.String()) {
				t.Errorf("no %q in\n%s", want, said.String())
			}
			wantNothingLeft(t, said.String(), tmp)
		})
	}
}

// sweep runs a command as a person pastes it.
func sweep(ctx context.Context, t *testing.T, line string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	t.Logf("%s", out)
}

func wantNothingLeft(t *testing.T, said, tmp string) {
	t.Helper()
	names := regexp.MustCompile(`echogram-lab-\d+-\d+-\w+-\w+`).FindAllString(said, -1)
	if len(names) < 2 {
		t.Errorf("the output names the namespaces %v", names)
	}
	for _, name := range names {
		if left, err := filepath.Glob("/run/netns/" + name[:strings.LastIndexByte(name, '-')] + "-*"); err != nil || len(left) > 0 {
			t.Errorf("namespaces are left: %v, %v", left, err)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
}

// TestLabEndsByItself when its time is over.
func TestLabEndsByItself(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../../../scripts/lab", "bridges", "1", "--duration", "1s")
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "everything was removed") {
		t.Errorf("%v\n%s", err, out)
	}
	wantNothingLeft(t, string(out), tmp)
}

func TestLabRefuses(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../../../scripts/lab", "bridges", "0")
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("ended with %v", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
}
