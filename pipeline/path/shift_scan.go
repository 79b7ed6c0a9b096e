package path

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// scan reads floors once, in the order of time, as a service sees them: what it says of a window depends on none after
// it, so that what has been reported stays.
type scan struct {
	cfg    ShiftConfig
	run    []Floor // that can be compared, since the last shift
	home   float64 // where run began, ns: the level that drifts are measured from
	length int64   // of a window, ns: the least distance of two; 0: unknown
}

// Windows that a decision rests on.
const (
	leastBefore = 4  // before a step
	mostBefore  = 10 // before a step: the last ones, so that a slow drift is not in them
	leastAfter  = 2  // behind a step: one alone may be an outlier
	mostAfter   = 4  // behind a step: what two of them leave open, two more may tell
	mostNoise   = 40 // that the scatter from window to window is learned from
	settled     = 12 // without a trend: a drift is over
	mostGap     = 10 // missing: whether the floor stepped or drifted meanwhile cannot be told
)

// next takes one more window, and gives the shift that it confirms.
func (s *scan) next(f Floor) (Shift, bool) {
	if !s.tells(&f) {
		return Shift{}, false
	}
	if n := len(s.run); n > 0 {
		last := &s.run[n-1]
		distance := f.Start - last.Start
		if s.length == 0 || distance < s.length {
			s.length = distance
		}
		if last.Facts != f.Facts || distance > mostGap*s.length {
			s.run = nil
		}
	}
	s.run = append(s.run, f)
	if shift, ok := s.step(); ok {
		return shift, true
	}
	return s.drift()
}

// tells whether a window's floor can be compared with others.
func (s *scan) tells(f *Floor) bool {
	return f.N >= s.cfg.MinValues && !math.IsNaN(f.Floor) && !math.IsInf(f.Floor, 0) &&
		!strings.Contains(f.Error, outlier.Few) && !strings.Contains(f.Error, outlier.Modes)
}

// step looks for a step a few windows back, and of several places takes the one that fits best.
func (s *scan) step() (Shift, bool) {
	if s.quiet() {
		return Shift{}, false
	}
	recent := s.run[max(0, len(s.run)-mostNoise):]
	values := floorsOf(recent)
	from := max(0, len(values)-mostBefore-mostAfter)
	var best *change
	noises := map[int]float64{}
	noise := func(to int) float64 {
		v, ok := noises[to]
		if !ok {
			v = s.noise(values[:to])
			noises[to] = v
		}
		return v
	}
	for n := leastAfter; n <= mostAfter; n++ {
		for mixed := range 2 {
			at := len(values) - n
			to := at - mixed
			c := change{row: values[from:], to: to - from, at: at - from}
			if c.to < leastBefore || !c.moved(s.cfg.Least) || c.hopeless() {
				continue
			}
			c.weigh(recent[from:], noise(to))
			if c.stepped() && (best == nil || c.misfit() < best.misfit()) {
				best = &c
			}
		}
	}
	if best == nil {
		return Shift{}, false
	}
	return s.confirm(best, len(s.run)-len(best.row)), true
}

// quiet tells that no two of the last floors are far enough apart for a step: of most windows nothing more is asked.
func (s *scan) quiet() bool {
	low, high := math.Inf(1), math.Inf(-1)
	for _, f := range s.run[max(0, len(s.run)-mostBefore-mostAfter):] {
		low, high = min(low, f.Floor), max(high, f.Floor)
	}
	return high-low < s.cfg.Least
}

// noise is how floors scatter from window to window. All equal ones have been rounded.
func (s *scan) noise(values []float64) float64 { return max(scatter(values), s.cfg.Least/100) }

// confirm makes the shift of a step in a row that begins at window from, and begins again behind it.
func (s *scan) confirm(c *change, from int) Shift {
	before, after := s.run[:from+c.to], s.run[from+c.at:]
	shift := s.shift(schema.ShiftStep, c.low, c.high, c.err())
	shift.At = after[0].Start
	shift.TTLBefore, shift.TTLAfter = lastTTL(before), lastTTL(after)
	if shift.TTLBefore != shift.TTLAfter && shift.TTLBefore != 0 && shift.TTLAfter != 0 {
		shift.Kind = schema.ShiftRoute
	}
	s.run = slices.Clone(after)
	return shift
}

// drift looks for a floor that has settled elsewhere than where its run began. One so slow that no trend shows in the
// last windows is told in parts.
func (s *scan) drift() (Shift, bool) {
	n := len(s.run)
	if n == settled/2 {
		s.home = medianOf(floorsOf(s.run))
	}
	if n < 2*settled || math.Abs(s.run[n-1].Floor-s.home) < s.cfg.Least/2 {
		return Shift{}, false
	}
	before, after := s.run[:settled/2], s.run[n-settled:]
	from, to := s.home, medianOf(floorsOf(after))
	if math.Abs(to-from) < s.cfg.Least {
		return Shift{}, false
	}
	moved, noise := trend(floorsOf(after))
	noise = stat.Mean(sigmas(after, noise), nil)
	if math.Abs(to-from) < significant*noise || math.Abs(moved) > max(s.cfg.Least/2, 3*noise) {
		return Shift{}, false
	}
	err := noise * math.Sqrt(math.Pi/2*(1/float64(len(before))+1/float64(len(after))))
	shift := s.shift(schema.ShiftDrift, from, to, err)
	shift.At = s.run[s.half(from, to)].Start
	shift.TTLBefore, shift.TTLAfter = lastTTL(before), lastTTL(after)
	s.run = slices.Clone(s.run[n-settled/2:])
	s.home = medianOf(floorsOf(s.run))
	return shift, true
}

// half is the window from which on the floor stays nearer to where it ends.
func (s *scan) half(from, to float64) int {
	i := len(s.run) - 1
	for i > 0 && math.Abs(s.run[i-1].Floor-to) < math.Abs(s.run[i-1].Floor-from) {
		i--
	}
	return i
}

func (s *scan) shift(kind string, from, to, err float64) Shift {
	step := to - from
	return Shift{
		Kind: kind, Step: step, Low: step - 2*err, High: step + 2*err, Before: from, After: to,
		Hops: step / float64(s.cfg.HopDelay), Metres: step / s.cfg.NsPerMetre,
	}
}

// lastTTL is the TTL of the last window whose replies agree on one; 0: none.
func lastTTL(run []Floor) int64 {
	for _, f := range slices.Backward(run) {
		if f.TTLMin == f.TTLMax {
			return f.TTLMin
		}
	}
	return 0
}

func floorsOf(run []Floor) []float64 {
	values := make([]float64, len(run))
	for i, f := range run {
		values[i] = f.Floor
	}
	return values
}

// sigmas are the standard errors of floors: what they say themselves, or how they scatter.
func sigmas(run []Floor, noise float64) []float64 {
	out := make([]float64, len(run))
	for i, f := range run {
		out[i] = max(noise, f.StdErr)
	}
	return out
}
