package route

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Addresses lists an interface's addresses, all interfaces' if index is 0, each with its network, without zones. Those that duplicate address
// detection has not let pass are left out: they are not ours to use.
func (c *Client) Addresses(index int) ([]netip.Prefix, error) {
	var all []netip.Prefix
	var of netlink.Link
	if index != 0 {
		of = &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}
	}
	err := whole(func() error {
		all = nil
		list, err := c.handle.AddrList(of, netlink.FAMILY_ALL)
		for _, a := range list {
			if a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 {
				ones, _ := a.Mask.Size()
				all = append(all, netip.PrefixFrom(addr(a.IP), ones))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("route: list addresses of interface number %d: %w", index, err)
	}
	return all, nil
}
