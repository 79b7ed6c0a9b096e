package world

import (
	"math"
	"math/rand/v2"
	"time"

	"echogram/plugins/schema"
)

// curve is a daily pattern of latency without its noise: a hill that rises over 2 to 6.5 h and falls over 1.4 to 5, so
// that it is 2 to 5 h wide at half its height, and in one of four a lower one some hours before it.
type curve struct {
	Daily
	height     float64 // ns
	rise, fall float64 // h
	shoulder   float64 // height of the lower hill, as a share
	lead       float64 // h; by which it comes earlier
	weekend    float64 // share of the height that is left on weekends
	seed       uint64
}

// newCurve draws a pattern whose daily fundamental is of a class. People at home slow a network down in the evening,
// those in an office by day; servers are busy by day or make their backups at night.
func newCurve(r *rand.Rand, class string, use Use) *curve {
	amplitude := between(r, .62e6, .85e6)
	switch class {
	case schema.DailyNone:
		amplitude = .3e6 * max(0, 2*r.Float64()-1)
	case schema.DailyMild:
		amplitude = between(r, 1.3e6, 2.4e6)
	case schema.DailySevere:
		amplitude = between(r, 4e6, 25e6)
	}
	c := &curve{weekend: 1, seed: r.Uint64()}
	hour := 19 + 3.5*r.Float64()
	switch night := r.IntN(3) == 0; {
	case use == Office:
		hour, c.weekend = 10+5*r.Float64(), .3
	case (use == Servers || use == Sparse) && night:
		hour = 1 + 4*r.Float64()
	case use == Servers || use == Sparse:
		hour = 10 + 6*r.Float64()
	}
	width := 2 + 3*r.Float64()
	c.rise = width * (1 + .3*r.Float64())
	c.fall = 2*width - c.rise
	if r.IntN(4) == 0 {
		c.shoulder, c.lead = .2+.1*r.Float64(), 5+4*r.Float64()
	}
	c.Daily, c.height = Daily{class, hour, time.Duration(amplitude)}, 1
	c.height = amplitude / c.fundamental()
	return c
}

func (c *curve) class() string {
	if c == nil {
		return schema.DailyNone
	}
	return c.Class
}

// mean is the curve at an hour of a local day, without noise.
func (c *curve) mean(hour float64, weekend bool) float64 {
	v := c.height * hill(hour-c.Hour, c.rise, c.fall)
	if c.shoulder > 0 {
		v += c.height * c.shoulder * hill(hour-c.Hour+c.lead, c.rise, c.fall)
	}
	if weekend {
		v *= c.weekend
	}
	return v
}

// fundamental is the peak to peak amplitude of the curve's part of one cycle a day, over whole weeks.
func (c *curve) fundamental() float64 {
	return swing(func(hour float64) float64 { return (5*c.mean(hour, false) + 2*c.mean(hour, true)) / 7 })
}

// swing is the peak to peak amplitude of the daily fundamental of f, which is looked at every half hour.
func swing(f func(hour float64) float64) float64 {
	var re, im float64
	for i := range 48 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 48)
		v := f(float64(i) / 2)
		re, im = re+v*cos, im+v*sin
	}
	return 4 * math.Hypot(re, im) / 48
}

// hill rises from 0 at -rise to 1 at 0 and falls to 0 at fall, as a squared cosine; x is in hours, round the clock.
func hill(x, rise, fall float64) float64 {
	if x -= 24 * math.Round(x/24); x < 0 {
		x, fall = -x, rise
	}
	if x >= fall {
		return 0
	}
	c := math.Cos(math.Pi / 2 * x / fall)
	return c * c
}

// at is the curve at an hour of a day: days differ by up to a quarter.
func (c *curve) at(day int, hour float64) float64 {
	if c == nil || c.height == 0 {
		return 0
	}
	v := c.mean(hour, weekend(day))
	if v > 0 {
		v *= .75 + .5*unit(mix(c.seed^uint64(day)))
	}
	return v
}
