package netlab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"echogram/plugins/netlab/process"
)

// BIRD is a BIRD in a namespace that does BFD and no routing. Its control socket stands in a directory of its own.
type BIRD struct {
	dir     string
	process *process.Process
	said    said
}

// StartBIRD starts BIRD in n and returns once it takes commands; WaitUp waits for its sessions. The caller must Close
// it.
func StartBIRD(ctx context.Context, n *Namespace, cfg BIRDConfig) (*BIRD, error) {
	if _, err := exec.LookPath("bird"); err != nil {
		return nil, errors.New("netlab: bird is not here: apt-get install bird2")
	}
	dir, err := os.MkdirTemp("", "echogram-bird-")
	if err != nil {
		return nil, fmt.Errorf("netlab: bird: %w", err)
	}
	b := &BIRD{dir: dir}
	if err := b.start(ctx, n, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; bird said %q", err, b.said.String()), b.Close())
	}
	return b, nil
}

func (b *BIRD) start(ctx context.Context, n *Namespace, cfg BIRDConfig) error {
	file := filepath.Join(b.dir, "bird.conf")
	if err := os.WriteFile(file, []byte(cfg.text()), 0o600); err != nil {
		return fmt.Errorf("netlab: bird: %w", err)
	}
	cmd := exec.Command("nsenter", "--net="+n.Path(), "--", "bird", "-f", "-c", file, "-s", b.socket(),
		"-P", filepath.Join(b.dir, "bird.pid"))
	cmd.Stdout, cmd.Stderr = &b.said, &b.said
	var err error
	if b.process, err = process.Start(cmd); err != nil {
		return err
	}
	return until(ctx, b.process, func() (bool, error) {
		_, err := b.Show("show status")
		return err == nil, nil
	})
}

func (b *BIRD) socket() string { return filepath.Join(b.dir, "bird.ctl") }

// Show gives BIRD a command of birdc and returns the lines of its answer.
func (b *BIRD) Show(command string) ([]string, error) { return askBIRD(b.socket(), command) }

// Sessions lists the sessions.
func (b *BIRD) Sessions() ([]BIRDSession, error) {
	lines, err := b.Show("show bfd sessions")
	if err != nil {
		return nil, err
	}
	return parseBIRD(lines)
}

// WaitUp returns once all sessions are up.
func (b *BIRD) WaitUp(ctx context.Context) error {
	var last []BIRDSession
	err := until(ctx, b.process, func() (up bool, err error) {
		last, err = b.Sessions()
		for _, s := range last {
			if s.State != "Up" {
				return false, err
			}
		}
		return len(last) > 0, err
	})
	if err != nil {
		return fmt.Errorf("%w: bird's sessions %+v", err, last)
	}
	return nil
}

// Kill ends BIRD at once, so that it says nothing to its neighbours.
func (b *BIRD) Kill() error {
	if err := b.process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("netlab: bird: %w", err)
	}
	_ = b.process.Wait() // killed, by us
	return nil
}

// Close ends BIRD and removes what it had on disk. How it ends is no error. Closing twice is allowed.
func (b *BIRD) Close() error {
	if b.process != nil {
		_ = b.process.Stop(daemonGrace)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		return fmt.Errorf("netlab: bird: %w", err)
	}
	return nil
}
