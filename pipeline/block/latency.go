package block

import (
	"math"
	"time"

	"echogram/pipeline/median"
	"echogram/plugins/schema"
)

// RTTs over the day (Fontugne, Shah, Cho: Persistent Last-mile Congestion, IMC 2020): the median RTT of each target by
// half hour, less the target's own least; of these the median over the targets of a group; of that series the power at
// one cycle a day.

// crowd is all targets of some blocks.
type crowd struct {
	cfg    *Config
	blocks []past
	room   []float64 // of a value a target
}

// past is the last days of one block.
type past struct {
	days   []*wallDay
	floors []float64 // by place: ns, the least median of a target that counts; 0: it does not
	ever   int       // places that have answered
}

func newCrowd(cfg *Config, start int64, blocks []*daily) *crowd {
	c := &crowd{cfg: cfg, blocks: make([]past, len(blocks))}
	room := 0
	for i, d := range blocks {
		c.blocks[i] = newPast(d.last(cfg, start), cfg.Diurnal.Known)
		room += len(c.blocks[i].floors)
	}
	c.room = make([]float64, 0, room)
	return c
}

func newPast(days []*wallDay, known float64) past {
	p, held := past{days: days, floors: make([]float64, places(days))}, 0
	for _, w := range days {
		if w != nil {
			held += w.seen()
		}
	}
	for place := range p.floors {
		floor, n := least(days, place)
		if n > 0 {
			p.ever++
		}
		if n > 0 && float64(n) >= known*float64(held) {
			p.floors[place] = floor.ns()
		}
	}
	return p
}

// least is the lowest median of place, and how many it has.
func least(days []*wallDay, place int) (low code, n int) {
	low = math.MaxUint16
	for _, w := range days {
		for _, c := range w.of(place) {
			if c != 0 {
				low, n = min(low, c), n+1
			}
		}
	}
	if n == 0 {
		return 0, 0
	}
	return low, n
}

// above fills x with the medians of place above floor, ns, by half hour; NaN: none.
func above(x []float64, days []*wallDay, place int, floor float64) {
	for d, w := range days {
		x := x[d*halvesADay:][:halvesADay]
		row := w.of(place)
		for i := range x {
			x[i] = math.NaN()
			if row != nil && row[i] != 0 {
				x[i] = row[i].ns() - floor
			}
		}
	}
}

// calm replaces each known value of x by the median of it and its known neighbours, of two the lower: a lone half hour of
// spikes, which a group's median hides, does not stand for a day of a single target.
func calm(x []float64) {
	before := math.NaN()
	for i, v := range x {
		behind := math.NaN()
		if i+1 < len(x) {
			behind = x[i+1]
		}
		switch alone, last := math.IsNaN(before), math.IsNaN(behind); {
		case alone && !last:
			x[i] = min(v, behind)
		case !alone && last:
			x[i] = min(v, before)
		case !alone && !last:
			x[i] = max(min(before, behind), min(v, max(before, behind)))
		}
		before = v
	}
}

// floor is how many targets count, and the median of their floors, ns.
func (c *crowd) floor() (targets int, floor float64) {
	all := c.room[:0]
	for i := range c.blocks {
		for _, f := range c.blocks[i].floors {
			if f > 0 {
				all = append(all, f)
			}
		}
	}
	return len(all), median.Of(all)
}

// excess is the median over the targets of how far they lie above their floors, ns by half hour; NaN: fewer than
// cfg.Targets have an RTT.
func (c *crowd) excess() []float64 {
	x := make([]float64, c.cfg.Span*halvesADay)
	for i := range x {
		all := c.room[:0]
		for k := range c.blocks {
			all = c.blocks[k].excess(all, i)
		}
		x[i] = math.NaN()
		if len(all) >= c.cfg.Targets {
			x[i] = median.Of(all)
		}
	}
	return x
}

// excess appends how far the targets lie above their floors in half hour i.
func (p *past) excess(to []float64, i int) []float64 {
	w := p.days[i/halvesADay]
	if w == nil {
		return to
	}
	at := i % halvesADay
	for place, floor := range p.floors[:len(w.RTT)/halvesADay] {
		if c := w.RTT[place*halvesADay+at]; c != 0 && floor > 0 {
			to = append(to, c.ns()-floor)
		}
	}
	return to
}

// latency reads a series of RTTs, ns above some floor by half hour to the end of a day, NaN where they are not known. It
// closes the gaps in x.
func (w *welch) latency(cfg *Config, x []float64) swing {
	days, s := w.swing(cfg, x)
	if s.days > 0 && s.class != schema.DailyNone {
		s.hour, _ = peak(typicalDay(days))
	}
	return s
}

// swing is latency without the hour, which takes as long as all else. It returns the days of x that it was read from.
func (w *welch) swing(cfg *Config, x []float64) ([]float64, swing) {
	x, s, ok := lastDays(x, cfg.Days, schema.DailyNone)
	if !ok {
		return nil, s
	}
	s.amplitude = 2 * math.Sqrt2 * math.Sqrt(w.daily(x))
	if class := latencyClass(cfg, s.amplitude); class != schema.DailyNone && w.strongest(x) {
		s.class = class
	}
	return x, s
}

func latencyClass(cfg *Config, amplitude float64) string {
	switch a := time.Duration(amplitude); {
	case a > cfg.Severe:
		return schema.DailySevere
	case a > cfg.Mild:
		return schema.DailyMild
	case a > cfg.Low:
		return schema.DailyLow
	}
	return schema.DailyNone
}
