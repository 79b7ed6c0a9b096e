package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
)

const (
	runTime   = 30 * time.Second // after which a contender is ended; masscan sometimes waits for ever
	graceTime = 2 * time.Second  // for it to end when asked
	// resultFile is what the contender that ran last has written.
	resultFile = "result"
)

// ground is where contenders run.
type ground struct {
	lab  *netlab.Sweep
	link *counter
	work string // directory for what they write
}

func (g *ground) path(name string) string { return filepath.Join(g.work, name) }

// command is a program in the prober's namespace that ends with ctx: asked first, killed later.
func (g *ground) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := g.lab.Prober.Command(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = graceTime
	return cmd
}

// measure runs a contender once.
func (g *ground) measure(ctx context.Context, c contender) (r run, note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	out, said := g.path(resultFile), g.path("said")
	if err := os.RemoveAll(out); err != nil {
		return run{}, "", err
	}
	cmd := g.command(ctx, c.program, c.args(out)...)
	w, err := g.watched(cmd, said)
	if err != nil {
		return run{}, "", fmt.Errorf("%w: %s", err, lastLine(said))
	}
	if c.says {
		out = said
	}
	found, err := readFile(out, c.found)
	if err != nil {
		return run{}, "", err
	}
	first, last := w.readings[0], w.readings[len(w.readings)-1]
	return run{
		Seconds: last.at.Seconds(),
		Rate:    rate(w.readings),
		Sent:    last.sent - first.sent,
		Found:   found.found,
		Lost:    c.targets - found.found,
		CPU:     (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		Peak:    w.peak,
	}, found.note, nil
}

// watch is what was seen of a program from outside while it ran.
type watch struct {
	readings []reading
	peak     int64 // bytes
}

// The counter is read often enough for a sweep of 200 ms. Both together cost less than a hundredth of a core.
const (
	countEvery = 5 * time.Millisecond
	peakEvery  = 4 // readings of the counter
)

// watched runs cmd to its end. What it says goes to the file said.
func (g *ground) watched(cmd *exec.Cmd, said string) (w watch, err error) {
	f, err := os.Create(said)
	if err != nil {
		return w, err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	begin := time.Now()
	first, _, err := g.link.read(begin)
	if err != nil {
		return w, err
	}
	w.readings = append(w.readings, first)
	p, err := process.Start(cmd)
	if err != nil {
		return w, err
	}
	for i := 0; ; i++ {
		if i%peakEvery == 0 {
			w.peak = max(w.peak, peakMemory(p.Pid()))
		}
		ended := false
		select {
		case <-p.Done():
			ended = true
		case <-tick.C:
		}
		r, sure, err := g.link.read(begin)
		if sure || ended {
			w.readings = append(w.readings, r)
		}
		if ended {
			return w, errors.Join(p.Wait(), err)
		}
	}
}

var (
	highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	anonymous = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)
)

// peakMemory is the peak of a process's resident memory so far, 0 when it has just ended. That of wait4(2) would not
// do: it begins with the peak of the process that forked.
func peakMemory(pid int) int64 { return statusBytes(pid, highWater) }

// anonymousMemory is what a process holds of memory that is no file's.
func anonymousMemory(pid int) int64 { return statusBytes(pid, anonymous) }

// statusBytes is a line of proc_pid_status(5).
func statusBytes(pid int, line *regexp.Regexp) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := line.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64) // digits
	return kb << 10
}

// lastLine is the end of what a program said, for an error. Progress bars end their lines by carriage returns.
func lastLine(file string) string {
	const most = 200
	data, _ := os.ReadFile(file) // none: nothing to say
	text := bytes.TrimSpace(data)
	text = text[bytes.LastIndexAny(text, "\r\n")+1:]
	return string(text[:min(len(text), most)])
}
