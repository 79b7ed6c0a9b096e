//go:build integration

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
)

const agentConfig = `
[agent]
  interval = "5s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  omit_hostname = true
`

// rig is a real Telegraf on a lab: as the parent of our command, or with our plugin compiled in.
type rig struct {
	lab     *netlab.Sweep
	program string
	config  string
	out     string // what outputs.file writes
	inside  bool   // Telegraf itself runs in the prober's namespace
}

const stanza = `
[[inputs.icmp_sweep]]
  interval = "5s"
  networks = ["198.18.0.0/16"]
  rate = 0
`

func newRig(t *testing.T) *rig {
	t.Helper()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	telegraf, err := parts.Telegraf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{lab: lab, program: telegraf, out: filepath.Join(t.TempDir(), "out.lp")}
	r.config = writeFile(t, "telegraf.conf", agentConfig, r.fileOutput(), fmt.Sprintf(`
[[inputs.execd]]
  command = ["nsenter", "--net=%s", %q, "telegraf", "--config", %q]
  signal = "STDIN"
  data_format = "influx"
  restart_delay = "1s"
`, lab.Prober.Path(), program, writeFile(t, "echogram.conf", stanza)))
	return r
}

func newEmbeddedRig(t *testing.T) *rig {
	t.Helper()
	repo, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	telegraf, err := parts.EmbeddedTelegraf(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{lab: newLab(t, netlab.SweepConfig{AllAnswering: true}), program: telegraf, out: filepath.Join(t.TempDir(), "out.lp"), inside: true}
	r.config = writeFile(t, "telegraf.conf", agentConfig, r.fileOutput(), stanza)
	return r
}

func (r *rig) fileOutput() string {
	return fmt.Sprintf("[[outputs.file]]\n  files = [%q]\n  data_format = \"influx\"", r.out)
}

func (r *rig) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--config", r.config}, args...)
	if r.inside {
		return r.lab.Prober.Command(ctx, r.program, args...)
	}
	return exec.CommandContext(ctx, r.program, args...)
}

// written reads what outputs.file has written since the last call.
func (r *rig) written(t *testing.T) sweeps {
	t.Helper()
	data, err := os.ReadFile(r.out)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(r.out)
	return readSweeps(t, bytes.NewReader(data))
}

// badLine finds what Telegraf says when something is lost or has failed.
var badLine = regexp.MustCompile(`(?m)^.*( E! |[Dd]ropped|overflow|exit status [1-9]|panic).*$`)

