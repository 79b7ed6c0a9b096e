package pingsock

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/mmsg"
)

const (
	slots       = 128     // messages that one read of a queue takes
	snap        = 2048    // what is kept of a message, bytes
	controlLen  = 256     // more than all control messages that are asked for take
	maxDatagram = 1 << 16 // bytes
	tries       = 8       // errors in a row until a queue is left for later
)

// queue is one receive queue of a socket and the memory that takes what is read from it.
type queue struct {
	fd       int
	flags    int // of recvmmsg: MSG_ERRQUEUE or 0
	v6       bool
	id       uint16
	hardware bool

	hdrs    []mmsg.Header
	iovs    [][2]unix.Iovec
	names   []unix.RawSockaddrInet6 // or sockaddr_in in the same memory
	control [][controlLen]byte
	data    [][headroom + snap]byte

	unstamped int // messages of the last read that are not shown for want of a stamp
}

// newQueue lays the memory out. What a message has beyond its slot goes to scrap, which nobody reads: so the kernel
// tells the message's whole length.
func newQueue(fd, flags int, v6 bool, c Config, scrap *[maxDatagram]byte) *queue {
	q := &queue{
		fd: fd, flags: flags, v6: v6, id: c.ID, hardware: c.Hardware,
		hdrs: make([]mmsg.Header, slots), iovs: make([][2]unix.Iovec, slots), names: make([]unix.RawSockaddrInet6, slots),
		control: make([][controlLen]byte, slots), data: make([][headroom + snap]byte, slots),
	}
	for i := range slots {
		q.iovs[i][0].Base = &q.data[i][headroom]
		q.iovs[i][0].SetLen(snap)
		q.iovs[i][1].Base = &scrap[0]
		q.iovs[i][1].SetLen(maxDatagram)
		h := &q.hdrs[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&q.names[i]))
		h.Iov = &q.iovs[i][0]
		h.SetIovlen(2)
		h.Control = &q.control[i][0]
	}
	return q
}

// read appends what the queue holds to packets. n is how many messages it took, those included of which there is
// nothing to show; empty, that it left none. Errors of recvmmsg are not the queue's: the kernel hands out what the
// network said of some request, once, and has queued it as a message besides.
func (q *queue) read(packets []capture.Packet) (all []capture.Packet, n int, empty bool) {
	for refused := 0; n < slots && refused < tries && !empty; {
		got, errno := q.receive(n)
		switch errno {
		case 0:
			n += got
		case unix.EAGAIN:
			empty = true
		default:
			refused++
		}
	}
	q.unstamped = 0
	for i := range n {
		switch p := q.packet(i); {
		case p.Data == nil:
		case p.Stamp == 0:
			q.unstamped++
		default:
			packets = append(packets, p)
		}
	}
	return packets, n, empty
}

// receive fills the slots from first on.
func (q *queue) receive(first int) (n int, errno unix.Errno) {
	for i := first; i < slots; i++ {
		q.hdrs[i].Hdr.Namelen = unix.SizeofSockaddrInet6
		q.hdrs[i].Hdr.SetControllen(controlLen)
	}
	got, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(q.fd), uintptr(unsafe.Pointer(&q.hdrs[first])),
		uintptr(slots-first), uintptr(q.flags|unix.MSG_DONTWAIT), 0, 0)
	return int(got), errno
}

// packet makes a packet of the message in a slot; it has no data if there is nothing to show.
func (q *queue) packet(i int) capture.Packet {
	h := &q.hdrs[i]
	c := parseControl(q.control[i][:min(h.Hdr.Controllen, controlLen)])
	n := int(h.Len)
	p := capture.Packet{
		Stamp: c.software, Kind: capture.StampSoftware,
		IfIndex: c.ifindex, Direction: capture.In, Link: capture.LinkRaw,
	}
	if q.hardware {
		p.Stamp, p.Kind = c.hardware, capture.StampHardware
	}
	slot := q.data[i][:headroom+min(n, snap)]
	switch local := q.fit(c.local); c.origin {
	case unix.SO_EE_ORIGIN_NONE:
		p.Data = datagram(slot, headroom, n, q.address(i), local, c.ttl)
	case unix.SO_EE_ORIGIN_TIMESTAMPING:
		p.Direction = capture.Out
		p.Data, n = findRequest(slot[headroom:], q.v6, q.id)
		p.OrigLen = uint32(n)
		return p
	case unix.SO_EE_ORIGIN_ICMP, unix.SO_EE_ORIGIN_ICMP6:
		c.failure.offender = q.fit(c.failure.offender)
		p.Data = errorDatagram(slot, n, c.failure, local, q.address(i), c.ttl)
	default:
		return p // what this host itself refused, Send has said already
	}
	p.OrigLen = uint32(len(p.Data) + n - len(slot[headroom:]))
	return p
}

// address is the peer of the message in a slot: who sent a reply, whom a refused request went to.
func (q *queue) address(i int) netip.Addr {
	if q.v6 {
		return netip.AddrFrom16(q.names[i].Addr)
	}
	return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&q.names[i])).Addr)
}

// fit returns a, or the queue's unspecified address for one that the kernel did not tell.
func (q *queue) fit(a netip.Addr) netip.Addr {
	switch {
	case q.v6 && !a.Is6():
		return netip.IPv6Unspecified()
	case !q.v6 && !a.Is4():
		return netip.IPv4Unspecified()
	}
	return a
}
