//go:build integration && linux

package netlab

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

func wildLab(t *testing.T, cfg WildConfig) *Wild {
	t.Helper()
	w, err := WildLab(cfg)
	return Lasting(t, w, err)
}

// wildCase is a fate and what it must put on the wire.
type wildCase struct {
	name  string
	fate  Fate
	want  func(probe []byte, target netip.Addr) []message // of each: from, typ, code, rest, payload, goodSum
	tally Tally
}

const testID, testSeq = 0x1234, 0xfff0

func echoed(target netip.Addr, payload []byte) message {
	m := message{from: target, typ: icmpEchoReply, rest: testID<<16 | testSeq, payload: payload, goodSum: true}
	if target.Is6() {
		m.typ = icmp6Reply
	}
	return m
}

// bent is the exact reply after f has been at it.
func bent(f func(m *message)) func([]byte, netip.Addr) []message {
	return func(probe []byte, target netip.Addr) []message {
		m := echoed(target, bytes.Clone(probe))
		f(&m)
		return []message{m}
	}
}

// both is two expectations one behind the other.
func both(a, b func([]byte, netip.Addr) []message) func([]byte, netip.Addr) []message {
	return func(probe []byte, target netip.Addr) []message {
		return append(a(probe, target), b(probe, target)...)
	}
}

func wildCases(v6 bool) []wildCase {
	exact := bent(func(*message) {})
	nothing := func([]byte, netip.Addr) []message { return nil }
	elsewhere := netip.MustParseAddr("198.18.255.77")
	if v6 {
		elsewhere = netip.MustParseAddr("2001:2:0:1::ff77")
	}
	flip := func(bits ...int) func(*message) {
		return func(m *message) {
			for _, b := range bits {
				m.payload[b/8] ^= 0x80 >> (b % 8)
			}
		}
	}
	cases := []wildCase{
		{"exact", Fate{}, exact, Tally{Asked: 1, Replied: 1}},
		{"delayed", Fate{Delay: 30 * time.Millisecond}, exact, Tally{Asked: 1, Replied: 1}},
		{"lost", Fate{Lose: true}, nothing, Tally{Asked: 1, Lost: 1}},
		{"two copies", Fate{Copies: 2}, both(exact, both(exact, exact)), Tally{Asked: 1, Replied: 1, Repeated: 2}},
		{"flipped", Fate{Flip: []int{96, 159}}, bent(flip(96, 159)), Tally{Asked: 1, Replied: 1, Flipped: 1}},
		{"flipped, old sum", Fate{Flip: []int{97}, BreakSum: true},
			bent(func(m *message) { flip(97)(m); m.goodSum = false }), Tally{Asked: 1, Replied: 1, Flipped: 1, BrokenSum: 1}},
		{"cookie flipped", Fate{Flip: []int{3, 120}}, bent(flip(3, 120)), Tally{Asked: 1, Replied: 1, FlippedCookie: 1}},
		{"cookie flipped, old sum", Fate{Flip: []int{95}, BreakSum: true},
			bent(func(m *message) { flip(95)(m); m.goodSum = false }), Tally{Asked: 1, Replied: 1, FlippedCookie: 1, BrokenSum: 1}},
		{"sum broken", Fate{BreakSum: true}, bent(func(m *message) { m.goodSum = false }), Tally{Asked: 1, Replied: 1, BrokenSum: 1}},
		{"elsewhere", Fate{From: elsewhere}, bent(func(m *message) { m.from = elsewhere }), Tally{Asked: 1, Replied: 1, Elsewhere: 1}},
		{"MAC forged", Fate{Forge: ForgedMAC, Lose: true}, bent(func(m *message) {
			for i := range 8 {
				m.payload[i] ^= 0xff
			}
		}), Tally{Asked: 1, Lost: 1, Forged: 1}},
		{"id forged", Fate{Forge: ForgedID, Lose: true}, bent(func(m *message) { m.rest ^= 0x55 << 24 }), Tally{Asked: 1, Lost: 1, Forged: 1}},
		{"short", Fate{Forge: ForgedShort, Lose: true}, bent(func(m *message) { m.payload = m.payload[:4] }), Tally{Asked: 1, Lost: 1, Forged: 1}},
		{"never sent", Fate{Forge: UnsentProbe}, both(bent(func(m *message) {
			m.rest = testID<<16 | (testSeq+4096)&0xffff
			binary.BigEndian.PutUint32(m.payload[8:], binary.BigEndian.Uint32(m.payload[8:])+4096)
		}), exact), Tally{Asked: 1, Replied: 1, Forged: 1}},
	}
	for _, f := range Failures(v6) {
		for _, quote := range []int{0, 8, 13} {
			f.Quote = quote
			cases = append(cases, wildCase{fmt.Sprintf("error %d/%d quoting %d", f.Type, f.Code, quote),
				Fate{Error: f, Lose: true}, failed(f), Tally{Asked: 1, Lost: 1, Failed: 1}})
		}
	}
	f := Failures(v6)[1]
	f.From = elsewhere
	return append(cases, wildCase{"error, then reply", Fate{Error: f, Delay: 20 * time.Millisecond},
		both(failed(f), exact), Tally{Asked: 1, Replied: 1, Failed: 1}})
}

