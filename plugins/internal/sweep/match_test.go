package sweep

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/capture"
)

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

func TestProbeIndexWraps(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.engine.next = 0xffffff80
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
		if s := l.sweep(t.Context(), plan(t, "192.0.2.0/24", nil), nil).Stats; s.Received != 256 || s.Foreign != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestShortRepliesFindTheirProbe sends to as many targets as there are sequence numbers, several times and in two
// sweeps: a reply without a cookie that comes after the next request to its target is still the earlier one's.
func TestShortRepliesFindTheirProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, probe int) []answer {
			if dst == addr("10.0.0.7") {
				return []answer{{after: []time.Duration{200, 1800, 300}[probe] * time.Millisecond}}
			}
			return nil
		}
		short := func(p *Plan) { p.Sizes, p.Timeout = []int{8}, 600*time.Millisecond }
		p := plan(t, "10.0.0.0/16", func(p *Plan) { short(p); p.Count, p.CountInterval = 2, 100*time.Millisecond })
		l.sweep(t.Context(), p, nil)
		if r := l.rows["10.0.0.7"]; r.Received != 1 || r.RTT.N != 200e6 {
			t.Errorf("%+v", r)
		}
		once := plan(t, "10.0.0.0/16", func(p *Plan) { short(p); p.Timeout = 2 * time.Second })
		l.sweep(t.Context(), once, nil)
		if r := l.rows["10.0.0.7"]; r.Received != 1 || r.RTT.N != 300e6 {
			t.Errorf("the next sweep: %+v", r)
		}
		if l.engine.Late(); l.late["10.0.0.7"].LateRTT.N != 1800e6 {
			t.Errorf("late: %+v", l.late)
		}
	})
}

// TestOneFrameSeenTwice shows a reply on two captures: a bond and its slave, a bridge and its port.
func TestOneFrameSeenTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		f := families["IPv4"]
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if dst == addr("192.0.2.7") {
				return []answer{{after: time.Millisecond, from: addr(f.router), make: f.about(3, 1, 28, 0)}}
			}
			return []answer{{after: time.Millisecond}}
		}
		l.network.twice = true
		if s := l.sweep(t.Context(), plan(t, "192.0.2.0/28", nil), nil).Stats; s.Received != 15 || s.Duplicates != 0 || s.ICMPErrors != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// TestStampsOfOneKind has another stanza's capture show the frames, too, with stamps of another clock.
func TestStampsOfOneKind(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		l.change = func(j *Job) { j.Stamps = capture.StampHardware }
		s := l.sweep(t.Context(), plan(t, "192.0.2.0/28", nil), nil).Stats
		if s.Received != 0 || s.Unseen != 16 || s.StampKind != "hardware" {
			t.Errorf("%+v", s)
		}
	})
}

func TestEventsAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		f := families["IPv6"]
		l.network.script = func(_ netip.Addr, probe int) []answer {
			return [][]answer{
				{{after: time.Millisecond}, {after: 2 * time.Millisecond}},
				{{after: time.Millisecond, from: addr(f.router), make: f.about(1, 3, 28, 0)}},
				{{after: 2 * time.Second, payload: func(p []byte) []byte { p[15] ^= 1; return p }}},
			}[probe]
		}
		var got []string
		l.change = func(j *Job) {
			j.Trace = func(e Event) {
				got = append(got, fmt.Sprint(e.Kind, e.Probe, e.RTT.N, e.From, e.Type, e.Code, e.Bytes, e.Flipped, e.First))
			}
		}
		l.sweep(t.Context(), plan(t, f.target, func(p *Plan) { p.Count, p.Sizes = 3, []int{16} }), nil)
		l.network.wg.Wait()
		want := []string{
			"0 0 1000000 2001:db8::7 0 0 24 0 -1", "1 0 2000000 2001:db8::7 0 0 24 0 -1",
			"2 1 0 2001:db8:ffff::fe 1 3 76 0 -1", "0 2 2000000000 2001:db8::7 0 0 24 1 15",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}
