package netlab

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// withLink runs f on a link of the namespace; what says what f does to it.
func (n *Namespace) withLink(name, what string, f func(netlink.Link) error) error {
	return n.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err == nil {
			err = f(link)
		}
		if err != nil {
			return fmt.Errorf("netlab: link %s in %s: %s: %w", name, n.Name, what, err)
		}
		return nil
	})
}

// LinkUp brings a link up.
func (n *Namespace) LinkUp(name string) error { return n.withLink(name, "up", netlink.LinkSetUp) }

// LinkDown takes a link down. The kernel drops its routes and IPv6 addresses with it.
func (n *Namespace) LinkDown(name string) error { return n.withLink(name, "down", netlink.LinkSetDown) }

// SetMTU sets the largest IP packet that a link takes, in bytes.
func (n *Namespace) SetMTU(name string, bytes int) error {
	return n.withLink(name, "MTU", func(l netlink.Link) error { return netlink.LinkSetMTU(l, bytes) })
}

// AddAddress gives a link an address with its network; it can be used at once.
func (n *Namespace) AddAddress(link string, address netip.Prefix) error {
	return n.Do(func() error { return addAddress(link, address) })
}

// Enslave makes a link a port of a bridge, which may be any device that takes ports.
func (n *Namespace) Enslave(port, bridge string) error {
	return n.withLink(port, "enslave", func(l netlink.Link) error {
		master, err := netlink.LinkByName(bridge)
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(l, master)
	})
}

// Bridge adds a learning bridge and brings it up. Without spanning tree and multicast snooping it says nothing itself.
func (n *Namespace) Bridge(name string) error {
	snooping := false
	return n.add(&netlink.Bridge{LinkAttrs: named(name), MulticastSnooping: &snooping})
}

// Macvlan adds a device with a MAC of its own on a link and brings it up.
func (n *Namespace) Macvlan(name, on string) error {
	return n.withLink(on, "macvlan", func(l netlink.Link) error {
		attrs := named(name)
		attrs.ParentIndex = l.Attrs().Index
		if err := netlink.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_PRIVATE}); err != nil {
			return err
		}
		return linkUp(name)
	})
}

func (n *Namespace) add(l netlink.Link) error {
	return n.Do(func() error {
		if err := netlink.LinkAdd(l); err != nil {
			return fmt.Errorf("netlab: %s %s in %s: %w", l.Type(), l.Attrs().Name, n.Name, err)
		}
		return linkUp(l.Attrs().Name)
	})
}

func named(name string) netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	return attrs
}

// LinkStats are a link's own counts of packets.
type LinkStats struct {
	Received, Sent        uint64
	ReceiveDrops, Drops   uint64 // what the device itself threw away, coming in and going out
	ReceiveErrors, Errors uint64
}

// LinkStats reads a link's counts.
func (n *Namespace) LinkStats(name string) (LinkStats, error) {
	var s LinkStats
	err := n.withLink(name, "statistics", func(l netlink.Link) error {
		c := l.Attrs().Statistics
		s = LinkStats{c.RxPackets, c.TxPackets, c.RxDropped, c.TxDropped, c.RxErrors, c.TxErrors}
		return nil
	})
	return s, err
}

// Qdisc is a token bucket (tbf) at the way out of a link: a queue that is as long as wanted, and so overflows when
// wanted. It does not serialise: a full bucket lets a frame through at once. Serialise does.
type Qdisc struct {
	BitsPerSecond uint64
	Burst         uint32 // bytes of the bucket; at least one frame
	Limit         uint32 // bytes that may wait; what comes then is dropped
}

// SetQdisc puts q in place of the link's qdisc.
func (n *Namespace) SetQdisc(link string, q Qdisc) error {
	return n.withLink(link, "qdisc", func(l netlink.Link) error {
		rate := q.BitsPerSecond / 8
		return netlink.QdiscReplace(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0)},
			Rate:       rate,
			Limit:      q.Limit,
			Buffer:     netlink.Xmittime(rate, q.Burst),
		})
	})
}

// QdiscDrops is how many packets the link's root qdisc has dropped.
func (n *Namespace) QdiscDrops(link string) (drops uint32, err error) {
	err = n.withLink(link, "qdisc", func(l netlink.Link) error {
		list, err := netlink.QdiscList(l)
		for _, q := range list {
			if a := q.Attrs(); a.Parent == netlink.HANDLE_ROOT && a.Statistics != nil && a.Statistics.Queue != nil {
				drops = a.Statistics.Queue.Drops
			}
		}
		return err
	})
	return drops, err
}
