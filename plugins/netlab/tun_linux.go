package netlab

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tunQueue is how many packets wait in a TUN device before it drops: more than a second's worth of any load here.
const tunQueue = 100_000

// openTUN opens a non-blocking queue of the device link in the calling thread's namespace, without packet
// information headers. It makes the device, which goes when its last queue is closed. flags: 0 or
// unix.IFF_MULTI_QUEUE.
func openTUN(link string, flags uint16) (fd int, err error) {
	fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("netlab: /dev/net/tun: %w", err)
	}
	req, err := unix.NewIfreq(link)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | flags)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("netlab: TUN device %s: %w", link, err)
	}
	return fd, nil
}

// lengthenQueue gives a link of the calling thread's namespace room for tunQueue packets, in each of its queues.
func lengthenQueue(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("netlab: link %s: %w", name, err)
	}
	if err := netlink.LinkSetTxQLen(link, tunQueue); err != nil {
		return fmt.Errorf("netlab: queue of %s: %w", name, err)
	}
	return nil
}
