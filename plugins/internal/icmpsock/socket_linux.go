package icmpsock

import (
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/mmsg"
)

// Socket sends ICMPv4 and ICMPv6 messages. One goroutine uses it at a time.
type Socket struct {
	v4, v6 int               // descriptors; -1: none
	zones  map[string]uint32 // index of the interface that a zone names
	hdrs   []mmsg.Header
	iovs   []unix.Iovec
	addrs  []unix.RawSockaddrInet6 // or sockaddr_in in the same memory
}

// Open makes a socket. It needs CAP_NET_RAW; without it the error is unix.EPERM.
func Open(c Config) (*Socket, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Socket{v4: -1, v6: -1, zones: map[string]uint32{}}
	err := s.open4(c)
	if err == nil && c.V6 {
		err = s.open6(c)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) open4(c Config) (err error) {
	if s.v4, err = rawSocket(unix.AF_INET, unix.IPPROTO_ICMP); err != nil {
		return err
	}
	if err := set(s.v4, c.options4()); err != nil {
		return err
	}
	if err := c.setCommon(s.v4); err != nil || !c.Source4.IsValid() {
		return err
	}
	return bind(s.v4, c.Source4, &unix.SockaddrInet4{Addr: c.Source4.As4()})
}

func (s *Socket) open6(c Config) (err error) {
	if s.v6, err = rawSocket(unix.AF_INET6, unix.IPPROTO_ICMPV6); err != nil {
		return err
	}
	if err := set(s.v6, c.options6()); err != nil {
		return err
	}
	if err := blockAll6(s.v6); err != nil {
		return err
	}
	if err := c.setCommon(s.v6); err != nil || !c.Source6.IsValid() {
		return err
	}
	zone, err := s.zone(c.Source6)
	if err != nil {
		return err
	}
	return bind(s.v6, c.Source6, &unix.SockaddrInet6{Addr: c.Source6.As16(), ZoneId: zone})
}

func rawSocket(domain, proto int) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	if err != nil {
		return -1, fmt.Errorf("icmpsock: raw socket of protocol %d: %w", proto, err)
	}
	return fd, nil
}

func bind(fd int, source netip.Addr, sa unix.Sockaddr) error {
	if err := unix.Bind(fd, sa); err != nil {
		return fmt.Errorf("icmpsock: bind to source %s: %w", source, err)
	}
	return nil
}

// Send sends msgs, of either version, in order and returns how many the kernel took. If that is not all, err is
// about msgs[n]: ErrNoRoom, or why that message cannot leave. Send never waits.
func (s *Socket) Send(msgs []icmpecho.Datagram) (n int, err error) {
	filled, bad := s.fill(msgs)
	for n < filled {
		fd, run := s.run(n, filled)
		sent, err := mmsg.Send(fd, s.hdrs[n:n+run])
		n += sent
		if err != nil {
			delete(s.zones, msgs[n].Dst.Zone()) // the name may have gone to another interface
			return n, err
		}
	}
	return n, bad
}

// run returns the descriptor that takes message first, and how many more behind it, up to end, it takes with it.
func (s *Socket) run(first, end int) (fd, n int) {
	size := s.hdrs[first].Hdr.Namelen
	for n = 1; first+n < end && s.hdrs[first+n].Hdr.Namelen == size; n++ {
	}
	if size == unix.SizeofSockaddrInet4 {
		return s.v4, n
	}
	return s.v6, n
}

// fill points the kernel's structures at msgs, up to the first that cannot be addressed.
func (s *Socket) fill(msgs []icmpecho.Datagram) (n int, err error) {
	if len(s.hdrs) < len(msgs) {
		s.hdrs = make([]mmsg.Header, len(msgs))
		s.iovs = make([]unix.Iovec, len(msgs))
		s.addrs = make([]unix.RawSockaddrInet6, len(msgs))
	}
	for i := range msgs {
		h := &s.hdrs[i].Hdr
		if h.Namelen, err = s.address(&s.addrs[i], msgs[i].Dst); err != nil {
			return i, err
		}
		h.Name = (*byte)(unsafe.Pointer(&s.addrs[i]))
		s.iovs[i].Base = &msgs[i].Data[0]
		s.iovs[i].SetLen(len(msgs[i].Data))
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
	}
	return len(msgs), nil
}

// address writes a destination in the kernel's form and returns its length.
func (s *Socket) address(sa *unix.RawSockaddrInet6, dst netip.Addr) (uint32, error) {
	if dst.Is4() {
		*(*unix.RawSockaddrInet4)(unsafe.Pointer(sa)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: dst.As4()}
		return unix.SizeofSockaddrInet4, nil
	}
	if s.v6 < 0 {
		return 0, fmt.Errorf("icmpsock: %s: the socket was opened without IPv6", dst)
	}
	zone, err := s.zone(dst)
	*sa = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: dst.As16(), Scope_id: zone}
	return unix.SizeofSockaddrInet6, err
}

// zone returns the index of the interface that an address's zone names; the zone may be that number itself.
func (s *Socket) zone(a netip.Addr) (uint32, error) {
	name := a.Zone()
	if name == "" {
		return 0, nil
	}
	if index, ok := s.zones[name]; ok {
		return index, nil
	}
	index, err := s.interfaceIndex(name)
	if err != nil {
		return 0, fmt.Errorf("icmpsock: zone of %s: %w", a, err)
	}
	s.zones[name] = index
	return index, nil
}

func (s *Socket) interfaceIndex(name string) (uint32, error) {
	if index, err := strconv.ParseUint(name, 10, 31); err == nil {
		return uint32(index), nil
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	err = unix.IoctlIfreq(s.v6, unix.SIOCGIFINDEX, req)
	return req.Uint32(), err
}

// TTL returns the TTL and the hop limit that messages leave with, the system's defaults included; the hop limit is
// 0 without IPv6. A router on the link can ask for another hop limit, which is not in it.
func (s *Socket) TTL() (v4, v6 int, err error) {
	if v4, err = unix.GetsockoptInt(s.v4, unix.IPPROTO_IP, unix.IP_TTL); err != nil {
		return 0, 0, fmt.Errorf("icmpsock: IP_TTL: %w", err)
	}
	if s.v6 < 0 {
		return v4, 0, nil
	}
	if v6, err = unix.GetsockoptInt(s.v6, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS); err != nil {
		return 0, 0, fmt.Errorf("icmpsock: IPV6_UNICAST_HOPS: %w", err)
	}
	return v4, v6, nil
}

// Close closes the socket.
func (s *Socket) Close() error {
	for _, fd := range []int{s.v4, s.v6} {
		if fd >= 0 {
			unix.Close(fd) // fails for descriptors that are not open only
		}
	}
	return nil
}
