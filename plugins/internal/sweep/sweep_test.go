package sweep

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/icmpecho"
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

// TestEveryCaseInItsOwnField sends one target each kind of answer, and demands that it is counted in its field and
// in no other.
func TestEveryCaseInItsOwnField(t *testing.T) {
	about := func(kind, code byte, quote int) func([]byte, netip.Addr) []byte {
		return func(request []byte, dst netip.Addr) []byte {
			m := []byte{kind, code, 0, 0, 0, 0, 0, 0}
			m = append(m, packet(self, dst, request)[:20+quote]...)
			sum := icmpecho.Checksum(m)
			m[2], m[3] = byte(sum>>8), byte(sum)
			return m
		}
	}
	router := addr("198.51.100.254")
	base := schema.SweepRow{Sent: 1}
	stats := schema.SweepStatsRow{Points: 1, Targets: 1, Sent: 1, Trust: schema.TrustOK, StampKind: "software"}
	for name, c := range map[string]struct {
		answers []answer
		row     func(*schema.SweepRow)
		stats   func(*schema.SweepStatsRow)
	}{
		"silent": {nil, func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent }, nil},
		"answered": {
			[]answer{{after: time.Millisecond}},
			func(r *schema.SweepRow) { r.Received, r.RTT, r.TTL = 1, schema.Some(1e6), schema.Some(60) },
			func(s *schema.SweepStatsRow) { s.Received = 1 },
		},
		"at the timeout": {
			[]answer{{after: time.Second}},
			func(r *schema.SweepRow) { r.Received, r.RTT, r.TTL = 1, schema.Some(1e9), schema.Some(60) },
			func(s *schema.SweepStatsRow) { s.Received = 1 },
		},
		"duplicates": {
			[]answer{{after: time.Millisecond}, {after: 2 * time.Millisecond}, {after: 3 * time.Millisecond}},
			func(r *schema.SweepRow) {
				r.Received, r.RTT, r.TTL, r.Duplicates = 1, schema.Some(1e6), schema.Some(60), 2
			},
			func(s *schema.SweepStatsRow) { s.Received, s.Duplicates = 1, 2 },
		},
		"another payload": {
			[]answer{{after: time.Millisecond, payload: func(p []byte) []byte { p[19] ^= 0x80; return p }}},
			func(r *schema.SweepRow) {
				r.Received, r.RTT, r.TTL, r.Corrupt = 1, schema.Some(1e6), schema.Some(60), 1
			},
			func(s *schema.SweepStatsRow) { s.Received, s.Corrupt = 1, 1 },
		},
		"bad checksum": {
			[]answer{{after: time.Millisecond, corrupt: true}},
			func(r *schema.SweepRow) {
				r.Received, r.RTT, r.TTL, r.Corrupt = 1, schema.Some(1e6), schema.Some(60), 1
			},
			func(s *schema.SweepStatsRow) { s.Received, s.Corrupt = 1, 1 },
		},
		"another source": {
			[]answer{{after: time.Millisecond, from: router}},
			func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent },
			func(s *schema.SweepStatsRow) { s.OtherSource = 1 },
		},
		"forged cookie": {
			[]answer{{after: time.Millisecond, payload: func(p []byte) []byte { p[0] ^= 1; return p }}},
			func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent },
			func(s *schema.SweepStatsRow) { s.Foreign = 1 },
		},
		"too short for the cookie": {
			[]answer{{after: time.Millisecond, payload: func(p []byte) []byte { return p[:8] }}},
			func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent },
			func(s *schema.SweepStatsRow) { s.Unverified = 1 },
		},
		"short, from a stranger": {
			[]answer{{after: time.Millisecond, from: router, payload: func(p []byte) []byte { return p[:8] }}},
			func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent },
			func(s *schema.SweepStatsRow) { s.Foreign = 1 },
		},
		"prohibited, quoted in full": {
			[]answer{{after: time.Millisecond, from: router, make: about(3, 13, 28)}},
			func(r *schema.SweepRow) {
				r.ResultCode, r.ICMPType, r.ICMPCode, r.ErrorFrom = schema.ResultICMPError, schema.Some(3), schema.Some(13), router.String()
			},
			func(s *schema.SweepStatsRow) { s.ICMPErrors = 1 },
		},
		"time exceeded, eight bytes quoted": {
			[]answer{{after: time.Millisecond, from: router, make: about(11, 0, 8)}},
			func(r *schema.SweepRow) {
				r.ResultCode, r.ICMPType, r.ICMPCode, r.ErrorFrom = schema.ResultICMPError, schema.Some(11), schema.Some(0), router.String()
			},
			func(s *schema.SweepStatsRow) { s.ICMPErrors = 1 },
		},
		"an error and an answer": {
			[]answer{{after: time.Millisecond, from: router, make: about(3, 1, 28)}, {after: 2 * time.Millisecond}},
			func(r *schema.SweepRow) {
				r.Received, r.RTT, r.TTL = 1, schema.Some(2e6), schema.Some(60)
				r.ICMPType, r.ICMPCode, r.ErrorFrom = schema.Some(3), schema.Some(1), router.String()
			},
			func(s *schema.SweepStatsRow) { s.Received, s.ICMPErrors = 1, 1 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, l *lab) {
				l.network.script = func(netip.Addr, int) []answer { return c.answers }
				got := l.sweep(t.Context(), plan(t, "192.0.2.7", func(p *Plan) { p.Size = 20 }), nil).Stats
				row, want := base, stats
				row.Series = schema.Series{Instance: "test", Network: "192.0.2.7/32", Block: "192.0.2.0/24", Target: "192.0.2.7"}
				row.Time = testStart
				c.row(&row)
				if c.stats != nil {
					c.stats(&want)
				}
				if !reflect.DeepEqual(l.rows["192.0.2.7"], row) {
					t.Errorf("row\n%+v, want\n%+v", l.rows["192.0.2.7"], row)
				}
				want.Instance, want.Time, want.Duration, want.Rate = "test", testStart, got.Duration, got.Rate
				if !reflect.DeepEqual(got, want) {
					t.Errorf("stats\n%+v, want\n%+v", got, want)
				}
			})
		})
	}
}

