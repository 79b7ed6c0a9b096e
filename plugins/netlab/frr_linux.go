package netlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"echogram/plugins/netlab/process"
)

const (
	frrDir      = "/usr/lib/frr"
	frrPoll     = 20 * time.Millisecond
	daemonGrace = 2 * time.Second
)

// asVTYGroup makes root a member of frrvty in a mount namespace of the daemon's own, then becomes the daemon. FRR
// refuses to run as root otherwise; running as another user it would lose the signal that ends it with us.
const asVTYGroup = `set -e
awk -F: -v OFS=: '$1 == "frrvty" { $4 = "root" } 1' /etc/group >"$0/group"
mount --bind "$0/group" /etc/group
exec "$@"`

// FRR is a bfdd of FRR in a namespace, with the zebra that tells it of interfaces. It talks to the world by sockets
// in a directory of its own only.
type FRR struct {
	dir         string
	zebra, bfdd *process.Process
	said        said
}

// StartFRR starts FRR in n and returns once it takes commands; WaitUp waits for its sessions. The caller must Close it.
// All stays in n when n is a router of a BFDLab; n must forward, or it answers no echoes.
//
// FRR draws its discriminators by the second in which it starts: two that start in the same one have the same.
// BFDLab.StartFRR starts them in different ones.
func StartFRR(ctx context.Context, n *Namespace, cfg FRRConfig) (*FRR, error) {
	if _, err := os.Stat(filepath.Join(frrDir, "bfdd")); err != nil {
		return nil, errors.New("netlab: frr is not here: apt-get install frr")
	}
	dir, err := os.MkdirTemp("", "echogram-frr-")
	if err != nil {
		return nil, fmt.Errorf("netlab: frr: %w", err)
	}
	f := &FRR{dir: dir}
	if err := f.start(ctx, n, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; frr said %q", err, f.said.String()), f.Close())
	}
	return f, nil
}

func (f *FRR) start(ctx context.Context, n *Namespace, cfg FRRConfig) error {
	// A bfdd that finds no zebra tries again after seconds only.
	err := f.run(n, "zebra", "", &f.zebra)
	if err == nil {
		err = f.await(ctx, f.zebra, "zserv.api")
	}
	if err == nil {
		err = f.run(n, "bfdd", cfg.text(), &f.bfdd)
	}
	if err == nil {
		err = f.await(ctx, f.bfdd, "bfdd.vty")
	}
	return err
}

// run starts one daemon with its configuration.
func (f *FRR) run(n *Namespace, name, config string, p **process.Process) error {
	file := f.path(name + ".conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return fmt.Errorf("netlab: frr: %w", err)
	}
	args := []string{"--net=" + n.Path(), "--", "unshare", "--mount", "--", "sh", "-c", asVTYGroup, f.dir,
		filepath.Join(frrDir, name), "-u", "root", "-g", "root", "-f", file, "-i", f.path(name + ".pid"),
		"-z", f.path("zserv.api"), "--vty_socket", f.dir, "-P", "0", "--log", "stdout"}
	if name == "bfdd" {
		args = append(args, "--bfdctl", f.path("bfdd.sock"))
	}
	cmd := exec.Command("nsenter", args...)
	cmd.Stdout, cmd.Stderr = &f.said, &f.said
	var err error
	*p, err = process.Start(cmd)
	return err
}

func (f *FRR) path(name string) string { return filepath.Join(f.dir, name) }

// await waits until a daemon has made its socket.
func (f *FRR) await(ctx context.Context, p *process.Process, socket string) error {
	return until(ctx, p, func() (bool, error) {
		_, err := os.Stat(f.path(socket))
		return err == nil, nil
	})
}

// until asks done again and again until it says yes or fails, the process ends, or the context does.
func until(ctx context.Context, p *process.Process, done func() (bool, error)) error {
	t := time.NewTicker(frrPoll)
	defer t.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-p.Done():
			return errors.Join(errors.New("netlab: the daemon has ended"), p.Wait())
		case <-ctx.Done():
			return fmt.Errorf("netlab: wait for the daemon: %w", ctx.Err())
		}
	}
}

// Peers lists the sessions.
func (f *FRR) Peers() ([]FRRStatus, error) {
	text, err := f.Show("show bfd peers json")
	if err != nil {
		return nil, err
	}
	return parseFRR[FRRStatus](text)
}

// Counters lists the sessions' counts.
func (f *FRR) Counters() ([]FRRCounters, error) {
	text, err := f.Show("show bfd peers counters json")
	if err != nil {
		return nil, err
	}
	return parseFRR[FRRCounters](text)
}

// Show gives bfdd a command of vtysh and returns what it says.
func (f *FRR) Show(command string) (string, error) { return vty(f.path("bfdd.vty"), command) }

// Configure has bfdd obey lines about a peer as they would stand in its configuration: "shutdown",
// "transmit-interval 100".
func (f *FRR) Configure(p FRRPeer, lines ...string) error {
	_, err := vty(f.path("bfdd.vty"), append([]string{"configure terminal", "bfd", p.name()}, lines...)...)
	return err
}

// WaitUp returns once all sessions are up.
func (f *FRR) WaitUp(ctx context.Context) error {
	var last []FRRStatus
	err := until(ctx, f.bfdd, func() (up bool, err error) {
		last, err = f.Peers()
		for _, p := range last {
			if p.Status != "up" {
				return false, err
			}
		}
		return len(last) > 0, err
	})
	if err != nil {
		return fmt.Errorf("%w: frr's sessions %+v", err, last)
	}
	return nil
}

// Pause stops bfdd for d; zebra and the kernel, which loops echoes of IPv4, go on. It returns when bfdd goes on, and
// tells how long it was really stopped, at least.
func (f *FRR) Pause(d time.Duration) (time.Duration, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	if err := f.bfdd.Signal(syscall.SIGSTOP); err != nil {
		return 0, fmt.Errorf("netlab: frr: stop: %w", err)
	}
	begin := time.Now()
	<-t.C
	stopped := time.Since(begin)
	if err := f.bfdd.Signal(syscall.SIGCONT); err != nil {
		return 0, fmt.Errorf("netlab: frr: continue: %w", err)
	}
	return stopped, nil
}

// Kill ends bfdd at once, so that it says nothing to its peers.
func (f *FRR) Kill() error {
	if err := f.bfdd.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("netlab: frr: %w", err)
	}
	_ = f.bfdd.Wait() // killed, by us
	return nil
}

// Close ends the daemons, bfdd with an AdminDown to its peers, and removes what they had on disk. How they end is
// no error. Closing twice is allowed.
func (f *FRR) Close() error {
	for _, p := range []*process.Process{f.bfdd, f.zebra} {
		if p != nil {
			_ = p.Stop(daemonGrace)
		}
	}
	if err := os.RemoveAll(f.dir); err != nil {
		return fmt.Errorf("netlab: frr: %w", err)
	}
	return nil
}

// said keeps the first of what daemons write.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxSaid = 16 << 10

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p[:min(len(p), maxSaid-s.text.Len())])
	return len(p), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
