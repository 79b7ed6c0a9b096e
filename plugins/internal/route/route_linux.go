package route

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
)

// Get asks the kernel for the route to dst, by the interface oif if that is not 0, and from src if that is valid. Where there is none, or where
// it leads nowhere (unreachable, prohibit, blackhole), the error is ErrNoRoute.
func Get(dst netip.Addr, oif int, src netip.Addr) (Route, error) {
	options := netlink.RouteGetOptions{OifIndex: oif}
	if src.IsValid() {
		options.SrcAddr = src.AsSlice()
	}
	routes, err := netlink.RouteGetWithOptions(dst.AsSlice(), &options)
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL):
		return Route{}, fmt.Errorf("%w to %s", ErrNoRoute, dst)
	case err != nil:
		return Route{}, fmt.Errorf("route: look up %s: %w", dst, err)
	case len(routes) == 0:
		return Route{}, fmt.Errorf("%w to %s", ErrNoRoute, dst)
	}
	r := routes[0]
	return Route{
		IfIndex: r.LinkIndex,
		Gateway: addr(r.Gw),
		Local:   r.Type == unix.RTN_LOCAL,
	}, nil
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// Specifics lists, of all routing tables, what an IPv4 block of bits bits cannot be asked about as a whole:
// narrower routes, own addresses among them, and broadcast addresses.
func Specifics(bits int) ([]Specific, error) {
	var all []Specific
	err := netlink.RouteListFilteredIter(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
		if r.Dst == nil {
			return true
		}
		if ones, _ := r.Dst.Mask.Size(); ones > bits {
			all = append(all, Specific{netip.PrefixFrom(addr(r.Dst.IP), ones), r.Type == unix.RTN_BROADCAST})
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("route: list routes: %w", err)
	}
	return all, nil
}

// ByName returns the interface name; where there is none, the error is ErrNoInterface.
func ByName(name string) (Interface, error) {
	l, err := netlink.LinkByName(name)
	return describe(l, err, name)
}

// ByIndex returns the interface with an index; where there is none, the error is ErrNoInterface.
func ByIndex(index int) (Interface, error) {
	l, err := netlink.LinkByIndex(index)
	return describe(l, err, fmt.Sprintf("number %d", index))
}

func describe(l netlink.Link, err error, name string) (Interface, error) {
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return Interface{}, fmt.Errorf("%w: %s", ErrNoInterface, name)
	}
	if err != nil {
		return Interface{}, fmt.Errorf("route: look up interface %s: %w", name, err)
	}
	a := l.Attrs()
	i := Interface{Index: a.Index, Name: a.Name, Up: a.Flags&net.FlagUp != 0}
	switch a.EncapType {
	case "ether", "loopback":
		i.Link = capture.LinkEthernet
	case "none", "rawip", "ppp", "ipip", "sit", "gre", "tunnel6":
		i.Link = capture.LinkRaw
	default:
		return i, fmt.Errorf("route: interface %s has link type %s, which is not supported", a.Name, a.EncapType)
	}
	return i, nil
}