func TestLateRepliesGoToTheirSweep(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, probe int) []answer {
			if probe > 0 {
				return nil // only the first sweep's requests are answered, 1.5 s and 5 s after
			}
			return []answer{{after: map[byte]time.Duration{1: 1500 * time.Millisecond, 2: 5 * time.Second}[dst.As4()[3]]}}
		}
		p := plan(t, "192.0.2.1-2", nil)
		first := l.sweep(t.Context(), p, nil)
		if first.Stats.Late != 0 || first.Stats.Received != 0 {
			t.Fatalf("stats before the replies: %+v", first.Stats)
		}
		firstResult := l.result
		time.Sleep(time.Second) // the first target's reply comes now
		l.engine.Late()
		if got := firstResult.late["192.0.2.1"]; got.Late != 1 || got.LateRTT.N != 1_500_000_000 || got.Time != testStart {
			t.Errorf("late row: %+v", got)
		}
		l.reset()
		second := l.sweep(t.Context(), p, nil)
		time.Sleep(3 * time.Second) // the second target's reply to the first sweep
		l.engine.Late()
		if second.Stats.Received+second.Stats.Late+second.Stats.Foreign != 0 || len(l.late) != 0 {
			t.Errorf("the second sweep took the first one's reply: %+v, %v", second.Stats, l.late)
		}
		if got := firstResult.late["192.0.2.2"]; got.Late != 1 || got.LateRTT.N != 5_000_000_000 {
			t.Errorf("late row of the first sweep: %+v", got)
		}
		time.Sleep(time.Minute)
		l.engine.Late()
		if len(firstResult.fixed) != 1 || firstResult.fixed[0].Late != 2 {
			t.Errorf("the first stats row is not corrected: %+v", firstResult.fixed)
		}
		if len(l.engine.runs) != 0 {
			t.Errorf("%d sweeps are remembered beyond their late window", len(l.engine.runs))
		}
	})
}

