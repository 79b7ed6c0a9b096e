package prober

import (
	"errors"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/hwstamp"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/internal/sweep"
)

// stampWait bounds how long a request's stamp is waited for before the next request leaves.
const stampWait = 100 * time.Millisecond

// hardware sends by a ping socket and shows the engine the network adapter's stamps, of requests and replies alike:
// both are of the adapter's clock, which need not be the system's, and what comes without is not shown. Adapters
// keep few stamps of what they send, many just one: a request leaves when the stamp of the one before is there.
//
// Unverified: no such adapter was at hand.
type hardware struct {
	*unprivileged
	left    chan struct{} // a stamped request was shown
	wait    time.Duration
	restore func() error // sets the adapter back
}

// openHardware sets the adapter of c.Interface to stamp, and opens a ping socket on it. The errors are
// hwstamp.ErrUnsupported, hwstamp.ErrPrivilege and those of openUnprivileged.
func openHardware(c pingsock.Config, source int, engine observer) (*hardware, error) {
	restore, err := hwstamp.Enable(c.Interface)
	if err != nil {
		return nil, err
	}
	c.Hardware = true
	socket, err := pingsock.Open(c)
	if err != nil {
		return nil, errors.Join(err, restore())
	}
	h := newHardware(newUnprivileged(socket, source, engine, clock{}.Mono), restore)
	go h.run()
	return h, nil
}

func newHardware(u *unprivileged, restore func() error) *hardware {
	h := &hardware{unprivileged: u, left: make(chan struct{}, 1), wait: stampWait, restore: restore}
	u.shown = h.notice
	return h
}

// notice tells a waiting Send of a request that has left.
func (h *hardware) notice(batch []capture.Packet) {
	for i := range batch {
		if batch[i].Direction == capture.Out {
			select {
			case h.left <- struct{}{}:
			default:
			}
			return
		}
	}
}

// Send is sweep.Sender's, one request at a time. When a stamp does not come it stops for the sender to look up.
func (h *hardware) Send(msgs []icmpecho.Datagram) (int, error) {
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	for n := range msgs {
		select {
		case <-h.left: // the stamp of a request that was given up
		default:
		}
		if _, err := h.unprivileged.Send(msgs[n : n+1]); err != nil {
			return n, err
		}
		timer.Reset(h.wait)
		select {
		case <-h.left:
		case <-timer.C:
			if n+1 < len(msgs) {
				return n + 1, sweep.ErrNoRoom
			}
		}
	}
	return len(msgs), nil
}

// close ends as unprivileged does, and sets the adapter back; when that fails it goes on to stamp, which disturbs
// nobody.
func (h *hardware) close() {
	h.unprivileged.close()
	h.restore()
}
