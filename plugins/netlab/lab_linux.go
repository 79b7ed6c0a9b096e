package netlab

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Prefix begins the name of every namespace of ours: PREFIX-pid-start-random-role, where pid and start (the
// process's start time in clock ticks after boot) name the owner.
const Prefix = "echogram-lab"

// Lab owns namespaces.
type Lab struct {
	id         string
	namespaces []*Namespace
	closers    []func() error // run by Close before the namespaces go, last first
}

// New makes an empty lab, after it has removed what dead owners left behind. The caller must Close it.
func New() (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("netlab: network namespaces need root")
	}
	if err := removeOrphans(); err != nil {
		return nil, err
	}
	start, err := startTime(os.Getpid())
	if err != nil {
		return nil, err
	}
	var random [3]byte
	rand.Read(random[:]) // never fails
	return &Lab{id: fmt.Sprintf("%s-%d-%s-%s", Prefix, os.Getpid(), start, hex.EncodeToString(random[:]))}, nil
}

// Namespace adds a namespace; role ends its name and must be unique in the lab.
func (l *Lab) Namespace(role string) (*Namespace, error) {
	n, err := newNamespace(l.id + "-" + role)
	if err != nil {
		return nil, err
	}
	l.namespaces = append(l.namespaces, n)
	return n, nil
}

// onClose has Close call f before it removes the namespaces.
func (l *Lab) onClose(f func() error) { l.closers = append(l.closers, f) }

// Close ends what serves in the lab and removes its namespaces. Closing twice is allowed.
func (l *Lab) Close() error {
	var errs []error
	for i := len(l.closers) - 1; i >= 0; i-- {
		errs = append(errs, l.closers[i]())
	}
	for _, n := range l.namespaces {
		errs = append(errs, n.remove())
	}
	l.closers, l.namespaces = nil, nil
	return errors.Join(errs...)
}

// removeOrphans removes the namespaces of ours whose owner is dead.
func removeOrphans() error {
	names, err := namespaces(Prefix + "-")
	if err != nil {
		return err
	}
	for _, name := range names {
		if ownerAlive(name) {
			continue
		}
		if err := removeNamed(name); err != nil {
			return err
		}
	}
	return nil
}

// ownerAlive reads the owner out of a namespace's name. A name that we cannot read is not ours to remove.
func ownerAlive(name string) bool {
	parts := strings.Split(strings.TrimPrefix(name, Prefix+"-"), "-")
	if len(parts) < 3 {
		return true
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil {
		return true
	}
	start, err := startTime(pid)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	return err != nil || start == parts[1] // another start: another process took the number over
}

// startTime is field 22 of /proc/pid/stat (proc_pid_stat(5)). The second field, a name in brackets, may hold
// anything; what follows its last bracket is regular. It reports os.ErrNotExist when there is no such process.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", fmt.Errorf("netlab: process %d: %w", pid, err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("netlab: process %d: /proc/%d/stat holds %q", pid, pid, stat)
	}
	if fields[0] == "Z" || fields[0] == "X" { // dead, and not yet waited for
		return "", fmt.Errorf("netlab: process %d: %w", pid, os.ErrNotExist)
	}
	return fields[19], nil
}
