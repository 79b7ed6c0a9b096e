// Package icmpsock is the kernel edge that sends: a raw ICMP socket that takes batches of messages with one
// system call (sendmmsg). It receives nothing: the kernel is told to deliver no reply to it, because the capture
// sees them all. Packets that the kernel stamps and routes itself leave it; frames of one's own making, IPv6 and
// other socket types are not here yet.
package icmpsock

import (
	"errors"
	"net/netip"
)

// Config is what a socket needs. The zero value lets the kernel choose all.
type Config struct {
	Interface string     // leave only by this one (SO_BINDTODEVICE)
	Source    netip.Addr // bind to this address
	TTL       int        // 0: the system's default
}

// ErrNoRoom says that the socket's buffer or the queue of the interface is full: the message may be sent again
// in a while. Other errors of Send are the kernel's, about one message.
var ErrNoRoom = errors.New("icmpsock: no room")

// sendBuffer is what the socket may have under way, bytes.
const sendBuffer = 8 << 20
