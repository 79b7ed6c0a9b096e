package path

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// minutes are floors of windows of a minute; NaN: there is none.
func minutes(stdErr float64, values ...float64) (floors []Floor) {
	for i, v := range values {
		if !math.IsNaN(v) {
			floors = append(floors, Floor{Start: int64(i) * int64(time.Minute), N: 60, Floor: v, StdErr: stdErr, TTLMin: 64, TTLMax: 64, Error: outlier.OK})
		}
	}
	return floors
}

// spoilt is floors with something set in one of them.
func spoilt(floors []Floor, i int, set func(*Floor)) []Floor {
	set(&floors[i])
	return floors
}

func TestRelative(t *testing.T) {
	none := math.NaN()
	target := minutes(4, 1000, 1100, 1200, 1300)
	for _, c := range []struct {
		name       string
		references [][]Floor
		want       []float64
		stdErr     float64
	}{
		{"nothing moved", [][]Floor{minutes(3, 50, 50, 50, 50)}, []float64{1000, 1100, 1200, 1300}, math.Sqrt(7)},
		{"all moved", [][]Floor{minutes(3, 5000, 5100, 5200, 5300)}, []float64{1150, 1150, 1150, 1150}, math.Sqrt(7)},
		{"two references", [][]Floor{minutes(3, 50, 50, 50, 50), minutes(0, 70, 70, 90, 90)}, []float64{1005, 1105, 1195, 1295}, math.Sqrt(16 - 1.5*1.5)},
		{"one of three moves by itself", [][]Floor{minutes(0, 50, 50, 50, 50), minutes(0, 60, 60, 60, 60), minutes(0, 0, 0, 900, 900)}, []float64{1000, 1100, 1200, 1300}, 4},
		{"three references", [][]Floor{minutes(1, 7, 7, 7, 7), minutes(2, 7, 7, 7, 7), minutes(2, 7, 7, 7, 7)}, []float64{1000, 1100, 1200, 1300}, math.Sqrt(16 - math.Pi/2)},
		{"a window without references", [][]Floor{minutes(3, 50, none, 50, 50)}, []float64{1000, 1200, 1300}, math.Sqrt(7)},
		{"a window of which one of two tells", [][]Floor{minutes(0, 50, none, 50, 50), minutes(0, 70, 80, 70, 70)}, []float64{1000, 1090, 1200, 1300}, 4},
		{"few RTTs", [][]Floor{spoilt(minutes(3, 50, 9000, 50, 50), 1, func(f *Floor) { f.N = 3 })}, []float64{1000, 1200, 1300}, math.Sqrt(7)},
		{"two modes", [][]Floor{spoilt(minutes(3, 50, 50, 50, 9000), 3, func(f *Floor) { f.Error = outlier.Modes })}, []float64{1000, 1100, 1200}, math.Sqrt(7)},
		{"a reference that never tells", [][]Floor{from(minutes(3, 1, 2, 3, 4), 0, func(f *Floor) { f.Error = outlier.Few })}, nil, 0},
		{"no references", nil, nil, 0},
	} {
		got := ReferencesOf(ShiftConfig{}, c.references).Relative(nil, target)
		if !slices.Equal(floorsOf(got), c.want) {
			t.Errorf("%s: %v, want %v", c.name, floorsOf(got), c.want)
		}
		for i := range got {
			if f := &got[i]; math.Abs(f.StdErr-c.stdErr) > 1e-9 || f.N != 60 || f.TTLMin != 64 {
				t.Errorf("%s: %+v, want a standard error of %v", c.name, *f, c.stdErr)
			}
		}
		slices.Reverse(c.references)
		if again := ReferencesOf(ShiftConfig{}, c.references).Relative(nil, target); !slices.Equal(again, got) {
			t.Errorf("%s: another order of references gives %v", c.name, again)
		}
	}
}

// wandering are floors of a target and of references with 10 ns of noise each, on a machine whose own part wanders, and
// what each does besides.
func wandering(seed uint64, walk float64, bend ...func(i int) float64) (all [][]Floor) {
	r := rand.New(rand.NewPCG(seed, 9))
	own := make([]float64, 96)
	for i := range own {
		own[i] = own[max(0, i-1)] + walk*r.NormFloat64()
	}
	for k, f := range bend {
		var floors []float64
		for i := range own {
			floors = append(floors, float64(7500+1000*k)+own[i]+f(i)+10*r.NormFloat64())
		}
		all = append(all, minutes(5, floors...))
	}
	return all
}

