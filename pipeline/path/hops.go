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

// delayModel is what is known of switches: RTT = base + hops · delay.
type delayModel struct {
	base  *Known // that offsets are measured from
	delay normal // ns of RTT a switch; mean 0: unknown
}

// learn finds the delay of a switch: configured, or the slope of the calibration's levels over hops. nil: unknown.
func (cfg *Config) learn(cal *Calibration, payload int) *delayModel {
	var known []*Known
	for i := range cal.Known {
		if k := &cal.Known[i]; k.Hops >= 0 && k.at(payload) != nil {
			known = append(known, k)
		}
	}
	if len(known) == 0 {
		return nil
	}
	least, most := known[0], known[0]
	for _, k := range known {
		if k.Hops < least.Hops {
			least = k
		}
		if k.Hops > most.Hops {
			most = k
		}
	}
	if cfg.HopDelay > 0 {
		d := float64(cfg.HopDelay)
		return &delayModel{base: least, delay: normal{mean: d, sd: cfg.HopScatter * d, freedom: 1000}}
	}
	if least.Hops == most.Hops {
		return &delayModel{base: least}
	}
	return cfg.regress(known, least, payload, float64(most.Hops-least.Hops))
}

// regress fits levels, freed of what the cables take, over hops.
func (cfg *Config) regress(known []*Known, least *Known, payload int, distance float64) *delayModel {
	var n, sx, sy, sxx, sxy, noise float64
	for _, k := range known {
		x := float64(k.Hops)
		level := &k.at(payload).Level
		y := level.Value - k.Metres*cfg.NsPerMetre
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
		noise = max(noise, betweenRuns*level.err())
	}
	spread := sxx - sx*sx/n
	d := (sxy - sx*sy/n) / spread
	// Each switch's own delay scatters, which the mean over distance of them carries; so do the levels.
	sd := math.Hypot(noise/math.Sqrt(spread), cfg.HopScatter*math.Abs(d)/math.Sqrt(distance))
	return &delayModel{base: least, delay: normal{mean: d, sd: sd, freedom: 1000}}
}

// byOffset counts switches by what the target's level has beyond the model's base.
func (cfg *Config) byOffset(offset normal, model *delayModel, facts *Facts) *Count {
	d := model.delay
	if d.mean <= 0 {
		return &Count{Why: "in the calibration, more switches do not take longer"}
	}
	if c := facts.coalescing(); c > d.mean/2 {
		return &Count{Why: "the adapter's interrupt coalescing is longer than half of what a switch delays by"}
	}
	if math.IsInf(offset.sd, 1) || 2*offset.sd > d.mean/2 {
		return &Count{Why: "the interval of the RTT is wider than what a switch delays by: more probes, or a quieter machine"}
	}
	var all []candidate
	for hops := range model.base.Hops + 4*mostLinks {
		n := float64(hops - model.base.Hops)
		// The mean delay's error, and each switch's own scatter.
		sd := math.Hypot(offset.sd, math.Hypot(n*d.sd, cfg.HopScatter*d.mean*math.Sqrt(math.Abs(n))))
		all = append(all, cfg.cabled(hops, offset.mean-n*d.mean, math.Max(sd, 1)))
	}
	return cfg.pick(all, "no whole number of switches fits the offset, and what remains is no likely cable")
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

// coalescing is how long the adapter may hold a received frame back, ns; 0 when it does not, or nobody knows.
func (f *Facts) coalescing() float64 {
	us, err := strconv.ParseFloat(f.RXUsecs, 64)
	if err != nil || f.StampKind == "hardware" {
		return 0
	}
	return us * 1e3
}
