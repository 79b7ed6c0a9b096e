package path

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"echogram/pipeline/outlier"
)

// shapes are floors of a target over some days in windows of an hour, ns over its floor at rest, without noise: what an
// evening's peak looks like on day d, from its begin on, in hours.
var shapes = []struct {
	name  string
	noise float64 // σ of a window's floor, ns
	most  int     // shifts that may be told of 100 days after the first
	peak  func(r *rand.Rand) func(hour float64) float64
}{
	{"quiet", 20, 0, flat},
	{"noisy", 100e3, 0, flat},
	{"cosine", 100e3, 0, func(*rand.Rand) func(float64) float64 { return cosine(8e6) }},
	{"plateau", 100e3, 1, func(*rand.Rand) func(float64) float64 { return plateau(5e6) }},
	{"amplitudes", 100e3, 2, func(r *rand.Rand) func(float64) float64 { return cosine((2 + 8*r.Float64()) * 1e6) }},
	{"evenings", 100e3, 2, func(r *rand.Rand) func(float64) float64 {
		f, late := plateau((3+4*r.Float64())*1e6), 2*r.Float64()-1
		return func(hour float64) float64 { return f(hour - late) }
	}},
}

func flat(*rand.Rand) func(float64) float64 { return func(float64) float64 { return 0 } }

// cosine rises and falls from 17 to 1 o'clock.
func cosine(height float64) func(float64) float64 {
	return func(hour float64) float64 {
		return height / 2 * (1 - math.Cos(2*math.Pi*min(1, max(0, (hour-17)/8))))
	}
}

// plateau stands from 18:30 to 23:30, and takes half an hour to rise and fall.
func plateau(height float64) func(float64) float64 {
	return func(hour float64) float64 {
		return height * min(1, max(0, (hour-18)*2), max(0, (24-hour)*2))
	}
}

// hours are the floors of so many days of one shape. Evenings end before 3 o'clock, where a day begins here.
func hours(seed uint64, shape int, days int) []Floor {
	r := rand.New(rand.NewPCG(seed, 5))
	s := shapes[shape]
	floors := make([]Floor, 24*days)
	var peak func(float64) float64
	for i := range floors {
		hour := i % 24
		if hour == 0 {
			peak = s.peak(r)
		}
		floors[i] = Floor{Start: int64(i+3) * int64(time.Hour), N: 12, Floor: 14e6 + peak(float64(hour)+3.5) + s.noise*r.NormFloat64(), TTLMin: 57, TTLMax: 57, Error: outlier.OK}
	}
	return floors
}

// BenchmarkNewest is what a window of a target costs, over 64 targets and a fortnight.
func BenchmarkNewest(b *testing.B) {
	for shape := range shapes {
		var all [][]Floor
		for seed := range uint64(64) {
			all = append(all, hours(seed, shape, 14))
		}
		b.Run(shapes[shape].name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				floors := all[i%len(all)]
				end := 48 + i/len(all)%(len(floors)-47)
				Newest(ShiftConfig{}, floors[end-48:end])
			}
		})
	}
}
