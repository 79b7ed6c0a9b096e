package route

import (
	"fmt"

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