func wantQuiet(t *testing.T, o outcome) {
	t.Helper()
	if o.code != 0 {
		t.Errorf("exit code %d", o.code)
	}
	if bad := badLine.FindAllString(o.stderr, 5); bad != nil {
		t.Errorf("telegraf says %s", strings.Join(bad, "\n"))
	}
	if left := processes(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// processes lists the processes that run the command under test.
func processes(t *testing.T) []string {
	t.Helper()
	var found []string
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if exe, err := os.Readlink(l); err == nil && exe == program {
			found = append(found, l)
		}
	}
	return found
}

func TestTelegrafTest(t *testing.T) { testTest(t, newRig(t)) }
func TestTelegrafOnce(t *testing.T) { testOnce(t, newRig(t)) }
func TestTelegrafStop(t *testing.T) { testStop(t, newRig(t)) }

// TestTelegrafReload sends SIGHUP in the middle of a sweep.
func TestTelegrafReload(t *testing.T) { testReload(t, newRig(t)) }

func TestEmbeddedTelegraf(t *testing.T) {
	r := newEmbeddedRig(t)
	t.Run("test", func(t *testing.T) { testTest(t, r) })
	t.Run("once", func(t *testing.T) { testOnce(t, r) })
	t.Run("stop", func(t *testing.T) { testStop(t, r) })
	t.Run("reload", func(t *testing.T) { testReload(t, r) })
}

func testTest(t *testing.T, r *rig) {
	for range *runs {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		o := finish(t, r.command(ctx, "--test"))
		cancel()
		wantQuiet(t, o)
		all := readSweeps(t, strings.NewReader(o.stdout))
		all.wantWhole(t, 1)
		wantPoints(t, all, 65536)
	}
}

func testOnce(t *testing.T, r *rig) {
	for range *runs {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		o := finish(t, r.command(ctx, "--once"))
		cancel()
		wantQuiet(t, o)
		all := r.written(t)
		all.wantWhole(t, 1)
		wantPoints(t, all, 65536)
	}
}

func wantPoints(t *testing.T, all sweeps, n int64) {
	t.Helper()
	for at, s := range all {
		if s.stats == nil || s.stats.Points != n || s.blocks != 256 {
			t.Errorf("sweep %d: %d rows, %d blocks, manifest %+v", at, len(s.rows), s.blocks, s.stats)
		}
	}
}

// testStop ends Telegraf by SIGTERM, now in the middle of a sweep's sending, now between sweeps.
func testStop(t *testing.T, r *rig) {
	for i := range *runs {
		o := r.live(t, func(signal func(os.Signal)) {
			sleepUntil(5*time.Second, 2)
			time.Sleep(time.Duration(i%4) * 200 * time.Millisecond)
			signal(syscall.SIGTERM)
		})
		wantQuiet(t, o)
		r.written(t).wantWhole(t, 1)
	}
}

func testReload(t *testing.T, r *rig) {
	for i := range *runs {
		o := r.live(t, func(signal func(os.Signal)) {
			sleepUntil(5*time.Second, 1)
			time.Sleep(time.Duration(i%4) * 200 * time.Millisecond)
			signal(syscall.SIGHUP)
			sleepUntil(5*time.Second, 2)
			time.Sleep(3 * time.Second)
			signal(syscall.SIGTERM)
		})
		wantQuiet(t, o)
		if !strings.Contains(o.stderr, "Reloading Telegraf config") {
			t.Errorf("telegraf did not reload: %s", o.stderr)
		}
		r.written(t).wantWhole(t, 2)
	}
}

// live runs Telegraf while during runs, whose last signal must end it.
func (r *rig) live(t *testing.T, during func(signal func(os.Signal))) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := r.command(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		during(func(s os.Signal) { cmd.Process.Signal(s) })
	}()
	o := finish(t, cmd)
	<-done
	return o
}

// sleepUntil sleeps until the n-th multiple of d from now.
func sleepUntil(d time.Duration, n int) {
	now := time.Now()
	time.Sleep(now.Truncate(d).Add(time.Duration(n) * d).Sub(now))
}

// TestSIGTERMWhileNobodyReads: a parent that has stopped reading must not keep us alive.
func TestSIGTERMWhileNobodyReads(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := lab.Prober.Command(ctx, program, "telegraf", "--once", "--config", writeFile(t, "echogram.conf", stanza))
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	time.Sleep(3 * time.Second) // the sweep is over, and the pipe full
	begin := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if took := time.Since(begin); took > 1500*time.Millisecond || cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("exit code %d, %v after the signal", cmd.ProcessState.ExitCode(), took)
	}
	if !strings.Contains(stderr.String(), "E! [inputs.icmp_sweep] STDOUT is not read") {
		t.Errorf("said %q", stderr.String())
	}
}

// TestPrivilegesAreGone looks at every thread of the running command.
func TestPrivilegesAreGone(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := lab.Prober.Command(ctx, program, "telegraf", "--config", writeFile(t, "echogram.conf", stanza))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin.Write([]byte("\n")) // it works as well without privileges, at the end of STDIN
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !allDropped(t, cmd.Process.Pid) {
		if time.Now().After(deadline) {
			t.Fatal("a thread still has capabilities or may gain them")
		}
		time.Sleep(20 * time.Millisecond)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	readSweeps(t, &stdout).wantWhole(t, 1)
}

func allDropped(t *testing.T, pid int) bool {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) < 2 {
		return false
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, want := range []string{"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1"} {
			if !strings.Contains(string(status), want) {
				return false
			}
		}
	}
	return true
}