// failed is the error f; its payload is that of the request as far as it is quoted.
func failed(f Failure) func([]byte, netip.Addr) []message {
	return func(probe []byte, target netip.Addr) []message {
		m := message{from: ResponderAddress, typ: f.Type, code: f.Code, rest: f.Info, payload: probe, goodSum: true}
		if target.Is6() {
			m.from = ResponderAddress6
		}
		if f.From.IsValid() {
			m.from = f.From
		}
		if f.Type == 12 {
			m.rest <<= 24
		}
		if f.Quote > 0 {
			m.payload = probe[:f.Quote-8]
		}
		return []message{m}
	}
}

// TestWildEachFate sends one request to a target of each fate and reads all that comes back.
func TestWildEachFate(t *testing.T) {
	next4, next6 := TargetNetwork.Addr().Next(), TargetNetwork6.Addr().Next()
	fates := map[netip.Addr]Fate{}
	targets := map[bool][]netip.Addr{}
	for _, v6 := range []bool{false, true} {
		for _, c := range wildCases(v6) {
			target := &next4
			if v6 {
				target = &next6
			}
			fates[*target] = c.fate
			targets[v6] = append(targets[v6], *target)
			*target = target.Next()
		}
	}
	w := wildLab(t, WildConfig{Pair: PairConfig{IPv6: true}, Behaviour: func(p Probe) Fate { return fates[p.Target] }})
	conn, tap := openPinger(t, w.Prober), openTap(t, w.Prober, ProberLink)
	probe := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	var asked uint32
	for _, v6 := range []bool{false, true} {
		for i, c := range wildCases(v6) {
			target := targets[v6][i]
			t.Run(fmt.Sprintf("%s from %v", c.name, target), func(t *testing.T) {
				tap.drain(t)
				begin := time.Now()
				if err := conn.send(target, testID, testSeq, probe); err != nil {
					t.Fatal(err)
				}
				want := c.want(probe, target)
				got := collect(t, tap, len(want))
				checkMessages(t, got, want, v6)
				if r := w.Record(target); r.Tally != c.tally {
					t.Errorf("books: %v; want %v", r.Tally, c.tally)
				}
				if d := c.fate.Delay; d > 0 && got[len(got)-1].at.Sub(begin) < d {
					t.Errorf("reply %v after the request; want %v at least", got[len(got)-1].at.Sub(begin), d)
				}
			})
			asked++
		}
	}
	stats, err := w.Stats()
	if err != nil || stats.Drops != 0 || stats.Refused != 0 || w.Sum().Tally[Asked] != asked {
		t.Errorf("%+v, %v, %v", stats, err, w.Sum())
	}
	t.Logf("%d cases; books: %v; %+v", asked, w.Sum().Tally, stats)
}