func TestSeveralProbes(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, probe int) []answer {
			return map[int][]answer{
				0: {{after: 100 * time.Microsecond}}, 1: {{after: 300 * time.Microsecond}}, 2: nil, 3: {{after: 1200 * time.Millisecond}},
			}[probe]
		}
		sum := l.sweep(t.Context(), plan(t, "192.0.2.7", func(p *Plan) { p.Count, p.CountInterval = 4, 3*time.Second }), nil)
		r := l.rows["192.0.2.7"]
		if r.Sent != 4 || r.Received != 2 || r.RTT.N != 200_000 || r.RTTMin.N != 100_000 || r.RTTMax.N != 300_000 || r.RTTStddev.N != 100_000 {
			t.Errorf("row: %+v", r)
		}
		if sum.Stats.Sent != 4 || sum.Stats.Points != 1 {
			t.Errorf("stats: %+v", sum.Stats)
		}
		for i := 1; i < 4; i++ {
			if d := l.network.sent[i] - l.network.sent[i-1]; d != int64(3*time.Second) {
				t.Errorf("probe %d left %v after the one before", i, time.Duration(d))
			}
		}
	})
}

func TestJoinedAndLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		alive := "123"
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if strings.ContainsRune(alive, rune('0'+dst.As4()[3])) {
				return []answer{{after: time.Millisecond}}
			}
			return nil
		}
		p := plan(t, "192.0.2.1-5", nil)
		l.sweep(t.Context(), p, nil)
		alive = "345"
		l.sweep(t.Context(), p, nil)
		if b := l.block["192.0.2.0/24"]; b.Joined != schema.Some(2) || b.Left != schema.Some(2) || b.Responding != 3 {
			t.Errorf("block: %+v", b)
		}
	})
}

func TestRefusedAndCrowdedSends(t *testing.T) {
	refused := errors.New("network is down")
	inBubble(t, func(t *testing.T, l *lab) {
		crowded := 3
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
		l.network.sendErr = func(dst netip.Addr) error {
			if dst == addr("192.0.2.2") {
				return refused
			}
			if dst == addr("192.0.2.3") && crowded > 0 {
				crowded--
				return ErrNoRoom
			}
			return nil
		}
		sum := l.sweep(t.Context(), plan(t, "192.0.2.1-4", nil), nil)
		if !errors.Is(sum.SendError, refused) || sum.Stats.SendErrors != 1 || sum.Stats.Sent != 3 || sum.Stats.Received != 3 || sum.Stats.Points != 4 {
			t.Errorf("%+v", sum)
		}
		if sum.Stats.Trust != "send_errors" {
			t.Errorf("trust is %s", sum.Stats.Trust)
		}
		if r := l.rows["192.0.2.2"]; r.Sent != 0 || r.ResultCode != schema.ResultNotSent {
			t.Errorf("row of the refused: %+v", r)
		}
	})
}

func TestUnseenRequests(t *testing.T) {
	for _, onLink := range []bool{false, true} {
		inBubble(t, func(t *testing.T, l *lab) {
			l.network.hidden = func(dst netip.Addr) bool { return dst == addr("192.0.2.2") }
			l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
			p := plan(t, "192.0.2.1-2", nil)
			p.OnLink = func(int) bool { return onLink }
			s := l.sweep(t.Context(), p, nil).Stats
			if r := l.rows["192.0.2.2"]; r.Received != 1 || r.RTT.Set {
				t.Errorf("a reply whose request was not captured: %+v", r)
			}
			if onLink && (s.NeighbourFailures != 1 || s.Unseen != 0 || s.Trust != "ok") || !onLink && (s.Unseen != 1 || s.Trust != "unseen") {
				t.Errorf("on link %v: %+v", onLink, s)
			}
		})
	}
}

