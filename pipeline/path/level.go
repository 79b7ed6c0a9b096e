package path

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is where the floor of RTTs lies: the mean of those between two low quantiles, which what only ever adds to an
// RTT (queues, interrupts, a busy CPU) leaves alone. A minimum would be an extreme value, and a mode takes ten times as
// many RTTs for the same error.
type Level struct {
	Value   float64   `json:"ns"`
	StdErr  float64   `json:"stderr_ns"`         // from the scatter of Batches, so that it holds when RTTs that follow each other are alike; 0: unknown
	Batches []float64 `json:"batches,omitempty"` // levels of equal parts, in the order of time
}

const (
	levelLow, levelHigh = 0.01, 0.10
	leastBatch          = 20 // RTTs in a batch, so that there is something between the quantiles
	mostBatches         = 20
	leastBatches        = 5
)

// levelOf takes RTTs in the order of time, one at least. With fewer than 100 the error is unknown.
func levelOf(rtts []int64) Level {
	scratch := make([]int64, len(rtts))
	l := Level{Value: lowMean(rtts, scratch)}
	n := min(mostBatches, len(rtts)/leastBatch)
	if n < leastBatches {
		return l
	}
	for i := range n {
		l.Batches = append(l.Batches, lowMean(rtts[i*len(rtts)/n:(i+1)*len(rtts)/n], scratch))
	}
	l.StdErr = stat.StdDev(l.Batches, nil) / math.Sqrt(float64(n))
	return l
}

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

// minus is l - o. When both come of the same run in turn, the scatter of the differences of their batches is the error.
func (l *Level) minus(o *Level, paired bool) normal {
	d := normal{mean: l.Value - o.Value, sd: betweenRuns * math.Hypot(l.err(), o.err()), freedom: max(1, min(len(l.Batches), len(o.Batches))-1)}
	if n := len(l.Batches); paired && n >= leastBatches && n == len(o.Batches) {
		differences := make([]float64, n)
		for i := range n {
			differences[i] = l.Batches[i] - o.Batches[i]
		}
		d.sd = stat.StdDev(differences, nil) / math.Sqrt(float64(n))
	}
	return d
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
