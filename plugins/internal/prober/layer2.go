package prober

import (
	"errors"
	"math/rand/v2"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/packetsock"
	"echogram/plugins/internal/sweep"
)

// layer2 sends requests as ready-made Ethernet frames where the next hop is known, and hands all others to the raw
// socket, which has the kernel find the way. One sending thread uses it at a time; threads share the nextHops.
type layer2 struct {
	hops     *nextHops
	fallback sweep.Sender
	table    *hopTable // that sockets are bound for
	sockets  []boundSocket
	last     int    // where the last hop stood in the table
	id       uint16 // identification of the next IPv4 header
	buf      []byte
	frames   [][]byte
}

// frameSocket takes the frames of one interface: see packetsock.Socket.
type frameSocket interface {
	Send(frames [][]byte) (n int, err error)
	Bind(ifindex int) error
	Close() error
}

type boundSocket struct {
	frameSocket
	ifindex int // 0: not in use
}

func newLayer2(hops *nextHops, fallback sweep.Sender, sockets []frameSocket) *layer2 {
	l := &layer2{hops: hops, fallback: fallback, id: uint16(rand.Uint32())}
	for _, s := range sockets {
		l.sockets = append(l.sockets, boundSocket{frameSocket: s})
	}
	return l
}

// Send sends msgs in order: see sweep.Sender.
func (l *layer2) Send(msgs []icmpecho.Datagram) (n int, err error) {
	for n < len(msgs) {
		if table := l.hops.use(); table != l.table {
			l.adopt(table)
		}
		sent, err := l.sendRun(msgs[n:])
		n += sent
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// sendRun sends the first message, and those behind it that leave by the same socket.
func (l *layer2) sendRun(msgs []icmpecho.Datagram) (n int, err error) {
	l.buf, l.frames = l.buf[:0], l.frames[:0]
	var socket *boundSocket
	for i := range msgs {
		s, h, mac := l.way(&msgs[i])
		if i > 0 && s != socket {
			break
		}
		socket = s
		if n++; s != nil {
			l.build(h, mac, &msgs[i])
		}
	}
	if socket == nil {
		return l.fallback.Send(msgs[:n])
	}
	n, err = socket.Send(l.frames)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, packetsock.ErrNoRoom):
		return n, sweep.ErrNoRoom
	}
	// The interface refuses it: the kernel may know another way. It may also have come back under its old number.
	l.table, socket.ifindex = nil, 0
	more, err := l.fallback.Send(msgs[n : n+1])
	return n + more, err
}

func (l *layer2) build(h *hop, mac frame.MAC, d *icmpecho.Datagram) {
	options := l.hops.options6
	if h.source.Is4() {
		options = l.hops.options4
	}
	start := len(l.buf)
	l.buf = frame.AppendICMP(l.buf, frame.Ethernet{Dst: mac, Src: h.from}, h.source, d.Dst, options, l.id, d.Data)
	l.frames = append(l.frames, l.buf[start:])
	l.id++
}

// way returns the socket, next hop and destination for a message; without a socket it is the kernel's.
func (l *layer2) way(d *icmpecho.Datagram) (*boundSocket, *hop, frame.MAC) {
	h := l.hop(d.Target)
	if h == nil || len(d.Data) > h.room || h.source.Is4() != d.Dst.Is4() || h.zone != d.Dst.Zone() {
		return nil, nil, frame.MAC{}
	}
	mac, known := h.to, h.known
	if h.onLink {
		mac, known = l.hops.mac(d.Target)
	}
	if !known {
		return nil, nil, frame.MAC{}
	}
	for i := range l.sockets {
		if l.sockets[i].ifindex == h.ifindex {
			return &l.sockets[i], h, mac
		}
	}
	return nil, nil, frame.MAC{}
}

// hop finds a target's hop, first where the one before it was.
func (l *layer2) hop(target int) *hop {
	hops := l.table.hops
	if l.last < len(hops) && hops[l.last].compare(target) == 0 {
		return &hops[l.last]
	}
	i, found := l.table.search(target)
	if !found {
		return nil
	}
	l.last = i
	return &hops[i]
}

// adopt binds sockets that the table does not need to interfaces that it does.
func (l *layer2) adopt(table *hopTable) {
	l.table, l.last = table, 0
	for i := range l.sockets {
		if !table.needs(l.sockets[i].ifindex) {
			l.sockets[i].ifindex = 0
		}
	}
	for _, ifindex := range table.interfaces {
		l.bind(ifindex)
	}
}

// bind has a socket serve an interface. Without a free one, or one that takes it, the kernel finds the way there.
func (l *layer2) bind(ifindex int) {
	var free *boundSocket
	for i := range l.sockets {
		switch l.sockets[i].ifindex {
		case ifindex:
			return
		case 0:
			free = &l.sockets[i]
		}
	}
	if free != nil && free.Bind(ifindex) == nil {
		free.ifindex = ifindex
	}
}

// Close closes the sockets for frames, not the fallback.
func (l *layer2) Close() {
	for _, s := range l.sockets {
		s.Close()
	}
}
