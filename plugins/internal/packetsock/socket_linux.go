package packetsock

import (
	"fmt"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/mmsg"
)

// Socket sends frames. One goroutine uses it at a time.
type Socket struct {
	fd   int
	hdrs []mmsg.Header
	iovs []unix.Iovec
}

// Open makes a socket. It needs CAP_NET_RAW; without it the error is unix.EPERM.
func Open(c Config) (*Socket, error) {
	// Protocol 0 receives nothing; of what it sends the kernel reads the protocol in the Ethernet header.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packetsock: socket: %w", err)
	}
	s := &Socket{fd: fd}
	mmsg.SetSendBuffer(fd, sendBuffer)
	if err := s.Bind(c.IfIndex); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Bind has the socket send by another interface, or by one that was removed and made again. It needs no privilege.
func (s *Socket) Bind(ifindex int) error {
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: ifindex}); err != nil {
		return fmt.Errorf("packetsock: bind to interface number %d: %w", ifindex, err)
	}
	return nil
}

// Send sends frames, from their Ethernet headers on, in order and returns how many the kernel took. If that is not
// all, err is about frames[n]: ErrNoRoom, or the kernel's error (unix.Errno). Send never waits. No frame is empty.
func (s *Socket) Send(frames [][]byte) (n int, err error) {
	if len(s.hdrs) < len(frames) {
		s.hdrs = make([]mmsg.Header, len(frames))
		s.iovs = make([]unix.Iovec, len(frames))
	}
	for i, f := range frames {
		s.iovs[i].Base = &f[0]
		s.iovs[i].SetLen(len(f))
		s.hdrs[i].Hdr.Iov = &s.iovs[i]
		s.hdrs[i].Hdr.SetIovlen(1)
	}
	return mmsg.Send(s.fd, s.hdrs[:len(frames)])
}

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }
