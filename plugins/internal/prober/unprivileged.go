package prober

import (
	"errors"
	"math"
	"sync"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/internal/sweep"
)

// queueSlack is how long a message can be in the kernel's hands although the socket's queues are empty.
const queueSlack = 10 * time.Millisecond

// pings is a ping socket as this package uses it.
type pings interface {
	Send(msgs []icmpecho.Datagram) (n int, err error) // pingsock.ErrNoRoom, or about msgs[n]
	Read(timeout time.Duration) []capture.Packet
	Drained() bool // whether the last Read left nothing
	Stats() (capture.Stats, error)
	Close() error
}

// observer is the engine as sources of packets see it.
type observer interface {
	Observe(source int, batch []capture.Packet, through int64)
}

// unprivileged is what a process without CAP_NET_RAW has in the place of a sending socket and rings: a ping socket
// as the engine's Sender, and the goroutine that shows the engine what became of its requests.
//
// The process's identifier is the socket's, and only one ping socket of a host can have it: stanzas share one
// unprivileged, and with it source address, interface, TTL and DSCP. It sees what the package comment of pingsock
// says: no reply with a bad ICMP checksum, nothing at layer 2.
type unprivileged struct {
	socket pings
	engine observer
	source int // its number at the engine
	mono   func() int64
	shown  func(batch []capture.Packet) // told of each batch after the engine was; may be nil

	stop chan struct{}
	done chan struct{}

	sending sync.Mutex // held by a Send: stanzas sweep side by side

	mu   sync.Mutex
	lost sweep.Losses
}

// openUnprivileged opens a ping socket and starts to read it. Without permission the error is
// pingsock.ErrNotAllowed.
func openUnprivileged(c pingsock.Config, source int, engine observer) (*unprivileged, error) {
	socket, err := pingsock.Open(c)
	if err != nil {
		return nil, err
	}
	u := newUnprivileged(socket, source, engine, clock{}.Mono)
	go u.run()
	return u, nil
}

// newUnprivileged makes one whose goroutine does not run yet.
func newUnprivileged(socket pings, source int, engine observer, mono func() int64) *unprivileged {
	return &unprivileged{
		socket: socket, engine: engine, source: source, mono: mono,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Send is sweep.Sender's.
func (u *unprivileged) Send(msgs []icmpecho.Datagram) (int, error) {
	u.sending.Lock()
	defer u.sending.Unlock()
	n, err := u.socket.Send(msgs)
	if errors.Is(err, pingsock.ErrNoRoom) {
		err = sweep.ErrNoRoom
	}
	return n, err
}

func (u *unprivileged) run() {
	defer close(u.done)
	through := int64(math.MinInt64)
	for {
		select {
		case <-u.stop:
			return
		default:
		}
		before := u.mono()
		batch := u.socket.Read(pollTime)
		// What was stamped well before the queues were found empty is shown. What a full read leaves behind may be older.
		if u.socket.Drained() {
			through = before - int64(queueSlack)
		}
		u.engine.Observe(u.source, batch, through)
		if u.shown != nil {
			u.shown(batch)
		}
	}
}

// losses is what the socket has lost since it was opened.
func (u *unprivileged) losses() sweep.Losses {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s, err := u.socket.Stats(); err == nil {
		u.lost.Packets += s.Packets
		u.lost.Drops += s.Drops
	}
	return u.lost
}

// close ends the goroutine and then the socket. No Send may be under way.
func (u *unprivileged) close() {
	close(u.stop)
	<-u.done
	u.socket.Close()
}
