package route

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Lookup asks what the kernel knows of a neighbour. No entry is no error: the state says so.
func (c *Client) Lookup(h Hop) (Neighbour, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, 0)
	req.Sockets = c.sockets
	family := uint8(unix.AF_INET6)
	if h.Addr.Is4() {
		family = unix.AF_INET
	}
	req.AddData(&netlink.Ndmsg{Family: family, Index: uint32(h.IfIndex)})
	req.AddData(nl.NewRtAttr(netlink.NDA_DST, h.Addr.AsSlice()))
	msgs, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWNEIGH)
	switch {
	case errors.Is(err, unix.ENOENT):
		return Neighbour{}, nil
	case errors.Is(err, unix.ENODEV):
		return Neighbour{}, fmt.Errorf("%w: number %d", ErrNoInterface, h.IfIndex)
	case err != nil:
		return Neighbour{}, fmt.Errorf("route: look up neighbour %s: %w", h.Addr, err)
	case len(msgs) == 0:
		return Neighbour{}, nil
	}
	_, n, err := parseNeighbour(msgs[0])
	return n, err
}

// parseNeighbour reads the body of an RTM_NEWNEIGH or RTM_DELNEIGH: struct ndmsg (family, padding, four bytes of
// interface index, two of state, flags, type), then attributes (length with its own four bytes, type, value; each
// aligned to four bytes).
func parseNeighbour(b []byte) (Hop, Neighbour, error) {
	if len(b) < unix.SizeofNdMsg {
		return Hop{}, Neighbour{}, fmt.Errorf("route: a neighbour's message of %d bytes", len(b))
	}
	h := Hop{IfIndex: int(int32(binary.NativeEndian.Uint32(b[4:])))}
	state := binary.NativeEndian.Uint16(b[8:])
	var mac []byte
	for b = b[unix.SizeofNdMsg:]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return Hop{}, Neighbour{}, fmt.Errorf("route: an attribute of %d bytes among %d of a neighbour", n, len(b))
		}
		switch value := b[unix.SizeofRtAttr:n]; binary.NativeEndian.Uint16(b[2:]) {
		case unix.NDA_DST:
			h.Addr = addr(value)
		case unix.NDA_LLADDR:
			mac = value
		}
		b = b[min(len(b), (n+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return h, neighbour(state, mac), nil
}

// neighbour judges an entry. One without an Ethernet address, which other kinds of link have not, cannot be sent to.
func neighbour(state uint16, mac []byte) Neighbour {
	var n Neighbour
	const (
		confirmed = unix.NUD_REACHABLE | unix.NUD_PERMANENT | unix.NUD_NOARP
		doubted   = unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE
	)
	switch {
	case state&unix.NUD_FAILED != 0:
		n.State = Failed
	case state&unix.NUD_INCOMPLETE != 0:
		n.State = Resolving
	case len(mac) != len(n.MAC):
	case state&confirmed != 0:
		n.State = Reachable
	case state&doubted != 0:
		n.State = Stale
	}
	copy(n.MAC[:], mac)
	return n
}
