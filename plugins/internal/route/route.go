// Package route is the kernel edge that asks where packets would go: the interface, next hop and source address
// for a destination, what kind of link an interface is, and who its neighbours are.
//
// Layers: this file (the answers), client_linux.go (who asks), route_linux.go (routes), link_linux.go (interfaces), neighbour_linux.go (the
// tables of ARP and neighbour discovery), watch_linux.go (that something of this has changed). It changes nothing,
// and resolves no neighbour: it tells what the kernel knows.
package route

import (
	"errors"
	"net/netip"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
)

// Query is how packets will be sent. The zero value leaves all to the kernel.
type Query struct {
	OutIndex int        // by this interface, or by those of this VRF device; 0: any. A destination's zone wins over it.
	Source   netip.Addr // from this address
	Mark     uint32     // with this mark (SO_MARK), which policy routing may look at
}

// Route is where packets for a destination go.
type Route struct {
	IfIndex int
	Gateway netip.Addr // invalid for a destination on the link; that of an IPv4 route may be an IPv6 address
	Local   bool       // the destination is this host
	Source  netip.Addr // what the kernel would send from
	MTU     int        // the route's own, or what the kernel has learnt of the path; 0: the interface's
	Wrapped bool       // the kernel puts more around the packets (MPLS, segment routing)
}

// OnLink tells whether the destination must be resolved on the link itself.
func (r Route) OnLink() bool { return !r.Gateway.IsValid() && !r.Local }

// Interface is what captures and senders must know of an interface.
type Interface struct {
	Index int
	Name  string
	Link  capture.LinkType
	Up    bool
	MAC   frame.MAC // zero: it has none, as tunnels and loopback
	MTU   int
	Kind  string // as the kernel calls it: veth, vlan, bond, bridge, vrf, tun …; "" for hardware and loopback
}

// Specific is an entry of the routing tables that is narrower than a block, or not for one receiver.
type Specific struct {
	Prefix    netip.Prefix
	Broadcast bool
}

// NeighbourState tells how well the kernel knows a neighbour.
type NeighbourState uint8

// The states. With Stale and Reachable the kernel has an address to send to.
const (
	Unknown   NeighbourState = iota // no entry
	Resolving                       // asked for, no answer yet
	Failed                          // asked for in vain
	Stale                           // not confirmed lately; the kernel may forget it
	Reachable                       // confirmed, or fixed by hand
)

// Hop is a neighbour's name: a gateway, or a host on the link.
type Hop struct {
	IfIndex int
	Addr    netip.Addr // without zone
}

// Neighbour is what the kernel knows of a Hop.
type Neighbour struct {
	MAC   frame.MAC
	State NeighbourState
}

// Known tells whether MAC can be sent to.
func (n Neighbour) Known() bool { return n.State >= Stale }

// Errors that callers decide on.
var (
	ErrNoRoute     = errors.New("route: no route")
	ErrNoInterface = errors.New("route: no such interface")
)
