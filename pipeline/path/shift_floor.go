package path

import (
	"math"
	"slices"

	"echogram/pipeline/outlier"
)

// FloorOf is the floor of a window in which probes were sent in trains, from the lowest RTT of each train: the lower
// quartile of those. It holds still while two of three trains meet a busy machine, which a mean does not, and while one
// of five finds caches and memory laid out better than the others do, which a minimum does not. StdErr is half of the
// distance between the ranks that lie one standard deviation of the quartile's rank to either side.
func FloorOf(start int64, minima []int64) Floor {
	f := Floor{Start: start, N: len(minima), Error: outlier.OK}
	if len(minima) < leastTrains {
		f.Error = outlier.Few
	}
	if len(minima) == 0 {
		return f
	}
	sorted := slices.Sorted(slices.Values(minima))
	last := float64(len(sorted) - 1)
	rank := func(r float64) float64 { return float64(sorted[int(math.Round(min(max(r, 0), last)))]) }
	sd := math.Sqrt(3*float64(len(sorted))) / 4
	f.Floor = rank(last / 4)
	f.StdErr = (rank(last/4+sd) - rank(last/4-sd)) / 2
	return f
}

// leastTrains is from how many trains on their lower quartile is told.
const leastTrains = 8
