package pingsock

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// control is what the kernel tells beside a message.
type control struct {
	software, hardware int64 // stamps, ns; 0: none
	ttl                uint8
	ifindex            int32
	local              netip.Addr // whom an incoming packet was addressed to
	origin             uint8      // SO_EE_ORIGIN_...; 0 for what did not come from the error queue
	failure            failure
}

// The layout of control messages on 64-bit systems: length, level and type, then the data; the next one begins at
// a multiple of eight.
const (
	cmsgHeader = unix.SizeofCmsghdr
	cmsgAlign  = 8
)

// parseControl reads control messages; what is cut or unknown is passed over.
func parseControl(b []byte) (c control) {
	for len(b) >= cmsgHeader {
		n := binary.NativeEndian.Uint64(b)
		if n < cmsgHeader || n > uint64(len(b)) {
			return c
		}
		level, typ := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
		c.read(level, typ, b[cmsgHeader:n])
		b = b[min((n+cmsgAlign-1)&^(cmsgAlign-1), uint64(len(b))):]
	}
	return c
}

// read takes the data of one control message.
func (c *control) read(level, typ uint32, b []byte) {
	type kind struct{ level, typ uint32 }
	switch (kind{level, typ}) {
	case kind{unix.SOL_SOCKET, unix.SCM_TIMESTAMPING}:
		c.readStamps(b)
	case kind{unix.IPPROTO_IP, unix.IP_TTL}, kind{unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT}:
		if len(b) >= 4 {
			c.ttl = uint8(binary.NativeEndian.Uint32(b))
		}
	case kind{unix.IPPROTO_IP, unix.IP_PKTINFO}: // struct in_pktinfo
		if len(b) >= unix.SizeofInet4Pktinfo {
			c.ifindex, c.local = int32(binary.NativeEndian.Uint32(b)), netip.AddrFrom4([4]byte(b[8:12]))
		}
	case kind{unix.IPPROTO_IPV6, unix.IPV6_PKTINFO}: // struct in6_pktinfo
		if len(b) >= unix.SizeofInet6Pktinfo {
			c.ifindex, c.local = int32(binary.NativeEndian.Uint32(b[16:])), netip.AddrFrom16([16]byte(b[:16]))
		}
	case kind{unix.IPPROTO_IP, unix.IP_RECVERR}, kind{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}:
		c.readError(b)
	}
}

// readStamps takes struct scm_timestamping: software, unused, hardware.
func (c *control) readStamps(b []byte) {
	const timespec = 16
	if len(b) < 3*timespec {
		return
	}
	at := func(i int) int64 {
		t := b[i*timespec:]
		return int64(binary.NativeEndian.Uint64(t))*1e9 + int64(binary.NativeEndian.Uint64(t[8:]))
	}
	c.software, c.hardware = at(0), at(2)
}

// readError takes struct sock_extended_err and the offender's address behind it.
func (c *control) readError(b []byte) {
	const extended = 16
	if len(b) < extended {
		return
	}
	c.origin = b[4]
	c.failure = failure{typ: b[5], code: b[6], info: binary.NativeEndian.Uint32(b[8:])}
	switch offender := b[extended:]; {
	case c.origin == unix.SO_EE_ORIGIN_ICMP && len(offender) >= unix.SizeofSockaddrInet4:
		c.failure.offender = netip.AddrFrom4([4]byte(offender[4:8]))
	case c.origin == unix.SO_EE_ORIGIN_ICMP6 && len(offender) >= unix.SizeofSockaddrInet6:
		c.failure.offender = netip.AddrFrom16([16]byte(offender[8:24]))
	}
}
