package pingsock

import (
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/sockopt"
)

// options is what a socket gets. OPT_CMSG has the kernel say by which interface a request left.
func (c Config) options(v6 bool) []sockopt.Option {
	stamps := unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	if c.Hardware {
		stamps = unix.SOF_TIMESTAMPING_TX_HARDWARE | unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE
	}
	options := []sockopt.Option{sockopt.Int("SO_TIMESTAMPING", unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stamps|unix.SOF_TIMESTAMPING_OPT_CMSG)}
	ip := sockopt.IP{TTL: c.TTL, DSCP: c.DSCP, DontFragment: c.DontFragment}
	if v6 {
		return append(append(options, ip.V6()...),
			sockopt.Int("IPV6_RECVHOPLIMIT", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
			sockopt.Int("IPV6_RECVPKTINFO", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
	}
	return append(append(options, ip.V4()...),
		sockopt.Int("IP_RECVTTL", unix.IPPROTO_IP, unix.IP_RECVTTL, 1),
		sockopt.Int("IP_PKTINFO", unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
}
