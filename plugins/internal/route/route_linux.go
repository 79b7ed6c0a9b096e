package route

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Get asks the kernel for the route to dst. Where there is none, or where it leads nowhere (unreachable, prohibit,
// blackhole), the error is ErrNoRoute. Of several equal paths it is one that the kernel might take.
func (c *Client) Get(q Query, dst netip.Addr) (Route, error) {
	options := netlink.RouteGetOptions{OifIndex: q.OutIndex, Mark: q.Mark}
	if q.Source.IsValid() {
		options.SrcAddr = q.Source.AsSlice()
	}
	if zone := dst.Zone(); zone != "" {
		i, err := c.byZone(zone)
		if err != nil {
			return Route{}, err
		}
		options.OifIndex = i.Index
	}
	routes, err := c.handle.RouteGetWithOptions(dst.AsSlice(), &options)
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL):
		return Route{}, fmt.Errorf("%w to %s", ErrNoRoute, dst)
	case err != nil:
		return Route{}, fmt.Errorf("route: look up %s: %w", dst, err)
	case len(routes) == 0 || nowhere(routes[0].Type):
		return Route{}, fmt.Errorf("%w to %s", ErrNoRoute, dst)
	}
	return q.route(&routes[0]), nil
}

// nowhere tells of a route's type whether it drops what it is asked for. IPv6 lists such a route as any other.
func nowhere(kind int) bool {
	return kind == unix.RTN_BLACKHOLE || kind == unix.RTN_UNREACHABLE || kind == unix.RTN_PROHIBIT || kind == unix.RTN_THROW
}

func (q Query) route(r *netlink.Route) Route {
	out := Route{
		IfIndex: r.LinkIndex,
		Gateway: addr(r.Gw),
		Local:   r.Type == unix.RTN_LOCAL || r.Type == unix.RTN_ANYCAST,
		Source:  addr(r.Src),
		MTU:     r.MTU,
		Wrapped: r.Encap != nil,
	}
	if via, ok := r.Via.(*netlink.Via); ok {
		out.Gateway = addr(via.Addr)
	}
	if !out.Source.IsValid() { // the kernel does not repeat what it was told
		out.Source = q.Source
	}
	return out
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// Specifics4 lists, of all routing tables, what an IPv4 block of bits bits cannot be asked about as a whole:
// narrower routes, own addresses among them, broadcast addresses, and narrower destinations of routing rules.
func (c *Client) Specifics4(bits int) ([]Specific, error) {
	return c.specifics(unix.AF_INET, bits)
}

// Specifics6 lists the same for an IPv6 block.
func (c *Client) Specifics6(bits int) ([]Specific, error) {
	return c.specifics(unix.AF_INET6, bits)
}

func (c *Client) specifics(family, bits int) ([]Specific, error) {
	var all []Specific
	add := func(dst *net.IPNet, broadcast bool) {
		if dst == nil {
			return
		}
		if ones, _ := dst.Mask.Size(); ones > bits {
			all = append(all, Specific{netip.PrefixFrom(addr(dst.IP), ones), broadcast})
		}
	}
	err := whole(func() error {
		all = nil
		return c.handle.RouteListFilteredIter(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			add(r.Dst, r.Type == unix.RTN_BROADCAST)
			return true
		})
	})
	if err != nil {
		return nil, fmt.Errorf("route: list routes: %w", err)
	}
	var rules []netlink.Rule
	err = whole(func() (err error) { rules, err = c.handle.RuleList(family); return err })
	if err != nil && !errors.Is(err, unix.EOPNOTSUPP) { // a kernel without policy routing
		return nil, fmt.Errorf("route: list rules: %w", err)
	}
	for _, r := range rules {
		add(r.Dst, false)
	}
	return all, nil
}

// whole lists something, again if it changed while it was listed.
func whole(list func() error) (err error) {
	for range 5 {
		if err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return err
}