func TestTrust(t *testing.T) {
	for want, bend := range map[string]func(l *lab){
		"ok":             func(*lab) {},
		"capture_drops":  func(l *lab) { l.losses.Drops = 3 },
		"interface_down": func(l *lab) { l.losses.Down = 1 },
		"clock_step":     func(l *lab) { l.clock.mu.Lock(); l.clock.step = -int64(time.Hour); l.clock.mu.Unlock() },
	} {
		t.Run(want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, l *lab) {
				l.network.script = func(netip.Addr, int) []answer { return []answer{{after: 100 * time.Millisecond}} }
				timer := time.AfterFunc(50*time.Millisecond, func() { bend(l) })
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
		p := plan(t, "192.0.2.0/23", func(p *Plan) { p.Rate, p.Burst = 100, 1 })
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
		if p.prev != nil {
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
		s := l.sweep(ctx, plan(t, "192.0.2.0/24", func(p *Plan) { p.Rate, p.Burst = 100, 1 }), nil).Stats
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

func TestPace(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		p := plan(t, "192.0.2.0/23", func(p *Plan) { p.Rate, p.Burst = 1000, 10 })
		l.sweep(t.Context(), p, nil)
		for i, at := range l.network.sent {
			if want := l.network.sent[0] + int64(i/10)*int64(10*time.Millisecond); at != want {
				t.Fatalf("request %d left at %d, want %d", i, at, want)
			}
		}
	})
}

func TestPacerMakesUpForOneBurstOnly(t *testing.T) {
	p := newPacer(1000, 10, 0)
	p.wait(0, 10, 10)
	const stall = int64(time.Second)
	var waits []time.Duration
	for range 3 {
		waits = append(waits, p.wait(stall, 10, 10))
	}
	if want := []time.Duration{0, 0, 10 * time.Millisecond}; !reflect.DeepEqual(waits, want) {
		t.Errorf("waits after a stall: %v, want %v", waits, want)
	}
}

func TestProbeIndexWraps(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.engine.next = 0xffffff80
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
		if s := l.sweep(t.Context(), plan(t, "192.0.2.0/24", nil), nil).Stats; s.Received != 256 || s.Foreign != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDropLetsNoRowFollow(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: 3 * time.Second}} }
		p := plan(t, "192.0.2.7", nil)
		l.sweep(t.Context(), p, nil)
		l.engine.Drop(p)
		l.network.wg.Wait()
		l.engine.Late()
		if len(l.late) != 0 || len(l.engine.runs) != 0 {
			t.Errorf("late rows %v, %d sweeps", l.late, len(l.engine.runs))
		}
	})
}

func TestPlanProblems(t *testing.T) {
	for key, change := range map[string]func(*Plan){
		"networks":       func(p *Plan) { p.Targets = nil },
		"rate":           func(p *Plan) { p.Rate = -1 },
		"burst":          func(p *Plan) { p.Burst = MaxBurst + 1 },
		"count":          func(p *Plan) { p.Count = MaxCount + 1 },
		"count_interval": func(p *Plan) { p.CountInterval = -1 },
		"timeout":        func(p *Plan) { p.Timeout = time.Hour },
		"late_window":    func(p *Plan) { p.LateWindow = time.Hour },
		"size":           func(p *Plan) { p.Size = 8 },
	} {
		p := &Plan{Targets: plan(t, "192.0.2.7", nil).Targets}
		change(p)
		var problem *Problem
		if err := p.Check(); !errors.As(err, &problem) || problem.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func TestPlanLength(t *testing.T) {
	p := plan(t, "192.0.2.0/24", func(p *Plan) { p.Rate, p.Count, p.CountInterval = 512, 3, 2*time.Second })
	if got, want := p.Length(), 2*2*time.Second+500*time.Millisecond+time.Second; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
