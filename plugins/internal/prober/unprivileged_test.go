package prober

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/internal/sweep"
)

// fakePings is a ping socket whose kernel is the test.
type fakePings struct {
	reads   chan reading // what Read gives, one after the other
	drained bool
	sendErr error
	sent    int
	stats   capture.Stats
	closed  bool
}

type reading struct {
	batch   []capture.Packet
	drained bool
}

func (f *fakePings) Send(msgs []icmpecho.Datagram) (int, error) {
	if f.sendErr != nil {
		return 0, f.sendErr
	}
	f.sent += len(msgs)
	return len(msgs), nil
}

func (f *fakePings) Read(timeout time.Duration) []capture.Packet {
	select {
	case r := <-f.reads:
		f.drained = r.drained
		return r.batch
	case <-time.After(timeout):
		f.drained = true
		return nil
	}
}

func (f *fakePings) Drained() bool                 { return f.drained }
func (f *fakePings) Stats() (capture.Stats, error) { return f.stats, nil }
func (f *fakePings) Close() error                  { f.closed = true; return nil }

// fakeEngine notes what it is shown.
type fakeEngine struct {
	sync.Mutex
	packets int
	through []int64
}

func (e *fakeEngine) Observe(source int, batch []capture.Packet, through int64) {
	e.Lock()
	defer e.Unlock()
	e.packets += len(batch)
	e.through = append(e.through, through)
}

// since makes a monotonic clock that is 0 at its first reading.
func since() func() int64 {
	begin := time.Now()
	return func() int64 { return int64(time.Since(begin)) }
}

// TestUnprivilegedThrough: time is passed on only when the queues were empty, and never what may still be under way.
func TestUnprivilegedThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, e := &fakePings{reads: make(chan reading)}, &fakeEngine{}
		u := newUnprivileged(f, 3, e, since())
		go u.run()
		time.Sleep(20 * time.Millisecond)
		f.reads <- reading{batch: make([]capture.Packet, 2), drained: true} // read from 0 ms on
		time.Sleep(30 * time.Millisecond)
		f.reads <- reading{batch: make([]capture.Packet, 5)} // from 20 ms on, and there is more
		f.reads <- reading{batch: make([]capture.Packet, 1), drained: true}
		time.Sleep(pollTime + time.Millisecond)
		f.stats = capture.Stats{Packets: 9, Drops: 1}
		lost := u.losses()
		u.close()
		ms := int64(time.Millisecond)
		if want := []int64{-10 * ms, -10 * ms, 40 * ms, 40 * ms, 90 * ms}; e.packets != 8 || !slices.Equal(e.through, want) {
			t.Errorf("%d packets, through %d, want %d", e.packets, e.through, want)
		}
		if !f.closed || lost.Packets != 9 || lost.Drops != 1 || lost.Down != 0 {
			t.Errorf("closed %v, lost %+v", f.closed, lost)
		}
	})
}

func TestUnprivilegedSendErrors(t *testing.T) {
	other := errors.New("no route")
	for _, c := range []struct{ from, want error }{{nil, nil}, {pingsock.ErrNoRoom, sweep.ErrNoRoom}, {other, other}} {
		u := newUnprivileged(&fakePings{sendErr: c.from}, 0, nil, nil)
		if _, err := u.Send(make([]icmpecho.Datagram, 1)); !errors.Is(err, c.want) {
			t.Errorf("%v becomes %v", c.from, err)
		}
	}
}

// TestHardwareSendsOneByOne: a request leaves when the stamp of the one before was shown, or was waited for in vain.
func TestHardwareSendsOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, e := &fakePings{reads: make(chan reading)}, &fakeEngine{}
		restored := 0
		h := newHardware(newUnprivileged(f, 0, e, since()), func() error { restored++; return nil })
		go h.run()
		result := make(chan error, 1)
		begin := time.Now()
		go func() {
			n, err := h.Send(make([]icmpecho.Datagram, 3))
			if n != 3 {
				t.Errorf("%d sent", n)
			}
			result <- err
		}()
		for i := range 3 {
			synctest.Wait()
			if f.sent != i+1 {
				t.Errorf("%d sent before %d stamps were there", f.sent, i)
			}
			f.reads <- reading{batch: []capture.Packet{{Direction: capture.In}}}
			synctest.Wait()
			time.Sleep(time.Millisecond)
			if f.sent != i+1 {
				t.Error("a reply was taken for a stamp")
			}
			f.reads <- reading{batch: []capture.Packet{{Direction: capture.Out}}}
		}
		if err := <-result; err != nil || time.Since(begin) != 3*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		begin = time.Now()
		if n, err := h.Send(make([]icmpecho.Datagram, 3)); n != 1 || err != sweep.ErrNoRoom || time.Since(begin) != stampWait {
			t.Errorf("without a stamp: %d, %v after %v", n, err, time.Since(begin))
		}
		if n, err := h.Send(make([]icmpecho.Datagram, 1)); n != 1 || err != nil {
			t.Errorf("the last, without a stamp: %d, %v", n, err)
		}
		h.close()
		if restored != 1 || !f.closed {
			t.Errorf("set back %d times, closed %v", restored, f.closed)
		}
	})
}

// TestStanzasSendByOneSocket has two of them send at once: the race detector looks on.
func TestStanzasSendByOneSocket(t *testing.T) {
	f := &fakePings{}
	u := newUnprivileged(f, 0, &fakeEngine{}, nil)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 100 {
				u.Send(make([]icmpecho.Datagram, 3))
			}
		})
	}
	if wg.Wait(); f.sent != 600 {
		t.Errorf("%d sent", f.sent)
	}
}
