package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"echogram/plugins/netlab/process"
)

// Agent is a running Telegraf.
type Agent struct {
	*process.Process
	Log string // the file that holds its STDOUT and STDERR
}

// telegrafStopTime is more than the 10 s after which Telegraf itself kills a child.
const telegrafStopTime = 15 * time.Second

// StartTelegraf builds Telegraf if need be and runs it on a configuration file until Stop. What it says goes to
// the file log.
func StartTelegraf(ctx context.Context, config, log string) (*Agent, error) {
	program, err := Telegraf(ctx)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("parts: telegraf: %w", err)
	}
	defer f.Close() // the child has its own
	cmd := exec.Command(program, "--config", config)
	cmd.Stdout, cmd.Stderr = f, f
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	return &Agent{Process: p, Log: log}, nil
}

// Stop ends Telegraf, which ends its children first, and returns when it is gone.
func (a *Agent) Stop() error { return a.Process.Stop(telegrafStopTime) }
