package bfdwatch

import (
	"fmt"
	"time"

	"echogram/plugins/internal/bfdwire"
)

// microsecond is the unit of BFD's timers.
const microsecond = int64(time.Microsecond)

// timers are an end's timers, ns: as it said last, and as they are in use. RFC 5880, 6.8.3: while Up, a raised Desired
// Min TX, and a lowered Required Min RX for the detection time, hold only once the peer has answered the Poll that
// announces them; all else holds at once.
type timers struct {
	saidTX, saidRX int64
	tx, rx         int64
}

// announce takes what a packet says; before is the packet before it, if there was one.
func (t *timers) announce(c, before *bfdwire.Control, seen bool) {
	t.saidTX, t.saidRX = int64(c.DesiredMinTX)*microsecond, int64(c.RequiredMinRX)*microsecond
	waits := seen && c.Poll && c.State == bfdwire.Up && before.State == bfdwire.Up
	if !waits || t.saidTX < t.tx || t.tx == 0 {
		t.tx = t.saidTX
	}
	if !waits || t.saidRX > t.rx || t.rx == 0 {
		t.rx = t.saidRX
	}
}

// agreed ends a Poll Sequence: what was said holds.
func (t *timers) agreed() { t.tx, t.rx = t.saidTX, t.saidRX }

// interval is T, the agreed interval of what e sends to peer (RFC 5880, 6.8.7). It is 0 while the peer is not known,
// and when e need not send.
func (s *session) interval(e, peer *end) int64 {
	switch {
	case s.hop == multipoint:
		return e.timers.tx
	case !peer.seen || peer.timers.saidRX == 0:
		return 0
	}
	return max(e.timers.tx, peer.timers.saidRX)
}

// detection is the time after which the peer takes e for dead (RFC 5880, 6.8.4), 0 while it is not known.
func (s *session) detection(e, peer *end) int64 {
	rx := peer.timers.rx
	if s.hop == multipoint {
		rx = 0
	} else if !peer.seen {
		return 0
	}
	return int64(e.control.DetectMult) * max(rx, e.timers.saidTX)
}

// quiet tells whether e may be silent: the peer has asked it to, or takes no packets (RFC 5880, 6.6, 6.8.1).
func (s *session) quiet(peer *end) bool {
	return peer.seen && (peer.control.Demand || peer.timers.saidRX == 0)
}

// announced are the timers that a packet carries, µs.
type announced struct {
	tx, rx, echo uint32
	mult         uint8
}

func timersOf(c *bfdwire.Control) announced {
	return announced{c.DesiredMinTX, c.RequiredMinRX, c.RequiredMinEchoRX, c.DetectMult}
}

func (a announced) String() string {
	us := func(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }
	return fmt.Sprintf("Desired Min TX %s, Required Min RX %s, Required Min Echo RX %s, Detect Mult %d", us(a.tx), us(a.rx), us(a.echo), a.mult)
}
