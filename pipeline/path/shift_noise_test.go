package path

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// What a record is made of, and the window over which its floors are taken.
const (
	trainProbes = 250
	spacing     = 5 * time.Second // of trains
	window      = 5 * time.Minute
	day         = int(24 * time.Hour / spacing) // trains
	block       = int(15 * time.Minute / spacing)
	lifted      = int(45 * time.Minute / spacing) // from where on something lifted the record's floor twice (testdata/README.md)
)

// noise is the lowest RTT of each train of the recorded hour.
func noise(t *testing.T) (minima []int64) {
	t.Helper()
	r, err := loadRecord("testdata/noise.varint.gz")
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.at {
		if i == 0 || r.at[i]-r.at[i-1] > 1000 {
			minima = append(minima, r.rtt[i])
		}
		last := len(minima) - 1
		minima[last] = min(minima[last], r.rtt[i])
	}
	return minima
}

// resampled is a block bootstrap: what follows each other within a quarter of an hour stays together.
func resampled(minima []int64, n int, r *rand.Rand) []int64 {
	var out []int64
	for len(out) < n {
		from := r.IntN(len(minima) - block + 1)
		out = append(out, minima[from:from+block]...)
	}
	return out[:n]
}

// floorsEach cuts trains into windows.
func floorsEach(minima []int64, window time.Duration) (floors []Floor) {
	for trains := range slices.Chunk(minima, int(window/spacing)) {
		floors = append(floors, FloorOf(int64(len(floors))*int64(window), trains))
	}
	return floors
}

// bent adds to each train what f says of its time.
func bent(minima []int64, f func(at time.Duration) float64) []int64 {
	out := slices.Clone(minima)
	for i := range out {
		out[i] += int64(math.Round(f(time.Duration(i) * spacing)))
	}
	return out
}

func TestNoShiftInTheRecordedHour(t *testing.T) {
	minima := noise(t)
	for _, c := range []struct {
		window time.Duration
		minima []int64
	}{{window, minima}, {time.Minute, minima[:lifted]}} {
		floors := floorsEach(c.minima, c.window)
		for _, s := range Shifts(ShiftConfig{}, floors) {
			t.Errorf("windows of %v: %+v", c.window, s)
		}
		t.Logf("windows of %v: floors %.0f, scatter %.0f ns", c.window, floorsOf(floors), scatter(floorsOf(floors), math.Inf(1)))
	}
}

// TestFewShiftsInResampledDays: days resampled from what came before something lifted the floor twice have none. In
// those of the whole hour a lift that meets another one in the next block lasts, and is now and then told.
func TestFewShiftsInResampledDays(t *testing.T) {
	minima := noise(t)
	for _, c := range []struct {
		minima []int64
		most   int
	}{{minima[:lifted], 0}, {minima, 10}} {
		const days = 100
		told := 0
		for seed := range uint64(days) {
			told += len(Shifts(ShiftConfig{}, floorsEach(resampled(c.minima, day, rand.New(rand.NewPCG(seed, 1))), window)))
		}
		t.Logf("%d shifts in %d days resampled from %d trains", told, days, len(c.minima))
		if told > c.most {
			t.Errorf("%d shifts, more than %d", told, c.most)
		}
	}
}

// TestStepsAreTold puts steps into hours of noise, anywhere in a window. Of 250 ns, 14 times the noise, each fifth takes a
// third window: when the one in between lies halfway, the first two behind it look like a climb that has just begun.
func TestStepsAreTold(t *testing.T) {
	minima := noise(t)[:lifted]
	for size, withinTwo := range map[float64]int{250: 70, -250: 70, 2100: 95} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			const runs = 200
			var inTime, soon, covered int
			var off, width float64
			for seed := range uint64(runs) {
				r := rand.New(rand.NewPCG(seed, 2))
				at := 3*time.Hour + time.Duration(r.Int64N(int64(time.Hour)))
				floors := floorsEach(bent(resampled(minima, day*5/24, r), func(now time.Duration) float64 {
					if now < at {
						return 0
					}
					return size
				}), window)
				shift, after := first(floors, at)
				if shift == nil || shift.Kind != schema.ShiftStep || (time.Duration(shift.At)-at).Abs() > window {
					t.Logf("seed %d: at %v: %+v", seed, at, shift)
					continue
				}
				if after <= 2 {
					inTime++
				}
				if after <= 3 {
					soon++
				}
				if shift.Low <= size && size <= shift.High {
					covered++
				}
				off += math.Abs(shift.Step-size) / runs
				width += (shift.High - shift.Low) / runs
			}
			t.Logf("of %d: %d within two windows, %d within three, interval covers %d, mean error %.0f ns, mean width %.0f ns", runs, inTime, soon, covered, off, width)
			if inTime < runs*withinTwo/100 || soon < runs*95/100 || covered < runs*95/100 {
				t.Errorf("too few")
			}
		})
	}
}

// first is the first shift reported while windows close one by one, and how many windows have passed wholly since at.
func first(floors []Floor, at time.Duration) (*Shift, int) {
	for n := range floors {
		if got := Newest(ShiftConfig{}, floors[:n+1]); len(got) > 0 {
			return &got[0], n + 1 - int((at+window-1)/window)
		}
	}
	return nil, 0
}

// TestDriftsAreNoSteps bends the floor slowly, in a line or as things warm up. One of some hundred is told as a step.
func TestDriftsAreNoSteps(t *testing.T) {
	minima := noise(t)[:lifted]
	const begin = 40 * time.Minute
	line := func(over time.Duration) func(time.Duration) float64 {
		return func(now time.Duration) float64 { return min(1, max(0, float64(now-begin)/float64(over))) }
	}
	for name, shape := range map[string]func(time.Duration) float64{
		"30m":     line(30 * time.Minute),
		"2h":      line(2 * time.Hour),
		"warming": func(now time.Duration) float64 { return 1 - math.Exp(-max(0, (now-begin).Minutes())/20) },
	} {
		for _, size := range []float64{250, -250, 2100} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				const runs = 50
				drifts, steps := 0, 0
				for seed := range uint64(runs) {
					r := rand.New(rand.NewPCG(seed, 3))
					shifts := Shifts(ShiftConfig{}, floorsEach(bent(resampled(minima, day/4, r), func(now time.Duration) float64 { return size * shape(now) }), window))
					told := 0.0
					for _, s := range shifts {
						if told += s.Step; s.Kind != schema.ShiftDrift {
							t.Logf("seed %d: %+v", seed, s)
							steps++
						}
					}
					if math.Abs(told-size) < 100 {
						drifts++
					}
				}
				t.Logf("of %d: %d told to 100 ns", runs, drifts)
				if drifts < runs*90/100 || steps > runs*4/100 {
					t.Errorf("%d told, %d as steps", drifts, steps)
				}
			})
		}
	}
}

func floorsOf(run []Floor) (values []float64) {
	for _, f := range run {
		values = append(values, f.Floor)
	}
	return values
}
