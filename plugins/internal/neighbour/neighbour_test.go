package neighbour

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
)

func TestEntryIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n > 32 {
		t.Errorf("%d bytes a target", n)
	}
}

// TestFinds: who answers is found with MAC and RTT and asked once, the silent are asked again, in both families.
func TestFinds(t *testing.T) {
	for _, prefix := range []string{"198.18.0.0/24", "2001:db8::/120"} {
		inBubble(t, prefix, nil, func(t *testing.T, n *network) {
			index := func(a netip.Addr) int { i, _ := n.engine.c.Targets.Index(a); return i }
			n.script = func(a netip.Addr, _ int) []answer {
				if i := index(a); i%8 == 3 {
					return []answer{{after: time.Duration(i) * time.Microsecond, mac: mac(i)}}
				}
				return nil
			}
			if s := n.mustRun(t); s != (Stats{Targets: 256, Asked: 256, Present: 32, Requests: 32 + 3*224}) {
				t.Errorf("%s: %+v", prefix, s)
			}
			for i := range 256 {
				want := Neighbour{}
				if i%8 == 3 {
					want = Neighbour{Present: true, MAC: mac(i), RTT: int64(i) * 1000}
				}
				if got := n.engine.Lookup(i); got != want {
					t.Errorf("%s: target %d: %+v, want %+v", prefix, i, got, want)
				}
			}
		})
	}
}

// TestGreets: when all is found, each IPv4 host there is, and nobody else, is told where we are.
func TestGreets(t *testing.T) {
	for prefix, want := range map[string]int{"198.18.0.0/24": 64, "2001:db8::/120": 0} {
		inBubble(t, prefix, nil, func(t *testing.T, n *network) {
			n.script = func(a netip.Addr, _ int) []answer {
				if i, _ := n.engine.c.Targets.Index(a); i%4 == 0 {
					return []answer{{mac: mac(i)}}
				}
				return nil
			}
			n.mustRun(t)
			for a, g := range n.greeted {
				i, _ := n.engine.c.Targets.Index(a)
				if i%4 != 0 || g.Dst != mac(i) || g.MAC != ownMAC || g.Addr != netip.MustParseAddr("198.18.0.1") {
					t.Errorf("%s is told %+v", a, g)
				}
			}
			if len(n.greeted) != want {
				t.Errorf("%s: %d were told, want %d", prefix, len(n.greeted), want)
			}
		})
	}
}

// TestRetries: a target is asked again when its wait is over, and not while the capture may still hold its answer.
func TestRetries(t *testing.T) {
	for lag, want := range map[time.Duration][]time.Duration{
		0:                      {1, time.Second, 2 * time.Second},
		300 * time.Millisecond: {1, 1300 * time.Millisecond, 2600 * time.Millisecond},
	} {
		inBubble(t, "198.18.0.9/32", nil, func(t *testing.T, n *network) {
			if err := n.run(context.Background(), lag); err != nil {
				t.Fatal(err)
			}
			if len(n.sent) != len(want) {
				t.Fatalf("%d requests", len(n.sent))
			}
			for i, at := range n.sent {
				if at < want[i] || at > want[i]+20*time.Millisecond {
					t.Errorf("lag %v: request %d at %v, want %v", lag, i, at, want[i])
				}
			}
			if end := time.Duration(n.clock.Mono()); end < n.sent[2]+time.Second+lag || end > n.sent[2]+time.Second+lag+20*time.Millisecond {
				t.Errorf("lag %v: over at %v", lag, end)
			}
		})
	}
}

