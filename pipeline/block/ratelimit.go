package block

import (
	"fmt"
	"math"

	"echogram/plugins/schema"
)

const (
	// rateStep is by what factor the rate of requests must change to say something, as a logarithm.
	rateStep = 0.4
	// elasticity from which fewer answers at a higher rate are a limit, and below which they are none any more. A hard limit
	// has 1.
	elasticity     = 0.2
	elasticityOver = 0.05
	// fewSteps are changes of the rate that say something together, one that is up and one that is down, both a little
	// decayed; sure is by how many standard deviations.
	fewSteps = 1.8
	sure     = 5
	// randomShare of the addresses that answered must fall silent in each sweep for a random membership.
	randomShare  = 0.15
	randomLeast  = 8   // addresses
	randomMemory = 24  // sweeps
	oftenRandom  = 0.5 // share of these, from which membership is random
	// capped is below which part of the variance of independent addresses the count is held by a limit, and above which it
	// is not any more.
	capped      = 0.25
	cappedOver  = 0.6
	cappedLeast = 24 // sweeps
	sweepWeight = 1.0 / 48
	swingWeight = 1.0 / 12
	stepDecay   = 0.9
)

// limiter finds out whether a block's answers are rationed: somebody on the way lets so many pass and no more. There are
// two signs.
//
// Where sweeps have different rates, the logarithm of the count falls as that of the rate grows: a regression over the
// changes from sweep to sweep, in which what the block's people do is noise. How far the slope is from none, in its
// standard deviations, says whether it could be chance. The noise is known from the sweeps between: two changes, to a
// higher rate and back, say enough when each is far beyond it.
//
// Where they have one, other addresses answer in each sweep, and yet their number hardly moves. Of N independent
// addresses of which F fall silent in a sweep, as many come back, and the count c moves with E[(Δc)²] = 2F, whether they
// come and go often or seldom. A limit holds it well below that.
type limiter struct {
	On     bool
	Begin  int64 // start of the first sweep of what made it on
	Row    *schema.BlockOutageRow
	Reason string

	Rate, Count float64 // of the last sweep

	XX, XY, YY, Steps float64 // changes of rate and count, decaying
	Noise             float64 // variances of the count's changes by chance, decaying alike
	StepsBegin        int64

	Falls, Moves float64 // F, and (Δc)²: moving means
	Swing        float64 // (Δc)² of the last sweeps: a noon is not the night
	Random       float64 // share of the sweeps with a random membership
	Sweeps       int     // of which at least half had one
	RandomBegin  int64
}

// observe takes a sweep in which count addresses answered and falls that had answered before did not.
func (r *limiter) observe(t int64, rate float64, count, falls int) {
	c, f, step := float64(count), float64(falls), 0.0
	random := r.Count >= randomLeast && f >= randomShare*r.Count
	r.Random -= r.Random / randomMemory
	if random {
		r.Random += 1.0 / randomMemory
	}
	if rate > 0 && r.Rate > 0 {
		step = math.Log(rate / r.Rate)
	}
	if math.Abs(step) >= rateStep {
		r.change(t, step, c)
	} else {
		r.steady(t, random, c-r.Count, f)
	}
	r.Count = c
	if rate > 0 {
		r.Rate = rate
	}
}

// change takes a change of the rate, as a logarithm, to one at which c answer. By chance the lower of both counts varies as
// independent answers do, and as the count did in the last sweeps.
func (r *limiter) change(t int64, x, c float64) {
	y, low := math.Log((c+1)/(r.Count+1)), min(c, r.Count)+1
	if r.Steps == 0 || x*y >= 0 {
		r.StepsBegin = t
	}
	r.XX, r.XY, r.YY = stepDecay*r.XX+x*x, stepDecay*r.XY+x*y, stepDecay*r.YY+y*y
	r.Noise = stepDecay*r.Noise + (low+r.Swing)/(low*low)
	r.Steps = stepDecay*r.Steps + 1
}

// steady takes a sweep at the rate of the one before.
func (r *limiter) steady(t int64, random bool, move, falls float64) {
	switch {
	case random && r.Sweeps == 0:
		r.Sweeps, r.RandomBegin, r.Moves, r.Falls = 1, t, move*move, falls
	case random || r.Sweeps > 0 && r.Random >= oftenRandom:
		r.Sweeps++
	default:
		r.Sweeps = 0
	}
	r.Falls += sweepWeight * (falls - r.Falls)
	r.Moves += sweepWeight * (move*move - r.Moves)
	r.Swing += swingWeight * (move*move - r.Swing)
}

// slope is by which power of the rate the count falls, and by how many standard deviations that is more than nothing.
func (r *limiter) slope() (beta, sigmas float64) {
	if r.Steps < fewSteps || r.XX == 0 {
		return 0, 0
	}
	beta = -r.XY / r.XX
	rest := (r.YY - r.XY*r.XY/r.XX) / (r.Steps - 1)
	return beta, beta / math.Sqrt(max(rest, r.Noise/r.Steps)/r.XX)
}

// held is which part of the variance of independent addresses the count has; 1 while that is not known.
func (r *limiter) held() float64 {
	if r.Sweeps < cappedLeast || r.Falls == 0 {
		return 1
	}
	return r.Moves / (2 * r.Falls)
}

// judge tells whether the limit is there.
func (r *limiter) judge() bool {
	beta, sigmas := r.slope()
	held := r.held()
	switch {
	case r.On:
		return beta >= elasticityOver || r.held() < cappedOver
	case beta >= elasticity && sigmas > sure:
		r.Begin, r.Reason = r.StepsBegin, fmt.Sprintf("answers fall as the rate of requests to the power of %.2f", beta)
		return true
	case held < capped:
		r.Begin = r.RandomBegin
		r.Reason = fmt.Sprintf("%.0f answers each sweep, by other addresses: the count moves by %.0f%% of what independent ones would make it",
			r.Count, 100*math.Sqrt(held))
		return true
	}
	return false
}

// rationed tells whether which addresses answer is a matter of chance.
func (r *limiter) rationed() bool { return r.On && r.Random > 0.1 }

// limit follows the limits to a block, and emits their events.
func (in *instance) limit(s *span, b *blockState, falls int) {
	r := &b.Limit
	r.observe(s.time, s.cur.Rate, b.Whole.count, falls)
	on := r.judge()
	if on == r.On {
		return
	}
	if r.On = on; on {
		r.Row = &schema.BlockOutageRow{BlockSeries: in.seriesOf(b), Event: schema.EventRateLimit, Time: r.Begin, Prefix: b.Block, Open: true,
			Duration: s.time - r.Begin, Uncertain: s.time - s.before, Addresses: int64(b.Whole.Ever), Answering: int64(b.Whole.count),
			Blocks: 1, BeliefLow: b.Whole.Belief, Reason: r.Reason}
	} else {
		r.Row.Open, r.Row.Duration = false, s.time-r.Begin
	}
	in.emitEvent(r.Row)
	if !on {
		r.Row = nil
	}
}
