package block

import (
	"fmt"
	"math"

	"echogram/plugins/schema"
)

const (
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
	Was, Now    level   // counts at the rate before, and at this one
	Step        float64 // between them, as a logarithm, until it is taken in; 0: it is

	XX, XY, YY, Steps float64 // changes of rate and count, decaying
	Noise             float64 // variances of the count's changes by chance, decaying alike
	StepBegin         int64   // start of the first sweep behind the last change,
	StepsBegin        int64   // and behind the first of those that say something

	Falls, Moves float64 // F, and (Δc)²: moving means
	Swing        float64 // (Δc)² of the last sweeps: a noon is not the night
	Random       float64 // share of the sweeps with a random membership
	Sweeps       int     // of which at least half had one
	RandomBegin  int64
}

// level is how many answer at one rate: a mean of the last sweeps at it.
type level struct {
	Mean   float64
	Sweeps float64 // that it is of, RateConfig.Sweeps at most
}

func (l *level) add(count float64, most int) {
	l.Sweeps = min(l.Sweeps+1, float64(most))
	l.Mean += (count - l.Mean) / l.Sweeps
}

// observe takes a sweep in which count addresses answered and falls that had answered before did not.
func (r *limiter) observe(cfg *RateConfig, t int64, rate float64, count, falls int) {
	c, f, step := float64(count), float64(falls), 0.0
	random := r.Count >= float64(cfg.RandomLeast) && f >= cfg.RandomShare*r.Count
	r.Random -= r.Random / float64(cfg.RandomMemory)
	if random {
		r.Random += 1 / float64(cfg.RandomMemory)
	}
	if rate > 0 && r.Rate > 0 {
		step = math.Log(rate / r.Rate)
	}
	if math.Abs(step) >= math.Log(cfg.Step) {
		r.change()
		r.Was, r.Now, r.Step, r.StepBegin = r.Now, level{}, step, t
	} else {
		r.steady(cfg, t, random, c-r.Count, f)
	}
	if r.Now.add(c, cfg.Sweeps); int(r.Now.Sweeps) == cfg.Sweeps {
		r.change()
	}
	r.Count = c
	if rate > 0 {
		r.Rate = rate
	}
}

// change takes in the last change of the rate, once enough sweeps at the new one are known, or the next one comes. By
// chance the lower of both counts varies as independent answers do, and as the count did in the last sweeps.
func (r *limiter) change() {
	x, sweeps := r.Step, min(r.Was.Sweeps, r.Now.Sweeps)
	if r.Step = 0; x == 0 || sweeps == 0 {
		return
	}
	few := 1 / sweeps // of none that answer in all these sweeps it is not known that they never do
	y, low := math.Log((r.Now.Mean+few)/(r.Was.Mean+few)), min(r.Now.Mean, r.Was.Mean)+few
	if r.Steps == 0 || x*y >= 0 {
		r.StepsBegin = r.StepBegin
	}
	r.XX, r.XY, r.YY = stepDecay*r.XX+x*x, stepDecay*r.XY+x*y, stepDecay*r.YY+y*y
	r.Noise = stepDecay*r.Noise + (low+r.Swing)/(low*low)/sweeps
	r.Steps = stepDecay*r.Steps + 1
}

// steady takes a sweep at the rate of the one before.
func (r *limiter) steady(cfg *RateConfig, t int64, random bool, move, falls float64) {
	switch {
	case random && r.Sweeps == 0:
		r.Sweeps, r.RandomBegin, r.Moves, r.Falls = 1, t, move*move, falls
	case random || r.Sweeps > 0 && r.Random >= cfg.OftenRandom:
		r.Sweeps++
	default:
		r.Sweeps = 0
	}
	r.Falls += sweepWeight * (falls - r.Falls)
	r.Moves += sweepWeight * (move*move - r.Moves)
	r.Swing += swingWeight * (move*move - r.Swing)
}

// slope is by which power of the rate the count falls, and by how many standard deviations that is more than nothing. One
// change alone says something only where from then on membership is random: people who leave at that hour leave for good.
func (r *limiter) slope(cfg *RateConfig) (beta, sigmas float64) {
	began := r.Random >= cfg.OftenRandom && r.RandomBegin >= r.StepsBegin
	if r.Steps < cfg.Steps && !began || r.XX == 0 {
		return 0, 0
	}
	beta = -r.XY / r.XX
	rest := 0.0
	if r.Steps > 1 {
		rest = (r.YY - r.XY*r.XY/r.XX) / (r.Steps - 1)
	}
	return beta, beta / math.Sqrt(max(rest, r.Noise/r.Steps)/r.XX)
}

// held is which part of the variance of independent addresses the count has; 1 while that is not known.
func (r *limiter) held(cfg *RateConfig) float64 {
	if r.Sweeps < cfg.CappedLeast || r.Falls == 0 {
		return 1
	}
	return r.Moves / (2 * r.Falls)
}

// judge tells whether the limit is there.
func (r *limiter) judge(cfg *RateConfig) bool {
	beta, sigmas := r.slope(cfg)
	held := r.held(cfg)
	switch {
	case r.On:
		return beta >= cfg.ElasticityOver || held < cfg.CappedOver
	case beta >= cfg.Elasticity && sigmas > cfg.Sure:
		r.Begin, r.Reason = r.StepsBegin, fmt.Sprintf("answers fall as the rate of requests to the power of %.2f", beta)
		return true
	case held < cfg.Capped:
		r.Begin = r.RandomBegin
		r.Reason = fmt.Sprintf("%.0f answers each sweep, by other addresses: the count moves by %.0f%% of what independent ones would make it",
			r.Count, 100*math.Sqrt(held))
		return true
	}
	return false
}

// risen is by what factor the rate of a sweep lies above that of the block's habits, which are not those at this rate yet; 1
// when it does not.
func (r *limiter) risen(cfg *RateConfig, rate float64) float64 {
	switch {
	case rate <= 0 || r.Rate <= 0:
		return 1
	case rate >= cfg.Step*r.Rate:
		return rate / r.Rate
	}
	return max(1, math.Exp(r.Step))
}

// rationed tells whether which addresses answer is a matter of chance: it was lately, or will be, since the rate has just risen.
func (r *limiter) rationed() bool { return r.On && (r.Random > 0.1 || r.Step > 0) }

// limit follows the limits to a block, and emits their events.
func (in *instance) limit(s *span, b *blockState, falls int) {
	r := &b.Limit
	r.observe(&s.cfg.Rate, s.time, s.cur.Rate, b.Whole.count, falls)
	on := r.judge(&s.cfg.Rate)
	if on == r.On {
		return
	}
	if r.On = on; on {
		b.Churn.forget()
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
