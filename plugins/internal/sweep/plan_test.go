package sweep

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

func TestPlanProblems(t *testing.T) {
	for key, change := range map[string]func(*Plan){
		"networks":                               func(p *Plan) { p.Targets = &targets.Set{} },
		"rate":                                   func(p *Plan) { p.Rate = -1 },
		"burst":                                  func(p *Plan) { p.Burst = MaxBurst + 1 },
		"count":                                  func(p *Plan) { p.Count = MaxProbes + 1 },
		"block_rate":                             func(p *Plan) { p.BlockRate = -1 },
		"block_wait":                             func(p *Plan) { p.BlockWait = time.Hour },
		"retries":                                func(p *Plan) { p.Retries = 101 },
		"percentiles":                            func(p *Plan) { p.Percentiles = []int{50, 101} },
		"count_interval":                         func(p *Plan) { p.CountInterval = -1 },
		"timeout":                                func(p *Plan) { p.Timeout = time.Hour },
		"late_window":                            func(p *Plan) { p.LateWindow = time.Hour },
		"size":                                   func(p *Plan) { p.Sizes = []int{MaxSize + 1} },
		"count: so many that their number wraps": func(p *Plan) { p.Count = math.MaxInt },
		"block_rate: a cap that is hardly one":   func(p *Plan) { p.BlockRate = 1e-12 },
		"block_rate: no number":                  func(p *Plan) { p.BlockRate = math.NaN() },
		"block_wait: after bursts to many blocks":        func(p *Plan) { p.BlockWait, p.Order.Sequential = time.Second, false },
		"count_interval: so long that the time wraps":    func(p *Plan) { p.CountInterval = math.MaxInt64 },
		"sizes: points that overwrite each other":        func(p *Plan) { p.Sizes = []int{12, 1400, 12} },
		"sizes: ping's points, which have no tag for it": func(p *Plan) { p.Sizes, p.PingFields = []int{12, 1400}, true },
		"percentiles: twice":                             func(p *Plan) { p.Percentiles = []int{50, 50} },
	} {
		key, _, _ := strings.Cut(key, ":")
		p := &Plan{Targets: plan(t, "192.0.2.7", nil).Targets}
		p.Order.Sequential = true
		change(p)
		var problem *Problem
		if err := p.Check(); !errors.As(err, &problem) || problem.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func TestPlanLength(t *testing.T) {
	for want, change := range map[time.Duration]func(*Plan){
		4*time.Second + time.Second:   func(p *Plan) { p.Rate, p.Count, p.CountInterval = 512, 3, 2*time.Second },
		20*time.Second + time.Second:  func(p *Plan) { p.Rate, p.Count = 64, 5 },
		256*time.Second + time.Second: func(p *Plan) { p.Rate, p.BlockRate, p.Order.Sequential = 1000, 1, true },
		64*time.Second + time.Second:  func(p *Plan) { p.Rate, p.BlockRate = 1000, 4 },
		6*time.Second + time.Second:   func(p *Plan) { p.Burst, p.BlockWait, p.Order.Sequential = 128, 3*time.Second, true },
		longest:                       func(p *Plan) { p.Rate, p.Count, p.CountInterval = 1, MaxProbes/256, MaxCountInterval },
		0:                             func(p *Plan) {},
	} {
		if got := plan(t, "192.0.2.0/24", change).Length(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestAnotherSetKeepsWhatIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		p := plan(t, "192.0.2.1-5", nil)
		l.sweep(t.Context(), p, nil)
		q, err := p.With(plan(t, "192.0.2.4-8", nil).Targets, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.sweep(t.Context(), q, nil)
		if b := l.block["192.0.2.0/24"]; b.Joined != schema.Some(0) || b.Left != schema.Some(0) {
			t.Errorf("block: %+v", b)
		}
		l.engine.Drop(p.History)
		if len(l.engine.runs) != 0 {
			t.Error("the sweeps with another set are not the stanza's")
		}
	})
}

func TestZones(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		s := l.sweep(t.Context(), plan(t, "fe80::7%eth1", nil), nil).Stats
		if r := l.rows["fe80::7%eth1"]; s.Received != 1 || r.RTT.N != 1e6 {
			t.Errorf("%+v, %+v", s, r)
		}
	})
}

// TestStateIsSmall holds what a sweep of a /16 keeps against the limit of 64 bytes a target.
func TestStateIsSmall(t *testing.T) {
	p := plan(t, "10.0.0.0/16", nil)
	e := NewEngine(Config{Clock: &bubbleClock{}, Losses: func([]int) Losses { return Losses{} }})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := e.begin(Job{Plan: p})
	r.open(0)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(after.HeapAlloc-before.HeapAlloc) / float64(p.Targets.Len()); each > 32 {
		t.Errorf("%.1f bytes a target", each)
	}
	runtime.KeepAlive(r)
}

func BenchmarkPlanSlashEight(b *testing.B) {
	for b.Loop() {
		in, _ := targets.ParseRanges([]string{"10.0.0.0/8"})
		set, err := targets.NewSet(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		p := &Plan{Targets: set}
		if err := p.Check(); err != nil {
			b.Fatal(err)
		}
		newSchedule(p, newState(p, 0, 0), 0)
	}
}
