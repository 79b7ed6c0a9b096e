package mmsg

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Header is struct mmsghdr of a 64-bit kernel, which x/sys/unix lacks.
type Header struct {
	Hdr unix.Msghdr
	Len uint32 // of what was sent or received; the kernel sets it
	_   [4]byte
}

// Send sends the messages in order and returns how many the kernel took. If that is not all, err is about hdrs[n]:
// ErrNoRoom, or the kernel's error (unix.Errno). Send never waits, and takes less than a millisecond for a burst: it
// keeps its processor, because handing that to another goroutine and back costs more than it gives.
func Send(fd int, hdrs []Header) (n int, err error) {
	for n < len(hdrs) {
		sent, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd),
			uintptr(unsafe.Pointer(&hdrs[n])), uintptr(len(hdrs)-n), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			n += int(sent)
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			return n, ErrNoRoom
		default:
			return n, errno
		}
	}
	return n, nil
}

// SetSendBuffer lets a socket have size bytes under way; without CAP_NET_ADMIN as many as net.core.wmem_max allows.
func SetSendBuffer(fd, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size) // cut to the limit, never refused
	}
}
