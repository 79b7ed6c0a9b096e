package sweep

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

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

func TestDropLetsNoRowFollow(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: 3 * time.Second}} }
		p := plan(t, "192.0.2.7", nil)
		l.sweep(t.Context(), p, nil)
		l.engine.Drop(p.History)
		l.network.wg.Wait()
		l.engine.Late()
		if len(l.late) != 0 || len(l.engine.runs) != 0 {
			t.Errorf("late rows %v, %d sweeps", l.late, len(l.engine.runs))
		}
	})
}

func TestSizesInTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		rows := map[string]schema.SweepRow{}
		l.network.script = func(_ netip.Addr, probe int) []answer {
			return []answer{{after: time.Duration(probe+1) * time.Millisecond}}
		}
		l.change = func(j *Job) {
			j.Emit = func(r schema.Row) {
				if r, ok := r.(*schema.SweepRow); ok {
					rows[r.Size] = *r
				}
			}
		}
		s := l.sweep(t.Context(), plan(t, "192.0.2.7", func(p *Plan) { p.Sizes, p.Count = []int{12, 1400, 4}, 6 }), nil).Stats
		for size, want := range map[string]int64{"12": 2_500_000, "1400": 3_500_000, "4": 4_500_000} {
			if r := rows[size]; r.Sent != 2 || r.Received != 2 || r.RTT.N != want {
				t.Errorf("size %s: %+v", size, r)
			}
		}
		if s.Points != 3 || s.Sent != 6 || s.Received != 6 || s.Unverified != 2 || s.Trust != "ok" {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestPatternComesBack(t *testing.T) {
	for name, p := range map[string]Pattern{"counting": {}, "fixed": {Bytes: []byte{0xca, 0xfe}}, "random": {Random: true}} {
		inBubble(t, func(t *testing.T, l *lab) {
			var seen []byte
			l.network.script = func(netip.Addr, int) []answer {
				return []answer{{after: time.Millisecond, payload: func(b []byte) []byte {
					seen = append([]byte(nil), b[icmpecho.CookieLen:]...)
					b[30] = ^b[30]
					return b
				}}}
			}
			l.sweep(t.Context(), plan(t, "192.0.2.7", func(pl *Plan) { pl.Sizes, pl.Pattern = []int{64}, p }), nil)
			if r := l.rows["192.0.2.7"]; r.Corrupt != 1 || r.Flipped != 8 || r.FirstFlip != schema.Some(30) {
				t.Errorf("%s: %+v", name, r)
			}
			if name == "fixed" && string(seen[:4]) != "\xca\xfe\xca\xfe" {
				t.Errorf("payload %x", seen)
			}
		})
	}
}

func TestPerTarget(t *testing.T) {
	alive := func(sweep int, last byte) bool { return last == 1 || last == 2 && sweep < 2 }
	for mode, want := range map[PerTarget][]string{
		PerAll:        {"123", "123", "123", "123"},
		PerResponding: {"12", "12", "12", "1"}, // the second is remembered for one silent sweep
		PerChanged:    {"123", "", "2", "13"},  // and those written an hour ago
		PerNone:       {"", "", "", ""},
	} {
		inBubble(t, func(t *testing.T, l *lab) {
			p := plan(t, "192.0.2.1-3", func(p *Plan) { p.PerTarget, p.Remember = mode, 25*time.Minute })
			for i := range 4 {
				l.network.script = func(dst netip.Addr, _ int) []answer {
					if alive(i, dst.As4()[3]) {
						return []answer{{after: time.Millisecond}}
					}
					return []answer{{after: 2 * time.Second}}
				}
				l.reset()
				l.change = func(j *Job) { j.Start += int64(i) * int64(20*time.Minute) }
				s := l.sweep(t.Context(), p, nil).Stats
				var got []string
				for target := range l.rows {
					got = append(got, target[len("192.0.2."):])
				}
				slices.Sort(got)
				if strings.Join(got, "") != want[i] || s.Points != int64(len(got)) || s.Targets != 3 {
					t.Errorf("%s, sweep %d: rows of %v, want %s; %d points", PerTargetNames()[mode], i, got, want[i], s.Points)
				}
				if b := l.block["192.0.2.0/24"]; b.Targets != 3 || b.Sent != 3 {
					t.Errorf("block: %+v", b)
				}
				time.Sleep(5 * time.Second)
				l.engine.Late()
				for target := range l.late {
					if _, ok := l.rows[target]; !ok {
						t.Errorf("%s: a late row of %s, which has no row", PerTargetNames()[mode], target)
					}
				}
			}
		})
	}
}

func TestSamplesAndPercentiles(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		var samples []schema.SampleRow
		l.change = func(j *Job) {
			j.Emit = func(r schema.Row) {
				if s, ok := r.(*schema.SampleRow); ok {
					samples = append(samples, *s)
				}
				l.result.emit(r)
			}
		}
		l.network.script = func(_ netip.Addr, probe int) []answer {
			return map[int][]answer{0: {{after: 3 * time.Millisecond}}, 1: {{after: time.Millisecond}}, 2: {{after: 1200 * time.Millisecond}}, 3: {{after: 1100 * time.Millisecond}}}[probe]
		}
		l.sweep(t.Context(), plan(t, "192.0.2.7", func(p *Plan) {
			p.Count, p.CountInterval, p.Samples, p.Percentiles = 4, 2*time.Second, true, []int{0, 50, 99}
		}), nil)
		time.Sleep(time.Second)
		l.engine.Late()
		want := []schema.Percentile{{P: 0, RTT: schema.Some(1e6)}, {P: 50, RTT: schema.Some(1e6)}, {P: 99, RTT: schema.Some(3e6)}}
		if r := l.rows["192.0.2.7"]; !reflect.DeepEqual(r.Percentiles, want) {
			t.Errorf("percentiles: %+v", r.Percentiles)
		}
		var got []string
		for _, s := range samples {
			got = append(got, fmt.Sprint(s.Probe, s.RTT.N, s.Late, s.ResultCode, s.Time-l.network.sent[s.Probe] == testStart))
		}
		want2 := []string{
			"0 3000000 false 0 true", "1 1000000 false 0 true", "2 1200000000 true 1 true", "3 0 false 1 true",
			"3 1100000000 true 1 true", // when the late reply has come
		}
		if !slices.Equal(got, want2) {
			t.Errorf("samples: %q", got)
		}
	})
}