// relativeNewest is what is told window by window of the last 48 windows, of a target beside references.
func relativeNewest(target []Floor, references [][]Floor) (all []Shift, after []int) {
	for n := range target {
		from := max(0, n-47)
		var known [][]Floor
		for _, r := range references {
			known = append(known, r[from:n+1])
		}
		floors := target[from : n+1]
		if references != nil {
			floors = ReferencesOf(ShiftConfig{}, known).Relative(nil, floors)
		}
		for _, s := range Newest(ShiftConfig{}, floors) {
			all, after = append(all, s), append(after, n)
		}
	}
	return all, after
}

// TestAStepBesideReferences: on a machine that wanders by 150 ns a window, 250 ns are told within two windows beside
// references, one of which may step itself when there are three, and hardly without; what all do together is no shift.
func TestAStepBesideReferences(t *testing.T) {
	const at, seeds = 60, 50
	still, step := stepAt(0, 0), stepAt(at, 250)
	slow := func(i int) float64 { return 30 * float64(i) }
	for _, c := range []struct {
		name  string
		bend  []func(int) float64 // the target's, then the references'
		told  int                 // shares of seeds, per cent: a step of 250 ns in time
		other int                 // any other shift, at most
	}{
		{"one reference", []func(int) float64{step, still}, 95, 2},
		{"three references", []func(int) float64{step, still, still, still}, 95, 2},
		{"one of three steps", []func(int) float64{step, still, stepAt(at-8, 900), still}, 95, 4},
		{"nothing moves", []func(int) float64{still, still}, 0, 2},
		{"all step", []func(int) float64{step, step, step}, 0, 2},
		{"all drift", []func(int) float64{slow, slow, slow}, 0, 2},
		{"one of three drifts", []func(int) float64{still, slow, still, still}, 0, 4},
	} {
		told, other := 0, 0
		for seed := range uint64(seeds) {
			all := wandering(seed, 150, c.bend...)
			shifts, after := relativeNewest(all[0], all[1:])
			for i, s := range shifts {
				if s.Kind == schema.ShiftStep && s.At == int64(at)*int64(time.Minute) && after[i] <= at+1 && math.Abs(s.Step-250) < 60 {
					told++
				} else {
					other++
				}
			}
		}
		t.Logf("%s: of %d told %d, else %d", c.name, seeds, told, other)
		if told < seeds*c.told/100 || c.told == 0 && told > 0 || other > seeds*c.other/100 {
			t.Errorf("%s: of %d told %d, else %d", c.name, seeds, told, other)
		}
	}
	hidden := 0
	for seed := range uint64(seeds) {
		if shifts, _ := relativeNewest(wandering(seed, 150, step)[0], nil); !slices.ContainsFunc(shifts, func(s Shift) bool { return s.At == int64(at)*int64(time.Minute) }) {
			hidden++
		}
	}
	if hidden < seeds*9/10 {
		t.Errorf("without references only %d of %d are hidden", hidden, seeds)
	}
}

// TestASingleReferencesOwnStep shows in the target with the opposite sign, and half of it beside a second one.
func TestASingleReferencesOwnStep(t *testing.T) {
	for n, want := range map[int]float64{1: -600, 2: -300} {
		all := wandering(1, 150, append([]func(int) float64{stepAt(0, 0), stepAt(60, 600)}, slices.Repeat([]func(int) float64{stepAt(0, 0)}, n-1)...)...)
		shifts, _ := relativeNewest(all[0], all[1:])
		if len(shifts) != 1 || math.Abs(shifts[0].Step-want) > 60 {
			t.Errorf("%d references: %+v", n, shifts)
		}
	}
}

// BenchmarkRelative is what a window of a target costs more beside references.
func BenchmarkRelative(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := wandering(1, 150, slices.Repeat([]func(int) float64{stepAt(0, 0)}, n+1)...)
			for i := range all {
				all[i] = all[i][:48]
			}
			references := ReferencesOf(ShiftConfig{}, all[1:])
			var room []Floor
			b.ReportAllocs()
			for b.Loop() {
				room = references.Relative(room[:0], all[0])
				Newest(ShiftConfig{}, room)
			}
		})
	}
}
