package path

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// row is n windows of a minute with Gaussian noise of 20 ns around level, of TTL 64.
func row(seed uint64, n int, level func(i int) float64) []Floor {
	r := rand.New(rand.NewPCG(seed, 0))
	floors := make([]Floor, n)
	for i := range floors {
		floors[i] = Floor{
			Start: int64(i) * int64(time.Minute), N: 60, Floor: 7500 + level(i) + 20*r.NormFloat64(),
			TTLMin: 64, TTLMax: 64, Facts: "interval=5s", Error: outlier.OK,
		}
	}
	return floors
}

// stepAt is a level that steps before window i.
func stepAt(at int, size float64) func(int) float64 {
	return func(i int) float64 {
		if i < at {
			return 0
		}
		return size
	}
}

// from sets something in the windows from one on.
func from(floors []Floor, at int, set func(*Floor)) []Floor {
	for i := at; i < len(floors); i++ {
		set(&floors[i])
	}
	return floors
}

func kinds(shifts []Shift) (kinds []string) {
	for _, s := range shifts {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}

func TestShiftsByKind(t *testing.T) {
	const at = 30
	for _, c := range []struct {
		name   string
		floors []Floor
		want   []string
	}{
		{"nothing", row(1, 200, stepAt(at, 0)), nil},
		{"no windows", nil, nil},
		{"up", row(2, 60, stepAt(at, 250)), []string{schema.ShiftStep}},
		{"down", row(3, 60, stepAt(at, -250)), []string{schema.ShiftStep}},
		{"up and down", row(4, 60, func(i int) float64 { return stepAt(at, 300)(i) - stepAt(45, 300)(i) }), []string{schema.ShiftStep, schema.ShiftStep}},
		{"less than the least", row(5, 200, stepAt(at, 100)), nil},
		{"for one window", row(6, 200, func(i int) float64 { return stepAt(at, 900)(i) - stepAt(at+1, 900)(i) }), nil},
		{"slow", row(7, 120, func(i int) float64 { return 250 * min(1, max(0, float64(i-at)/40)) }), []string{schema.ShiftDrift}},
		{"with the TTL", from(row(8, 60, stepAt(at, 250)), at, func(f *Floor) { f.TTLMin, f.TTLMax = 63, 63 }), []string{schema.ShiftRoute}},
		{"TTLs that vary", from(row(9, 60, stepAt(at, 250)), 0, func(f *Floor) { f.TTLMin = 63 }), []string{schema.ShiftStep}},
		{"the TTL alone", from(row(10, 60, stepAt(at, 0)), at, func(f *Floor) { f.TTLMin, f.TTLMax = 63, 63 }), nil},
		{"facts change", from(row(11, 200, stepAt(at, 2000)), at, func(f *Floor) { f.Facts = "interval=1s" }), nil},
		{"two modes", from(row(12, 200, stepAt(at, 2000)), at, func(f *Floor) { f.Error = "autocorrelated," + outlier.Modes }), nil},
		{"few RTTs", from(row(13, 200, stepAt(at, 2000)), at, func(f *Floor) { f.N = 3 }), nil},
		{"no number", from(row(14, 200, stepAt(at, 0)), at, func(f *Floor) { f.Floor = math.NaN() }), nil},
		{"unsure", from(row(15, 200, stepAt(at, 250)), at, func(f *Floor) { f.StdErr = 300 }), nil},
		{"after a short gap", from(row(16, 60, stepAt(at, 250)), at, func(f *Floor) { f.Start += int64(5 * time.Minute) }), []string{schema.ShiftStep}},
		{"after a long gap", from(row(17, 200, stepAt(at, 250)), at, func(f *Floor) { f.Start += int64(time.Hour) }), nil},
		{"too soon", row(18, 60, stepAt(leastBefore-1, 250)), nil},
	} {
		if got := Shifts(ShiftConfig{}, c.floors); !slices.Equal(kinds(got), c.want) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestWhatAStepWouldMean(t *testing.T) {
	floors := from(row(19, 60, stepAt(30, 2400)), 30, func(f *Floor) { f.TTLMin, f.TTLMax = 62, 62 })
	got := Shifts(ShiftConfig{HopDelay: 2 * time.Microsecond, NsPerMetre: 10}, floors)
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	s := got[0]
	if s.At != floors[30].Start || s.TTLBefore != 64 || s.TTLAfter != 62 || s.Low > 2400 || s.High < 2400 || s.High-s.Low > 150 {
		t.Errorf("%+v", s)
	}
	if s.Step != s.After-s.Before || s.Hops != s.Step/2000 || s.Metres != s.Step/10 {
		t.Errorf("%+v", s)
	}
}

func TestADriftLiesInItsMiddle(t *testing.T) {
	got := Shifts(ShiftConfig{}, row(2, 150, func(i int) float64 { return -2000 * min(1, max(0, float64(i-40)/60)) }))
	if len(got) != 1 || got[0].Kind != schema.ShiftDrift || math.Abs(float64(got[0].At)/float64(time.Minute)-70) > 2 || math.Abs(got[0].Step+2000) > 50 {
		t.Errorf("%+v", got)
	}
}

// newestAll is what Newest says while the floors close one by one.
func newestAll(floors []Floor) (all []Shift) {
	for n := range floors {
		all = append(all, Newest(ShiftConfig{}, floors[:n+1])...)
	}
	return all
}

func TestNewestSaysEachShiftOnce(t *testing.T) {
	for seed := range uint64(2) {
		floors := row(seed, 200, func(i int) float64 {
			return stepAt(40, 250)(i) - stepAt(80, 2100)(i) + 800*min(1, max(0, float64(i-120)/40))
		})
		want := Shifts(ShiftConfig{}, floors)
		if got := newestAll(floors); !slices.Equal(got, want) || len(got) != 3 {
			t.Errorf("seed %d: %+v; want %+v", seed, got, want)
		}
	}
}

func TestFloorOf(t *testing.T) {
	var calm, busy []int64
	for i := range int64(60) {
		calm = append(calm, 7500+i)
		if busy = append(busy, 7500+i); i%5 > 2 {
			busy[i] += 5000
		}
	}
	a, b := FloorOf(5, calm), FloorOf(5, busy)
	if a.Start != 5 || a.N != 60 || a.Error != outlier.OK || a.Floor != 7515 || a.StdErr != 3.5 {
		t.Errorf("%+v", a)
	}
	if b.Floor-a.Floor > 15 {
		t.Errorf("two of five trains disturbed: %+v", b)
	}
	if few := FloorOf(0, calm[:7]); few.Error != outlier.Few || few.Floor != 7502 {
		t.Errorf("%+v", few)
	}
	if none := FloorOf(0, nil); none.Error != outlier.Few {
		t.Errorf("%+v", none)
	}
}

// TestNewestNeedsOnlyTheLastWindows: a service that keeps 48 windows says the same.
func TestNewestNeedsOnlyTheLastWindows(t *testing.T) {
	for seed := range uint64(2) {
		floors := row(seed, 300, func(i int) float64 {
			return stepAt(60, 250)(i) - stepAt(110, 2100)(i) + stepAt(115, 300)(i) + 800*min(1, max(0, float64(i-200)/20))
		})
		want, got := Shifts(ShiftConfig{}, floors), []Shift(nil)
		for n := range floors {
			got = append(got, Newest(ShiftConfig{}, floors[max(0, n-47):n+1])...)
		}
		if !slices.Equal(kinds(got), kinds(want)) {
			t.Errorf("seed %d: %+v; want %+v", seed, got, want)
		}
	}
}

// FuzzShifts reads two bytes a window: Newest says what Shifts says, whatever comes.
func FuzzShifts(f *testing.F) {
	f.Add([]byte("0a0b0a0b0a0b0a0b9z9z9z9z9z9z"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var floors []Floor
		for at := int64(0); len(data) >= 2 && len(floors) < 200; data = data[2:] {
			at += int64(data[0] & 3)
			floors = append(floors, Floor{Start: at, N: 60, Floor: float64(data[1]) * 50, StdErr: float64(data[0] >> 4), TTLMin: int64(data[0] >> 6), TTLMax: int64(data[0]>>5) & 3})
		}
		if got, want := newestAll(floors), Shifts(ShiftConfig{}, floors); !slices.Equal(got, want) {
			t.Errorf("%+v; want %+v", got, want)
		}
	})
}