func TestPingFields(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		var rows []schema.PingRow
		l.change = func(j *Job) {
			j.Emit = func(r schema.Row) {
				if p, ok := r.(*schema.PingRow); ok {
					rows = append(rows, *p)
				}
			}
		}
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if dst == addr("192.0.2.1") {
				return []answer{{after: 2 * time.Millisecond}}
			}
			return nil
		}
		p := plan(t, "192.0.2.1-2", func(p *Plan) { p.PingFields, p.Percentiles = true, []int{95} })
		p.Describe = func(target int) (string, []schema.Tag) { return []string{"", "www.example.net"}[target], nil }
		l.sweep(t.Context(), p, nil)
		ms := schema.Some(2e6)
		want := []schema.PingRow{
			{URL: "192.0.2.1", Time: testStart, Transmitted: 1, Received: 1, TTL: schema.Some(60), RTTMin: ms, RTTMean: ms, RTTMax: ms, RTTStddev: schema.Some(0), Percentiles: []schema.Percentile{{P: 95, RTT: ms}}},
			{URL: "www.example.net", Time: testStart, Transmitted: 1, ResultCode: schema.PingNoReply},
		}
		if !reflect.DeepEqual(rows, want) {
			t.Errorf("got  %+v\nwant %+v", rows, want)
		}
	})
}

func TestNeighboursOnTheLink(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = func(dst netip.Addr, _ int) []answer {
			if dst == addr("192.0.2.1") {
				return []answer{{after: time.Millisecond}}
			}
			return nil
		}
		l.change = func(j *Job) {
			j.Neighbours = func(target int) (Neighbour, bool) {
				return Neighbour{Present: target < 2, MAC: [6]byte{2, 0, 0, 0, 0, byte(target)}, RTT: schema.Some(900)}, target < 3
			}
		}
		s := l.sweep(t.Context(), plan(t, "192.0.2.1-4", nil), nil).Stats
		for target, want := range map[string]string{"192.0.2.1": "1 0 02:00:00:00:00:00", "192.0.2.2": "1 1 02:00:00:00:00:01", "192.0.2.3": "0 4 ", "192.0.2.4": "1 1 "} {
			if r := l.rows[target]; fmt.Sprintf("%d %d %s", r.Sent, r.ResultCode, r.MAC) != want {
				t.Errorf("%s: %+v", target, r)
			}
		}
		if s.Points != 4 || s.Sent != 3 || s.Trust != "ok" {
			t.Errorf("stats: %+v", s)
		}
	})
}

// TestNeighboursThatComeTooLate answer the discovery when the sweep has begun.
func TestNeighboursThatComeTooLate(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		begin := time.Now()
		l.change = func(j *Job) {
			j.Neighbours = func(int) (Neighbour, bool) {
				return Neighbour{Present: time.Since(begin) > 1500*time.Millisecond, MAC: [6]byte{2}}, true
			}
		}
		s := l.sweep(t.Context(), plan(t, "192.0.2.1", func(p *Plan) { p.Count = 3 }), nil).Stats
		if r := l.rows["192.0.2.1"]; r.Sent != 0 || r.ResultCode != schema.ResultNoHost || r.MAC != "" || s.Partial {
			t.Errorf("%+v, %+v", r, s)
		}
	})
}

func TestRowsAreSpread(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		var at []time.Duration
		begin := time.Now()
		l.change = func(j *Job) {
			j.EmitWithin = 40 * time.Second
			j.Emit = func(schema.Row) { at = append(at, time.Since(begin)) }
		}
		l.sweep(t.Context(), plan(t, "10.0.0.0/20", nil), nil)
		if len(at) != 4096+16+1 || at[len(at)-1] < 35*time.Second || at[len(at)-1] > 41*time.Second {
			t.Fatalf("%d rows, the last after %v", len(at), at[len(at)-1])
		}
		if half := at[len(at)/2]; half < 15*time.Second || half > 25*time.Second {
			t.Errorf("half of the rows are out after %v", half)
		}
	})
}

// TestSpreadRowsHurry: when they are asked to, all that are left come at once, and the sweep is whole. What has become
// of the clock and the ring by then is no longer its business.
func TestSpreadRowsHurry(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		begin, hurry := time.Now(), make(chan struct{})
		time.AfterFunc(10*time.Second, func() {
			l.clock.mu.Lock()
			l.clock.step = int64(time.Second)
			l.clock.mu.Unlock()
			close(hurry)
		})
		l.change = func(j *Job) { j.EmitWithin, j.Hurry = 40*time.Second, hurry }
		s := l.sweep(t.Context(), plan(t, "10.0.0.0/20", nil), nil).Stats
		if took := time.Since(begin); took < 10*time.Second || took > 10*time.Second+2*idlePause {
			t.Errorf("took %v", took)
		}
		if s.Points != 4096 || s.Received != 4096 || s.Partial || s.ClockStep != 0 || s.Trust != schema.TrustOK {
			t.Errorf("stats: %+v", s)
		}
	})
}
