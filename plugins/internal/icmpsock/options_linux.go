package icmpsock

import (
	"fmt"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/mmsg"
	"echogram/plugins/internal/sockopt"
)

// options4 is what an IPv4 socket gets. The errors that are queued for it are of no use here: the capture sees them.
func (c Config) options4() []sockopt.Option {
	const icmpFilter = 1 // ICMP_FILTER of linux/icmp.h; a set bit blocks the type
	return append([]sockopt.Option{sockopt.Int("ICMP_FILTER", unix.SOL_RAW, icmpFilter, -1)}, c.ip().V4()...)
}

// options6 is what an IPv6 socket gets. The kernel fills the checksum of ICMPv6 unasked (RFC 3542, 3.1).
func (c Config) options6() []sockopt.Option { return c.ip().V6() }

func (c Config) ip() sockopt.IP {
	return sockopt.IP{TTL: c.TTL, DSCP: c.DSCP, DontFragment: c.DontFragment}
}

func set(fd int, options []sockopt.Option) error {
	if err := sockopt.Set(fd, options...); err != nil {
		return fmt.Errorf("icmpsock: %w", err)
	}
	return nil
}

// blockAll6 keeps all ICMPv6 messages away from a socket (RFC 3542, 3.2).
func blockAll6(fd int) error {
	var filter unix.ICMPv6Filter
	for i := range filter.Data {
		filter.Data[i] = ^uint32(0)
	}
	if err := unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &filter); err != nil {
		return fmt.Errorf("icmpsock: ICMP6_FILTER: %w", err)
	}
	return nil
}

// setCommon does what both versions take alike.
func (c Config) setCommon(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0); err != nil { // the kernel's least
		return fmt.Errorf("icmpsock: SO_RCVBUF: %w", err)
	}
	mmsg.SetSendBuffer(fd, sendBuffer)
	if c.Mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(c.Mark)); err != nil {
			return fmt.Errorf("icmpsock: mark %d needs CAP_NET_ADMIN (from Linux 5.17 on CAP_NET_RAW will do): %w", c.Mark, err)
		}
	}
	if c.Interface != "" {
		if err := unix.BindToDevice(fd, c.Interface); err != nil {
			return fmt.Errorf("icmpsock: bind to interface %s: %w", c.Interface, err)
		}
	}
	return nil
}