// collect reads n ICMP messages that come in, and what follows at once that should not.
func collect(t *testing.T, p *tap, n int) (got []message) {
	t.Helper()
	for {
		wait := 10 * time.Second
		if len(got) >= n {
			wait = 30 * time.Millisecond
		}
		c, ok := p.next(t, wait)
		if !ok {
			return got
		}
		if m, _, ok := icmpOf(c); ok && !c.outgoing && m.typ < 133 { // 133 and on: neighbour discovery
			got = append(got, m)
		}
	}
}

func checkMessages(t *testing.T, got, want []message, v6 bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages; want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if isError := w.typ != icmpEchoReply && w.typ != icmp6Reply; isError {
			g.payload = unquote(t, g.payload, v6)
		}
		if g.from != w.from || g.typ != w.typ || g.code != w.code || g.rest != w.rest || g.goodSum != w.goodSum ||
			!bytes.Equal(g.payload, w.payload) {
			t.Errorf("message %d: %+v\nwant %+v", i, g, w)
		}
	}
}

// unquote checks the head of a quoted request and gives its payload.
func unquote(t *testing.T, quote []byte, v6 bool) []byte {
	t.Helper()
	header, typ := ipv4Header, byte(icmpEchoRequest)
	if v6 {
		header, typ = ipv6Header, icmp6Request
	}
	if len(quote) < header+8 || quote[header] != typ || binary.BigEndian.Uint32(quote[header+4:]) != testID<<16|testSeq {
		t.Fatalf("quote %x", quote)
	}
	return quote[header+8:]
}

// TestWildSwaps sends two requests whose replies change places, over two ways.
func TestWildSwaps(t *testing.T) {
	w := wildLab(t, WildConfig{Behaviour: Swapped(300 * time.Millisecond), Pair: PairConfig{IPv6: true, Return: true}})
	conn, tap := openPinger(t, w.Prober), openTap(t, w.Prober, ReturnLink)
	for _, target := range []netip.Addr{TargetNetwork.Addr(), TargetNetwork6.Addr()} {
		for seq := range uint16(2) {
			if err := conn.send(target, testID, seq, nil); err != nil {
				t.Fatal(err)
			}
		}
		got := collect(t, tap, 2)
		if len(got) != 2 || got[0].rest&0xffff != 1 || got[1].rest&0xffff != 0 {
			t.Errorf("%v: %+v", target, got)
		}
	}
}

// TestWildCountsItsDrops gives a device that nobody serves for a while more than its queue holds.
func TestWildCountsItsDrops(t *testing.T) {
	served := make(chan struct{})
	w := wildLab(t, WildConfig{Queues: 1, Behaviour: func(Probe) Fate { <-served; return Fate{} }})
	serve := sync.OnceFunc(func() { close(served) })
	t.Cleanup(serve) // or Close would wait for ever
	err := w.Responder.withLink(tunLink, "queue", func(l netlink.Link) error { return netlink.LinkSetTxQLen(l, 50) })
	if err != nil {
		t.Fatal(err)
	}
	conn, tap := openPinger(t, w.Prober), openTap(t, w.Prober, ProberLink)
	const n = 200
	for seq := range uint16(n) {
		if err := conn.send(TargetNetwork.Addr(), testID, seq, nil); err != nil {
			t.Fatal(err)
		}
	}
	serve()
	stats, err := w.Stats()
	if err != nil {
		t.Fatal(err)
	}
	got := len(collect(t, tap, n-int(stats.Drops)))
	if r := w.Record(TargetNetwork.Addr()); stats.Drops == 0 || int(stats.Drops)+got != n || int(r.Tally[Asked]) != got {
		t.Errorf("%+v; %v; %d replies", stats, r, got)
	}
	t.Logf("of %d requests %d dropped", n, stats.Drops)
}
