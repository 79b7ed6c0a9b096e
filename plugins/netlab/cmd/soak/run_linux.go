package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
	"echogram/plugins/netlab/process"
)

const (
	samplePeriod = 10 * time.Second
	stopTime     = 15 * time.Second // more than the 10 s after which Telegraf kills a child
)

// stanza asks 50,000 targets four times in each interval of 10 s. Sending takes 8 s of that, and a little more, for
// the last targets are few and wait for their count_interval.
const stanza = `[[inputs.icmp_sweep]]
  interval = "10s"
  networks = ["198.18.0.0-198.18.195.79"]
  rate = 25000
  count = 4
  count_interval = "100ms"
  timeout = "500ms"
  per_target = %q
`

// telegrafConfig has the buffers of the sample configuration.
const telegrafConfig = `[agent]
  interval = "10s"
  flush_interval = "2s"
  metric_batch_size = 5000
  metric_buffer_limit = 600000
  omit_hostname = true
[[inputs.internal]]
  collect_memstats = false
[[inputs.execd]]
  command = ["%s"]
  signal = "STDIN"
  data_format = "influx"
[[outputs.file]]
  files = ["stdout"]
  data_format = "influx"
`

// run is one soak. What a step starts, end ends.
type run struct {
	options
	lab      *netlab.Sweep
	telegraf *process.Process
	reader   reader
	output   *os.File
	read     chan error // how reading the output ended
	samples  []sample
}

func (r *run) all(ctx context.Context) error {
	if err := r.Build(ctx, "plugins/cmd/echogram"); err != nil {
		return err
	}
	program, err := parts.Telegraf(ctx)
	if err != nil {
		return err
	}
	if r.lab, err = netlab.SweepLab(netlab.SweepConfig{AllAnswering: true}); err != nil {
		return err
	}
	if err := r.start(ctx, program); err != nil {
		return err
	}
	if err := r.watch(ctx); err != nil {
		return err
	}
	if err := r.stop(); err != nil {
		return err
	}
	lines, problems := report(r.samples, r.reader.now(), r.time)
	fmt.Printf("\n%s\n", strings.Join(lines, "\n"))
	if problems != nil {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

// start starts Telegraf, whose output is read from then on.
func (r *run) start(ctx context.Context, program string) error {
	ours := r.Path("echogram.conf")
	child := r.lab.Prober.Command(ctx, r.Path("echogram"), "telegraf", "--config", ours)
	err := errors.Join(
		os.WriteFile(ours, fmt.Appendf(nil, stanza, r.perTarget), 0o644),
		os.WriteFile(r.Path("telegraf.conf"), fmt.Appendf(nil, telegrafConfig, strings.Join(child.Args, `", "`)), 0o644))
	if err != nil {
		return err
	}
	log, err := os.Create(r.Path("telegraf.log"))
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command(program, "--config", r.Path("telegraf.conf"))
	cmd.Stdout, cmd.Stderr = in, log
	if r.telegraf, err = process.Start(cmd); err != nil {
		out.Close()
		return err
	}
	r.output, r.read = out, make(chan error, 1)
	go func() { r.read <- r.reader.run(out) }()
	return nil
}

// watch takes a sample of the command's memory every ten seconds.
func (r *run) watch(ctx context.Context) error {
	fmt.Printf("%v of 20,000 requests a second, per_target = %q\n\n   time        RSS  sweeps     points\n", r.time, r.perTarget)
	begin, first := time.Now(), 0
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	for over := time.After(r.time); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.telegraf.Done():
			return fmt.Errorf("telegraf ended: %v", r.telegraf.Wait())
		case err := <-r.read:
			r.read <- err
			return fmt.Errorf("telegraf's output ended: %v", err)
		case <-over:
			return nil
		case <-tick.C:
		}
		pid, err := findProcess(r.Path("echogram"))
		if err != nil {
			return err
		}
		if first == 0 {
			first = pid
		}
		rss, err := readRSS(pid)
		if err != nil || pid != first {
			return fmt.Errorf("echogram was started anew: process %d, then %d, %v", first, pid, err)
		}
		s := sample{time.Since(begin), rss}
		r.samples = append(r.samples, s)
		t := r.reader.now()
		fmt.Printf("%7s %10s %7d %10d\n", s.at.Round(time.Second), mib(s.rss), t.sweeps, t.rows)
	}
}

// findProcess returns the process that runs a program.
func findProcess(program string) (pid int, err error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		if exe, err := os.Readlink(l); err == nil && exe == program {
			_, err := fmt.Sscanf(l, "/proc/%d/exe", &pid)
			return pid, err
		}
	}
	return 0, fmt.Errorf("no process runs %s", program)
}

// stop ends Telegraf and reads its output to the end.
func (r *run) stop() error {
	err := r.telegraf.Stop(stopTime)
	r.telegraf = nil
	return errors.Join(err, <-r.read)
}

// end ends what was started, last first.
func (r *run) end() error {
	var errs []error
	if r.telegraf != nil {
		errs = append(errs, r.stop())
	}
	if r.output != nil {
		errs = append(errs, r.output.Close())
	}
	if r.lab != nil {
		errs = append(errs, r.lab.Close())
	}
	return errors.Join(errs...)
}
