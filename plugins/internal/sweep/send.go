package sweep

import (
	"context"
	"errors"
	"time"

	"echogram/plugins/internal/icmpecho"
)

// noRoomPause is how long the sender waits when the kernel has no room.
const noRoomPause = 200 * time.Microsecond

// sender sends one sweep's requests.
type sender struct {
	state   *state
	out     Sender
	clock   Clock
	id      uint16
	cookies *icmpecho.Cookies
	msgs    []icmpecho.Datagram
	buf     []byte
	payload []byte
	began   int64 // monotonic ns; for the rate
}

// run sends all requests, pass by pass, until it is done or ctx is.
func (s *sender) run(ctx context.Context) {
	defer s.state.sent.done.Store(true)
	p := s.state.plan
	s.began = s.clock.Mono()
	pace := newPacer(p.Rate, p.Burst, s.began)
	for pass := range p.Count {
		passStart := s.clock.Mono()
		for first := pass * s.state.n; first < (pass+1)*s.state.n; first += p.Burst {
			n := min(p.Burst, (pass+1)*s.state.n-first)
			s.build(first, n)
			s.clock.Sleep(ctx, pace.wait(s.clock.Mono(), n, p.Burst))
			if ctx.Err() != nil || !s.burst(ctx, first) {
				return
			}
		}
		if pass+1 < p.Count {
			s.clock.Sleep(ctx, p.CountInterval-time.Duration(s.clock.Mono()-passStart))
		}
	}
}

// build makes the messages of probes first to first+n-1 in memory that the last burst has left.
func (s *sender) build(first, n int) {
	p := s.state.plan
	s.msgs, s.buf = s.msgs[:0], s.buf[:0]
	for i := first; i < first+n; i++ {
		dst, index := p.Targets.At(i%s.state.n), s.state.base+uint32(i)
		start := len(s.buf)
		s.payload = icmpecho.AppendPattern(s.cookies.Append(s.payload[:0], dst, index), p.Size)
		s.buf = icmpecho.AppendRequest(s.buf, s.id, uint16(index), s.payload)
		s.msgs = append(s.msgs, icmpecho.Datagram{Dst: dst, Data: s.buf[start:]})
	}
}

// burst hands the built messages over: it waits where there is no room and passes over what is refused. It
// returns false when ctx ended it.
func (s *sender) burst(ctx context.Context, first int) bool {
	for sent := 0; sent < len(s.msgs); {
		n, err := s.out.Send(s.msgs[sent:])
		sent += n
		switch {
		case err == nil:
		case errors.Is(err, ErrNoRoom):
			if s.clock.Sleep(ctx, noRoomPause); ctx.Err() != nil {
				s.state.sent.book(first+sent, s.clock.Mono())
				return false
			}
		default:
			s.state.sent.refuse(first+sent, err)
			sent++
		}
	}
	s.state.sent.book(first+len(s.msgs), s.clock.Mono())
	return true
}
