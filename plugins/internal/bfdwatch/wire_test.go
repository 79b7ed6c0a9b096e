package bfdwatch

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// epoch is when the made captures begin: the start of an hour.
const epoch = int64(1_789_999_200e9)

const (
	ms = time.Millisecond
	us = time.Microsecond
)

// router is one that speaks BFD.
type router struct {
	addr  netip.Addr
	mac   byte
	discr uint32
	c     bfdwire.Control // what it says, but for discriminators; zero: Up, 100 ms, × 3
}

func at(addr string, mac byte, discr uint32) *router {
	return &router{addr: netip.MustParseAddr(addr), mac: mac, discr: discr, c: up(100*ms, 100*ms)}
}

func pair4() (a, b *router) { return at("192.0.2.1", 1, 11), at("192.0.2.2", 2, 22) }
func pair6() (a, b *router) { return at("2001:db8::1", 1, 11), at("2001:db8::2", 2, 22) }

// up is what a router says in state Up, with a multiplier of 3.
func up(tx, rx time.Duration) bfdwire.Control {
	return bfdwire.Control{
		Version: 1, State: bfdwire.Up, DetectMult: 3,
		DesiredMinTX: uint32(tx / us), RequiredMinRX: uint32(rx / us), RequiredMinEchoRX: 50_000,
	}
}

// wire is a capture in the making.
type wire struct {
	packets []capture.Packet
	random  *rand.Rand
	look    look
}

// look is how the frames look that are made next. What is zero is as it usually is.
type look struct {
	vlan      uint16
	wrap      func(frame []byte) []byte // into a tunnel
	ifindex   int32
	direction capture.Direction
	ttl       uint8
	sport     uint16
	dport     uint16
	id        uint16
	dst       netip.Addr
	cut       int // bytes that the capture left out
}

func newWire() *wire { return &wire{random: rand.New(rand.NewPCG(1, 2))} }

// frame adds a frame.
func (w *wire) frame(stamp time.Duration, data []byte) {
	n := len(data)
	w.packets = append(w.packets, capture.Packet{
		Data: data[:n-w.look.cut], OrigLen: uint32(n), Stamp: epoch + int64(stamp), IfIndex: w.look.ifindex, Direction: w.look.direction,
	})
}

// udp adds a datagram between two MAC addresses.
func (w *wire) udp(stamp time.Duration, from, to byte, src, dst netip.Addr, ttl uint8, sport, dport uint16, payload []byte) {
	l := &w.look
	if l.dst.IsValid() {
		dst = l.dst
	}
	orUsual := func(v *uint16, other uint16) {
		if other != 0 {
			*v = other
		}
	}
	orUsual(&sport, l.sport)
	orUsual(&dport, l.dport)
	if l.ttl != 0 {
		ttl = l.ttl
	}
	b := ethernet(from, to, l.vlan, datagram(src, dst, ttl, l.id, sport, dport, payload))
	if l.wrap != nil {
		b = l.wrap(b)
	}
	w.frame(stamp, b)
}

// ethernet wraps an IP packet in.
func ethernet(from, to byte, vlan uint16, ip []byte) []byte {
	b := []byte{2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from}
	if vlan != 0 {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 0), vlan)
	}
	b = append(b, map[byte][]byte{4: {0x08, 0}, 6: {0x86, 0xdd}}[ip[0]>>4]...)
	return append(b, ip...)
}

func datagram(src, dst netip.Addr, ttl uint8, id, sport, dport uint16, payload []byte) []byte {
	n := 8 + len(payload)
	b := ip(src, dst, ttl, id, 17, n)
	for _, v := range []uint16{sport, dport, uint16(n), 0} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, payload...)
}

// ip makes the header of a packet with n bytes behind it.
func ip(src, dst netip.Addr, ttl uint8, id uint16, proto byte, n int) []byte {
	if src.Is4() {
		b := []byte{0x45, 0xc0, 0, 0, 0, 0, 0, 0, ttl, proto, 0, 0}
		binary.BigEndian.PutUint16(b[2:], uint16(20+n))
		binary.BigEndian.PutUint16(b[4:], id)
		return append(append(b, src.AsSlice()...), dst.AsSlice()...)
	}
	b := []byte{0x60, 0, 0, 0, 0, 0, proto, ttl}
	binary.BigEndian.PutUint16(b[4:], uint16(n))
	return append(append(b, src.AsSlice()...), dst.AsSlice()...)
}

// A tunnel wraps frames in that go from MAC address 1 to others, or back.
type tunnel struct{ local, remote string }

func (t tunnel) outer(frame []byte, wrap func(src, dst netip.Addr) []byte) []byte {
	local, remote := netip.MustParseAddr(t.local), netip.MustParseAddr(t.remote)
	if frame[11] != 1 {
		return ethernet(9, 8, 0, wrap(remote, local))
	}
	return ethernet(8, 9, 0, wrap(local, remote))
}

func (t tunnel) vxlan(vni uint32) func([]byte) []byte {
	return func(frame []byte) []byte {
		inner := append(binary.BigEndian.AppendUint32([]byte{8, 0, 0, 0}, vni<<8), frame...)
		return t.outer(frame, func(src, dst netip.Addr) []byte { return datagram(src, dst, 64, 0, 40_000, 4789, inner) })
	}
}

func (t tunnel) gre(frame []byte) []byte {
	inner := append([]byte{0, 0, 8, 0}, frame[14:]...)
	return t.outer(frame, func(src, dst netip.Addr) []byte { return append(ip(src, dst, 64, 0, 47, len(inner)), inner...) })
}

func (t tunnel) ipip(frame []byte) []byte {
	return t.outer(frame, func(src, dst netip.Addr) []byte { return append(ip(src, dst, 64, 0, 4, len(frame)-14), frame[14:]...) })
}

