package privilege

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Drop gives all capabilities up and forbids gaining new ones (no_new_privs), on every thread. Sockets that are
// open stay usable. It needs a binary built without cgo.
func Drop() error {
	switch _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno {
	case 0:
	case syscall.ENOTSUP: // from AllThreadsSyscall itself: cgo has threads that Go does not know
		return errors.New("privilege: this binary was built with cgo and cannot drop the privileges of all its threads: build it with CGO_ENABLED=0")
	default:
		return fmt.Errorf("privilege: set no_new_privs: %w", errno)
	}
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("privilege: clear ambient capabilities: %w", errno)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData // version 3 has two words of each set
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
	if errno != 0 {
		return fmt.Errorf("privilege: drop capabilities: %w", errno)
	}
	return nil
}
