package path

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// What the ends themselves take for each further byte of a frame, copied twice and summed up, both ways: unknown, so a
// prior. Measured on a two core virtual machine: 0.1 to 0.3 ns.
const (
	hostSlope, hostSlopeSD = 0.2, 0.2
)

// slope fits the levels against the length of the frame: ns of RTT a byte (Jacobson's pathchar; Downey, SIGCOMM '99).
// ok is false with fewer than two lengths. What does not lie on a line widens the error.
func (m *Measurement) slope() (s normal, ok bool) {
	byWire := map[int][]*Size{}
	for i := range m.Sizes {
		byWire[m.Sizes[i].Wire] = append(byWire[m.Sizes[i].Wire], &m.Sizes[i])
	}
	var xs, ys, weights []float64
	for i := range m.Sizes {
		size := &m.Sizes[i]
		if math.IsInf(size.Level.err(), 1) {
			continue
		}
		xs, ys = append(xs, float64(size.Wire)), append(ys, size.Level.Value)
		weights = append(weights, 1/math.Max(size.Level.StdErr*size.Level.StdErr, 1))
	}
	if len(byWire) < 2 || len(xs) < 2 {
		return normal{}, false
	}
	intercept, slope := stat.LinearRegression(xs, ys, weights, false)
	mean := stat.Mean(xs, weights)
	var spread, chi2 float64
	for i, x := range xs {
		spread += weights[i] * (x - mean) * (x - mean)
		r := ys[i] - intercept - slope*x
		chi2 += weights[i] * r * r
	}
	if spread == 0 {
		return normal{}, false
	}
	s = normal{mean: slope, sd: math.Sqrt(1 / spread), freedom: leastBatches/2 - 1}
	if dof := len(xs) - 2; dof > 0 {
		s.sd *= math.Sqrt(math.Max(1, chi2/float64(dof)))
	}
	return s, true
}

// perLink is the slope of one store-and-forward link in both directions, ns a byte.
func perLink(rate int64) float64 { return 16e9 / float64(rate) }

// guessed are the rates that a slope is tried with when none is given, and how common each is.
var guessed = []struct {
	rate  int64
	prior float64
}{{10e6, 0.1}, {100e6, 1}, {1e9, 1}, {2.5e9, 0.2}, {5e9, 0.1}, {10e9, 1}, {25e9, 0.2}}

// mostLinks bounds the links between two hosts.
const mostLinks = 16

// bySlope counts the switches: with k of them there are k + 1 links, each of which takes in the frame both ways. known,
// unless nil, is a measurement with a slope of its own and known hops, which takes the ends' share out.
func (cfg *Config) bySlope(m *Measurement, known *Known) *Count {
	s, ok := m.slope()
	if !ok {
		return nil
	}
	if why := cfg.hidden(m, s); why != "" {
		return &Count{Why: why}
	}
	base := normal{mean: hostSlope, sd: hostSlopeSD}
	links := 0 // that base stands for
	if known != nil && known.Hops >= 0 {
		if b, ok := known.slope(); ok {
			base, links = b, known.Hops+1
		}
	}
	beyond := normal{mean: s.mean - base.mean, sd: math.Hypot(s.sd, base.sd)}
	if cfg.LinkRates != nil {
		return cfg.pick(mixtures(cfg.LinkRates, beyond, links), "no whole number of links of the given rates fits the slope")
	}
	if known == nil && math.Abs(beyond.mean) < farthest*beyond.sd {
		return &Count{Why: "the slope is no more than what the two hosts take themselves: no link that takes frames in whole is seen"}
	}
	var all []candidate
	for _, g := range guessed {
		for hops := range mostLinks {
			all = append(all, beyond.candidate(hops, g.rate, float64(hops+1-links)*perLink(g.rate), g.prior))
		}
	}
	return cfg.pick(all, "no whole number of links of one usual rate fits the slope; give the rates of the links")
}

// rateTolerance is by how much a link's serialisation may differ from its rate: clocks are good, what stamps is not.
const rateTolerance = 0.01

// candidate weighs a reading of a slope that would be v. Of two that fit alike, the one with fewer switches is the
// likelier: each further one halves it.
func (n normal) candidate(hops int, rate int64, v, prior float64) candidate {
	sd := math.Hypot(n.sd, rateTolerance*v)
	z := (n.mean - v) / sd
	return candidate{hops: hops, rate: rate, z: z, weight: prior * math.Pow(0.5, float64(hops)) * math.Exp(-z*z/2) / sd}
}

// mixtures are all numbers of links of each rate.
func mixtures(rates []int64, beyond normal, links int) (all []candidate) {
	var add func(i, used int, slope float64)
	add = func(i, used int, slope float64) {
		if i < len(rates) {
			for n := 0; used+n <= mostLinks; n++ {
				add(i+1, used+n, slope+float64(n)*perLink(rates[i]))
			}
			return
		}
		if used == 0 {
			return
		}
		rate := int64(0)
		if len(rates) == 1 {
			rate = rates[0]
		}
		// The reference's links are taken to be of the first rate.
		all = append(all, beyond.candidate(used-1, rate, slope-float64(links)*perLink(rates[0]), 1))
	}
	add(0, 0, 0)
	return all
}

// hidden says what keeps a slope from being read, or "".
func (cfg *Config) hidden(m *Measurement, s normal) string {
	span := float64(m.Sizes[len(m.Sizes)-1].Wire - m.Sizes[0].Wire)
	if c := m.Facts.coalescing(); c > 0 && c > math.Abs(s.mean)*span/2 {
		return "the adapter's interrupt coalescing is longer than what the frame's length makes"
	}
	return ""
}
