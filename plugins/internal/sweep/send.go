package sweep

import (
	"context"
	"errors"
	"time"

	"echogram/plugins/internal/icmpecho"
)

// noRoomPause is how long a sender waits when the kernel has no room.
const noRoomPause = 200 * time.Microsecond

// sender sends a sweep's requests, as do its fellows with the same schedule.
type sender struct {
	state    *state
	schedule *schedule
	out      Sender
	clock    Clock
	id       uint16
	cookies  *icmpecho.Cookies
	payload  []byte
}

// outgoing is a burst and its messages.
type outgoing struct {
	burst
	due  int64 // monotonic ns; without targets: when to ask for a burst again
	msgs []icmpecho.Datagram
	buf  []byte
}

// run sends until there is nothing left to send or ctx is done.
func (s *sender) run(ctx context.Context) {
	o := &outgoing{}
	for s.next(o) && s.dispatch(ctx, o) {
	}
}

// runAhead is run for a sender without fellows: the next burst is built while the kernel takes the one before.
func (s *sender) runAhead(ctx context.Context) {
	free, ready := make(chan *outgoing, 2), make(chan *outgoing, 1)
	free <- &outgoing{}
	free <- &outgoing{}
	go func() {
		defer close(ready)
		for o := range free {
			if !s.next(o) {
				return
			}
			ready <- o
		}
	}()
	for o := range ready {
		if !s.dispatch(ctx, o) {
			break
		}
		free <- o
	}
	close(free)
	for range ready { // the other goroutine ends
	}
}

// next takes the next burst and builds its messages in memory that the last one has left. It returns false when
// there will be none.
func (s *sender) next(o *outgoing) bool {
	now := s.clock.Mono()
	if !s.schedule.take(now, &o.burst) {
		return false
	}
	o.due = now + int64(o.wait)
	o.msgs, o.buf = o.msgs[:0], o.buf[:0]
	size := s.state.plan.size(o.k)
	for _, target := range o.targets {
		dst, index := s.state.plan.Targets.At(target), s.state.index(target, o.k)
		if size < icmpecho.CookieLen {
			s.payload = s.state.pattern.AppendWhole(s.payload[:0], size)
		} else {
			s.payload = s.state.pattern.Append(s.cookies.Append(s.payload[:0], dst, index), size)
		}
		start := len(o.buf)
		o.buf = icmpecho.AppendRequest(o.buf, dst.Is6(), s.id, uint16(index), s.payload)
		o.msgs = append(o.msgs, icmpecho.Datagram{Dst: dst, Target: target, Data: o.buf[start:]})
	}
	return true
}

// dispatch sends a burst when the pace allows it. It returns false when ctx is done.
func (s *sender) dispatch(ctx context.Context, o *outgoing) bool {
	if len(o.targets) == 0 {
		s.clock.Sleep(ctx, time.Duration(o.due-s.clock.Mono()))
		return ctx.Err() == nil
	}
	for ctx.Err() == nil {
		wait := s.schedule.leave(s.clock.Mono(), &o.burst)
		if wait == 0 {
			return s.send(ctx, o)
		}
		s.clock.Sleep(ctx, wait)
	}
	return false
}

// send hands a burst over: it waits where there is no room and passes over what is refused. It returns false when
// ctx ended it.
func (s *sender) send(ctx context.Context, o *outgoing) bool {
	sent, probes := &s.state.sent, s.state.open(o.k)
	began := s.clock.Mono()
	sent.began.CompareAndSwap(0, began)
	sent.newest.Store(began)
	sent.newestN.Store(int64(len(o.targets)))
	s.book(probes, o.targets, began)
	done := 0
	for done < len(o.msgs) {
		n, err := s.out.Send(o.msgs[done:])
		done += n
		switch {
		case err == nil:
		case errors.Is(err, ErrNoRoom):
			sent.noRoom.Add(1)
			if s.clock.Sleep(ctx, noRoomPause); ctx.Err() != nil {
				s.unbook(probes, o.targets[done:])
				s.finish(&o.burst, done)
				return false
			}
			s.book(probes, o.targets[done:], s.clock.Mono())
		default:
			probes[o.targets[done]].refuse()
			sent.refuse(err)
			s.state.tell(Event{Kind: Refused, Target: o.targets[done], Probe: o.k, First: -1, Err: err})
			done++
		}
	}
	s.finish(&o.burst, done)
	return true
}

// book notes, before the capture can show a request, that it is on its way.
func (s *sender) book(probes []probe, targets []int, now int64) {
	for _, t := range targets {
		probes[t].handedAt(now)
	}
}

func (s *sender) unbook(probes []probe, targets []int) {
	for _, t := range targets {
		probes[t].seen(0)
	}
}

func (s *sender) finish(b *burst, n int) {
	s.state.sent.handed.Add(int64(n))
	now := s.clock.Mono()
	s.state.sent.last.Store(now)
	s.schedule.returned(b, now)
}