// control adds a control packet as a says it, edited.
func (w *wire) control(stamp time.Duration, a, b *router, edits ...func(*bfdwire.Control)) {
	c := a.c
	c.MyDiscriminator, c.YourDiscriminator = a.discr, b.discr
	for _, edit := range edits {
		edit(&c)
	}
	w.udp(stamp, a.mac, b.mac, a.addr, b.addr, 255, 49152, bfdwire.PortControl, bfdwire.AppendControl(nil, &c))
}

func asks(c *bfdwire.Control)    { c.Poll = true }
func answers(c *bfdwire.Control) { c.Final = true }

// down makes a packet one in another state.
func down(s bfdwire.State, d bfdwire.Diag) func(*bfdwire.Control) {
	return func(c *bfdwire.Control) { c.State, c.Diag = s, d }
}

// periodic adds n packets with a's jitter: intervals of lo to hi percent of t. It leaves those out that drop names and
// returns when the next one would be due, and when the last one was sent.
func (w *wire) periodic(start time.Duration, a, b *router, n int, t time.Duration, lo, hi int, drop func(i int) bool) (next, last time.Duration) {
	for i := range n {
		if drop == nil || !drop(i) {
			w.control(start, a, b)
			last = start
		}
		start += w.jittered(t, lo, hi)
	}
	return start, last
}

// jittered returns lo to hi percent of t.
func (w *wire) jittered(t time.Duration, lo, hi int) time.Duration {
	least := t * time.Duration(lo) / 100
	return least + time.Duration(w.random.Int64N(int64(t)*int64(hi-lo)/100+1))
}

// both adds n packets of each of two routers that send every t, as jittered as they must be.
func (w *wire) both(start time.Duration, a, b *router, n int, t time.Duration) (next time.Duration) {
	x, _ := w.periodic(start, a, b, n, t, 75, 100, nil)
	y, _ := w.periodic(start+ms, b, a, n, t, 75, 100, nil)
	w.sort()
	return max(x, y)
}

func (w *wire) sort() {
	slices.SortStableFunc(w.packets, func(a, b capture.Packet) int { return int(a.Stamp - b.Stamp) })
}

// told is what a Watch has said.
type told struct {
	sessions []*schema.BFDSessionRow
	echoes   []*schema.BFDEchoRow
	rtts     []*schema.BFDEchoRTTRow
	events   []*schema.BFDEventRow
	stats    []*schema.BFDStatsRow
	lines    []string
	series   map[string]bool // of rows that must be the only ones of their tags and time
}

// listen sets c to one period of an hour, unless it has another, and to note all rows. Each must be fit to be written.
func listen(t testing.TB, c Config) (*told, *Watch) {
	r := &told{series: map[string]bool{}}
	if c.Period == 0 {
		c.Period = time.Hour
	}
	c.Emit = func(row schema.Row) {
		b, err := schema.AppendLine(nil, row)
		if err != nil {
			t.Errorf("%+v: %v", row, err)
		}
		line := string(b)
		r.lines = append(r.lines, line)
		r.take(t, row, line)
	}
	return r, New(c)
}

func (r *told) take(t testing.TB, row schema.Row, line string) {
	switch row := row.(type) {
	case *schema.BFDSessionRow:
		r.sessions = append(r.sessions, row)
	case *schema.BFDEchoRow:
		r.echoes = append(r.echoes, row)
	case *schema.BFDEchoRTTRow:
		r.rtts = append(r.rtts, row)
		return
	case *schema.BFDEventRow:
		r.events = append(r.events, row)
		return
	case *schema.BFDStatsRow:
		r.stats = append(r.stats, row)
	}
	tags, rest, _ := strings.Cut(line, " ")
	key := tags + rest[strings.LastIndexByte(rest, ' '):]
	if r.series[key] {
		t.Errorf("two rows of one series and time: %s", key)
	}
	r.series[key] = true
}

// run shows the packets to a Watch and returns what it says.
func run(t testing.TB, c Config, packets []capture.Packet) *told {
	t.Helper()
	r, w := listen(t, c)
	for i := range packets {
		w.Observe(&packets[i])
	}
	w.Finish()
	return r
}

func (w *wire) run(t testing.TB) *told {
	t.Helper()
	return run(t, Config{}, w.packets)
}

// of returns the only row about what a router sends.
func (r *told) of(t testing.TB, a *router) *schema.BFDSessionRow {
	t.Helper()
	var found []*schema.BFDSessionRow
	for _, s := range r.sessions {
		if s.Local == a.addr.String() {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows of %s:\n%s", len(found), a.addr, r.excerpt())
	}
	return found[0]
}

// excerpt is the first of what was said.
func (r *told) excerpt() string { return strings.Join(r.lines[:min(len(r.lines), 12)], "") }

// echo returns the only row about echoes.
func (r *told) echo(t testing.TB) *schema.BFDEchoRow {
	t.Helper()
	if len(r.echoes) != 1 {
		t.Fatalf("%d rows of echoes:\n%s", len(r.echoes), r.excerpt())
	}
	return r.echoes[0]
}

func (r *told) event(kind string) (found []*schema.BFDEventRow) {
	for _, e := range r.events {
		if e.Event == kind {
			found = append(found, e)
		}
	}
	return found
}

// only returns the one event of a kind.
func (r *told) only(t testing.TB, kind string) *schema.BFDEventRow {
	t.Helper()
	found := r.event(kind)
	if len(found) != 1 {
		t.Fatalf("%d events %s:\n%s", len(found), kind, r.excerpt())
	}
	return found[0]
}

func some(d time.Duration) schema.Opt { return schema.Some(int64(d)) }

// check reports that a value is not what it should be.
func check[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
