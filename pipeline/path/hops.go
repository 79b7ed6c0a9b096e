package path

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
)

// candidate is a number of switches that may be the true one.
type candidate struct {
	hops   int
	rate   int64
	z      float64 // standard deviations between what it would give and what was measured
	weight float64 // likelihood times prior
}

// farthest is how many standard deviations off the best candidate may lie.
const farthest = 3

// pick weighs candidates by Bayes' rule with normal errors. none says that not even the best one fits.
func (cfg *Config) pick(all []candidate, none string) *Count {
	likely := map[int]float64{} // by hops
	total := 0.0
	best, nearest := candidate{z: math.Inf(1)}, math.Inf(1)
	top := 0.0
	for _, c := range all {
		nearest = min(nearest, math.Abs(c.z))
		likely[c.hops] += c.weight
		if total += c.weight; c.weight > top {
			best, top = c, c.weight
		}
	}
	if nearest > farthest || total == 0 {
		return &Count{Why: none}
	}
	n := &Count{Hops: best.hops, Confidence: likely[best.hops] / total, Rate: best.rate, RunnerUp: -1}
	for hops, w := range likely {
		if hops != n.Hops && (n.RunnerUp < 0 || w > likely[n.RunnerUp] || w == likely[n.RunnerUp] && hops < n.RunnerUp) {
			n.RunnerUp = hops
		}
	}
	if n.Told = n.Confidence >= cfg.Confidence; !n.Told {
		n.Why = "between " + strconv.Itoa(n.Hops) + " and " + strconv.Itoa(n.RunnerUp) + " switches the RTTs do not decide"
	}
	return n
}

// cabled weighs a number of switches by what they leave over: as likely as not nothing, else a cable of any length up to
// MostCable.
func (cfg *Config) cabled(hops int, rest, sd float64) candidate {
	most := cfg.MostCable * cfg.NsPerMetre
	none := distuv.UnitNormal.Prob(rest/sd) / sd
	some := (distuv.UnitNormal.CDF(rest/sd) - distuv.UnitNormal.CDF((rest-most)/sd)) / most
	c := candidate{hops: hops, weight: none/2 + some/2}
	switch {
	case rest < 0:
		c.z = rest / sd
	case rest > most:
		c.z = (rest - most) / sd
	}
	return c
}
