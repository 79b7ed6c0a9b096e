package neighbour

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
)

var ownMAC = frame.MAC{2, 0, 0, 0, 0, 1}

// offset is CLOCK_REALTIME, which stamps frames, less the monotonic clock.
const offset = 1_790_000_000_000_000_000

type bubbleClock struct{ zero time.Time }

func (c bubbleClock) Mono() int64 { return int64(time.Since(c.zero)) + 1 }
func (c bubbleClock) Sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// prefix is all addresses of a network as targets.
type prefix struct{ netip.Prefix }

func (p prefix) Len() int { return 1 << (p.Addr().BitLen() - p.Bits()) }

func (p prefix) At(i int) netip.Addr {
	b := p.Addr().As16()
	binary.BigEndian.PutUint32(b[12:], binary.BigEndian.Uint32(b[12:])+uint32(i))
	if p.Addr().Is4() {
		return netip.AddrFrom16(b).Unmap()
	}
	return netip.AddrFrom16(b)
}

func (p prefix) Index(a netip.Addr) (int, bool) {
	first, at := p.Addr().As16(), a.As16()
	return int(binary.BigEndian.Uint32(at[12:]) - binary.BigEndian.Uint32(first[12:])), p.Contains(a)
}

// answer is what the network says to one question.
type answer struct {
	after time.Duration
	mac   frame.MAC
	to    netip.Addr // told to this address rather than to the one that asked
}

// network is a Sender whose frames a capture sees leave at once and hosts answer by script.
type network struct {
	engine  *Engine
	clock   bubbleClock
	script  func(addr netip.Addr, try int) []answer
	refuse  func(call int) (take int, err error) // of a call of Send; err nil, or nothing left to refuse: it takes all
	calls   int
	tries   map[netip.Addr]int
	sent    []time.Duration // when, since the start
	answers [][]byte
	greeted map[netip.Addr]frame.Neighbour
	mu      sync.Mutex
	wg      sync.WaitGroup
}

func (n *network) Send(frames [][]byte) (int, error) {
	n.calls++
	if n.refuse != nil {
		if take, err := n.refuse(n.calls); err != nil && take < len(frames) {
			n.take(frames[:take])
			return take, err
		}
	}
	n.take(frames)
	return len(frames), nil
}

func (n *network) take(frames [][]byte) {
	for _, f := range frames {
		q, err := frame.ParseNeighbour(f)
		if err != nil {
			panic(err)
		}
		if q.Tells {
			n.greeted[q.To] = q
			continue
		}
		n.sent = append(n.sent, time.Duration(n.clock.Mono()))
		n.show(capture.Out, f)
		try := n.tries[q.Addr]
		n.tries[q.Addr]++
		for _, a := range n.script(q.Addr, try) {
			n.wg.Go(func() {
				time.Sleep(a.after)
				to := q
				if a.to.IsValid() {
					to.From = a.to
				}
				n.show(capture.In, frame.AppendIsAt(nil, to, a.mac))
			})
		}
	}
}

// show lets the capture see a frame.
func (n *network) show(d capture.Direction, f []byte) {
	n.showPacket(capture.Packet{Data: f, Stamp: n.clock.Mono() + offset, Direction: d})
}

func (n *network) showPacket(p capture.Packet) {
	answers := n.engine.Observe([]capture.Packet{p}, 0)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = append(n.answers, answers...)
}

// follow shows that time passes; lag is how far the capture is behind.
func (n *network) follow(quit chan struct{}, lag time.Duration) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(time.Millisecond):
			n.engine.Observe(nil, n.clock.Mono()-int64(lag)-1)
		}
	}
}

var silence = func(netip.Addr, int) []answer { return nil }

// inBubble runs a test on a network of time of its own.
func inBubble(t *testing.T, targets string, change func(*Config), f func(t *testing.T, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clock := bubbleClock{time.Now()}
		c := Config{
			Own: Own{MAC: ownMAC, Addrs: []netip.Prefix{
				netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("198.18.0.1/16"),
				netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("2001:db8::1/64"),
			}},
			Targets: prefix{netip.MustParsePrefix(targets)}, Clock: clock,
		}
		if change != nil {
			change(&c)
		}
		n := &network{engine: New(c), clock: clock, script: silence, tries: map[netip.Addr]int{}, greeted: map[netip.Addr]frame.Neighbour{}}
		f(t, n)
		n.wg.Wait()
	})
}

// run discovers, with a capture that lags.
func (n *network) run(ctx context.Context, lag time.Duration) error {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { n.follow(quit, lag) })
	defer wg.Wait()
	defer close(quit)
	return n.engine.Run(ctx, n)
}

func (n *network) mustRun(t *testing.T) Stats {
	t.Helper()
	if err := n.run(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	return n.engine.Stats()
}

func mac(i int) frame.MAC { return frame.MAC{2, 7, 0, 0, byte(i >> 8), byte(i)} }

var errBroken = errors.New("broken")
