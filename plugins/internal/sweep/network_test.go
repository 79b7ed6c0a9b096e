package sweep

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

const (
	testID    = 0x4242
	testStart = 1_790_000_000_000_000_000
)

// bubbleClock is the clock of a synctest bubble: step is what somebody has set CLOCK_REALTIME forward by.
type bubbleClock struct {
	mu   sync.Mutex
	step int64
}

var zero = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when every bubble begins

func (c *bubbleClock) Mono() int64 { return int64(time.Since(zero)) + 1 }
func (c *bubbleClock) Offset() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return testStart + c.step
}

func (c *bubbleClock) Sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(max(d, 0)):
	}
}

// answer is what the network does with one request.
type answer struct {
	after   time.Duration
	payload func([]byte) []byte                         // changes the echoed payload; nil: none
	from    netip.Addr                                  // another source than was asked
	make    func(request []byte, dst netip.Addr) []byte // a whole ICMP message of its own instead of an echo reply
	corrupt bool                                        // spoil the checksum
	damage  func(reply []byte)                          // changes the message behind the checksum's back
}

// network is a Sender whose requests are seen leaving at once and answered by script.
type network struct {
	t       *testing.T
	engine  *Engine
	clock   *bubbleClock
	script  func(dst netip.Addr, probe int) []answer
	sendErr func(dst netip.Addr) error
	hidden  func(dst netip.Addr) bool // requests that the capture does not see leave
	probes  map[netip.Addr]int
	sent    []int64 // when, monotonic
	order   []netip.Addr
	twice   bool // every frame is shown by two captures
	wg      sync.WaitGroup
}

func (n *network) Send(msgs []icmpecho.Datagram) (int, error) {
	for i, m := range msgs {
		if n.sendErr != nil {
			if err := n.sendErr(m.Dst); err != nil {
				return i, err
			}
		}
		probe := n.probes[m.Dst]
		n.probes[m.Dst]++
		n.sent = append(n.sent, n.clock.Mono())
		n.order = append(n.order, m.Dst)
		data := append([]byte(nil), m.Data...)
		if n.hidden == nil || !n.hidden(m.Dst) {
			n.show(capture.Out, n.source(m.Dst), m.Dst.WithZone(""), data)
		}
		for _, a := range n.script(m.Dst, probe) {
			n.wg.Go(func() {
				time.Sleep(a.after)
				n.answer(data, m.Dst.WithZone(""), a)
			})
		}
	}
	return len(msgs), nil
}

var (
	self  = netip.MustParseAddr("198.51.100.1")
	self6 = netip.MustParseAddr("2001:db8:ffff::1")
)

func (n *network) source(dst netip.Addr) netip.Addr {
	if dst.Is6() {
		return self6
	}
	return self
}

func (n *network) answer(request []byte, dst netip.Addr, a answer) {
	from := dst
	if a.from.IsValid() {
		from = a.from
	}
	to := n.source(dst)
	if a.make != nil {
		n.show(capture.In, from, to, a.make(request, dst))
		return
	}
	m, err := icmpecho.Parse(request, to, dst, false)
	if err != nil {
		n.t.Error(err)
	}
	payload := append([]byte(nil), m.Payload...)
	if a.payload != nil {
		payload = a.payload(payload)
	}
	reply := icmpecho.AppendRequest(nil, dst.Is6(), m.ID, m.Seq, payload)
	if dst.Is6() {
		reply[0] = 129
		icmpecho.PutChecksum6(reply, from, to)
	} else {
		reply[0], reply[2], reply[3] = 0, 0, 0
		binary.BigEndian.PutUint16(reply[2:], icmpecho.Checksum(reply))
	}
	if a.corrupt {
		reply[3] ^= 1
	}
	if a.damage != nil {
		a.damage(reply)
	}
	n.show(capture.In, from, to, reply)
}

// show lets the engine see a frame now.
func (n *network) show(d capture.Direction, src, dst netip.Addr, icmp []byte) {
	p := capture.Packet{
		Data: packet(src, dst, icmp), Stamp: n.clock.Offset() + n.clock.Mono(), Kind: capture.StampSoftware, Direction: d, Link: capture.LinkRaw,
	}
	p.OrigLen = uint32(len(p.Data))
	n.engine.Observe(0, []capture.Packet{p}, 0)
	if n.twice {
		n.engine.Observe(1, []capture.Packet{p}, 0)
	}
}

