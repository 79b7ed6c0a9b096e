// Package packetsock is the kernel edge that sends ready-made frames: an AF_PACKET socket of one interface that
// takes batches of them with one system call. It receives nothing, and its frames pass the interface's queue, so
// that captures see them and stamp them (PACKET_QDISC_BYPASS would hide them). What a frame holds is not its
// business.
package packetsock

import "echogram/plugins/internal/mmsg"

// Config is what a socket needs.
type Config struct {
	IfIndex int
}

// ErrNoRoom says that the socket's buffer or the queue of the interface is full: the frame may be sent again in a
// while. Other errors of Send are the kernel's: about one frame (EMSGSIZE), or about the interface (ENETDOWN, ENXIO).
var ErrNoRoom = mmsg.ErrNoRoom

// sendBuffer is what the socket may have under way, bytes.
const sendBuffer = 8 << 20
