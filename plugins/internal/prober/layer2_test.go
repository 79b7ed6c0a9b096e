package prober

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/packetsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/internal/targets"
)

func newHops(k kernel, wake sweep.Sender) *nextHops {
	n := &nextHops{kernel: k, wake: wake, follow: func(map[route.Hop]route.Neighbour) {}}
	n.options4, n.options6 = frame.IPOptions{TTL: 61, TrafficClass: 184, DontFragment: true}, frame.IPOptions{TTL: 62}
	n.table.Store(&hopTable{})
	return n
}

func parse(t *testing.T, networks ...string) *targets.Set {
	t.Helper()
	set, err := ParseTargets(networks, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestHops(t *testing.T) {
	k := newFakeKernel()
	n := newHops(k, fakeFallback{&sentLog{}})
	set := parse(t, "198.18.0.0/24", "198.51.100.0/24")
	synctest.Test(t, func(t *testing.T) {
		if err := n.refresh(context.Background(), set); err != nil {
			t.Fatal(err)
		}
	})
	got := ""
	for _, h := range n.table.Load().hops {
		got += fmt.Sprintf("%d+%d eth%d link=%v known=%v room=%d\n", h.first, h.n, h.ifindex, h.onLink, h.known, h.room)
	}
	want := `0+16 eth2 link=false known=true room=1480
16+16 eth3 link=true known=false room=1480
49+15 eth2 link=false known=true room=1480
64+16 eth2 link=false known=false room=1480
80+16 eth2 link=false known=true room=1280
112+144 eth2 link=false known=true room=1480
`
	if got != want {
		t.Errorf("hops:\n%swant:\n%s", got, want)
	}
	if i := n.table.Load().interfaces; !slices.Equal(i, []int{2, 3}) {
		t.Errorf("interfaces %v", i)
	}
	if k.asked > 12 {
		t.Errorf("%d routes asked for", k.asked)
	}
}

// sending makes a sender with n sockets for a set of IPv4 targets 198.18.0.0/24, and what it writes to.
func sending(t *testing.T, n int) (*layer2, []*fakeSocket, *sentLog) {
	t.Helper()
	log := &sentLog{}
	hops := newHops(newFakeKernel(), fakeFallback{&sentLog{}})
	set := parse(t, "198.18.0.0/24")
	synctest.Test(t, func(t *testing.T) { hops.refresh(context.Background(), set) })
	hops.setMACs(func(target int) (frame.MAC, bool) { return onLinkHost, target%2 == 0 })
	var fakes []*fakeSocket
	var sockets []frameSocket
	for range n {
		f := &fakeSocket{sentLog: log}
		fakes, sockets = append(fakes, f), append(sockets, f)
	}
	return newLayer2(hops, fakeFallback{log}, sockets), fakes, log
}

func datagrams(list ...int) []icmpecho.Datagram {
	var all []icmpecho.Datagram
	for _, i := range list {
		dst := netip.AddrFrom4([4]byte{198, 18, 0, byte(i)})
		all = append(all, icmpecho.Datagram{Dst: dst, Target: i, Data: icmpecho.AppendRequest(nil, false, 7, uint16(i), nil)})
	}
	return all
}

func TestLayer2Order(t *testing.T) {
	l, _, log := sending(t, 3)
	msgs := datagrams(1, 2, 16, 17, 18, 40, 48, 3, 70, 81, 100, 200)
	if n, err := l.Send(msgs); n != len(msgs) || err != nil {
		t.Fatal(n, err)
	}
	want := "eth2 1,eth2 2,eth3 16,kernel 17,eth3 18,kernel 40,kernel 48,eth2 3,kernel 70,eth2 81,kernel 100,eth2 200"
	if got := strings.Join(log.lines, ","); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestLayer2Frame(t *testing.T) {
	l, sockets, _ := sending(t, 2)
	id := l.id
	msgs := datagrams(5)
	l.Send(msgs)
	var sample []byte
	for _, s := range sockets {
		if s.ifindex == 2 {
			sample = s.sample
		}
	}
	want := frame.AppendICMP(nil, frame.Ethernet{Dst: theirs, Src: ours}, source4, msgs[0].Dst, l.hops.options4, id, msgs[0].Data)
	if !slices.Equal(sample, want) {
		t.Errorf("% x\nwant % x", sample, want)
	}
	if l.id != id+1 {
		t.Error("the identification does not count")
	}
}

// TestLayer2Contract: n and err are about msgs[n], whoever refused it.
func TestLayer2Contract(t *testing.T) {
	refusal := errors.New("refused")
	for _, c := range []struct {
		name string
		msgs []int
		room int
		err  error
		n    int
		want error
	}{
		{"no room for a frame", []int{1, 2, 3}, 2, packetsock.ErrNoRoom, 2, sweep.ErrNoRoom},
		{"no room for the kernel's", []int{1, 70, 71}, 2, sweep.ErrNoRoom, 2, sweep.ErrNoRoom},
		{"refused by all", []int{70, 1, 2}, 2, refusal, 2, refusal},
	} {
		l, _, log := sending(t, 2)
		log.room, log.err = c.room, c.err
		if n, err := l.Send(datagrams(c.msgs...)); n != c.n || !errors.Is(err, c.want) {
			t.Errorf("%s: %d, %v", c.name, n, err)
		}
	}
}

// TestLayer2BrokenSocket: what the interface refuses the kernel gets, and the socket is bound again for the next.
func TestLayer2BrokenSocket(t *testing.T) {
	l, sockets, log := sending(t, 2)
	l.Send(datagrams(1))
	for _, s := range sockets {
		if s.ifindex == 2 {
			s.broken, s.ifindex = errors.New("gone"), 0
		}
	}
	if n, err := l.Send(datagrams(2, 3)); n != 2 || err != nil {
		t.Error(n, err)
	}
	for _, s := range sockets {
		s.broken = nil
	}
	l.Send(datagrams(4))
	if got := strings.Join(log.lines, ","); got != "eth2 1,kernel 2,kernel 3,eth2 4" {
		t.Error(got)
	}
}

// TestLayer2Sockets: without a socket to spare the kernel serves the second interface.
func TestLayer2Sockets(t *testing.T) {
	l, _, log := sending(t, 1)
	l.Send(datagrams(1, 16))
	if got := strings.Join(log.lines, ","); got != "eth2 1,kernel 16" {
		t.Error(got)
	}
	l.hops.table.Store(&hopTable{})
	l.Send(datagrams(1))
	moved := l.hops.kernel.(*fakeKernel)
	moved.routes = map[string]route.Route{"0.0.0.0/0": {IfIndex: 3, Gateway: gateway, Source: source4}}
	l.hops.refresh(context.Background(), l.hops.set)
	l.Send(datagrams(2))
	if got := strings.Join(log.lines[2:], ","); got != "kernel 1,eth3 2" {
		t.Error(got)
	}
}

// TestLayer2Refuses: what frames cannot be made for the kernel gets.
func TestLayer2Refuses(t *testing.T) {
	l, _, log := sending(t, 2)
	long, short := datagrams(1), datagrams(1)
	long[0].Data = make([]byte, 1481)
	short[0].Data = make([]byte, 1480)
	narrow := datagrams(81)
	narrow[0].Data = make([]byte, 1281)
	zone, other, unknown := datagrams(1), datagrams(1), datagrams(1)
	zone[0].Dst = netip.MustParseAddr("fe80::1%eth0")
	other[0].Dst = netip.MustParseAddr("2001:db8::1")
	unknown[0].Target = 99_999
	for _, msgs := range [][]icmpecho.Datagram{long, narrow, zone, other, unknown, short} {
		l.Send(msgs)
	}
	if got := strings.Join(log.lines, ","); got != "kernel 1,kernel 81,kernel 1,kernel 1,kernel 99999,eth2 1" {
		t.Error(got)
	}
}

func TestLayer2AllocatesNothing(t *testing.T) {
	l, _, _ := sending(t, 2)
	l.fallback = nobody{}
	for i := range l.sockets {
		l.sockets[i].frameSocket = nothing{}
	}
	msgs := datagrams(1, 2, 16, 17, 18, 81, 82, 70)
	l.Send(msgs)
	if n := testing.AllocsPerRun(100, func() { l.Send(msgs) }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func BenchmarkLayer2(b *testing.B) {
	hops := newHops(newFakeKernel(), nobody{})
	set, err := ParseTargets([]string{"198.18.0.0/24"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	hops.refresh(b.Context(), set)
	l := newLayer2(hops, nobody{}, []frameSocket{nothing{}})
	var all []int
	for i := range 128 {
		all = append(all, 112+i)
	}
	msgs := datagrams(all...)
	for b.Loop() {
		l.Send(msgs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/frame")
}

// nothing is a socket, and nobody a fallback, that take all and send nothing.
type (
	nothing struct{}
	nobody  struct{}
)

func (nothing) Bind(int) error                            { return nil }
func (nothing) Close() error                              { return nil }
func (nothing) Send(frames [][]byte) (int, error)         { return len(frames), nil }
func (nobody) Send(msgs []icmpecho.Datagram) (int, error) { return len(msgs), nil }
