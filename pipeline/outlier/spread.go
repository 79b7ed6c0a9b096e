package outlier

import "math"

// The bandwidth of the estimate, in cosines, grows as n^(2/3), the rate that balances bias and variance (Lazarus,
// Lewis, Stock and Watson 2018). The factor is half of theirs: that gives up some width to cover autocorrelation that
// fades slowly, as that of RTTs does. The least leaves 3 degrees of freedom, the most wastes hardly any width.
const (
	bandwidth    = 0.2
	minBandwidth = 4.5
	maxBandwidth = 24
)

// spread is how a mean varies.
type spread struct {
	tau     float64 // integrated autocorrelation time; below 1 where neighbours repel each other
	freedom float64 // degrees of freedom of tau
	pull    float64 // by how much the limit, as it moves with the values, moves the mean: see Filter.pull
}

// estimate is the long-run variance of the mean by cosine-weighted sums (Müller 2004, 2007): the series' projections
// on cos(πk(j+½)/m), k = 1 …, are about independent with the spectrum at zero as their variance. They are weighted
// by 1 - (k/bandwidth)², for the lowest know most of slow changes. Projected are not the distances d from the mean but
// their influence on the mean, which the limit passes on, too: d + pull·(d + k(d² - σ²)/2σ), k being the limit's factor.
func (b *batches) estimate(k, pull float64) spread {
	t := b.total()
	e := spread{tau: 1, freedom: max(t.n-1, 0), pull: pull}
	m := t.sum / t.n
	variance := t.square/t.n - m*m
	if len(b.list) < 4 || !(variance > 0) {
		return e
	}
	bend := pull * k / 2 / math.Sqrt(variance)
	n := float64(len(b.list)*b.size - b.room)
	width := min(max(bandwidth*math.Cbrt(n*n), minBandwidth), maxBandwidth, float64(len(b.list)))
	count := int(math.Ceil(width)) - 1
	var onto [maxBandwidth]float64
	for j, c := range b.list {
		d := c.sum - c.n*m
		score := (1+pull)*d + bend*(c.square-m*(c.sum+d)-c.n*variance)
		x := math.Cos(math.Pi * (float64(j) + 0.5) / float64(len(b.list)))
		for k, before, now := 0, 1.0, x; k < count; k, before, now = k+1, now, 2*x*now-before {
			onto[k] += score * now
		}
	}
	var sum, weights, squares float64
	for k, p := range onto[:count] {
		x := float64(k+1) / width
		w := 1 - x*x
		sum, weights, squares = sum+w*p*p, weights+w, squares+w*w
	}
	e.tau = 2 / t.n * sum / weights / variance
	e.freedom = weights * weights / squares
	return e
}

// half is half of the interval that holds the mean with a confidence: by tau, but not less than independent values
// would have, for neighbours that repel each other are mere chance.
func (e spread) half(confidence float64, r *Result) float64 {
	if r.Kept < 2 {
		return 0
	}
	alone := r.Sigma / math.Sqrt(float64(r.Kept))
	return max(student(confidence, e.freedom)*alone*math.Sqrt(e.tau),
		student(confidence, float64(r.Kept-1))*alone*(1+e.pull))
}

// pull says how much a value moves the mean of the kept through sigmaLimit, L = mean + kσ, beyond its own share:
// with φ = σ times the density at L, it is kφ / (1 - φk(k²+1)/2), from the derivatives of mean and σ by L.
// The density comes from the values within σ/2 of L. The denominator is held above 1/5: a tail that feeds the limit
// as fast as it moves has no fixed point. The other methods' limits hang on order statistics of the bulk, which move
// less; their limits are taken as given.
func (f *Filter) pull(cfg Config, r *Result) float64 {
	if cfg.Method != Sigma || r.Sigma == 0 {
		return 0
	}
	near := below(f.sorted, r.Limit+r.Sigma/2) - below(f.sorted, r.Limit-r.Sigma/2)
	density := float64(near) / float64(below(f.sorted, r.Limit))
	k := cfg.K
	return k * density / max(1-density*k*(k*k+1)/2, 0.2)
}

// surprising is the tau that independent values exceed once in a hundred times: χ² over its degrees of freedom
// (Wilson and Hilferty 1931).
func surprising(freedom float64) float64 {
	v := 2 / (9 * freedom)
	return math.Pow(1-v+2.326*math.Sqrt(v), 3)
}

// modes tells whether sorted[:n] stands in two clusters: of all ways to part it in two with a tenth in each, at least
// three values, the one with the greatest variance between them (Otsu 1979) has centres more than 5 times as far
// apart as they are wide, in the root mean square (Ashman, Bird and Zepf 1994, who ask for 2 where the halves are
// fitted, not cut: cut halves of a normal reach 2.6, of a uniform 3.5).
func (f *Filter) modes(n int) bool {
	least := max((n+9)/10, 3)
	if n < 2*least {
		return false
	}
	sums, squares := f.sums[:n], f.squares[:n]
	all, total := float64(n), sums[n-1]
	best, at := -1.0, 0
	for i := least; i <= n-least; i++ {
		left := float64(i)
		d := sums[i-1]*all - total*left
		if between := d * d / (left * (all - left)); between > best {
			best, at = between, i
		}
	}
	left, right := float64(at), all-float64(at)
	a, b := sums[at-1]/left, (total-sums[at-1])/right
	within := squares[at-1]/left - a*a + (squares[n-1]-squares[at-1])/right - b*b
	return (b-a)*(b-a) > apart*apart*max(within, 0)/2
}

const apart = 5
