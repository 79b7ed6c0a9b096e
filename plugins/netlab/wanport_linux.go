package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// vnetHeader is the length of struct virtio_net_hdr, which says which checksum a frame still lacks: the kernel gives it
// with a frame and takes it back with it.
const vnetHeader = 10

// openWANIn opens a socket that sees what comes in over a link of the calling thread's namespace, with the kernel's
// stamps.
func openWANIn(link string) (int, error) {
	return openWANPort(link, unix.ETH_P_ALL<<8, []option{ // big-endian
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16 << 20},
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPING, unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE},
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
	})
}

// openWANOut opens a socket that sends out of a link and sees nothing; its stamps come to its error queue.
func openWANOut(link string) (int, error) {
	return openWANPort(link, 0, []option{{unix.SOL_SOCKET, unix.SO_TIMESTAMPING,
		unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_TSONLY}})
}

type option struct{ level, name, value int }

func openWANPort(name string, protocol uint16, options []option) (int, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return -1, fmt.Errorf("netlab: link %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("netlab: packet socket: %w", err)
	}
	for _, o := range append(options, option{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1}) {
		err = errors.Join(err, unix.SetsockoptInt(fd, o.level, o.name, o.value))
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: link.Attrs().Index})
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("netlab: packet socket on %s: %w", name, err)
	}
	return fd, nil
}

// readStamped reads a message and its software stamp, ns of CLOCK_REALTIME; 0: the kernel gave none.
func readStamped(fd int, buf []byte, flags int) (n int, stamp int64, err error) {
	var control [256]byte
	n, m, _, _, err := unix.Recvmsg(fd, buf, control[:], flags)
	if err != nil {
		return 0, 0, err
	}
	for rest := control[:m]; len(rest) >= unix.CmsgLen(0); {
		h, data, next, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPING && len(data) >= 16 { // three struct timespec
			return n, int64(binary.NativeEndian.Uint64(data))*1e9 + int64(binary.NativeEndian.Uint64(data[8:])), nil
		}
		rest = next
	}
	return n, 0, nil
}
