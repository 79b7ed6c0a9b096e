//go:build integration && linux

package netlab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestSerialLinksHaveTheSlope fits the least RTT of lone probes to the length of their frames.
func TestSerialLinksHaveTheSlope(t *testing.T) {
	for _, rate := range []int64{1_000_000_000, 100_000_000} {
		for links := 1; links <= 4; links++ {
			t.Run(fmt.Sprintf("%d links of %d Mbit", links, rate/1e6), func(t *testing.T) {
				s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: PairConfig{Bridges: links - 1}})
				serial, err := s.Serialise(rate)
				Lasting(t, serial, err)
				got, want := slope(t, s), 16*float64(links)/float64(rate)*1e9
				t.Logf("%.3f ns a byte, %+.2f %% from %.3f", got, 100*(got/want-1), want)
				if got/want < .97 || got/want > 1.03 {
					t.Errorf("%.3f ns a byte; want %.3f", got, want)
				}
				stats, err := serial.Stats()
				if err != nil || len(stats) != 2*links {
					t.Fatal(len(stats), err)
				}
				for i, way := range stats {
					if way.Cut > 0 || way.Packets < 100 {
						t.Errorf("way %d: %+v", i, way)
					}
				}
			})
		}
	}
}

// slope is that of the line through the least RTT of each frame length, by least squares, in ns a byte.
func slope(t *testing.T, s *Sweep) float64 {
	t.Helper()
	probe := openProber(t, s.Prober, TargetNetwork.Addr())
	sizes := []int{18, 50, 100, 200, 400, 700, 1000, 1200, 1400}
	least := make([]time.Duration, len(sizes))
	for round := range 40 {
		for i, size := range sizes {
			rtts := probe.lone(t, 5, size)
			if least[i] = min(least[i], slices.Min(rtts)); round == 0 {
				least[i] = slices.Min(rtts)
			}
		}
	}
	var n, x, y, xx, xy float64
	for i, size := range sizes {
		length, rtt := float64(42+size), float64(least[i])
		n, x, y, xx, xy = n+1, x+length, y+rtt, xx+length*length, xy+length*rtt
	}
	t.Logf("least RTTs %v", least)
	return (n*xy - x*y) / (n*xx - x*x)
}

// TestInsertBridge lengthens a chain from one bridge to ten while probes are on their way, one each 200 µs. What a
// single one adds may drown in what else the machine does; what all of them add does not.
func TestInsertBridge(t *testing.T) {
	awake, err := StayAwake()
	Lasting(t, awake, err)
	s := sweepLab(t, SweepConfig{AllAnswering: true, Pair: PairConfig{Bridges: 1}})
	probe := openProber(t, s.Prober, TargetNetwork.Addr())
	first := median(probe.lone(t, 1000, 24))
	before := first
	for s.Links() <= 10 {
		inserted := make(chan error, 1)
		sent, replies := 0, 0
		for ; sent < 500; sent++ {
			if sent == 250 {
				go func() { inserted <- s.InsertBridge() }()
			}
			if err := probe.conn.send(probe.to, testID, 0, make([]byte, 24)); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(200 * time.Microsecond); time.Now().Before(end); {
				if c, ok := probe.tap.next(t, time.Until(end)); ok && !c.outgoing {
					if m, _, ok := icmpOf(c); ok && m.typ == icmpEchoReply {
						replies++
					}
				}
			}
		}
		if err := <-inserted; err != nil {
			t.Fatal(err)
		}
		probe.tap.drain(t)
		after := median(probe.lone(t, 1000, 24))
		t.Logf("%2d bridges: %d of %d probes lost; RTT %v, %v more", s.Links()-1, sent-replies, sent, after, after-before)
		if sent-replies > 25 {
			t.Errorf("a bridge inserted: %d probes lost", sent-replies)
		}
		before = after
		learned(t, s.Pair)
	}
	if each := (before - first) / 9; each < time.Microsecond || each > 5*time.Microsecond {
		t.Errorf("RTT from %v behind one bridge to %v behind ten", first, before)
	}
}

// learned looks whether each bridge knows by which port the two ends are reached.
func learned(t *testing.T, p *Pair) {
	t.Helper()
	for i := range p.way.bridges {
		var found []string
		err := p.way.switches.withLink(fmt.Sprintf("br%d", i), "neighbours", func(bridge netlink.Link) error {
			list, err := netlink.NeighList(0, unix.AF_BRIDGE)
			for _, n := range list {
				if n.MasterIndex == bridge.Attrs().Index && n.State&netlink.NUD_PERMANENT == 0 {
					port, err := netlink.LinkByIndex(n.LinkIndex)
					if err != nil {
						return err
					}
					found = append(found, strings.TrimRight(port.Attrs().Name, "0123456789"))
				}
			}
			return err
		})
		if slices.Sort(found); err != nil || !slices.Equal(found, []string{"in", "out"}) {
			t.Errorf("bridge %d of %d has learned the ports %v, %v", i, p.way.bridges, found, err)
		}
	}
}

func TestInsertBridgeNeedsAChain(t *testing.T) {
	p, err := NewPair(PairConfig{})
	Lasting(t, p, err)
	if err := p.InsertBridge(); err == nil || p.Links() != 1 {
		t.Errorf("%v, %d links", err, p.Links())
	}
}
