//go:build integration && linux

package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// crossed is one ICMP message that a tap saw.
type crossed struct {
	message
	link     string
	outgoing bool
}

// ping sends one request from the pair's prober and lists what all its links carry, until the reply has come n times.
func ping(t *testing.T, p *Pair, target netip.Addr, n int) (seen []crossed) {
	t.Helper()
	conn, tap := openPinger(t, p.Prober), openTap(t, p.Prober, "")
	if err := conn.send(target, testID, testSeq, make([]byte, 24)); err != nil {
		t.Fatal(err)
	}
	replies := 0
	for wait := 10 * time.Second; ; {
		c, ok := tap.next(t, wait)
		if !ok {
			break
		}
		m, _, ok := icmpOf(c)
		if !ok || m.rest != testID<<16|testSeq {
			continue
		}
		if !c.outgoing {
			if replies++; replies == n {
				wait = 50 * time.Millisecond
			}
		}
		seen = append(seen, crossed{m, linkName(t, p.Prober, c.ifindex), c.outgoing})
	}
	return seen
}

func linkName(t *testing.T, n *Namespace, index int) (name string) {
	t.Helper()
	err := n.Do(func() error {
		i, err := net.InterfaceByIndex(index)
		if err == nil {
			name = i.Name
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestPairs pings a target of each family through each kind of pair and looks which links carry what.
func TestPairs(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  PairConfig
		want []string // links with direction, in the order in which a tap sees them
	}{
		{"veth", PairConfig{}, []string{"> prober0", "< prober0"}},
		{"three bridges", PairConfig{Bridges: 3}, []string{"> prober0", "< prober0"}},
		{"raw", PairConfig{Raw: true}, []string{"> prober0", "< prober0"}},
		{"return", PairConfig{Return: true}, []string{"> prober0", "< return0"}},
		{"upper bridge", PairConfig{Upper: UpperBridge}, []string{"> upper0", "> prober0", "< prober0", "< upper0"}},
		{"upper macvlan", PairConfig{Upper: UpperMacvlan}, []string{"> upper0", "> prober0", "< prober0", "< upper0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.IPv6 = true
			s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: c.cfg})
			for _, target := range []string{"198.18.3.9", "2001:2:0:1::ab12"} {
				replies := 0
				for _, w := range c.want {
					if w[0] == '<' {
						replies++
					}
				}
				var got []string
				for _, m := range ping(t, s.Pair, netip.MustParseAddr(target), replies) {
					direction := "<"
					if m.outgoing {
						direction = ">"
					}
					got = append(got, direction+" "+m.link)
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s: %v; want %v", target, got, c.want)
				}
			}
		})
	}
}

// TestSweepAnswersAllOfIPv6 asks every address of TargetNetwork6, at a rate that a rate limit would not bear.
func TestSweepAnswersAllOfIPv6(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: PairConfig{IPv6: true}})
	tap := openTap(t, s.Prober, ProberLink)
	var targets []netip.Addr
	for a := TargetNetwork6.Addr(); TargetNetwork6.Contains(a); a = a.Next() {
		targets = append(targets, a)
	}
	begin := time.Now()
	load(t, s.Prober, targets, 1, 100_000)
	took := time.Since(begin)
	answered := map[netip.Addr]bool{}
	for len(answered) < len(targets) {
		c, ok := tap.next(t, time.Second)
		if !ok {
			break
		}
		if m, _, ok := icmpOf(c); ok && !c.outgoing && m.typ == icmp6Reply {
			answered[m.from] = true
		}
	}
	if len(answered) != 65536 {
		t.Errorf("%d answered", len(answered))
	}
	t.Logf("%d targets answered; sent in %v", len(answered), took)
}

// TestIPv6IsThereAtOnce: no duplicate address detection, no routers, no multicast but what the kernel must join.
func TestIPv6IsThereAtOnce(t *testing.T) {
	p, err := NewPair(PairConfig{IPv6: true})
	Lasting(t, p, err)
	begin := time.Now()
	if got := ping(t, p, ResponderAddress6, 1); len(got) != 2 {
		t.Errorf("%+v after %v", got, time.Since(begin))
	}
}

// TestShortQueueDrops shows that a token bucket drops what its limit does not hold, and says so.
func TestShortQueueDrops(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	if err := s.Prober.SetQdisc(ProberLink, Qdisc{BitsPerSecond: 10_000_000, Burst: 1600, Limit: 5_000}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Prober.LinkStats(ProberLink)
	if err != nil {
		t.Fatal(err)
	}
	conn := openPinger(t, s.Prober)
	const n = 2000
	for i := range n {
		_ = conn.send(TargetNetwork.Addr(), 1, uint16(i), make([]byte, 24)) // ENOBUFS where the queue is full
	}
	time.Sleep(100 * time.Millisecond)
	drops, err := s.Prober.QdiscDrops(ProberLink)
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Prober.LinkStats(ProberLink)
	if err != nil {
		t.Fatal(err)
	}
	if sent := after.Sent - before.Sent; drops == 0 || sent+uint64(drops) < n || sent == 0 {
		t.Errorf("%d sent, %d dropped of %d", sent, drops, n)
	}
	t.Logf("of %d requests %d left and %d were dropped", n, after.Sent-before.Sent, drops)
}

// TestMarkedRoutes reaches a network that only marked packets have a route to.
func TestMarkedRoutes(t *testing.T) {
	p, err := NewPair(PairConfig{IPv6: true})
	Lasting(t, p, err)
	for _, c := range []struct {
		network netip.Prefix
		gateway netip.Addr
	}{{TargetNetwork, ResponderAddress}, {TargetNetwork6, ResponderAddress6}} {
		if err := errors.Join(p.Responder.RouteLocal(c.network), p.Prober.RouteMarked(77, c.network, c.gateway)); err != nil {
			t.Fatal(err)
		}
		conn, tap, target := openPinger(t, p.Prober), openTap(t, p.Prober, ProberLink), c.network.Addr()
		if err := conn.send(target, testID, testSeq, nil); err == nil {
			t.Errorf("%v: an unmarked packet has a route", target)
		}
		for _, fd := range []int{conn.fd4, conn.fd6} {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, 77); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.send(target, testID, testSeq, nil); err != nil {
			t.Errorf("%v: %v", target, err)
		}
		if got := collect(t, tap, 1); len(got) != 1 || got[0].from != target {
			t.Errorf("%v: %+v", target, got)
		}
	}
}

func TestLinkDownUpAndMTU(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	if err := s.Prober.SetMTU(ProberLink, 1300); err != nil {
		t.Fatal(err)
	}
	var mtu, flags int
	read := func() error {
		i, err := net.InterfaceByName(ProberLink)
		if err == nil {
			mtu, flags = i.MTU, int(i.Flags&net.FlagUp)
		}
		return err
	}
	for _, c := range []struct {
		set  func(string) error
		want int
	}{{s.Prober.LinkDown, 0}, {s.Prober.LinkUp, int(net.FlagUp)}} {
		if err := c.set(ProberLink); err != nil {
			t.Fatal(err)
		}
		if err := s.Prober.Do(read); err != nil || mtu != 1300 || flags != c.want {
			t.Errorf("MTU %d, up %d, %v; want %d", mtu, flags, err, c.want)
		}
	}
}
