package icmpsock

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/icmpecho"
)

// Socket sends ICMPv4 messages. One goroutine uses it at a time.
type Socket struct {
	fd    int
	hdrs  []mmsghdr
	iovs  []unix.Iovec
	addrs []unix.RawSockaddrInet4
}

// mmsghdr is struct mmsghdr, which x/sys/unix lacks.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

// Open makes a socket. It needs CAP_NET_RAW; without it the error is unix.EPERM.
func Open(c Config) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, fmt.Errorf("icmpsock: socket: %w", err)
	}
	s := &Socket{fd: fd}
	if err := s.setUp(c); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) setUp(c Config) error {
	const icmpFilter = 1 // ICMP_FILTER of linux/icmp.h; a set bit blocks the type
	if err := unix.SetsockoptInt(s.fd, unix.SOL_RAW, icmpFilter, -1); err != nil {
		return fmt.Errorf("icmpsock: ICMP_FILTER: %w", err)
	}
	// Only with IP_RECVERR does the kernel say that the queue of the interface has dropped a packet. The errors of
	// the network that it queues then are of no use here: the capture sees them.
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
		return fmt.Errorf("icmpsock: IP_RECVERR: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0); err != nil { // the kernel's least
		return fmt.Errorf("icmpsock: SO_RCVBUF: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer); err != nil {
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer) // without CAP_NET_ADMIN: as much as wmem_max
	}
	if c.Interface != "" {
		if err := unix.BindToDevice(s.fd, c.Interface); err != nil {
			return fmt.Errorf("icmpsock: bind to interface %s: %w", c.Interface, err)
		}
	}
	if c.Source.IsValid() {
		if err := unix.Bind(s.fd, &unix.SockaddrInet4{Addr: c.Source.As4()}); err != nil {
			return fmt.Errorf("icmpsock: bind to source %s: %w", c.Source, err)
		}
	}
	if c.TTL != 0 {
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TTL, c.TTL); err != nil {
			return fmt.Errorf("icmpsock: TTL %d: %w", c.TTL, err)
		}
	}
	return nil
}

// Send sends msgs in order and returns how many the kernel took. If that is not all, err is about msgs[n]:
// ErrNoRoom, or the kernel's error (unix.Errno). Send never waits.
func (s *Socket) Send(msgs []icmpecho.Datagram) (n int, err error) {
	s.fill(msgs)
	for n < len(msgs) {
		sent, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
			uintptr(unsafe.Pointer(&s.hdrs[n])), uintptr(len(msgs)-n), unix.MSG_DONTWAIT, 0, 0)
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

// fill points the kernel's structures at msgs.
func (s *Socket) fill(msgs []icmpecho.Datagram) {
	if len(s.hdrs) < len(msgs) {
		s.hdrs = make([]mmsghdr, len(msgs))
		s.iovs = make([]unix.Iovec, len(msgs))
		s.addrs = make([]unix.RawSockaddrInet4, len(msgs))
	}
	for i := range msgs {
		s.addrs[i] = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: msgs[i].Dst.As4()}
		s.iovs[i].Base = &msgs[i].Data[0]
		s.iovs[i].SetLen(len(msgs[i].Data))
		h := &s.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&s.addrs[i]))
		h.Namelen = unix.SizeofSockaddrInet4
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
	}
}

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }
