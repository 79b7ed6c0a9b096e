package netlab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// runDir is where ip netns looks for namespaces, and netns makes them.
const runDir = "/run/netns"

// Namespace is a named network namespace.
type Namespace struct {
	Name   string // as ip netns lists it
	handle netns.NsHandle
}

// Path is the file that stands for the namespace: nsenter --net=Path enters it.
func (n *Namespace) Path() string { return filepath.Join(runDir, n.Name) }

// newNamespace makes a namespace whose loopback is up.
func newNamespace(name string) (*Namespace, error) {
	n := &Namespace{Name: name, handle: netns.None()}
	err := onThread(func() error {
		var err error
		n.handle, err = netns.NewNamed(name) // and leaves this thread in it
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("netlab: namespace %s: %w", name, err)
	}
	if err := n.Do(func() error { return linkUp("lo") }); err != nil {
		return nil, errors.Join(err, n.remove())
	}
	return n, nil
}

// onThread runs f on a thread of its own, which is thrown away: what f did to it nobody inherits. A panic of f, or
// a t.FailNow in it, becomes an error, so that the caller lives to close its lab.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("netlab: the function in the namespace ended its goroutine")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("netlab: panic in a namespace: %v\n%s", p, debug.Stack())
			}
			done <- err
		}()
		runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
		err = f()
	}()
	return <-done
}

// Do runs f on a thread in the namespace. Sockets that f opens stay in the namespace, goroutines that it starts
// are outside of it.
func (n *Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(n.handle); err != nil {
			return fmt.Errorf("netlab: enter %s: %w", n.Name, err)
		}
		return f()
	})
}

// Command is exec.CommandContext in the namespace. The process that starts is the program itself: nsenter
// replaces itself by it.
func (n *Namespace) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + n.Path(), "--", name}, args...)...)
}

// Sysctl sets a value below net, with slashes between the parts of its name: ipv4/ip_forward.
func (n *Namespace) Sysctl(name, value string) error {
	return n.Do(func() error {
		// /proc/sys/net shows the namespace of the thread that opens it.
		if err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("netlab: sysctl in %s: %w", n.Name, err)
		}
		return nil
	})
}

// remove takes the namespace's name and handle away; the kernel ends it when the last process has left.
func (n *Namespace) remove() error {
	if n.handle.IsOpen() {
		n.handle.Close()
	}
	return removeNamed(n.Name)
}

func removeNamed(name string) error {
	path := filepath.Join(runDir, name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return fmt.Errorf("netlab: unmount %s: %w", path, err) // EINVAL: a file that was never mounted on
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("netlab: remove namespace: %w", err)
	}
	return nil
}

// namespaces lists the names in runDir that begin with prefix.
func namespaces(prefix string) ([]string, error) {
	entries, err := os.ReadDir(runDir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("netlab: list namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// linkUp brings up a link of the calling thread's namespace.
func linkUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("netlab: link %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("netlab: link %s up: %w", name, err)
	}
	return nil
}
