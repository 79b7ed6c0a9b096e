// Package icmpsock is the kernel edge that sends ICMP messages: raw sockets of both IP versions behind one Socket,
// which takes batches of messages with one system call. It receives nothing: the kernel is told to deliver no reply
// to it, because the capture sees them all. The kernel routes what it sends, makes the IP headers, resolves
// neighbours and cuts fragments; frames of one's own making leave by package packetsock.
//
// Layers: this file (what a socket can be asked for), options_linux.go (what that is to the kernel),
// socket_linux.go (the batches).
package icmpsock

import (
	"fmt"
	"net/netip"

	"echogram/plugins/internal/mmsg"
)

// Config is what a socket needs. The zero value sends IPv4 and lets the kernel choose all.
type Config struct {
	Interface string     // leave only by this interface, or by those of this VRF device (SO_BINDTODEVICE)
	Source4   netip.Addr // source of IPv4 messages
	Source6   netip.Addr // source of IPv6 messages, with its zone if it is link-local
	TTL       int        // IPv6: hop limit; 0: the system's default
	DSCP      int        // 0 to 63
	// DontFragment refuses a message above the interface's MTU with unix.EMSGSIZE, has routers refuse those above
	// theirs, and pays no heed to what the kernel has learnt of the path. Otherwise the kernel cuts fragments.
	DontFragment bool
	Mark         uint32 // for policy routing and firewalls (SO_MARK); 0: none
	V6           bool   // send IPv6, too
}

// ErrNoRoom says that the socket's buffer or the queue of the interface is full: the message may be sent again
// in a while. Other errors of Send are about one message, most of them the kernel's (unix.Errno).
var ErrNoRoom = mmsg.ErrNoRoom

// sendBuffer is what a socket may have under way, bytes.
const sendBuffer = 8 << 20

func (c Config) check() error {
	switch {
	case c.Source4.IsValid() && !c.Source4.Is4():
		return fmt.Errorf("icmpsock: source %s is no IPv4 address", c.Source4)
	case c.Source6.IsValid() && (!c.Source6.Is6() || c.Source6.Is4In6()):
		return fmt.Errorf("icmpsock: source %s is no IPv6 address", c.Source6)
	case c.DSCP < 0 || c.DSCP > 63:
		return fmt.Errorf("icmpsock: DSCP %d is not between 0 and 63", c.DSCP)
	case c.TTL < 0 || c.TTL > 255:
		return fmt.Errorf("icmpsock: TTL %d is not between 1 and 255", c.TTL)
	}
	return nil
}
