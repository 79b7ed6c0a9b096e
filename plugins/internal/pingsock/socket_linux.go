package pingsock

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
)

// How long a Read waits, at least and after several in vain. It does not wait at the socket: to be woken there takes
// microseconds of the very moment between the stamps of a request and of its reply. In a long nap no more comes in,
// at 20,000 requests a second, than the buffers of an unprivileged socket hold.
const (
	shortNap = 2 * time.Millisecond
	longNap  = 8 * time.Millisecond
)

// Socket sends echo requests and shows what becomes of them. One goroutine sends, one reads; Stats may be called
// beside both.
type Socket struct {
	fds       []descriptor
	out       *icmpsock.Socket // sends by some of fds
	queues    []*queue
	packets   []capture.Packet
	empty     bool          // the last Read left nothing
	nap       time.Duration // until the next one
	read      atomic.Uint64 // messages, since the last Stats
	unstamped atomic.Uint64 // of them
	dropped   uint32        // by the kernel, until the last Stats
}

// settle is how long Open waits: the first socket of a host that asks for the kernel's stamps gets them after some
// deferred work, the end of which nothing tells. Mostly it takes microseconds.
const settle = 20 * time.Millisecond

// Open makes a socket. Errors are ErrNotAllowed, ErrTaken and the kernel's.
func Open(c Config) (*Socket, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if b, err := os.ReadFile("/proc/sys/net/core/tstamp_allow_data"); err == nil && strings.TrimSpace(string(b)) == "0" {
		return nil, notAllowed("net.core.tstamp_allow_data is 0, so that no request would be stamped", stampRemedy, nil)
	}
	s := &Socket{empty: true, nap: shortNap}
	if err := s.open(c); err != nil {
		s.Close()
		return nil, err
	}
	s.lay(c)
	time.Sleep(settle)
	return s, nil
}

// lay makes the queues of the sockets: errors, which stamps are, too, and what came in.
func (s *Socket) lay(c Config) {
	scrap := new([maxDatagram]byte)
	for _, f := range s.fds {
		s.queues = append(s.queues, newQueue(f.fd, unix.MSG_ERRQUEUE, f.v6, c, scrap), newQueue(f.fd, 0, f.v6, c, scrap))
	}
	s.packets = make([]capture.Packet, 0, len(s.queues)*slots)
}

// Send sends echo requests, of either version, in order and returns how many the kernel took. If that is not all,
// err is about msgs[n]: ErrNoRoom, or why that message cannot leave. The kernel writes the identifier and the
// checksum over what the message holds. Send never waits.
func (s *Socket) Send(msgs []icmpecho.Datagram) (n int, err error) { return s.out.Send(msgs) }

// Read gives what the socket saw, IP datagrams of LinkRaw. It waits up to timeout, a while at most, and gives what
// has come in until then, which may be nothing. Neither the slice nor the bytes may be used after the next Read.
func (s *Socket) Read(timeout time.Duration) []capture.Packet {
	if s.empty {
		time.Sleep(min(s.nap, timeout))
	}
	s.packets, s.empty = s.packets[:0], true
	for _, q := range s.queues {
		var n int
		var empty bool
		s.packets, n, empty = q.read(s.packets)
		s.empty = s.empty && empty
		s.read.Add(uint64(n))
		s.unstamped.Add(uint64(q.unstamped))
	}
	if s.nap = min(2*s.nap, longNap); len(s.packets) > 0 {
		s.nap = shortNap
	}
	return s.packets
}

// Drained tells whether the last Read left nothing behind that the kernel had queued when it began.
func (s *Socket) Drained() bool { return s.empty }

// Stats returns what was read and what was lost, in both versions, since the last call: requests' stamps, replies
// and errors alike. What came in without a stamp is lost, too. For a request's stamp that finds no room the kernel
// does not count a drop: the request is just not shown.
func (s *Socket) Stats() (capture.Stats, error) {
	drops := uint32(0)
	for _, f := range s.fds {
		n, err := socketDrops(f.fd)
		if err != nil {
			return capture.Stats{}, fmt.Errorf("pingsock: SO_MEMINFO: %w", err)
		}
		drops += n
	}
	lost := uint64(drops - s.dropped) // right across the counter's wrap, too
	s.dropped = drops
	return capture.Stats{Packets: s.read.Swap(0) + lost, Drops: lost + s.unstamped.Swap(0)}, nil
}

// socketDrops reads sk_drops, the last word of struct sk_meminfo.
func socketDrops(fd int) (uint32, error) {
	const skMeminfoDrops, words = 8, 9 // linux/sock_diag.h
	var info [words * 4]byte
	size := uint32(len(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return binary.NativeEndian.Uint32(info[skMeminfoDrops*4:]), nil
}

// Close closes the sockets. No Read may be under way.
func (s *Socket) Close() error {
	for _, f := range s.fds {
		unix.Close(f.fd) // fails for descriptors that are not open only
	}
	return nil
}
