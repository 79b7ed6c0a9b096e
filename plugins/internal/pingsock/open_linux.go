package pingsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/internal/mmsg"
	"echogram/plugins/internal/sockopt"
)

// What a socket may have under way and hold until it is read, bytes. Without CAP_NET_ADMIN it is no more than
// net.core.wmem_max and net.core.rmem_max allow.
const (
	sendBuffer    = 8 << 20
	receiveBuffer = 32 << 20
)

// descriptor is one open socket.
type descriptor struct {
	fd int
	v6 bool
}

// open opens two sockets of each version and binds them to the identifier. The kernel gives replies and errors to
// the one that was bound last, so that the other, which sends, is spared: an error that comes back makes the next
// system call fail, whatever that is about.
//
// The kernel keeps one list of identifiers for both versions: sockets share one only if all have SO_REUSEADDR. The
// first is bound without, for the identifier must be ours alone, and none keeps it.
func (s *Socket) open(c Config) error {
	defer s.reuse(0)
	senders := map[bool]int{false: -1, true: -1}
	for _, v6 := range []bool{false, true} {
		if v6 && !c.V6 || !v6 && !c.V4 {
			continue
		}
		for _, last := range []bool{false, true} {
			fd, err := c.ping(v6)
			if fd >= 0 {
				s.fds = append(s.fds, descriptor{fd, v6})
			}
			if err != nil {
				return err
			}
			if !last {
				senders[v6] = fd
			}
			if len(s.fds) > 1 {
				s.reuse(1)
			}
			if err := c.bind(fd, v6); err != nil {
				return err
			}
		}
	}
	s.out = icmpsock.Over(senders[false], senders[true])
	return nil
}

// reuse sets a flag that the kernel cannot refuse.
func (s *Socket) reuse(value int) {
	for _, f := range s.fds {
		unix.SetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, value)
	}
}

// ping opens a ping socket and sets it up. Beside an error the descriptor may be open: it is -1 if not.
func (c Config) ping(v6 bool) (int, error) {
	domain, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if v6 {
		domain, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	switch {
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return -1, notAllowed(fmt.Sprintf("group %d may not open ping sockets", os.Getegid()), groupRemedy, err)
	case err != nil:
		return -1, fmt.Errorf("pingsock: socket of protocol %d: %w", proto, err)
	}
	if err := sockopt.Set(fd, c.options(v6)...); err != nil {
		return fd, fmt.Errorf("pingsock: %w", err)
	}
	mmsg.SetSendBuffer(fd, sendBuffer)
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) // cut to the limit, never refused
	}
	if c.Interface != "" {
		if err := unix.BindToDevice(fd, c.Interface); err != nil {
			return fd, fmt.Errorf("pingsock: bind to interface %s: %w", c.Interface, err)
		}
	}
	return fd, nil
}

// bind gives a socket its source and, as the port, the identifier.
func (c Config) bind(fd int, v6 bool) error {
	source := c.Source4
	if v6 {
		source = c.Source6
	}
	sa, err := c.bindAddress(v6)
	if err != nil {
		return err
	}
	switch err := unix.Bind(fd, sa); {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%w: %d (%w)", ErrTaken, c.ID, err)
	case err != nil && source.IsValid():
		return fmt.Errorf("pingsock: bind to source %s: %w", source, err)
	case err != nil:
		return fmt.Errorf("pingsock: bind to identifier %d: %w", c.ID, err)
	}
	return nil
}

func (c Config) bindAddress(v6 bool) (unix.Sockaddr, error) {
	if !v6 {
		sa := &unix.SockaddrInet4{Port: int(c.ID)}
		if c.Source4.IsValid() {
			sa.Addr = c.Source4.As4()
		}
		return sa, nil
	}
	sa := &unix.SockaddrInet6{Port: int(c.ID)}
	if !c.Source6.IsValid() {
		return sa, nil
	}
	zone, err := zoneIndex(c.Source6)
	sa.Addr, sa.ZoneId = c.Source6.As16(), zone
	return sa, err
}

// zoneIndex returns the index of the interface that an address's zone names or is.
func zoneIndex(a netip.Addr) (uint32, error) {
	if a.Zone() == "" {
		return 0, nil
	}
	if index, err := strconv.ParseUint(a.Zone(), 10, 31); err == nil {
		return uint32(index), nil
	}
	link, err := net.InterfaceByName(a.Zone())
	if err != nil {
		return 0, fmt.Errorf("pingsock: zone of %s: %w", a, err)
	}
	return uint32(link.Index), nil
}
