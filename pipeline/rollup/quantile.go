package rollup

import (
	"math"
	"slices"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"echogram/plugins/schema"
)

const (
	exactValues = 512  // so many values are kept as they are
	accuracy    = 0.01 // relative accuracy of the sketch beyond them
)

// Quantiles holds values for quantiles by nearest rank: exact up to 512 values, then within 1 % by DDSketch. The
// zero value is empty. The result depends neither on the order of the values nor on how they were merged: whether it
// is exact depends on their number alone, and a sketch counts values in fixed bins.
type Quantiles struct {
	exact  []int64            // all values, as long as these are few
	sketch *ddsketch.DDSketch // from then on
	n      int64
	low    int64
	high   int64
}

// Add takes a value, ns. Negative ones (a clock step bends an RTT so) are kept, too.
func (q *Quantiles) Add(v int64) {
	q.extend(1, v, v)
	if q.n <= exactValues {
		q.exact = append(q.exact, v)
		return
	}
	q.turn()
	q.put(v)
}

// Merge adds the values of o, which stays as it is.
func (q *Quantiles) Merge(o *Quantiles) {
	q.extend(o.n, o.low, o.high)
	if q.n <= exactValues {
		q.exact = append(q.exact, o.exact...)
		return
	}
	q.turn()
	if o.n <= exactValues {
		for _, v := range o.exact {
			q.put(v)
		}
	} else if err := q.sketch.MergeWith(o.sketch); err != nil {
		panic(err) // all sketches have one mapping
	}
}

// Reset empties q and keeps its memory.
func (q *Quantiles) Reset() {
	q.exact, q.n = q.exact[:0], 0
	if q.sketch != nil {
		q.sketch.Clear()
	}
}

func (q *Quantiles) extend(n, low, high int64) {
	if q.n == 0 {
		q.low, q.high = low, high
	} else if n > 0 {
		q.low, q.high = min(q.low, low), max(q.high, high)
	}
	q.n += n
}

// turn moves the exact values into the sketch.
func (q *Quantiles) turn() {
	if q.sketch == nil {
		q.sketch = newSketch()
	}
	for _, v := range q.exact {
		q.put(v)
	}
	q.exact = q.exact[:0]
}

func newSketch() *ddsketch.DDSketch {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return ddsketch.NewDDSketch(m, store.NewDenseStore(), store.NewDenseStore())
}

func (q *Quantiles) put(v int64) {
	if err := q.sketch.Add(float64(v)); err != nil {
		panic(err) // no int64 lies outside the mapping's range
	}
}

// At returns the p-quantile, 0 < p <= 1: the value whose rank is ceil(p n). It is absent when there are no values.
func (q *Quantiles) At(p float64) schema.Opt {
	if q.n == 0 {
		return schema.Opt{}
	}
	rank := min(max(int64(math.Ceil(p*float64(q.n))), 1), q.n)
	if q.n <= exactValues {
		if !slices.IsSorted(q.exact) {
			slices.Sort(q.exact)
		}
		return schema.Some(q.exact[rank-1])
	}
	// The sketch takes the value at floor(x (n - 1)): aim at the middle of our rank, clear of rounding.
	x := min((float64(rank)-0.5)/float64(q.n-1), 1)
	v, err := q.sketch.GetValueAtQuantile(x)
	if err != nil {
		panic(err) // x lies within 0 and 1, and there are values
	}
	return schema.Some(min(max(int64(math.Round(v)), q.low), q.high))
}

func (q *Quantiles) row() schema.RTTQuantiles {
	return schema.RTTQuantiles{P50: q.At(0.50), P90: q.At(0.90), P99: q.At(0.99)}
}
