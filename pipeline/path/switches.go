package path

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// switches is what a calibration tells of switches: level = level at the middle + (hops - middle) · delay.
type switches struct {
	base    *Known // with the fewest hops: what offsets are measured from
	delay   normal // ns of RTT a switch; mean 0: unknown
	middle  float64
	level   normal  // at middle, freed of what the cables take
	scatter float64 // of one switch's delay, ns
	paired  bool    // all of it was measured in turn with the target
	own     *normal // of the target, on the line through what was measured in turn with it; nil: there is none
}

// reference is a Known with its level freed of what the cable takes.
type reference struct {
	*Known
	level normal
}

// learn finds what the calibration knows of RTTs of the target's payload size; nil: nothing.
func (cfg *Config) learn(cal *Calibration, target *Size) *switches {
	all := cfg.references(cal, target.Payload)
	known := undisturbed(all)
	if len(known) == 0 {
		return nil
	}
	s := &switches{base: known[0].Known, paired: true}
	for _, k := range all {
		s.paired = s.paired && k.Paired
	}
	switch {
	case cfg.HopDelay > 0:
		d := float64(cfg.HopDelay)
		s.delay, s.scatter = normal{mean: d, sd: cfg.HopScatter * d, freedom: many}, cfg.HopScatter*d
		s.middle, s.level = float64(s.base.Hops), known[0].level
	case len(known) > 1:
		cfg.fit(s, known)
		if s.paired {
			cfg.compare(s, all, target)
		}
	}
	return s
}

// compare sets the target on the line through references that were measured in turn with it, batch by batch, so that what
// slows all of them (a CPU's clock, other work) cancels out. The scatter of its places is the error of all levels.
func (cfg *Config) compare(s *switches, known []reference, target *Size) {
	batches := target.Level.Batches
	places, xs, ys := make([]float64, len(batches)), make([]float64, len(known)), make([]float64, len(known))
	for b, own := range batches {
		for i, k := range known {
			level := &k.at(target.Payload).Level
			if len(level.Batches) != len(batches) {
				return
			}
			xs[i], ys[i] = float64(k.Hops), level.Batches[b]-k.Metres*cfg.NsPerMetre
		}
		intercept, delay := stat.LinearRegression(xs, ys, nil, false)
		if places[b] = (own - intercept) / delay; delay <= 0 {
			places[b] = math.Inf(1)
		}
	}
	if len(batches) == 0 {
		return
	}
	for i := range known {
		known[i].level.sd = stampError
	}
	cfg.fit(s, known)
	place := undisturbedMean(places)
	s.own = &normal{mean: s.level.mean + (place.mean-s.middle)*s.delay.mean, sd: place.sd * math.Abs(s.delay.mean), freedom: place.freedom}
}

// references are those with known hops, by these and then by level, ascending.
func (cfg *Config) references(cal *Calibration, payload int) (known []reference) {
	for i := range cal.Known {
		if k := &cal.Known[i]; k.Hops >= 0 && k.at(payload) != nil {
			known = append(known, reference{k, cfg.bare(k, payload)})
		}
	}
	slices.SortStableFunc(known, func(a, b reference) int {
		return cmp.Or(a.Hops-b.Hops, cmp.Compare(a.level.mean, b.level.mean))
	})
	return known
}

// undisturbed keeps the lowest level of each number of hops: what disturbs a run (a slower CPU, other work) only ever adds.
// Half of what the next one lies above it is its error, too.
func undisturbed(known []reference) (lowest []reference) {
	for i, k := range known {
		if i > 0 && known[i-1].Hops == k.Hops {
			continue
		}
		if i+1 < len(known) && known[i+1].Hops == k.Hops {
			k.level.sd = math.Hypot(k.level.sd, (known[i+1].level.mean-k.level.mean)/2)
		}
		lowest = append(lowest, k)
	}
	return lowest
}

// many degrees of freedom: the error is not estimated from the data.
const many = 1000

// bare is a level freed of what the cable takes.
func (cfg *Config) bare(k *Known, payload int) normal {
	level := &k.at(payload).Level
	n := normal{mean: level.Value - k.Metres*cfg.NsPerMetre, sd: level.err(), freedom: many}
	if !k.Paired {
		n.sd *= betweenRuns
	}
	return n
}

// fit draws a line through levels over hops. What a switch scatters by is an error of each level, too.
func (cfg *Config) fit(s *switches, known []reference) {
	var xs, ys []float64
	for _, k := range known {
		xs, ys = append(xs, float64(k.Hops)), append(ys, k.level.mean)
	}
	_, delay := stat.LinearRegression(xs, ys, nil, false)
	s.scatter = cfg.HopScatter * math.Abs(delay)
	var weights []float64
	total := 0.0
	for _, k := range known {
		w := 1 / (square(k.level.sd) + square(s.scatter)*float64(max(1, k.Hops)))
		weights = append(weights, w)
		total += w
	}
	var intercept, spread float64
	intercept, delay = stat.LinearRegression(xs, ys, weights, false)
	s.middle = stat.Mean(xs, weights)
	for i, x := range xs {
		spread += weights[i] * square(x-s.middle)
	}
	s.delay = normal{mean: delay, sd: math.Sqrt(1 / spread), freedom: many}
	s.level = normal{mean: intercept + delay*s.middle, sd: math.Sqrt(1 / total), freedom: many}
}

func square(x float64) float64 { return x * x }

// beyond is what a level has over what so many switches would make of it.
func (s *switches) beyond(level normal, hops int) normal {
	n := float64(hops) - s.middle
	sd := math.Sqrt(square(level.sd) + square(s.level.sd) + square(n*s.delay.sd) + square(s.scatter)*math.Abs(n))
	return normal{mean: level.mean - s.level.mean - n*s.delay.mean, sd: sd, freedom: level.freedom}
}

// byOffset counts switches by the target's level.
func (cfg *Config) byOffset(level normal, s *switches, facts *Facts) *Count {
	d := s.delay.mean
	if d <= 0 {
		return &Count{Why: "in the calibration, more switches do not take longer"}
	}
	if c := facts.coalescing(); c > d/2 {
		return &Count{Why: "the adapter's interrupt coalescing is longer than half of what a switch delays by"}
	}
	if math.IsInf(level.sd, 1) || 2*level.sd > d/2 {
		return &Count{Why: "the interval of the RTT is wider than what a switch delays by: more probes, or a quieter machine"}
	}
	var all []candidate
	for hops := range s.base.Hops + 4*mostLinks {
		rest := s.beyond(level, hops)
		all = append(all, cfg.cabled(hops, rest.mean, math.Max(rest.sd, 1)))
	}
	return cfg.pick(all, "no whole number of switches fits the offset, and what remains is no likely cable")
}