// TestRefusedConfigurations: one line under Telegraf, with file, line and key, and exit code 2.
func TestRefusedConfigurations(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	for name, c := range map[string]struct {
		config string
		want   string // behind FILE
	}{
		"wrong key":       {"[[inputs.icmp_sweep]]\n  intervall = \"5s\"", `:2: key "inputs.icmp_sweep.intervall": unknown; did you mean "interval"?`},
		"wrong type":      {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = \"198.18.0.0/16\"", `:3: key "inputs.icmp_sweep`},
		"no TOML":         {"[[inputs.icmp_sweep]\n", ":1: "},
		"bad CIDR":        {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\n    \"198.18.0.0/24\",\n    \"198.18.0.0/33\",\n  ]", `:5: key "inputs.icmp_sweep[0].networks[1]": "198.18.0.0/33" is no network`},
		"no interval":     {"[[inputs.icmp_sweep]]\n  networks = [\"198.18.0.0/24\"]", `:1: key "inputs.icmp_sweep[0].interval": is required`},
		"too slow":        {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.0.0/16\"]\n", "raise interval or rate"},
		"two of a name":   {strings.Repeat("[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.0.0/24\"]\n", 2), `:4: key "inputs.icmp_sweep[1].instance"`},
		"a filter":        {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  namepass = [\"x\"]", "set this on [[inputs.execd]]"},
		"bad level":       {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.0.0/24\"]\n  log_level = \"loud\"", `:4: key "inputs.icmp_sweep[0].log_level"`},
		"default twice":   {strings.Repeat("[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.0.0/24\"]\n", 1) + "[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.1.0/24\"]\n  instance = \"default\"", `:7: key "inputs.icmp_sweep[1].instance"`},
		"no tag":          {"[[inputs.icmp_sweep]]\n  interval = \"5s\"\n  networks = [\"198.18.0.0/24\"]\n  instance = 'a\\'", `:4: key "inputs.icmp_sweep[0].instance"`},
		"another's input": {"[[inputs.cpu]]\n", `:1: key "inputs.cpu"`},
		"nothing in it":   {"# empty", ": no [[inputs.icmp_sweep]] stanza"},
	} {
		t.Run(name, func(t *testing.T) {
			file := writeFile(t, "echogram.conf", c.config)
			o := inLab(t, lab, "telegraf", "--config", file)
			if o.code != exitUsage || !strings.HasPrefix(o.stderr, "E! "+file) || !strings.Contains(o.stderr, c.want) || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("exit code %d, said %q; want %q", o.code, o.stderr, c.want)
			}
			if o := inLab(t, lab, "telegraf", "--config", file, "--check"); o.code != exitUsage || !strings.Contains(o.stderr, c.want) {
				t.Errorf("--check: exit code %d, said %q", o.code, o.stderr)
			}
		})
	}
	t.Run("no route", func(t *testing.T) {
		file := writeFile(t, "echogram.conf", strings.ReplaceAll(stanza, "198.18.0.0/16", "203.0.113.0/24"))
		if o := inLab(t, lab, "telegraf", "--config", file); o.code != exitFailed || !strings.HasPrefix(o.stderr, "E! ") || !strings.Contains(o.stderr, "203.0.113.0/24 cannot be reached") {
			t.Errorf("exit code %d, said %q", o.code, o.stderr)
		}
	})
	t.Run("no file", func(t *testing.T) {
		if o := inLab(t, lab, "telegraf", "--config", "/nonexistent.conf"); o.code != exitUsage || !strings.Contains(o.stderr, "/nonexistent.conf") {
			t.Errorf("exit code %d, said %q", o.code, o.stderr)
		}
	})
	t.Run("a good one", func(t *testing.T) {
		if o := inLab(t, lab, "telegraf", "--config", writeFile(t, "echogram.conf", stanza), "--check"); o.code != exitDone || !strings.Contains(o.stdout, "ok, 1 stanza") {
			t.Errorf("exit code %d, said %q %q", o.code, o.stdout, o.stderr)
		}
	})
}
