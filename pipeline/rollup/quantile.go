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
// zero value is empty. The result does not depend on the order of the values: whether it is exact depends on their
// number alone, and a sketch counts values in fixed bins.
type Quantiles struct {
	exact  []int64
	sketch *ddsketch.DDSketch
	n      int64
	low    int64
	high   int64
}

// Add takes a value, ns. Negative ones (a clock step bends an RTT so) are kept, too.
func (q *Quantiles) Add(v int64) {
	if q.n == 0 {
		q.low, q.high = v, v
	}
	q.low, q.high = min(q.low, v), max(q.high, v)
	q.n++
	if q.sketch != nil {
		q.put(v)
		return
	}
	if q.exact = append(q.exact, v); len(q.exact) > exactValues {
		q.sketch = newSketch()
		for _, v := range q.exact {
			q.put(v)
		}
		q.exact = nil
	}
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
	if q.sketch == nil {
		slices.Sort(q.exact)
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
