// Package mmsg is the kernel edge that sends many messages with one system call (sendmmsg). It says which errors
// are about a message and which only ask to wait; sockets, and what their messages hold, are the business of the
// packages that use it: icmpsock and packetsock. Of receiving (recvmmsg, in pingsock) it has the header only.
package mmsg

import "errors"

// ErrNoRoom says that the socket's buffer or the queue of the interface is full: the message may be sent again in
// a while.
var ErrNoRoom = errors.New("mmsg: no room")
