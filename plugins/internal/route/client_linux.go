package route

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Client asks the kernel by a socket that stays open, which is faster than one a question, and asks the network
// namespace that it was opened in, whichever thread uses it. Several goroutines may use it at a time.
type Client struct {
	handle  *netlink.Handle
	sockets map[int]*nl.SocketHandle // for what handle has no method for
}

// NewClient opens a client. It needs no privilege.
func NewClient() (*Client, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("route: netlink: %w", err)
	}
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("route: netlink: %w", err)
	}
	return &Client{handle, map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}}}, nil
}

// Close closes the client.
func (c *Client) Close() {
	c.handle.Close()
	c.sockets[unix.NETLINK_ROUTE].Close()
}

// once asks by a socket of each question's own.
func once() *Client { return &Client{handle: &netlink.Handle{}} }

// Get asks for the route to dst, by the interface oif if that is not 0, and from src if that is valid: see Client.Get.
func Get(dst netip.Addr, oif int, src netip.Addr) (Route, error) {
	return once().Get(Query{OutIndex: oif, Source: src}, dst)
}

// Specifics lists narrower IPv4 routes: see Client.Specifics4.
func Specifics(bits int) ([]Specific, error) { return once().Specifics4(bits) }

// ByName returns the interface name; where there is none, the error is ErrNoInterface.
func ByName(name string) (Interface, error) { return once().ByName(name) }

// ByIndex returns the interface with an index; where there is none, the error is ErrNoInterface.
func ByIndex(index int) (Interface, error) { return once().ByIndex(index) }
