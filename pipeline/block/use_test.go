package block

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// watch returns the row of all days of a block, which is swept with loss, and what would be true without.
func watch(s *scene, b *population) (got, truth schema.BlockStateRow) {
	var u, exact use
	loss := s.loss
	s.loss = 0
	b.sweep(s, func(l *Look) {
		exact.observe(defaults, l, Up)
		lossy := *l
		s.loss = loss
		lossy.Answered = s.lose(slices.Clone(l.Answered))
		s.loss = 0
		u.observe(defaults, &lossy, Up)
	}, func(int64) {})
	got.Targets, truth.Targets = 256, 256
	u.window(defaults, &got)
	exact.window(defaults, &truth)
	return got, truth
}

func hostsOf(n int, h func(*scene) host) func(*scene) *population {
	return func(s *scene) *population {
		b := &population{}
		for place := range n {
			b.fixed[place] = h(s)
		}
		return b
	}
}

// Loss of 5 % changes no class, and moves neither A nor V nor U by much.
func TestUseAtLoss(t *testing.T) {
	steady := func(*scene) host { return &server{every: hours(1e9)} }
	for _, c := range []struct {
		name, class string
		build       func(*scene) *population
	}{
		{"servers", schema.UseAlways, hostsOf(200, steady)},
		{"servers with outages", schema.UseAlways, hostsOf(200, func(*scene) host { return &server{every: hours(300), out: hours(3)} })},
		{"office PCs", schema.UseSometimes, hostsOf(200, officePC)},
		{"short visits", schema.UseIntermittent, hostsOf(200, visitors(2, 3, 2, 13, 0.2))},
		{"rare visits", schema.UseUnderused, hostsOf(200, visitors(5, 6, 20, 13, 0))},
		{"few servers", schema.UseUnclassifiable, hostsOf(40, steady)},
		{"nobody", schema.UseUnclassifiable, hostsOf(0, steady)},
	} {
		s := newScene(4, 13)
		s.loss = 0.05
		got, truth := watch(s, c.build(s))
		if got.Class != c.class {
			t.Errorf("%s: got %s: %+v", c.name, got.Class, got)
		}
		if a := math.Abs(got.Availability.F - truth.Availability.F); a > 0.01 {
			t.Errorf("%s: A %.4f, without loss %.4f", c.name, got.Availability.F, truth.Availability.F)
		}
		if v := math.Abs(got.Volatility.F - truth.Volatility.F); v > 0.1*truth.Volatility.F+2e-4 {
			t.Errorf("%s: V %.5f, without loss %.5f", c.name, got.Volatility.F, truth.Volatility.F)
		}
		if u := math.Abs(float64(got.Uptime.N - truth.Uptime.N)); u > 0.15*float64(truth.Uptime.N) {
			t.Errorf("%s: U %v, without loss %v", c.name, time.Duration(got.Uptime.N), time.Duration(truth.Uptime.N))
		}
		t.Logf("%-22s A %.4f (%.4f) V %.5f (%.5f) U %v (%v) always %d sometimes %d intermittent %d underused %d of %d", c.name,
			got.Availability.F, truth.Availability.F, got.Volatility.F, truth.Volatility.F, time.Duration(got.Uptime.N),
			time.Duration(truth.Uptime.N), got.Always, got.Sometimes, got.Intermittent, got.Underused, got.Ever)
	}
}

// With 5 % loss every one of a thousand servers is always there.
func TestEveryServerIsAlwaysThere(t *testing.T) {
	for seed := range uint64(4) {
		s := newScene(seed, 14)
		s.loss = 0.05
		got, _ := watch(s, hostsOf(256, func(*scene) host { return &server{every: hours(1e9)} })(s))
		if got.Always < 255 || got.Availability.F < 0.999 {
			t.Errorf("seed %d: always %d, A %v", seed, got.Always, got.Availability.F)
		}
	}
}

func TestUseOfAnAddress(t *testing.T) {
	var u use
	u.Sessions.Answers = lately // no loss: each missed sweep is one
	for n := range 100 {
		v, up := Up, n < 40 || n >= 50 && n < 90
		if n >= 60 && n < 70 { // known of nobody
			v = []Verdict{Down, Part, Uncertain, Doubted}[n%4]
			up = false
		}
		l := look(n)
		if up {
			l.Answered.Add(3)
		}
		u.observe(defaults, l, v)
	}
	row := schema.BlockStateRow{Targets: 1}
	u.window(defaults, &row)
	want := schema.BlockStateRow{
		Targets: 1, Ever: 1,
		Availability: schema.OptFloat{F: 70.0 / 90, Set: true}, Volatility: schema.OptFloat{F: 1.0 / 90, Set: true},
		Uptime: schema.Some(24064e9), // 6 h 40 min, twice, to 3 %
		Class:  schema.UseSometimes, Sometimes: 1,
	}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("got %+v\nwant %+v", row, want)
	}
}

// What was, fades: a server that becomes a visitor is none two spans later, and who left is forgotten.
func TestUseForgets(t *testing.T) {
	cfg := *defaults
	cfg.Span = 1
	var u use
	for n := range 144 * 4 {
		answered := []int{1}
		if n < 144 {
			answered = append(answered, 2)
		}
		if n < 144 || n%24 < 6 {
			answered = append(answered, 3)
		}
		u.observe(&cfg, look(n, answered...), Up)
	}
	row := schema.BlockStateRow{Targets: 3}
	u.window(&cfg, &row)
	if row.Ever != 2 || row.Always != 1 || row.Intermittent != 1 {
		t.Errorf("got %+v", row)
	}
}

func TestUseSaved(t *testing.T) {
	s, n := newScene(2, 3), 0
	s.loss = 0.05
	var through, saved use
	homes(s).sweep(s, func(l *Look) {
		through.observe(defaults, l, Up)
		if n++; n%91 == 0 {
			saved = again(t, &saved)
		}
		saved.observe(defaults, l, Up)
	}, func(int64) {
		a, b := schema.BlockStateRow{Targets: 256}, schema.BlockStateRow{Targets: 256}
		through.window(defaults, &a)
		saved.window(defaults, &b)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("got %+v\nwant %+v", b, a)
		}
	})
}
