//go:build integration && linux

package netlab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// batch sends many requests at once; x/net names both families' messages alike.
type batch interface {
	WriteBatch([]ipv4.Message, int) (int, error)
}

func openBatch(t *testing.T, n *Namespace, v6 bool) batch {
	t.Helper()
	network, address := "ip4:icmp", "0.0.0.0"
	if v6 {
		network, address = "ip6:ipv6-icmp", "::"
	}
	var conn *icmp.PacketConn
	err := n.Do(func() error {
		var err error
		conn, err = icmp.ListenPacket(network, address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if v6 {
		var none ipv6.ICMPFilter
		none.SetAll(true)
		if err := conn.IPv6PacketConn().SetICMPFilter(&none); err != nil {
			t.Fatal(err)
		}
		return conn.IPv6PacketConn()
	}
	var none ipv4.ICMPFilter
	none.SetAll(true)
	if err := conn.IPv4PacketConn().SetICMPFilter(&none); err != nil {
		t.Fatal(err)
	}
	return conn.IPv4PacketConn()
}

// load sends rounds of one request to each target, at rate requests a second in bursts of 10 ms. Each request
// carries its time and, as seq, its round.
func load(t *testing.T, n *Namespace, targets []netip.Addr, rounds, rate int) (took time.Duration) {
	t.Helper()
	conn := map[bool]batch{false: openBatch(t, n, false), true: openBatch(t, n, true)}
	const bursts = 100 // a second
	msgs := make([]ipv4.Message, rate/bursts)
	for i := range msgs {
		msgs[i].Buffers = [][]byte{make([]byte, 28)}
	}
	begin, sent := time.Now(), 0
	for sent < rounds*len(targets) {
		time.Sleep(time.Until(begin.Add(time.Duration(sent) * time.Second / time.Duration(rate))))
		round, first := sent/len(targets), sent%len(targets)
		v6 := targets[first].Is6()
		k := 0
		for ; k < len(msgs) && first+k < len(targets) && targets[first+k].Is6() == v6; k++ {
			fill(&msgs[k], targets[first+k], round)
		}
		for done := 0; done < k; {
			n, err := conn[v6].WriteBatch(msgs[done:k], 0)
			if err != nil {
				t.Fatal(err)
			}
			done += n
		}
		sent += k
	}
	return time.Since(begin)
}

func fill(m *ipv4.Message, target netip.Addr, round int) {
	b := m.Buffers[0]
	clear(b[:8])
	b[0] = icmpEchoRequest
	binary.BigEndian.PutUint16(b[6:], uint16(round))
	binary.BigEndian.PutUint64(b[8:], uint64(time.Now().UnixNano()))
	if target.Is6() {
		b[0] = icmp6Request
	} else {
		finishICMP(b)
	}
	m.Addr = &net.IPAddr{IP: target.AsSlice()}
}

// TestWildBooksUnderLoad compares each target's replies with the books and each reply's delay with its plan.
func TestWildBooksUnderLoad(t *testing.T) {
	const rate, rounds, seed = 60_000, 3, 7
	network4 := netip.MustParsePrefix("198.18.0.0/16")
	network6 := netip.MustParsePrefix("2001:2:0:1::/112")
	w := wildLab(t, WildConfig{
		Networks:  []netip.Prefix{network4, network6},
		Behaviour: Lossy(seed, 0.03, Delayed(seed, 0, 300*time.Millisecond)),
		Pair:      PairConfig{IPv6: true},
	})
	tap := openTap(t, w.Prober, ProberLink)
	const packetIgnoreOutgoing = 23
	if err := unix.SetsockoptInt(tap.fd, unix.SOL_PACKET, packetIgnoreOutgoing, 1); err != nil {
		t.Fatal(err)
	}
	var targets []netip.Addr
	for target := range w.Records() {
		targets = append(targets, target)
	}
	replies := make(chan map[netip.Addr]int)
	excess := make([]time.Duration, 0, rounds*len(targets))
	go func() { // joined by the receive below
		got := map[netip.Addr]int{}
		for {
			c, ok := tap.next(t, 2*time.Second)
			if !ok {
				replies <- got
				return
			}
			if m, _, ok := icmpOf(c); ok && len(m.payload) == 20 {
				got[m.from]++
				sent := time.Unix(0, int64(binary.BigEndian.Uint64(m.payload)))
				plan := w.Behaviour(Probe{m.from, int(m.rest & 0xffff)})
				excess = append(excess, c.at.Sub(sent)-plan.Delay)
			}
		}
	}()
	took := load(t, w.Prober, targets, rounds, rate)
	got := <-replies
	stats, err := w.Stats()
	if err != nil || stats.Drops != 0 || stats.Refused != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	sum := w.Sum()
	if n := rounds * len(targets); int(sum.Tally[Asked]) != n || int(sum.Tally[Replied]+sum.Tally[Lost]) != n {
		t.Errorf("books: %v; sent %d", sum.Tally, n)
	}
	differ := 0
	for target, r := range w.Records() {
		want := 0
		for n := range rounds {
			if !w.Behaviour(Probe{target, n}).Lose {
				want++
			}
		}
		if got[target] != want || int(r.Tally[Replied]) != want {
			differ++
		}
	}
	if differ > 0 {
		t.Errorf("%d targets differ from their books or plans", differ)
	}
	slices.Sort(excess)
	if len(excess) == 0 || excess[0] < 0 {
		t.Fatalf("a reply before its time: %v", excess[:min(len(excess), 1)])
	}
	t.Logf("%d requests at %.0f/s; books: %v, mean hold %v; %+v; reply later than planned: min %v, p50 %v, p99 %v, max %v",
		rounds*len(targets), float64(rounds*len(targets))/took.Seconds(), sum.Tally,
		sum.Held/time.Duration(sum.Tally[Replied]), stats,
		excess[0], excess[len(excess)/2], excess[len(excess)*99/100], excess[len(excess)-1])
}

// TestWildHoldsLong answers 5 s late.
func TestWildHoldsLong(t *testing.T) {
	w := wildLab(t, WildConfig{Behaviour: Always(Fate{Delay: 5 * time.Second})})
	conn, tap := openPinger(t, w.Prober), openTap(t, w.Prober, ProberLink)
	if err := conn.send(TargetNetwork.Addr(), testID, testSeq, make([]byte, 12)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for {
		c, ok := tap.next(t, 10*time.Second)
		if !ok {
			t.Fatal("no reply")
		}
		if m, _, ok := icmpOf(c); !ok || c.outgoing || m.typ != icmpEchoReply {
			continue
		}
		if late := c.at.Sub(begin); late < 4990*time.Millisecond || late > 6*time.Second {
			t.Errorf("reply after %v", late)
		}
		return
	}
}
