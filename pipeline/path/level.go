package path

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is where the floor of RTTs lies. Of each of some batches, in the order of time, it is the mean of the RTTs between
// two low quantiles, which what only ever adds to an RTT (queues, interrupts, a busy CPU) leaves alone; over the batches the
// mean without the lowest tenth and the higher half, since what disturbs comes in stretches, and only ever adds, too. A
// minimum would be an extreme value, and a mode takes ten times as many RTTs for the same error.
type Level struct {
	Value   float64   `json:"ns"`
	StdErr  float64   `json:"stderr_ns"`         // from the scatter of Batches, so that it holds when RTTs that follow each other are alike; 0: unknown
	Batches []float64 `json:"batches,omitempty"` // their levels, in the order of time
}

const (
	levelLow, levelHigh = 0.01, 0.10
	batchSize           = 100 // RTTs in a batch: enough for something between the quantiles
	leastBatchSize      = 20
	leastBatches        = 10
	mostBatches         = 50
)

// levelOf takes the RTTs of so many probes, in the order of time, one at least. With fewer than 200 the error is unknown.
// How many batches there are depends on the probes, so that those of targets that were probed in turn belong together.
func levelOf(rtts []int64, probes int) Level {
	scratch := make([]int64, len(rtts))
	n := max(probes/batchSize, min(leastBatches, probes/leastBatchSize))
	n = min(n, mostBatches, len(rtts)/leastBatchSize)
	if n < leastBatches {
		return Level{Value: lowMean(rtts, scratch)}
	}
	var l Level
	for i := range n {
		l.Batches = append(l.Batches, lowMean(rtts[i*len(rtts)/n:(i+1)*len(rtts)/n], scratch))
	}
	t := undisturbedMean(l.Batches)
	l.Value, l.StdErr = t.mean, t.sd
	return l
}

// trimmed is the mean of values without a share at each end, and its standard error by the winsorised variance (Tukey,
// McLaughlin 1963).
func trimmed(values []float64, low, high float64) normal {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	from, to := int(low*float64(n)), n-int(high*float64(n))
	mean := stat.Mean(sorted[from:to], nil)
	for i := range sorted {
		sorted[i] = sorted[min(max(i, from), to-1)]
	}
	kept := float64(to - from)
	return normal{mean: mean, sd: stat.StdDev(sorted, nil) * float64(n) / kept / math.Sqrt(float64(n)), freedom: to - from - 1}
}

// undisturbedMean is that of batches of which some were disturbed.
func undisturbedMean(batches []float64) normal { return trimmed(batches, 0.1, 0.5) }

// lowMean is the mean of what lies between the two quantiles, of one value at least.
func lowMean(rtts, scratch []int64) float64 {
	sorted := scratch[:copy(scratch, rtts)]
	slices.Sort(sorted)
	from := int(levelLow * float64(len(sorted)))
	to := max(from+1, int(math.Round(levelHigh*float64(len(sorted)))))
	sum := 0.0
	for _, v := range sorted[from:to] {
		sum += float64(v)
	}
	return sum / float64(to-from)
}

// Half is half of the 95 % interval of Value: by Student's t, for ten batches are few; 0: unknown.
func (l *Level) Half() float64 {
	if len(l.Batches) == 0 {
		return 0
	}
	i := undisturbedMean(l.Batches).interval()
	return i.High - i.Value
}

// err is the standard error, infinite where it is unknown.
func (l *Level) err() float64 {
	if len(l.Batches) == 0 {
		return math.Inf(1)
	}
	return l.StdErr
}

// betweenRuns is by how much two runs over the same way differ more than the scatter within each lets expect: where
// things lie in memory and caches, and what else runs. Measured on chains of bridges: 1.5 to 3.
const betweenRuns = 3

// stampError is what the difference of two levels is wrong by however many RTTs there are: the clock's grain, 10 ns where it
// was seen, and where code and data lie.
const stampError = 6

// minus is l - o. When both come of the same run in turn, the differences of their batches tell both it and its error.
func (l *Level) minus(o *Level, paired bool) normal {
	if n := len(l.Batches); paired && n > 0 && n == len(o.Batches) {
		differences := make([]float64, n)
		for i := range n {
			differences[i] = l.Batches[i] - o.Batches[i]
		}
		d := trimmed(differences, 0.25, 0.25)
		d.sd = math.Hypot(d.sd, stampError)
		return d
	}
	freedom := max(1, min(len(l.Batches), len(o.Batches))/2-1)
	return normal{mean: l.Value - o.Value, sd: betweenRuns * math.Hypot(l.err(), o.err()), freedom: freedom}
}

// normal is a value that is known with an error.
type normal struct {
	mean, sd float64
	freedom  int // degrees of freedom of sd
}

func (n normal) interval() *Interval {
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n.freedom)}.Quantile(0.975) * n.sd
	return &Interval{n.mean, n.mean - half, n.mean + half}
}