func packet(src, dst netip.Addr, payload []byte) []byte {
	if src.Is6() {
		s, d := src.As16(), dst.As16()
		b := []byte{0x60, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload)), 58, 60}
		b = append(append(b, s[:]...), d[:]...)
		return append(b, payload...)
	}
	s, d := src.As4(), dst.As4()
	total := 20 + len(payload)
	b := []byte{0x45, 0, byte(total >> 8), byte(total), 0, 0, 0, 0, 60, 1, 0, 0}
	b = append(append(b, s[:]...), d[:]...)
	return append(b, payload...)
}

// result is what a test's sweeps wrote.
type result struct {
	rows  map[string]schema.SweepRow // by target
	late  map[string]schema.LateRow
	block map[string]schema.SweepBlockRow
	stats []schema.SweepStatsRow
	fixed []schema.StatsLateRow
	order []string
}

func (r *result) emit(row schema.Row) {
	switch row := row.(type) {
	case *schema.SweepRow:
		r.rows[row.Target] = *row
		r.order = append(r.order, row.Target)
	case *schema.LateRow:
		r.late[row.Target] = *row
	case *schema.SweepBlockRow:
		r.block[row.Block] = *row
		r.order = append(r.order, row.Block)
	case *schema.SweepStatsRow:
		r.stats = append(r.stats, *row)
		r.order = append(r.order, "stats")
	case *schema.StatsLateRow:
		r.fixed = append(r.fixed, *row)
	}
}

// lab is a bubble's engine, network and results.
type lab struct {
	*result
	network *network
	engine  *Engine
	clock   *bubbleClock
	losses  Losses // guarded by the clock's mutex
	change  func(*Job)
}

// newLab makes an engine whose capture shows everything at once.
func newLab(t *testing.T) *lab {
	l := &lab{clock: &bubbleClock{}}
	l.engine = NewEngine(Config{ID: testID, Key: [16]byte{7}, Run: 1, Clock: l.clock, Losses: func(sources []int) Losses {
		l.clock.mu.Lock()
		defer l.clock.mu.Unlock()
		if !slices.Equal(sources, []int{0}) {
			t.Errorf("asked for the losses of captures %v", sources)
		}
		return l.losses
	}})
	l.network = &network{t: t, engine: l.engine, clock: l.clock, probes: map[netip.Addr]int{}, script: func(netip.Addr, int) []answer { return nil }}
	l.reset()
	return l
}

func (l *lab) reset() {
	l.result = &result{rows: map[string]schema.SweepRow{}, late: map[string]schema.LateRow{}, block: map[string]schema.SweepBlockRow{}}
}

// sweep runs a plan once; the capture of source 0 is never behind.
func (l *lab) sweep(ctx context.Context, p *Plan, halt <-chan struct{}) Summary {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { l.follow(quit) })
	defer wg.Wait()
	defer close(quit)
	job := Job{Plan: p, Start: testStart, Sources: []int{0}, Senders: []Sender{l.network}, Emit: l.result.emit, Halt: halt}
	if l.change != nil {
		l.change(&job)
	}
	return l.engine.Sweep(ctx, job)
}

func (l *lab) follow(quit chan struct{}) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(time.Millisecond):
			l.engine.Observe(0, nil, l.clock.Mono()-1) // what happens in this instant may not have been shown yet
		}
	}
}

func plan(t *testing.T, network string, change func(*Plan)) *Plan {
	t.Helper()
	in, err := targets.ParseRanges(strings.Fields(network))
	if err != nil {
		t.Fatal(err)
	}
	set, err := targets.NewSet(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Instance: "test", Targets: set, LateWindow: time.Minute}
	if change != nil {
		change(p)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

// inBubble runs a test with time of its own.
func inBubble(t *testing.T, f func(t *testing.T, l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		f(t, l)
		l.network.wg.Wait()
	})
}

// after answers every request once.
func after(d time.Duration) func(netip.Addr, int) []answer {
	return func(netip.Addr, int) []answer { return []answer{{after: d}} }
}
