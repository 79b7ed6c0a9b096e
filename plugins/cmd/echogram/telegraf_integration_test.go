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
	"sync"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
)

const agentConfig = `
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  omit_hostname = true
`

// interval is that of sweepStanzas, whose sweeps take most of it.
const interval = 3 * time.Second

const sweepStanzas = `
[[inputs.icmp_sweep]]
  interval = "3s"
  networks = ["198.18.0.0/16"]
  rate = 50000
`

// rig is a real Telegraf in a lab: as the parent of our command, or with our plugin compiled in.
type rig struct {
	prober  *netlab.Namespace
	program string
	config  string
	out     string // what outputs.file writes
	inside  bool   // Telegraf itself runs in the prober's namespace
}

// newRig makes a Telegraf that starts our command, and that the stanzas of it.
func newRig(t *testing.T, prober *netlab.Namespace, stanzas string) *rig {
	t.Helper()
	telegraf, err := parts.Telegraf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{prober: prober, program: telegraf, out: filepath.Join(t.TempDir(), "out.lp")}
	r.config = writeFile(t, "telegraf.conf", agentConfig, r.fileOutput(), execdStanza(
		"nsenter", "--net="+prober.Path(), program, "telegraf", "--config", writeFile(t, "echogram.conf", stanzas)))
	return r
}

// newEmbeddedRig makes a Telegraf that has the stanzas itself.
func newEmbeddedRig(t *testing.T, prober *netlab.Namespace, stanzas string) *rig {
	t.Helper()
	telegraf, err := embeddedTelegraf()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{prober: prober, program: telegraf, out: filepath.Join(t.TempDir(), "out.lp"), inside: true}
	r.config = writeFile(t, "telegraf.conf", agentConfig, r.fileOutput(), stanzas)
	return r
}

// embeddedTelegraf builds a Telegraf that has our plugins.
var embeddedTelegraf = sync.OnceValues(func() (string, error) {
	repo, err := filepath.Abs("../../..")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return parts.EmbeddedTelegraf(ctx, repo)
})

// eachRig runs a test both ways, each in a namespace of its own.
func eachRig(t *testing.T, prober func(t *testing.T) *netlab.Namespace, stanzas string, test func(t *testing.T, r *rig)) {
	for name, make := range map[string]func(*testing.T, *netlab.Namespace, string) *rig{"execd": newRig, "compiled in": newEmbeddedRig} {
		t.Run(name, func(t *testing.T) { test(t, make(t, prober(t), stanzas)) })
	}
}

// answering is the prober of a lab in which all of the /16 answers.
func answering(t *testing.T) *netlab.Namespace {
	return newLab(t, netlab.SweepConfig{AllAnswering: true}).Prober
}

func execdStanza(command ...string) string {
	return fmt.Sprintf(`
[[inputs.execd]]
  command = ["%s"]
  signal = "STDIN"
  data_format = "influx"
  restart_delay = "1s"
`, strings.Join(command, `", "`))
}

func (r *rig) fileOutput() string {
	return fmt.Sprintf("[[outputs.file]]\n  files = [%q]\n  data_format = \"influx\"", r.out)
}

func (r *rig) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--config", r.config}, args...)
	if r.inside {
		return r.prober.Command(ctx, r.program, args...)
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

// processes lists the processes that run the command under test, but for those below a Telegraf that runs beside this
// test.
func processes(t *testing.T) []string {
	t.Helper()
	var found []string
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if exe, err := os.Readlink(l); err == nil && exe == program && !belowTelegraf(l) {
			found = append(found, l)
		}
	}
	return found
}

// belowTelegraf tells whether the parent of the process with this link runs Telegraf.
func belowTelegraf(link string) bool {
	stat, err := os.ReadFile(filepath.Join(filepath.Dir(link), "stat"))
	_, behind, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(behind)
	if err != nil || len(fields) < 2 {
		return false
	}
	parent, err := os.Readlink(filepath.Join("/proc", fields[1], "exe"))
	return err == nil && strings.HasPrefix(filepath.Base(parent), "telegraf")
}

func TestTelegraf(t *testing.T) {
	eachRig(t, answering, sweepStanzas, func(t *testing.T, r *rig) {
		t.Run("test", func(t *testing.T) { testTest(t, r) })
		t.Run("once", func(t *testing.T) { testOnce(t, r) })
		t.Run("stop", func(t *testing.T) { testStop(t, r) })
		t.Run("reload", func(t *testing.T) { testReload(t, r) })
	})
}

func testTest(t *testing.T, r *rig) {
	for range (*runs + 1) / 2 {
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
	for range (*runs + 1) / 2 {
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

// moments are when in a sweep it is ended: while requests leave, while its rows are being spread, …
var moments = []time.Duration{700 * time.Millisecond, 2 * time.Second, 1200 * time.Millisecond, 0}

// testStop ends Telegraf by SIGTERM. It waits for a child of inputs.execd for some seconds, and for nothing else.
func testStop(t *testing.T, r *rig) {
	limit := 2 * time.Second
	if !r.inside {
		limit += 4 * time.Second
	}
	for i := range *runs {
		var signalled time.Time
		o := r.live(t, func(signal func(os.Signal)) {
			sleepUntil(interval, 2)
			time.Sleep(moments[i%len(moments)])
			signalled = time.Now()
			signal(syscall.SIGTERM)
		})
		if took := time.Since(signalled); took > limit {
			t.Errorf("ended %v after SIGTERM", took)
		}
		wantQuiet(t, o)
		r.written(t).wantWhole(t, 1)
	}
}

// testReload sends SIGHUP in the middle of a sweep.
func testReload(t *testing.T, r *rig) {
	for i := range (*runs + 1) / 2 {
		o := r.live(t, func(signal func(os.Signal)) {
			sleepUntil(interval, 2)
			time.Sleep(moments[i%len(moments)])
			signal(syscall.SIGHUP)
			sleepUntil(interval, 2)
			time.Sleep(interval - 300*time.Millisecond)
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
	cmd := lab.Prober.Command(ctx, program, "telegraf", "--once", "--config", writeFile(t, "echogram.conf", sweepStanzas))
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
	cmd := lab.Prober.Command(ctx, program, "telegraf", "--config", writeFile(t, "echogram.conf", sweepStanzas))
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
		for _, want := range []string{"CapInh:\t0000000000000000", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1"} {
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
		"nothing in it":   {"# empty", ": no stanza: it needs an [[inputs.icmp_sweep]] or an [[inputs.bfd]]"},
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
		file := writeFile(t, "echogram.conf", strings.ReplaceAll(sweepStanzas, "198.18.0.0/16", "203.0.113.0/24"))
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
		if o := inLab(t, lab, "telegraf", "--config", writeFile(t, "echogram.conf", sweepStanzas), "--check"); o.code != exitDone || !strings.Contains(o.stdout, "ok, 1 stanza") {
			t.Errorf("exit code %d, said %q %q", o.code, o.stdout, o.stderr)
		}
	})
}
