package parts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Builder builds parts into the cache. The zero value works and says nothing.
type Builder struct {
	Progress io.Writer // a line when a build begins and one when it ends; nil: none
}

func (b *Builder) say(format string, args ...any) {
	if b.Progress != nil {
		fmt.Fprintf(b.Progress, "parts: "+format+"\n", args...)
	}
}

// Telegraf is the function Telegraf with b's progress.
func (b *Builder) Telegraf(ctx context.Context) (string, error) { return b.install(ctx, telegraf()) }

// InfluxDB is the function InfluxDB with b's progress.
func (b *Builder) InfluxDB(ctx context.Context) (string, error) { return b.install(ctx, influxd()) }

// Ready says whether both Telegraf and InfluxDB are in the cache already.
func (b *Builder) Ready() bool {
	cache, err := CacheDir()
	if err != nil {
		return false
	}
	for _, p := range []part{telegraf(), influxd()} {
		if !isProgram(filepath.Join(cache, "parts", p.dir(), p.name)) {
			return false
		}
	}
	return true
}

// install returns p's program from the cache, or puts it there: go install into a directory of its own, then one
// rename, so that a killed build leaves nothing that looks finished.
func (b *Builder) install(ctx context.Context, p part) (string, error) {
	dir, unlock, err := b.lockDir(ctx, p.dir())
	if err != nil {
		return "", err
	}
	defer unlock()
	program := filepath.Join(dir, p.name)
	if isProgram(program) {
		return program, nil
	}
	tmp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", fmt.Errorf("parts: %w", err)
	}
	defer os.RemoveAll(tmp)
	args := append([]string{"install"}, p.buildArgs()...)
	b.say("building %s %s", p.name, p.version)
	begin := time.Now()
	if err := runGo(ctx, tmp, []string{"GOBIN=" + tmp}, append(args, p.pkg+"@"+p.version)...); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(tmp, p.name), program); err != nil {
		return "", fmt.Errorf("parts: %w", err)
	}
	b.say("built %s %s in %v", p.name, p.version, time.Since(begin).Round(time.Second))
	return program, nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// lockDir makes the directory name in the cache and takes its lock, which the kernel drops when we die.
func (b *Builder) lockDir(ctx context.Context, name string) (dir string, unlock func(), err error) {
	cache, err := CacheDir()
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(cache, "parts", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, fmt.Errorf("parts: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", nil, fmt.Errorf("parts: %w", err)
	}
	if err := flock(ctx, f, func() { b.say("waiting for another run that builds %s", name) }); err != nil {
		f.Close()
		return "", nil, fmt.Errorf("parts: lock %s: %w", dir, err)
	}
	return dir, func() { f.Close() }, nil
}

// flock polls, because a blocking flock(2) would not heed ctx.
func flock(ctx context.Context, f *os.File, waiting func()) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for first := true; ; first = false {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK {
			return err
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// runGo runs the Go tool as outputGo does and forgets what it said.
func runGo(ctx context.Context, dir string, env []string, args ...string) error {
	_, err := outputGo(ctx, dir, env, args...)
	return err
}

// outputGo runs the Go tool in dir, outside of any workspace and with no flags or targets from the environment,
// and returns its STDOUT. The end of its STDERR is in the error.
func outputGo(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(goEnv(os.Environ()), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// The compilers are children of the go tool: end the whole group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("parts: go %s: %w\n%s", strings.Join(args, " "), err, tail(stderr.String(), 20))
	}
	return stdout.Bytes(), nil
}

// goEnv takes out of env what would change what is built. GOFLAGS gets a harmless value: an empty one would let
// the user's "go env -w GOFLAGS" through.
func goEnv(env []string) []string {
	var kept []string
	for _, e := range env {
		switch name, _, _ := strings.Cut(e, "="); name {
		case "GOFLAGS", "GOOS", "GOARCH", "GOBIN", "GOWORK", "CGO_ENABLED", "GO111MODULE", "GOEXPERIMENT":
		default:
			kept = append(kept, e)
		}
	}
	return append(kept, "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
