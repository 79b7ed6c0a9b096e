package path

import (
	"math"
	"strings"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// scan reads floors once, in the order of time, as a service sees them: what it says of a window depends on none after
// it, so that what has been reported stays.
type scan struct {
	cfg    ShiftConfig
	floors []Floor
	places []int     // in floors, of those that can be compared with others
	values []float64 // their floors, ns

	begin, end int     // the run, within values: what has been read since the last shift, or since facts changed
	daily      int     // where it last moved as it does each day, no earlier than begin: what steps are looked for behind
	home       float64 // where the run began, ns: the level that drifts are measured from
	length     int64   // of a window, ns: the least distance of two; 0: unknown
}

// Windows that a decision rests on.
const (
	leastBefore = 4  // before a step
	mostBefore  = 10 // before a step: the last ones, so that a slow drift is not in them
	leastAfter  = 2  // behind a step: one alone may be an outlier
	mostAfter   = 4  // behind a step: what two of them leave open, two more may tell
	mostBehind  = mostAfter + 1
	mostRow     = mostBefore + mostAfter
	mostNoise   = 40 // that the scatter from window to window is learned from
	settled     = 12 // without a trend: a drift is over
	mostGap     = 10 // missing: whether the floor stepped or drifted meanwhile cannot be told
)

// scanOf is a scan that has read nothing yet. What it keeps of floors goes into the room given, as far as that reaches.
func scanOf(cfg ShiftConfig, floors []Floor, values []float64, places []int) scan {
	s := scan{cfg: cfg.withDefaults(), floors: floors, values: values, places: places}
	for i := range floors {
		if f := &floors[i]; s.cfg.tells(f) {
			s.values, s.places = append(s.values, f.Floor), append(s.places, i)
		}
	}
	return s
}

// tells whether a window's floor can be compared with others.
func (cfg *ShiftConfig) tells(f *Floor) bool {
	return f.N >= cfg.MinValues && !math.IsNaN(f.Floor) && !math.IsInf(f.Floor, 0) &&
		(f.Error == outlier.OK || !strings.Contains(f.Error, outlier.Few) && !strings.Contains(f.Error, outlier.Modes))
}

// at is the window of a place in values.
func (s *scan) at(i int) *Floor { return &s.floors[s.places[i]] }

// next reads one more window, unless there is none.
func (s *scan) next() bool {
	if s.end == len(s.values) {
		return false
	}
	if i := s.end; i > 0 {
		f, last := s.at(i), s.at(i-1)
		distance := f.Start - last.Start
		if s.length == 0 || distance < s.length {
			s.length = distance
		}
		if last.Facts != f.Facts || distance > mostGap*s.length {
			s.begin, s.daily = i, i
		}
	}
	s.end++
	return true
}

// shift is what the window read last confirms.
func (s *scan) shift() (Shift, bool) {
	if shift, ok := s.step(); ok {
		return shift, true
	}
	return s.drift()
}

// step looks for a step a few windows back, and of several places takes the one that fits best.
func (s *scan) step() (Shift, bool) {
	from := max(s.daily, s.end-mostRow)
	best := s.best(from)
	if best.row == nil {
		return Shift{}, false
	}
	if s.dailyStep(&best, from) {
		s.daily = from + best.at
		return Shift{}, false
	}
	return s.confirm(&best, from), true
}

// best is the step of the row that begins at from; without a row there is none.
func (s *scan) best(from int) (best change) {
	row := s.values[from:s.end]
	if still(row, s.cfg.Least) {
		return best
	}
	lows := lowsOf(row)
	var noises [mostBehind + 1]float64 // by the windows behind, at least
	for after := leastAfter; after <= mostAfter; after++ {
		for behind := after; behind <= after+1; behind++ {
			c, ok := changeAt(row, behind, after, &lows)
			if !ok || c.hopeless(s.cfg.Least) {
				continue
			}
			if noises[behind] < c.loudest() {
				noises[behind] = s.noise(s.end-behind, c.loudest())
			}
			s.weigh(&c, from, noises[behind])
			if c.stepped() && (best.row == nil || c.misfit() < best.misfit()) {
				best = c
			}
		}
	}
	return best
}

// noise is how floors up to a place scatter from window to window, or so much of it as is enough. All equal ones have
// been rounded.
func (s *scan) noise(to int, enough float64) float64 {
	return max(scatter(s.values[max(s.daily, s.end-mostNoise):to], enough), s.cfg.Least/100)
}

// weigh sets the standard errors of a change's floors: what they say themselves, or how they scatter. That of the window
// in between says nothing: where a floor steps within it, its RTTs stand at two levels.
func (s *scan) weigh(c *change, from int, noise float64) {
	c.learned = min(s.end-s.daily, mostNoise) - (len(c.row) - c.to)
	for i := range c.row {
		if c.sigma[i] = noise; i < c.to || i >= c.at {
			c.sigma[i] = max(noise, s.at(from+i).StdErr)
		}
	}
}

// confirm makes the shift of a step in the row that begins at from, and begins again behind it.
func (s *scan) confirm(c *change, from int) Shift {
	shift := s.moved(schema.ShiftStep, c.low, c.high, normal{sd: c.err(), freedom: freedom(c.learned)})
	shift.At = s.at(from + c.at).Start
	if shift.TTLBefore, shift.TTLAfter = s.lastTTLs(c, from); rerouted(shift.TTLBefore, shift.TTLAfter) {
		shift.Kind = schema.ShiftRoute
	}
	s.begin = from + c.at
	s.daily = s.begin
	return shift
}

// drift looks for a floor that has settled elsewhere than where its run began. One so slow that no trend shows in the
// last windows is told in parts.
func (s *scan) drift() (Shift, bool) {
	n := s.end - s.begin
	if n == settled/2 {
		s.home = medianOf(s.values[s.begin:s.end])
	}
	if n < 2*settled || math.Abs(s.values[s.end-1]-s.home) < s.cfg.Least/2 {
		return Shift{}, false
	}
	r := s.rest(s.end)
	from, ok := s.drifted(&r, s.home)
	if !ok {
		return Shift{}, false
	}
	err := r.noise * math.Sqrt(math.Pi/2*(1./(settled/2)+1./settled))
	shift := s.moved(schema.ShiftDrift, from, r.level, normal{sd: err, freedom: freedom(settled)})
	shift.At = s.at(s.half(from, r.level)).Start
	shift.TTLBefore, shift.TTLAfter = s.lastTTL(s.begin, s.begin+settled/2), s.lastTTL(s.end-settled, s.end)
	s.begin = s.end - settled/2
	s.daily = s.begin
	s.home = medianOf(s.values[s.begin:s.end])
	return shift, true
}

// rest is where the last windows stand.
type rest struct {
	end   int     // of them, a place in values
	level float64 // ns
	last  float64 // floor, ns
	moved float64 // by their trend, ns
	noise float64 // standard error of one floor, ns
}

// rest reads the windows before a place, settled of them at least.
func (s *scan) rest(end int) rest {
	values := s.values[end-settled : end]
	r := rest{end: end, level: medianOf(values), last: values[settled-1]}
	moved, noise := trend(values)
	r.moved = moved
	for i := end - settled; i < end; i++ {
		r.noise += max(noise, s.at(i).StdErr) / settled
	}
	return r
}

// settled tells whether a floor rests, and is not on its way any more.
func (r *rest) settled(least float64) bool { return math.Abs(r.moved) <= max(least/2, 3*r.noise) }

// after tells whether a floor rests elsewhere than at home.
func (r *rest) after(home, least float64) bool {
	size := math.Abs(r.level - home)
	return size >= max(least, significant*r.noise) && math.Abs(r.last-home) >= least/2 && r.settled(least)
}

// half is the window from which on the floor stays nearer to where it ends.
func (s *scan) half(from, to float64) int {
	i := s.end - 1
	for i > s.begin && math.Abs(s.values[i-1]-to) < math.Abs(s.values[i-1]-from) {
		i--
	}
	return i
}

func (s *scan) moved(kind string, from, to float64, err normal) Shift {
	err.mean = to - from
	i := err.interval()
	return Shift{
		Kind: kind, Step: i.Value, Low: i.Low, High: i.High, Before: from, After: to,
		Hops: i.Value / float64(s.cfg.HopDelay), Metres: i.Value / s.cfg.NsPerMetre,
	}
}

// freedom is that of a standard deviation by the MAD of so many windows: it takes 1 / 0.37 as many values as one by
// squares for the same error (Huber, Robust Statistics, 1981).
func freedom(windows int) int { return max(1, int(0.37*float64(windows-1))) }

// lastTTL is the TTL of the last window whose replies agree on one; 0: none.
func (s *scan) lastTTL(from, to int) int64 {
	for i := to - 1; i >= from; i-- {
		if f := s.at(i); f.TTLMin == f.TTLMax {
			return f.TTLMin
		}
	}
	return 0
}

// lastTTLs are those before and after a change in the row that begins at from.
func (s *scan) lastTTLs(c *change, from int) (before, after int64) {
	return s.lastTTL(s.begin, from+c.to), s.lastTTL(from+c.at, from+len(c.row))
}

func rerouted(before, after int64) bool { return before != after && before != 0 && after != 0 }
