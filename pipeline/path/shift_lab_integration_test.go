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

// labWindow is a window of the lab's tests: 60 trains of trainProbes a target, back to back. longWindow is for what is hardly
// larger than the noise of floors, which over twice the time is two thirds.
const (
	labWindow  = 10 * time.Second
	longWindow = 2 * labWindow
)

// turn is how often each target is probed beside the others.
const turn = 660 * time.Microsecond

// shiftLab is a pair with a chain of two bridges, and references of the same kind, whose ways are their own: what changes
// before the responder leaves them alone.
type shiftLab struct {
	*netlab.Pair
	targets []string // in the order of probing: a reference, the responder, a reference
}

func newShiftLab(t *testing.T) *shiftLab {
	t.Helper()
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	l := &shiftLab{Pair: netlab.Lasting(t, p, err), targets: []string{"", netlab.ResponderAddress.String(), ""}}
	for _, i := range []int{0, 2} {
		a, err := p.AddResponder(2)
		if err != nil {
			t.Fatal(err)
		}
		l.targets[i] = a.String()
	}
	return l
}

// resting is what each line of the lab spends: one that is set to nothing takes some 27 ns all the same, so that what is added
// to it would be less.
const resting = 100 * time.Nanosecond

// delay puts a line before each responder, since each has a noise of its own, and returns the pair's.
func (l *shiftLab) delay(t *testing.T) *netlab.DelayLine {
	t.Helper()
	for _, n := range l.Added {
		line, err := netlab.Delay(n, netlab.ResponderLink, resting)
		netlab.Lasting(t, line, err)
	}
	line, err := netlab.Delay(l.Responder, netlab.ResponderLink, resting)
	return netlab.Lasting(t, line, err)
}

// floors sweeps all in turn for so many windows, while during runs beside, and gives the responder's floors relative to the
// references.
func (l *shiftLab) floors(t *testing.T, window time.Duration, windows int, during func()) []Floor {
	t.Helper()
	wait := sweepAll(t, l.Pair, turn, windows*int(window/turn), l.targets)
	during()
	all := wait()
	begin := all[l.targets[0]][0].At
	var floors [][]Floor
	for _, target := range l.targets {
		f := windowFloors(all[target], begin, window, windows)
		t.Logf("%s: floors %.0f, scatter %.0f", target, floorsOf(f), scatter(floorsOf(f), math.Inf(1)))
		floors = append(floors, f)
	}
	relative := ReferencesOf(ShiftConfig{}, [][]Floor{floors[0], floors[2]}).Relative(nil, floors[1])
	t.Logf("relative: floors %.0f, scatter %.0f", floorsOf(relative), scatter(floorsOf(relative), math.Inf(1)))
	return relative
}

// windowFloors are the floors of samples in so many windows from a time on.
func windowFloors(samples []Sample, begin int64, window time.Duration, windows int) (floors []Floor) {
	slices.SortFunc(samples, func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	for w := range windows {
		start := begin + int64(w)*int64(window)
		from, _ := slices.BinarySearchFunc(samples, start, sentAt)
		to, _ := slices.BinarySearchFunc(samples, start+int64(window), sentAt)
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
	if off := time.Duration(s.At - at.UnixNano()); off.Abs() > time.Duration(floors[1].Start-floors[0].Start) {
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
	l := newShiftLab(t)
	var at time.Time
	floors := l.floors(t, labWindow, 14, func() {
		time.Sleep(9*labWindow + labWindow/2)
		at = time.Now()
		if err := l.InsertBridge(); err != nil {
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
	l := newShiftLab(t)
	line := l.delay(t)
	var at time.Time
	floors := l.floors(t, longWindow, 14, func() {
		time.Sleep(9*longWindow + longWindow/2)
		at = time.Now()
		if err := line.Set(resting + 250*time.Nanosecond); err != nil {
			t.Error(err)
		}
	})
	if s := theStep(t, floors, at); math.Abs(s.Step-250) > 100 || s.Low > 275 || s.High < 225 {
		t.Errorf("%.0f (%.0f to %.0f) ns", s.Step, s.Low, s.High)
	}
}

// TestASlowDelayIsADrift: the same delay, added bit by bit, is told as a drift, or not at all, and never as a step.
func TestASlowDelayIsADrift(t *testing.T) {
	if !alone(t) {
		return
	}
	awake(t)
	l := newShiftLab(t)
	line := l.delay(t)
	floors := l.floors(t, labWindow, 38, func() {
		time.Sleep(8 * labWindow)
		for d := range 251 {
			if err := line.Set(resting + time.Duration(d)); err != nil {
				t.Error(err)
			}
			time.Sleep(14 * labWindow / 251)
		}
	})
	told := newestAll(floors)
	if len(told) > 1 || len(told) == 1 && (told[0].Kind != schema.ShiftDrift || math.Abs(told[0].Step-250) > 100) {
		t.Errorf("%+v", told)
	}
}
