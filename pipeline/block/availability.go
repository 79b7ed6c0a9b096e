package block

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/floats"

	"echogram/plugins/schema"
)

// Answering over the day (Quan, Heidemann, Pradkin: When the Internet Sleeps, IMC 2014): the share of the addresses that
// have ever answered, by half hour, smoothed; of its spectrum over whole days the bin of one cycle a day.

// A round of theirs, 660 s, has the weight 0.1 in their moving average. With the same memory a half hour has this.
const smoothed = 0.25 // 1 - 0.9^(1800/660)

// shares is the share of the addresses that have ever answered which answer, by half hour. Blocks that were not seen
// are left out on both sides; NaN: those that were seen hold less than half of all.
func (c *crowd) shares() (x []float64, ever, targets int) {
	for i := range c.blocks {
		ever += c.blocks[i].ever
		targets += c.blocks[i].targets()
	}
	x = make([]float64, c.cfg.Span*halvesADay)
	for i := range x {
		answering, of := 0, 0
		for k := range c.blocks {
			p := &c.blocks[k]
			if w := p.days[i/halvesADay]; w != nil && w.Answering[i%halvesADay] > 0 {
				answering, of = answering+int(w.Answering[i%halvesADay])-1, of+p.ever
			}
		}
		x[i] = math.NaN()
		if of > 0 && 2*of >= ever {
			x[i] = float64(answering) / float64(of)
		}
	}
	return x, ever, targets
}

// targets is the most that a look had rows of.
func (p *past) targets() (n int) {
	for _, w := range p.days {
		if w != nil {
			n = max(n, w.Targets)
		}
	}
	return n
}

// availability reads how many answer over the day.
func (c *crowd) availability() swing {
	x, ever, targets := c.shares()
	s := diurnal(c.cfg, x)
	s.amplitude *= 100 * float64(ever) / float64(max(targets, 1))
	return s
}

// diurnal reads a series of shares to the end of a day. The hour and the amplitude are those of the typical day, which
// is not smoothed beforehand: a moving average comes late. The gaps in x are closed.
func diurnal(cfg *Config, x []float64) swing {
	x, s, ok := lastDays(x, cfg.Days, schema.DiurnalNone)
	if !ok {
		return s
	}
	hour, amplitude := peak(typicalDay(x))
	s.amplitude = amplitude
	if amplitude >= cfg.Diurnal.Swing {
		s.class = cfg.Diurnal.class(amplitudes(x), s.days)
	}
	if s.class != schema.DiurnalNone {
		s.hour = hour
	}
	return s
}

// amplitudes is the spectrum of x, which it smooths: bin k of k cycles in all of x.
func amplitudes(x []float64) []float64 {
	floats.AddConst(-floats.Sum(x)/float64(len(x)), x)
	var mean float64 // a moving average that begins at that of all
	for i, v := range x {
		mean += smoothed * (v - mean)
		x[i] = mean
	}
	out := make([]float64, len(x)/2+1)
	for k, c := range fourier.NewFFT(len(x)).Coefficients(nil, x) {
		out[k] = cmplx.Abs(c)
	}
	out[0] = 0
	return out
}

// class judges a spectrum over some days: its bin of that number is one cycle a day.
func (c *DiurnalConfig) class(amplitude []float64, days int) string {
	var rival, around, n float64
	for k := 1; k < len(amplitude); k++ {
		if k%days == 0 {
			continue
		}
		rival = max(rival, amplitude[k])
		if 2*k > days && k < 2*days {
			around, n = around+amplitude[k]*amplitude[k], n+1
		}
	}
	top := floats.MaxIdx(amplitude)
	switch {
	case top == days && amplitude[top] >= c.Strict*rival:
		return schema.DiurnalStrict
	case (top == days || top == 2*days) && amplitude[top] >= c.StandsOut*math.Sqrt(around/n):
		return schema.DiurnalRelaxed
	}
	return schema.DiurnalNone
}
