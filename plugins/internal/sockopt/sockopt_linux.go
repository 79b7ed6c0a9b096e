package sockopt

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// V4 gives the options of an IPv4 socket. It allows broadcast addresses: who leaves those in the targets has asked for
// them. The errors of its packets are queued: raw sockets hear only then that the queue of the interface has dropped
// one.
func (p IP) V4() []Option {
	discover := unix.IP_PMTUDISC_DONT
	if p.DontFragment {
		discover = unix.IP_PMTUDISC_PROBE
	}
	options := []Option{
		{"SO_BROADCAST", unix.SOL_SOCKET, unix.SO_BROADCAST, 1},
		{"IP_RECVERR", unix.IPPROTO_IP, unix.IP_RECVERR, 1},
		{"IP_MTU_DISCOVER", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discover},
		{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS, p.DSCP << 2},
	}
	if p.TTL != 0 {
		options = append(options, Option{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, p.TTL})
	}
	return options
}

// V6 gives the options of an IPv6 socket, likewise.
func (p IP) V6() []Option {
	discover, dontFragment := unix.IPV6_PMTUDISC_DONT, 0
	if p.DontFragment {
		discover, dontFragment = unix.IPV6_PMTUDISC_PROBE, 1
	}
	options := []Option{
		{"IPV6_RECVERR", unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
		{"IPV6_MTU_DISCOVER", unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, discover},
		{"IPV6_DONTFRAG", unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, dontFragment},
		{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, p.DSCP << 2},
	}
	if p.TTL != 0 {
		options = append(options, Option{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, p.TTL})
	}
	return options
}

// Set sets options in order, up to the first that the kernel refuses (unix.Errno).
func Set(fd int, options ...Option) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return fmt.Errorf("%s %d: %w", o.name, o.value, err)
		}
	}
	return nil
}
