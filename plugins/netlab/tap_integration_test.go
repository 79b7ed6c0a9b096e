//go:build integration && linux

package netlab

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tap sees the IP packets that come to a namespace, and stamps them with the kernel's clock.
type tap struct {
	fd  int
	buf []byte
	oob []byte
}

type tapped struct {
	packet   []byte
	at       time.Time
	outgoing bool
	ifindex  int
}

// openTap makes a tap on one link of a namespace, or on all for "".
func openTap(t *testing.T, n *Namespace, link string) *tap {
	t.Helper()
	p := &tap{fd: -1, buf: make([]byte, 64<<10), oob: make([]byte, 256)}
	err := n.Do(func() error {
		index := 0
		if link != "" {
			i, err := net.InterfaceByName(link)
			if err != nil {
				return err
			}
			index = i.Index
		}
		var err error
		if p.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
			return err
		}
		all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
		return errors.Join(
			unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20),
			unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.Bind(p.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p.fd) })
	return p
}

// next waits for a packet; ok is false when none comes in time.
func (p *tap) next(t *testing.T, wait time.Duration) (got tapped, ok bool) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for end := time.Now().Add(wait); ; {
		timeout := unix.NsecToTimespec(max(0, int64(time.Until(end))))
		n, err := unix.Ppoll(fds, &timeout, nil)
		if n == 0 {
			return tapped{}, false
		}
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
	}
	n, oobn, _, from, err := unix.Recvmsg(p.fd, p.buf, p.oob, 0)
	if err != nil {
		t.Fatal(err)
	}
	ll := from.(*unix.SockaddrLinklayer)
	got = tapped{p.buf[:n], time.Time{}, ll.Pkttype == unix.PACKET_OUTGOING, ll.Ifindex}
	messages, err := unix.ParseSocketControlMessage(p.oob[:oobn])
	if err != nil || len(messages) == 0 {
		t.Fatalf("no stamp: %v", err)
	}
	ts := messages[0].Data
	got.at = time.Unix(int64(binary.NativeEndian.Uint64(ts)), int64(binary.NativeEndian.Uint64(ts[8:])))
	return got, true
}

// drain throws away what is there already.
func (p *tap) drain(t *testing.T) {
	for ok := true; ok; {
		_, ok = p.next(t, 0)
	}
}

// message is what a packet carries, as the test itself reads it.
type message struct {
	from       netip.Addr
	typ, code  byte
	rest       uint32 // id and seq, or what an error has there
	payload    []byte
	goodSum    bool
	at         time.Time
	hopLimit   byte
	wholeBytes int
}

// icmpOf reads an IPv4 or IPv6 packet that carries ICMP.
func icmpOf(c tapped) (m message, to netip.Addr, ok bool) {
	p := c.packet
	var body []byte
	switch {
	case len(p) >= 28 && p[0]>>4 == 4 && p[9] == 1:
		p = p[:binary.BigEndian.Uint16(p[2:])]
		m.from, to, body = netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:])), p[20:]
		m.goodSum = checksum(body) == 0 && checksum(p[:20]) == 0
		m.hopLimit = p[8]
	case len(p) >= 48 && p[0]>>4 == 6 && p[6] == 58:
		p = p[:40+int(binary.BigEndian.Uint16(p[4:]))]
		m.from, to, body = netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:])), p[40:]
		pseudo := append(append([]byte{}, p[8:40]...), 0, 0, byte(len(body)>>8), byte(len(body)), 0, 0, 0, 58)
		m.goodSum = checksum(append(pseudo, body...)) == 0
		m.hopLimit = p[7]
	default:
		return message{}, netip.Addr{}, false
	}
	m.typ, m.code, m.rest = body[0], body[1], binary.BigEndian.Uint32(body[4:])
	m.payload, m.at, m.wholeBytes = append([]byte(nil), body[8:]...), c.at, len(p)
	return m, to, true
}

// pinger sends echo requests of both families from a namespace.
type pinger struct {
	fd4, fd6 int
}

func openPinger(t *testing.T, n *Namespace) *pinger {
	t.Helper()
	p := &pinger{-1, -1}
	err := n.Do(func() error {
		var err error
		if p.fd4, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err != nil {
			return err
		}
		if p.fd6, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6); err != nil {
			return err
		}
		const icmpFilter = 1
		var none [8]uint32
		for i := range none {
			none[i] = ^uint32(0)
		}
		return errors.Join(
			unix.SetsockoptInt(p.fd4, unix.SOL_RAW, icmpFilter, -1),
			unix.SetsockoptICMPv6Filter(p.fd6, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &unix.ICMPv6Filter{Data: none}),
			unix.SetsockoptInt(p.fd4, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20),
			unix.SetsockoptInt(p.fd6, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p.fd4); unix.Close(p.fd6) })
	return p
}

// send sends one request.
func (p *pinger) send(to netip.Addr, id, seq uint16, payload []byte) error {
	m := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], seq)
	m = append(m, payload...)
	if to.Is6() {
		m[0] = icmp6Request // and the kernel fills the checksum
		return unix.Sendto(p.fd6, m, 0, &unix.SockaddrInet6{Addr: to.As16()})
	}
	m[0] = icmpEchoRequest
	finishICMP(m)
	return unix.Sendto(p.fd4, m, 0, &unix.SockaddrInet4{Addr: to.As4()})
}
