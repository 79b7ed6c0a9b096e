package sweep

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"echogram/plugins/schema"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestAnsweredSweep(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, _ int) []answer {
			return []answer{{after: time.Duration(dst.As4()[3]) * time.Microsecond}}
		}
		sum := l.sweep(t.Context(), plan(t, "192.0.2.1-192.0.3.9", nil), nil)
		want := schema.SweepRow{
			Series: schema.Series{Instance: "test", Network: "192.0.2.1-192.0.3.9", Block: "192.0.2.0/24", Target: "192.0.2.7"},
			Time:   testStart, Sent: 1, Received: 1, RTT: schema.Some(7000), TTL: schema.Some(60),
		}
		if got := l.rows["192.0.2.7"]; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		b := l.block["192.0.2.0/24"]
		if b.Targets != 255 || b.Responding != 255 || b.RTTMin.N != 1000 || b.RTTP50.N != 128_000 || b.RTTP99.N != 253_000 || b.RTTMax.N != 255_000 || b.Joined.Set {
			t.Errorf("block: %+v", b)
		}
		s := sum.Stats
		if s.Points != 265 || s.Sent != 265 || s.Received != 265 || s.Trust != schema.TrustOK || s.StampKind != "software" || s.Partial {
			t.Errorf("stats: %+v", s)
		}
		if l.order[len(l.order)-1] != "stats" || l.order[255] != "192.0.2.0/24" {
			t.Error("the stats row does not come last, or a block's row not behind its targets")
		}
	})
}

func TestTrust(t *testing.T) {
	for want, bend := range map[string]func(l *lab){
		"ok":             func(*lab) {},
		"capture_drops":  func(l *lab) { l.losses.Drops = 3 },
		"qdisc_drops":    func(l *lab) { l.losses.QdiscDrops = 1 },
		"nic_drops":      func(l *lab) { l.losses.NICDrops = 1 },
		"interface_down": func(l *lab) { l.losses.Down = 1 },
		"clock_step":     func(l *lab) { l.clock.step = -int64(time.Hour) },
	} {
		t.Run(want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, l *lab) {
				l.network.script = func(netip.Addr, int) []answer { return []answer{{after: 100 * time.Millisecond}} }
				timer := time.AfterFunc(50*time.Millisecond, func() { l.clock.mu.Lock(); bend(l); l.clock.mu.Unlock() })
				defer timer.Stop()
				s := l.sweep(t.Context(), plan(t, "192.0.2.0/24", nil), nil).Stats
				if s.Trust != want {
					t.Errorf("trust is %s", s.Trust)
				}
				if s.Received != 256 {
					t.Errorf("received %d", s.Received)
				}
			})
		})
	}
}

func TestHaltedSweep(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if dst.As4()[3]%2 == 0 {
				return nil
			}
			return []answer{{after: 10 * time.Millisecond}}
		}
		halt := make(chan struct{})
		time.AfterFunc(1005*time.Millisecond, func() { close(halt) })
		p := plan(t, "192.0.2.0/23", func(p *Plan) { p.Rate, p.Burst, p.Order.Sequential = 100, 1, true })
		begin := time.Now()
		s := l.sweep(t.Context(), p, halt).Stats
		if took := time.Since(begin); took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("ended %v after the start, want one timeout after the halt", took)
		}
		if !s.Partial || s.Points != 101 || s.Sent != 101 || s.Received != 50 {
			t.Errorf("stats: %+v", s)
		}
		if b := l.block["192.0.2.0/24"]; !b.Partial || b.Targets != 101 || b.Joined.Set {
			t.Errorf("block: %+v", b)
		}
		if _, ok := l.block["192.0.3.0/24"]; ok {
			t.Error("a block that was not probed has a row")
		}
		if p.History.prev != nil {
			t.Error("a partial sweep is what joined and left compare with")
		}
	})
}

func TestCancelledSweepLeavesYoungProbesOut(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if dst.As4()[3]%2 == 0 {
				return nil
			}
			return []answer{{after: 10 * time.Millisecond}}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1505*time.Millisecond, cancel)
		s := l.sweep(ctx, plan(t, "192.0.2.0/24", func(p *Plan) { p.Rate, p.Burst, p.Order.Sequential = 100, 1, true }), nil).Stats
		// 151 were sent. Those of the first 0.5 s have had their timeout; the later ones are neither sent nor lost.
		if !s.Partial || s.Sent < 50 || s.Sent > 52 || s.Received < 25 || s.Received > 26 || s.Points != s.Sent {
			t.Errorf("stats: %+v", s)
		}
		l.engine.Late()
		if len(l.late) != 0 {
			t.Errorf("late rows of targets without a row: %v", l.late)
		}
		for target, r := range l.rows {
			if r.Sent != 1 {
				t.Errorf("%s: %+v", target, r)
			}
		}
	})
}
