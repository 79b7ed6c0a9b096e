// Package route is the kernel edge that asks where packets would go: the interface, next hop and source address
// for a destination, and what kind of link an interface is. It asks once and watches nothing.
package route

import (
	"errors"
	"net/netip"

	"echogram/plugins/internal/capture"
)

// Route is where packets for a destination go.
type Route struct {
	IfIndex int
	Gateway netip.Addr // invalid for a destination on the link
	Local   bool       // the destination is this host
}

// OnLink tells whether the destination must be resolved on the link itself.
func (r Route) OnLink() bool { return !r.Gateway.IsValid() && !r.Local }

// Interface is what a capture must know of an interface.
type Interface struct {
	Index int
	Name  string
	Link  capture.LinkType
	Up    bool
}

// Specific is an entry of the routing tables that is narrower than a block, or not for one receiver.
type Specific struct {
	Prefix    netip.Prefix
	Broadcast bool
}

// Errors that callers decide on.
var (
	ErrNoRoute     = errors.New("route: no route")
	ErrNoInterface = errors.New("route: no such interface")
)
