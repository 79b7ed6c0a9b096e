package route

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/vishvananda/netlink"

	"echogram/plugins/internal/capture"
)

// ByName returns the interface name; where there is none, the error is ErrNoInterface.
func (c *Client) ByName(name string) (Interface, error) {
	l, err := c.handle.LinkByName(name)
	return describe(l, err, name)
}

// ByIndex returns the interface with an index; where there is none, the error is ErrNoInterface.
func (c *Client) ByIndex(index int) (Interface, error) {
	l, err := c.handle.LinkByIndex(index)
	return describe(l, err, fmt.Sprintf("number %d", index))
}

// byZone returns the interface that the zone of an address names, by its name or its number.
func (c *Client) byZone(zone string) (Interface, error) {
	if index, err := strconv.Atoi(zone); err == nil {
		return c.ByIndex(index)
	}
	return c.ByName(zone)
}

func describe(l netlink.Link, err error, name string) (Interface, error) {
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return Interface{}, fmt.Errorf("%w: %s", ErrNoInterface, name)
	}
	if err != nil {
		return Interface{}, fmt.Errorf("route: look up interface %s: %w", name, err)
	}
	a := l.Attrs()
	i := Interface{Index: a.Index, Name: a.Name, Up: a.Flags&net.FlagUp != 0, MTU: a.MTU, Kind: kind(l.Type())}
	switch a.EncapType {
	case "ether":
		i.Link = capture.LinkEthernet
		copy(i.MAC[:], a.HardwareAddr)
	case "loopback":
		i.Link = capture.LinkEthernet
	case "none", "rawip", "ppp", "ipip", "sit", "gre", "tunnel6":
		i.Link = capture.LinkRaw
	default:
		return i, fmt.Errorf("route: interface %s has link type %s, which is not supported", a.Name, a.EncapType)
	}
	return i, nil
}

// kind takes the netlink package's own names back.
func kind(name string) string {
	switch name {
	case "device":
		return ""
	case "tuntap":
		return "tun"
	}
	return name
}
