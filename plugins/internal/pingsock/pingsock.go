// Package pingsock is the kernel edge for those who lack CAP_NET_RAW: Linux's ping sockets (SOCK_DGRAM with
// IPPROTO_ICMP or IPPROTO_ICMPV6), which the groups of net.ipv4.ping_group_range may open. One Socket sends echo
// requests of both IP versions and shows what became of them as packets, so that whoever reads captures reads this,
// too: requests as they left, replies and ICMP errors as they came in, all stamped by the kernel or, on request, by
// the network adapter.
//
// Layers: this file (what a socket can be asked for), packet.go (a message and what the kernel tells about it -> a
// packet), control_linux.go (control messages), queue_linux.go (recvmmsg), options_linux.go and open_linux.go (what
// is asked of the kernel), socket_linux.go (a socket's life).
//
// The stamp of a request comes back with the frame that it was taken of: nothing is counted or guessed to join
// them, though ICMP errors let sends fail at any time. For that net.core.tstamp_allow_data must not be 0. A request
// whose device takes no stamps, or hides it (an encrypting tunnel), is not shown. Requests are stamped by the driver,
// behind the point where captures take theirs: RTTs are some hundred nanoseconds shorter than a capture's, and are
// not to be compared with them.
//
// What a ping socket cannot do: see the traffic of others; share an identifier with another ping socket of the
// host (unix.EADDRINUSE); see a reply or an error whose ICMP checksum is wrong, which the kernel drops; choose
// anything else than an echo request; send or see anything at layer 2, ARP and neighbour discovery included; set a
// mark. It sees a reply once, whatever interfaces it passed.
package pingsock

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"echogram/plugins/internal/mmsg"
	"echogram/plugins/internal/privilege"
)

// Config is what a socket needs.
type Config struct {
	ID           uint16 // of all requests, not 0
	V4, V6       bool   // which versions; at least one
	Interface    string // leave only by this one, and see only what comes in there (SO_BINDTODEVICE)
	Source4      netip.Addr
	Source6      netip.Addr // with its zone if it is link-local
	TTL          int        // IPv6: hop limit; 0: the system's default
	DSCP         int        // 0 to 63
	DontFragment bool       // refuse what is above the interface's MTU (unix.EMSGSIZE), have routers refuse what is above theirs
	Hardware     bool       // the adapter's stamps instead of the kernel's; it must be set to take them (package hwstamp)
}

// Errors of Open that a caller decides on.
var (
	// ErrNotAllowed says that the host's settings keep ping sockets, or their stamps, from this process; the text
	// around it holds the remedy.
	ErrNotAllowed = errors.New("pingsock: not allowed")
	// ErrTaken says that another ping socket of the host has the identifier.
	ErrTaken = errors.New("pingsock: the identifier is taken")
)

// ErrNoRoom says that the socket's buffer or the queue of the interface is full: the message may be sent again
// in a while. Other errors of Send are about one message, most of them the kernel's (unix.Errno).
var ErrNoRoom = mmsg.ErrNoRoom

// The remedies, as a person types them.
const (
	groupRemedy = `sysctl -w net.ipv4.ping_group_range="0 2147483647"`
	stampRemedy = "sysctl -w net.core.tstamp_allow_data=1"
)

// notAllowed says why not and what helps. cause may be nil.
func notAllowed(why, remedy string, cause error) error {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	remedy = fmt.Sprintf("%s   or "+privilege.Remedy, remedy, self)
	if cause == nil {
		return fmt.Errorf("%w: %s: allow it with: %s", ErrNotAllowed, why, remedy)
	}
	return fmt.Errorf("%w: %s (%w): allow it with: %s", ErrNotAllowed, why, cause, remedy)
}

func (c Config) check() error {
	switch {
	case c.ID == 0:
		return errors.New("pingsock: identifier 0 would let the kernel choose one")
	case !c.V4 && !c.V6:
		return errors.New("pingsock: neither IPv4 nor IPv6")
	case c.Source4.IsValid() && !c.Source4.Is4():
		return fmt.Errorf("pingsock: source %s is no IPv4 address", c.Source4)
	case c.Source6.IsValid() && (!c.Source6.Is6() || c.Source6.Is4In6()):
		return fmt.Errorf("pingsock: source %s is no IPv6 address", c.Source6)
	case c.DSCP < 0 || c.DSCP > 63:
		return fmt.Errorf("pingsock: DSCP %d is not between 0 and 63", c.DSCP)
	case c.TTL < 0 || c.TTL > 255:
		return fmt.Errorf("pingsock: TTL %d is not between 1 and 255", c.TTL)
	}
	return nil
}
