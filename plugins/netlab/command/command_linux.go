package command

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// Exit codes.
const (
	OK          = 0
	Failed      = 1
	Usage       = 2
	Interrupted = 130
)

// Script is what a command's script tells it.
type Script struct {
	Repo string // the checkout
	Work string // directory of this run
}

// Flags adds the hidden flags that set s.
func (s *Script) Flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.Repo, "repo", ".", "the checkout")
	flags.StringVar(&s.Work, "work", "", "directory of this run, removed at a good end")
	for _, name := range []string{"repo", "work"} {
		flags.Lookup(name).Hidden = true
	}
}

// Directories makes Repo absolute, and Work if the script has made none.
func (s *Script) Directories(name string) (err error) {
	if s.Repo, err = filepath.Abs(s.Repo); err == nil && s.Work == "" {
		s.Work, err = os.MkdirTemp("", "echogram-"+name+"-")
	}
	return err
}

// Path is that of a file in Work.
func (s Script) Path(name string) string { return filepath.Join(s.Work, name) }

// Discard removes Work after wrong usage: it holds no more than the program then.
func (s Script) Discard() {
	if s.Work != "" {
		os.RemoveAll(s.Work)
	}
}

// Context ends at the first signal that asks to end; a second one ends the process at once, and its children with it.
func Context() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Child is a program that ends with ctx, and its children with it: asked first, killed 5 s later.
func Child(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is ours to pass on
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// Build compiles commands of the checkout, named by their directories, into Work.
func (s Script) Build(ctx context.Context, packages ...string) error {
	for _, pkg := range packages {
		cmd := Child(ctx, "go", "build", "-C", s.Repo, "-o", s.Path(filepath.Base(pkg)), "./"+pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}
