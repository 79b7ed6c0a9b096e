package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// End is one end of a veth pair.
type End struct {
	Namespace *Namespace
	Link      string       // name of the interface, at most 15 bytes
	Address   netip.Prefix // the interface's address with its network; the zero value: none
}

// maxLinkName is IFNAMSIZ without its zero byte.
const maxLinkName = 15

// Connect joins two namespaces by a veth pair and brings it up. The links exist in the namespaces only, so
// their names can clash with nobody else's.
func Connect(a, b End) error {
	for _, name := range []string{a.Link, b.Link} {
		if len(name) > maxLinkName {
			return fmt.Errorf("netlab: link name %q has more than %d bytes", name, maxLinkName)
		}
	}
	err := a.Namespace.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = a.Link
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs:     attrs,
			PeerName:      b.Link,
			PeerNamespace: netlink.NsFd(b.Namespace.handle),
		})
	})
	if err != nil {
		return fmt.Errorf("netlab: veth %s to %s: %w", a.Link, b.Link, err)
	}
	return errors.Join(a.raise(), b.raise())
}

func (e End) raise() error {
	return e.Namespace.Do(func() error {
		if e.Address.IsValid() {
			if err := addAddress(e.Link, e.Address); err != nil {
				return err
			}
		}
		return linkUp(e.Link)
	})
}

// addAddress gives a link of the calling thread's namespace an address.
func addAddress(name string, address netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("netlab: link %s: %w", name, err)
	}
	network := ipNet(address)
	network.IP = address.Addr().AsSlice()
	// Without duplicate address detection an IPv6 address can be used at once.
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: network, Flags: unix.IFA_F_NODAD}); err != nil {
		return fmt.Errorf("netlab: address %v of %s: %w", address, name, err)
	}
	return nil
}

// RouteVia sends what is for dst to a gateway.
func (n *Namespace) RouteVia(dst netip.Prefix, gateway netip.Addr) error {
	return n.addRoute(&netlink.Route{Dst: ipNet(dst), Gw: gateway.AsSlice()}, "")
}

// RouteMarked sends what is for dst and bears a firewall mark (SO_MARK) to a gateway. It stands in a table of its own,
// whose number is the mark: 1 to 252.
func (n *Namespace) RouteMarked(mark uint8, dst netip.Prefix, gateway netip.Addr) error {
	rule := netlink.NewRule()
	rule.Mark, rule.Table = uint32(mark), int(mark)
	rule.Family = unix.AF_INET
	if dst.Addr().Is6() {
		rule.Family = unix.AF_INET6
	}
	if err := n.Do(func() error { return netlink.RuleAdd(rule) }); err != nil {
		return fmt.Errorf("netlab: rule for mark %d in %s: %w", mark, n.Name, err)
	}
	return n.addRoute(&netlink.Route{Dst: ipNet(dst), Gw: gateway.AsSlice(), Table: int(mark)}, "")
}

// RouteDev sends what is for dst out of a link.
func (n *Namespace) RouteDev(dst netip.Prefix, link string) error {
	return n.addRoute(&netlink.Route{Dst: ipNet(dst), Scope: netlink.SCOPE_LINK}, link)
}

// RouteLocal makes the kernel own every address of dst: it answers for all of them. The route stands in the main
// table, so that longer prefixes can take blocks out of it; in the table of local routes it would win over them.
func (n *Namespace) RouteLocal(dst netip.Prefix) error {
	route := &netlink.Route{Dst: ipNet(dst), Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, Table: unix.RT_TABLE_MAIN}
	return n.addRoute(route, "lo")
}

// RouteBlackhole drops what is for dst without a word.
func (n *Namespace) RouteBlackhole(dst netip.Prefix) error {
	return n.addRoute(&netlink.Route{Dst: ipNet(dst), Type: unix.RTN_BLACKHOLE}, "")
}

// RemoveBlackhole takes back RouteBlackhole.
func (n *Namespace) RemoveBlackhole(dst netip.Prefix) error {
	return n.Do(func() error {
		if err := netlink.RouteDel(&netlink.Route{Dst: ipNet(dst), Type: unix.RTN_BLACKHOLE}); err != nil {
			return fmt.Errorf("netlab: remove route %v in %s: %w", dst, n.Name, err)
		}
		return nil
	})
}

// addRoute adds a route, out of a link unless that is empty.
func (n *Namespace) addRoute(route *netlink.Route, link string) error {
	return n.Do(func() error {
		if link != "" {
			l, err := netlink.LinkByName(link)
			if err != nil {
				return fmt.Errorf("netlab: link %s: %w", link, err)
			}
			route.LinkIndex = l.Attrs().Index
		}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("netlab: route %v in %s: %w", route.Dst, n.Name, err)
		}
		return nil
	})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   p.Masked().Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}
}