// TestLoss: an answer to the second or third request finds its target. Its RTT is unknown, for it may be a late
// answer to the one before.
func TestLoss(t *testing.T) {
	inBubble(t, "198.18.0.0/28", nil, func(t *testing.T, n *network) {
		n.script = func(a netip.Addr, try int) []answer {
			if try == 2 {
				return []answer{{after: time.Millisecond, mac: mac(1)}}
			}
			return nil
		}
		if s := n.mustRun(t); s.Present != 16 || s.Requests != 48 {
			t.Errorf("%+v", s)
		}
		if got := n.engine.Lookup(5); got != (Neighbour{Present: true, MAC: mac(1)}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestLateAnswers(t *testing.T) {
	inBubble(t, "198.18.0.8/31", func(c *Config) { c.Tries = 1 }, func(t *testing.T, n *network) {
		n.script = func(a netip.Addr, try int) []answer {
			return []answer{{after: 1500 * time.Millisecond, mac: mac(1)}}
		}
		if s := n.mustRun(t); s.Present != 0 || n.engine.Lookup(0).Present {
			t.Errorf("when the wait is over: %+v", s)
		}
		n.wg.Wait()
		if got := n.engine.Lookup(0); got != (Neighbour{Present: true, MAC: mac(1), RTT: 1_500_000_000}) {
			t.Errorf("later: %+v", got)
		}
	})
}

// TestConflict: a second MAC for an address is kept and counted once, and takes nothing from the first.
func TestConflict(t *testing.T) {
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		n.script = func(a netip.Addr, try int) []answer {
			all := []answer{{after: time.Millisecond, mac: mac(1)}}
			if a == netip.MustParseAddr("198.18.0.9") {
				all = append(all, answer{after: 2 * time.Millisecond, mac: mac(2)}, answer{after: 3 * time.Millisecond, mac: mac(1)}, answer{after: 4 * time.Millisecond, mac: mac(3)})
			}
			return all
		}
		n.mustRun(t)
		n.wg.Wait()
		if s := n.engine.Stats(); s.Conflicts != 1 || s.Present != 2 {
			t.Errorf("%+v", s)
		}
		// One MAC for both addresses is proxy ARP, and no conflict.
		if got := n.engine.Lookup(0); got != (Neighbour{Present: true, MAC: mac(1), RTT: 1_000_000}) {
			t.Errorf("without a conflict: %+v", got)
		}
		if got := n.engine.Lookup(1); got != (Neighbour{Present: true, MAC: mac(1), Other: mac(2), RTT: 1_000_000}) {
			t.Errorf("with a conflict: %+v", got)
		}
	})
}

// TestUnasked: what is told before we ask is ignored; what is told to all once we have asked names the MAC, and
// leaves the RTT to an answer of our own.
func TestUnasked(t *testing.T) {
	addr := netip.MustParseAddr("198.18.0.8")
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		n.show(capture.In, frame.AppendIsAt(nil, frame.Neighbour{From: addr, Addr: addr}, mac(4)))
		if s := n.engine.Stats(); s.Unasked != 1 || n.engine.Lookup(0).Present {
			t.Errorf("%+v", s)
		}
		n.script = func(a netip.Addr, try int) []answer {
			all := []answer{{after: time.Millisecond, mac: mac(1), to: addr}}
			if a == addr {
				all = append(all, answer{after: 3 * time.Millisecond, mac: mac(1)})
			}
			return all
		}
		n.mustRun(t)
		n.wg.Wait()
		if got := n.engine.Lookup(0); got != (Neighbour{Present: true, MAC: mac(1), RTT: 3_000_000}) {
			t.Errorf("%+v", got)
		}
		if got := n.engine.Lookup(1); got != (Neighbour{Present: true, MAC: mac(1)}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestIgnores(t *testing.T) {
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		n.mustRun(t)
		q := frame.Neighbour{Ethernet: frame.Ethernet{Src: ownMAC}, MAC: ownMAC, From: netip.MustParseAddr("198.18.0.1"), Addr: netip.MustParseAddr("198.18.0.8")}
		n.show(capture.In, frame.AppendIsAt(nil, q, frame.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}))
		n.show(capture.In, frame.AppendIsAt(nil, q, frame.MAC{}))
		n.show(capture.Out, frame.AppendIsAt(nil, q, mac(1)))
		n.show(capture.In, []byte{1, 2, 3})
		n.showPacket(capture.Packet{Data: frame.AppendIsAt(nil, q, mac(1)), Stamp: 1, Direction: capture.In, HasVLAN: true, VLAN: 7})
		if s := n.engine.Stats(); s.Present != 0 {
			t.Errorf("%+v", s)
		}
		// VLAN 0 only bears a priority.
		n.showPacket(capture.Packet{Data: frame.AppendIsAt(nil, q, mac(1)), Stamp: 1, Direction: capture.In, HasVLAN: true, VLAN: 0xe000})
		if s := n.engine.Stats(); s.Present != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAsksFromItsNetwork: a target is asked by our address in its network, and by another if there is none.
func TestAsksFromItsNetwork(t *testing.T) {
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		own := &n.engine.c.Own
		for target, want := range map[string]string{
			"198.18.0.8": "198.18.0.1", "192.0.2.7": "192.0.2.1", "203.0.113.1": "192.0.2.1",
			"2001:db8::7": "2001:db8::1", "2001:db8:1::7": "fe80::1", "fe80::7": "fe80::1",
		} {
			if got := own.source(netip.MustParseAddr(target)); got != netip.MustParseAddr(want) {
				t.Errorf("%s is asked by %s, want %s", target, got, want)
			}
		}
	})
	inBubble(t, "2001:db8::/126", func(c *Config) { c.Own.Addrs = c.Own.Addrs[:2] }, func(t *testing.T, n *network) {
		if err := n.run(context.Background(), 0); err == nil || len(n.sent) > 0 {
			t.Errorf("without an address of the family: %v, %d sent", err, len(n.sent))
		}
	})
}

// TestRate: requests leave at the rate, no 100 ms hold more than it allows and one burst, and the silent are
// asked again at the same rate.
func TestRate(t *testing.T) {
	inBubble(t, "198.18.0.0/20", func(c *Config) { c.Rate = 2000; c.Tries = 2 }, func(t *testing.T, n *network) {
		n.mustRun(t)
		if len(n.sent) != 8192 {
			t.Fatalf("%d requests", len(n.sent))
		}
		took := n.sent[8191] - n.sent[0]
		if rate := 8191 / took.Seconds(); rate < 1980 || rate > 2020 {
			t.Errorf("%.0f requests a second", rate)
		}
		for first, last := 0, 0; last < len(n.sent); last++ {
			for n.sent[last]-n.sent[first] >= 100*time.Millisecond {
				first++
			}
			if in := last - first + 1; in > 220 {
				t.Fatalf("%d requests in 100 ms", in)
			}
		}
	})
}

// TestNoRoom: what the kernel has no room for is sent again and counted once; other errors end the run.
func TestNoRoom(t *testing.T) {
	inBubble(t, "198.18.0.0/24", func(c *Config) { c.Tries = 1 }, func(t *testing.T, n *network) {
		n.refuse = func(call int) (int, error) {
			if call%3 != 0 {
				return 7, ErrNoRoom
			}
			return 0, nil
		}
		if s := n.mustRun(t); s.Requests != 256 || len(n.sent) != 256 || s.Asked != 256 {
			t.Errorf("%+v, %d sent", s, len(n.sent))
		}
	})
	inBubble(t, "198.18.0.0/24", nil, func(t *testing.T, n *network) {
		n.refuse = func(call int) (int, error) { return 3, errBroken }
		if err := n.run(context.Background(), 0); !errors.Is(err, errBroken) || n.engine.Stats().Requests != 3 {
			t.Errorf("%v, %+v", err, n.engine.Stats())
		}
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, "198.18.0.0/16", nil, func(t *testing.T, n *network) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := n.run(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Duration(n.clock.Mono()); took > 2001*time.Millisecond {
			t.Errorf("ended after %v", took)
		}
		if s := n.engine.Stats(); s.Asked < 9900 || s.Asked > 10_100 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAnswersForOurselves: questions and probes for our addresses are answered to the one that asks, and no others.
func TestAnswersForOurselves(t *testing.T) {
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		ask := func(from, addr string) {
			n.show(capture.In, frame.AppendWhoHas(nil, mac(9), netip.MustParseAddr(from), netip.MustParseAddr(addr)))
		}
		for _, c := range []struct{ from, addr string }{
			{"198.18.0.8", "198.18.0.1"}, {"192.0.2.8", "192.0.2.1"}, {"0.0.0.0", "198.18.0.1"},
			{"2001:db8::8", "2001:db8::1"}, {"fe80::8", "fe80::1"},
		} {
			n.answers = nil
			ask(c.from, c.addr)
			if len(n.answers) != 1 {
				t.Errorf("%s asks for %s: %d answers", c.from, c.addr, len(n.answers))
				continue
			}
			a, err := frame.ParseNeighbour(n.answers[0])
			if err != nil || !a.Tells || a.Dst != mac(9) || a.MAC != ownMAC || a.Addr.String() != c.addr || a.To.String() != c.from {
				t.Errorf("%s asks for %s: %+v, %v", c.from, c.addr, a, err)
			}
		}
		n.answers = nil
		ask("198.18.0.8", "198.18.0.2") // another's address
		ask("198.18.0.1", "198.18.0.1") // announces ours as its own
		own := frame.AppendWhoHas(nil, ownMAC, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.18.0.1"))
		n.show(capture.In, own) // what we sent comes back by a loop
		n.show(capture.Out, own)
		if len(n.answers) != 0 || n.engine.Stats().Served != 5 {
			t.Errorf("%d answers, %+v", len(n.answers), n.engine.Stats())
		}
	})
}

// TestOthersRequests: when the kernel asks for a target, too, an answer may be to either, and has no RTT.
func TestOthersRequests(t *testing.T) {
	inBubble(t, "198.18.0.8/31", nil, func(t *testing.T, n *network) {
		n.script = func(a netip.Addr, try int) []answer {
			n.show(capture.Out, frame.AppendWhoHas(nil, ownMAC, netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.8")))
			return []answer{{after: time.Millisecond, mac: mac(1)}}
		}
		n.mustRun(t)
		if a, b := n.engine.Lookup(0), n.engine.Lookup(1); a.RTT != 0 || b.RTT != 1_000_000 {
			t.Errorf("%+v, %+v", a, b)
		}
	})
}
