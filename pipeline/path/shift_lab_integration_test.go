//go:build integration && linux

package path

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// labWindow is a window of the lab's tests: 40 trains of trainProbes, back to back.
const labWindow = 5 * time.Second

// labReferences is beside how many references.
const labReferences = 1

// labFloors sweeps the responder of a pair and references behind as many bridges in turn for so many windows, while during
// runs beside, and gives the responder's floors relative to the references.
func labFloors(t *testing.T, p *netlab.Pair, windows int, during func()) []Floor {
	t.Helper()
	targets := []string{netlab.ResponderAddress.String()}
	for range labReferences {
		a, err := p.AddResponder(2)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, a.String())
	}
	wait := sweepAll(t, p, gap, windows*int(labWindow/gap), targets)
	during()
	all := wait()
	begin := all[targets[0]][0].At
	var floors [][]Floor
	for _, target := range targets {
		f := windowFloors(all[target], begin, windows)
		t.Logf("%s: floors %.0f, scatter %.0f", target, floorsOf(f), scatter(floorsOf(f), math.Inf(1)))
		floors = append(floors, f)
	}
	relative := ReferencesOf(ShiftConfig{}, floors[1:]).Relative(nil, floors[0])
	t.Logf("relative: floors %.0f, scatter %.0f", floorsOf(relative), scatter(floorsOf(relative), math.Inf(1)))
	return relative
}

// windowFloors are the floors of samples in so many windows from a time on.
func windowFloors(samples []Sample, begin int64, windows int) (floors []Floor) {
	slices.SortFunc(samples, func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	for w := range windows {
		start := begin + int64(w)*int64(labWindow)
		from, _ := slices.BinarySearchFunc(samples, start, sentAt)
		to, _ := slices.BinarySearchFunc(samples, start+int64(labWindow), sentAt)
		if from == to {
			break
		}
		f := FloorOf(start, minimaOf(samples[from:to]))
		f.TTLMin, f.TTLMax = samples[from].TTL, samples[from].TTL
		floors = append(floors, f)
	}
	return floors
}

func sentAt(s Sample, t int64) int { return cmp.Compare(s.At, t) }

func minimaOf(samples []Sample) (minima []int64) {
	for train := range slices.Chunk(samples, trainProbes) {
		least := train[0].RTT
		for _, s := range train {
			least = min(least, s.RTT)
		}
		minima = append(minima, least)
	}
	return minima
}

// theStep wants one step, told within two windows of at, and returns it.
func theStep(t *testing.T, floors []Floor, at time.Time) *Shift {
	t.Helper()
	told := newestAll(floors)
	if len(told) != 1 || told[0].Kind != schema.ShiftStep {
		t.Fatalf("%+v", told)
	}
	s, closed := &told[0], slices.IndexFunc(floors, func(f Floor) bool { return f.Start >= at.UnixNano() })
	t.Logf("%+v", *s)
	if off := time.Duration(s.At - at.UnixNano()); off.Abs() > labWindow {
		t.Errorf("told %v from where it was", off)
	}
	if got := Newest(ShiftConfig{}, floors[:closed+2]); len(got) == 0 && len(Newest(ShiftConfig{}, floors[:closed+1])) == 0 {
		t.Errorf("not told within two windows")
	}
	return s
}

// alone tells whether the machine is there for a test of minutes in which some hundred ns must show.
func alone(t *testing.T) bool {
	t.Helper()
	if !strict() {
		t.Log("not tried beside others: set ECHOGRAM_PATH_RUNS; shift_noise_test.go has recorded noise")
	}
	return strict()
}

// TestABridgePutInIsAStep: what a later bridge costs is 2.0 to 2.3 µs on a machine with nothing else to do.
func TestABridgePutInIsAStep(t *testing.T) {
	if !alone(t) {
		return
	}
	awake(t)
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	netlab.Lasting(t, p, err)
	var at time.Time
	floors := labFloors(t, p, 18, func() {
		time.Sleep(12*labWindow + labWindow/3)
		at = time.Now()
		if err := p.InsertBridge(); err != nil {
			t.Error(err)
		}
	})
	if s := theStep(t, floors, at); s.Step < 1000 || s.Step > 5000 {
		t.Errorf("%.0f ns", s.Step)
	}
}

// TestADelayIsAStep: what a delay line adds is the size of the step.
func TestADelayIsAStep(t *testing.T) {
	if !alone(t) {
		return
	}
	awake(t)
	p, line := delayLine(t)
	var at time.Time
	floors := labFloors(t, p, 18, func() {
		time.Sleep(12*labWindow + labWindow/3)
		at = time.Now()
		if err := line.Set(250 * time.Nanosecond); err != nil {
			t.Error(err)
		}
	})
	if s := theStep(t, floors, at); math.Abs(s.Step-250) > 100 || s.Low > 275 || s.High < 225 {
		t.Errorf("%.0f (%.0f to %.0f) ns", s.Step, s.Low, s.High)
	}
}

// TestASlowDelayIsADrift: the same delay, added bit by bit.
func TestASlowDelayIsADrift(t *testing.T) {
	if !alone(t) {
		return
	}
	awake(t)
	p, line := delayLine(t)
	floors := labFloors(t, p, 44, func() {
		time.Sleep(8 * labWindow)
		for d := range 251 {
			if err := line.Set(time.Duration(d)); err != nil {
				t.Error(err)
			}
			time.Sleep(18 * labWindow / 251)
		}
	})
	told := newestAll(floors)
	if len(told) != 1 || told[0].Kind != schema.ShiftDrift || math.Abs(told[0].Step-250) > 100 {
		t.Errorf("%+v", told)
	}
}

func delayLine(t *testing.T) (*netlab.Pair, *netlab.DelayLine) {
	t.Helper()
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	netlab.Lasting(t, p, err)
	line, err := netlab.Delay(p.Responder, netlab.ResponderLink, 0)
	return p, netlab.Lasting(t, line, err)
}
