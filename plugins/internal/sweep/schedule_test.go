package sweep

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// spaced returns when each target's requests left.
func (n *network) spaced() map[netip.Addr][]int64 {
	at := map[netip.Addr][]int64{}
	for i, dst := range n.order {
		at[dst] = append(at[dst], n.sent[i])
	}
	return at
}

func TestRetriesAreForTheSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		f := families["IPv4"]
		l.network.script = func(dst netip.Addr, probe int) []answer {
			switch last := dst.As4()[3]; {
			case last == 1, last == 2 && probe == 1:
				return []answer{{after: time.Millisecond}}
			case last == 3:
				return []answer{{after: time.Millisecond, from: addr(f.router), make: f.about(3, 1, 28, 0)}}
			case last == 4:
				return []answer{{after: 1500 * time.Millisecond}} // late, and before the second retry
			}
			return nil
		}
		s := l.sweep(t.Context(), plan(t, "192.0.2.1-5", func(p *Plan) { p.Retries = 2 }), nil).Stats
		var sent []int64
		for i := range 5 {
			sent = append(sent, l.rows[fmt.Sprintf("192.0.2.%d", i+1)].Sent)
		}
		if want := []int64{1, 2, 1, 2, 3}; !slices.Equal(sent, want) {
			t.Errorf("requests to each target: %v, want %v", sent, want)
		}
		if s.Sent != 9 || s.Received != 2 || s.Late != 2 || s.ICMPErrors != 1 {
			t.Errorf("stats: %+v", s)
		}
		for dst, at := range l.network.spaced() {
			for i := 1; i < len(at); i++ {
				if d := time.Duration(at[i] - at[i-1]); d < time.Second || d > 1100*time.Millisecond {
					t.Errorf("%s was retried after %v", dst, d)
				}
			}
		}
	})
}

// TestGroupsGoOnWhileOthersWait sends several requests to many targets: each keeps its interval, and the sweep takes
// no longer than the rate needs.
func TestGroupsGoOnWhileOthersWait(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		begin := time.Now()
		p := plan(t, "10.0.0.0/17", func(p *Plan) { p.Count, p.CountInterval, p.Rate = 3, 700*time.Millisecond, 100_000 })
		s := l.sweep(t.Context(), p, nil).Stats
		if s.Sent != 3*32768 || s.Received != s.Sent {
			t.Errorf("stats: %+v", s)
		}
		if took := time.Since(begin); took > 2*700*time.Millisecond+500*time.Millisecond+time.Second {
			t.Errorf("took %v", took)
		}
		for dst, at := range l.network.spaced() {
			for i := 1; i < len(at); i++ {
				if d := time.Duration(at[i] - at[i-1]); d < 700*time.Millisecond {
					t.Fatalf("%s was asked again after %v", dst, d)
				}
			}
		}
		if first := slices.Index(l.order, "10.0.63.0/24"); first > slices.Index(l.order, "10.0.64.0") {
			t.Error("the first group's blocks are not emitted before the second's")
		}
	})
}

func TestBlocksKeepTheirCap(t *testing.T) {
	for _, sequential := range []bool{false, true} {
		inBubble(t, func(t *testing.T, l *lab) {
			l.network.script = after(time.Millisecond)
			p := plan(t, "192.0.2.0-192.0.3.31", func(p *Plan) {
				p.Rate, p.BlockRate, p.Count, p.CountInterval, p.Order.Sequential = 1000, 50, 2, time.Millisecond, sequential
			})
			l.sweep(t.Context(), p, nil)
			last, sent := map[netip.Prefix]int64{}, 0
			for i, dst := range l.network.order {
				block, _ := dst.Prefix(24)
				if d := l.network.sent[i] - last[block]; last[block] != 0 && d < int64(19*time.Millisecond) {
					t.Fatalf("sequential %v: %s was asked %v after its block's last request", sequential, dst, time.Duration(d))
				}
				last[block] = l.network.sent[i]
				sent++
			}
			if sent != 2*288 {
				t.Errorf("%d requests", sent)
			}
		})
	}
}

// TestRetriesKeepTheCapOfBlocks has the target answer that each round begins with.
func TestRetriesKeepTheCapOfBlocks(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		first := map[netip.Addr]bool{}
		p := plan(t, "192.0.2.0/24 198.51.100.0/24", func(p *Plan) { p.BlockRate, p.Retries = 50, 1 })
		for c := targets.NewCursor(p.Targets, p.Targets.Groups(512)[0], p.Order); ; {
			target, newRound, more := c.Next()
			if !more {
				break
			}
			first[p.Targets.At(target)] = newRound
		}
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if first[dst] {
				return []answer{{after: time.Millisecond}}
			}
			return nil
		}
		l.sweep(t.Context(), p, nil)
		last := map[netip.Prefix]int64{}
		for i, dst := range l.network.order {
			block, _ := dst.Prefix(24)
			if d := l.network.sent[i] - last[block]; last[block] != 0 && d < int64(19*time.Millisecond) {
				t.Fatalf("request %d, to %s, left %v after its block's last", i, dst, time.Duration(d))
			}
			last[block] = l.network.sent[i]
		}
		if n := len(l.network.order); n != 512+256 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestBlockWait(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		p := plan(t, "192.0.2.0-192.0.3.99", func(p *Plan) { p.BlockWait, p.Order.Sequential = time.Second, true })
		l.sweep(t.Context(), p, nil)
		var bursts []int
		for i, at := range l.network.sent {
			if i == 0 || at != l.network.sent[i-1] {
				if d := time.Duration(at - l.network.sent[max(i-1, 0)]); i > 0 && d < time.Second {
					t.Errorf("the next burst left after %v", d)
				}
				bursts = append(bursts, 0)
			}
			bursts[len(bursts)-1]++
		}
		if want := []int{128, 128, 100}; !slices.Equal(bursts, want) {
			t.Errorf("bursts of %v, want %v", bursts, want)
		}
	})
}

func TestOrderCanBeRepeated(t *testing.T) {
	orders := map[uint64][]netip.Addr{}
	for _, seed := range []uint64{1, 2, 1} {
		inBubble(t, func(t *testing.T, l *lab) {
			s := l.sweep(t.Context(), plan(t, "192.0.2.0/23", func(p *Plan) { p.Order.Seed = seed }), nil).Stats
			if again := orders[seed]; again != nil && !slices.Equal(again, l.network.order) {
				t.Error("the same seed gives another order")
			}
			orders[seed] = l.network.order
			if s.Seed != schema.Some(int64(seed)) || s.Order != "permuted" {
				t.Errorf("stats: %+v", s)
			}
		})
	}
	if slices.Equal(orders[1], orders[2]) || slices.IsSortedFunc(orders[1], netip.Addr.Compare) {
		t.Error("the seed does not matter, or the order is by address")
	}
}

// TestGroupsAreOfOneSize: none is left that would wait alone for the interval between its requests.
func TestGroupsAreOfOneSize(t *testing.T) {
	for network, want := range map[string]int{"10.0.0.0/16": 4, "10.0.0.0-10.0.195.79": 4, "10.0.0.0/24": 1, "10.0.0.0-10.0.64.9": 2} {
		groups := plan(t, network, nil).groups()
		first, last := groups[0].N, groups[len(groups)-1].N
		if len(groups) != want || last < first*3/4 {
			t.Errorf("%s: %d groups, the first of %d targets, the last of %d", network, len(groups), first, last)
		}
	}
}
