package block

import (
	"math"
	"slices"
	"time"

	"echogram/plugins/schema"
)

// daily keeps what the days do to a block: by place a median RTT a half hour, and how many places answered, of the last
// cfg.Span days. The half hours are those of the local wall clock, so that a habit keeps its hour when clocks change.
type daily struct {
	Now  halfHour
	Days []wallDay // ascending
}

// observe takes in a look; looks come in order of time. One that is doubted, or that sees the block down or perhaps
// down, says nothing of a day. Of a block that is down in part the RTTs count, and how many answer does not.
func (d *daily) observe(cfg *Config, l *Look, v Verdict) {
	if v == Doubted || v == Down || v == Uncertain {
		return
	}
	if n := wallHalf(cfg.Location, l.Time); n != d.Now.Number {
		d.settle(cfg.Span)
		d.Now.begin(n)
	}
	d.Now.add(l, v)
}

// settle puts the medians of the half hour, as far as it has come, into its day.
func (d *daily) settle(span int) {
	if len(d.Now.Kept) > 0 {
		d.Now.settle(d.at(d.Now.Number/halvesADay, span), int(d.Now.Number%halvesADay))
	}
}

// at is the day of that number. One that was not there takes the memory of one that lies span days back.
func (d *daily) at(number int64, span int) *wallDay {
	i, found := slices.BinarySearchFunc(d.Days, number, func(w wallDay, n int64) int { return int(w.Number - n) })
	if found {
		return &d.Days[i]
	}
	next := wallDay{Number: number}
	for i > 0 && d.Days[0].Number <= number-int64(span) {
		next.RTT = d.Days[0].RTT
		d.Days = slices.Delete(d.Days, 0, 1)
		i--
	}
	clear(next.RTT)
	if i > 0 {
		next.grow(len(d.Days[i-1].RTT) / halvesADay)
	}
	d.Days = slices.Insert(d.Days, i, next)
	return &d.Days[i]
}

// last is the cfg.Span days that end with the one that began at start, oldest first; nil: nothing was seen. Where
// clocks are put forward at midnight time.Date may name the start an hour early: what lies a little later is in the day.
func (d *daily) last(cfg *Config, start int64) []*wallDay {
	end := wallHalf(cfg.Location, start+int64(2*time.Hour)) / halvesADay
	if d.Now.Number/halvesADay <= end {
		d.settle(cfg.Span)
	}
	days := make([]*wallDay, cfg.Span)
	for i := range d.Days {
		if age := end - d.Days[i].Number; age >= 0 && age < int64(cfg.Span) {
			days[cfg.Span-1-int(age)] = &d.Days[i]
		}
	}
	return days
}

// swing is what a day does to a series.
type swing struct {
	days      int             // that it was read from; 0: too few of them are known, and nothing can be told
	slots     int             // half hours of these with data
	amplitude float64         // peak to peak: ns, or a share
	class     string          // Daily…, Diurnal…
	hour      schema.OptFloat // of the local day at which the series is highest, 0 to 24; absent where no day is seen
}

// dailyDay is the daily pattern of a block or group.
type dailyDay struct {
	targets      int     // with enough RTTs
	floor        float64 // ns; median of their least medians; NaN: there are none
	latency      swing
	availability swing // its amplitude is percent of the targets that are probed
	zone         string
	excess       []float64 // ns by half hour: the median of the targets above their floors; NaN: too few are known
}

// day is what the last days show of the block, up to and with the one that began at start, ns.
func (d *daily) day(cfg *Config, start int64) dailyDay { return sumDaily(cfg, start, []*daily{d}) }

// sumDaily is what they show of all targets of the blocks together.
func sumDaily(cfg *Config, start int64, blocks []*daily) dailyDay {
	c := newCrowd(cfg, start, blocks)
	targets, floor := c.floor()
	excess := c.excess()
	return dailyDay{
		targets:      targets,
		floor:        floor,
		latency:      newWelch().latency(cfg, slices.Clone(excess)),
		availability: c.availability(),
		zone:         cfg.Location.String(),
		excess:       excess,
	}
}

// fill writes d into row, but for its series, target and time.
func (d *dailyDay) fill(row *schema.BlockDailyRow) {
	l, a := &d.latency, &d.availability
	row.Days, row.Slots = int64(l.days), int64(l.slots)
	if l.days == 0 {
		row.Days, row.Slots = int64(a.days), int64(a.slots)
	}
	row.Targets, row.RTTFloor, row.Amplitude = int64(d.targets), schema.Opt{}, schema.Opt{}
	if d.targets > 0 {
		row.RTTFloor = nanoseconds(d.floor)
	}
	if l.days > 0 {
		row.Amplitude = nanoseconds(l.amplitude)
	}
	row.LatencyClass, row.LatencyHour = l.class, l.hour
	row.AvailabilityClass, row.AvailabilityHour = a.class, a.hour
	row.AvailabilitySwing = schema.OptFloat{F: a.amplitude, Set: a.days > 0}
	row.Timezone = d.zone
}

func nanoseconds(v float64) schema.Opt { return schema.Some(int64(math.Round(v))) }

// targetDay is the daily pattern of one target's RTTs.
type targetDay struct {
	place    int
	own      float64 // ns; the part of the amplitude that its block does not explain; 0: its block explains the class
	dailyDay         // without availability
}

// targets is what the last days show of each target whose RTTs are known well enough, by place. shared is the excess of
// the block.
func (d *daily) targets(cfg *Config, start int64, shared []float64) (all []targetDay) {
	days, w := d.last(cfg, start), newWelch()
	x, rest := make([]float64, cfg.Span*halvesADay), make([]float64, cfg.Span*halvesADay)
	for place := range places(days) {
		floor, _ := least(days, place)
		if floor == 0 {
			continue
		}
		above(x, days, place, floor.ns())
		calm(x)
		copy(rest, x)
		if s := w.latency(cfg, x); s.days > 0 {
			day := dailyDay{targets: 1, floor: floor.ns(), latency: s, zone: cfg.Location.String()}
			all = append(all, targetDay{place: place, own: w.own(cfg, s, rest, shared), dailyDay: day})
		}
	}
	return all
}

// own is how much of a target's swing s is its own: the amplitude of what is left of its excess x, which it overwrites,
// when that of its block is taken away. 0: it has no swing, or what is left has none, so that there is nothing to look for
// at this target that is not to be found on the way to its block.
func (w *welch) own(cfg *Config, s swing, x, shared []float64) float64 {
	if s.class == schema.DailyNone {
		return 0
	}
	unshare(x, shared)
	if rest := w.latency(cfg, x); rest.class != schema.DailyNone {
		return min(s.amplitude, rest.amplitude)
	}
	return 0
}

// unshare takes the part of x away that follows shared: up to all of shared, for who is slower than its block at the hours
// at which that is slow has a reason of its own, and nothing of what runs against it. The part is that of least squares
// over the half hours in which both are known.
func unshare(x, shared []float64) {
	var n, sx, sy, sxy, syy float64
	for i, y := range shared {
		if !math.IsNaN(x[i]) && !math.IsNaN(y) {
			n, sx, sy, sxy, syy = n+1, sx+x[i], sy+y, sxy+x[i]*y, syy+y*y
		}
	}
	part := (sxy - sx*sy/n) / (syy - sy*sy/n)
	if !(part > 0) { // not a number, where nothing is shared
		return
	}
	for i, y := range shared {
		if !math.IsNaN(y) {
			x[i] -= min(part, 1) * y
		}
	}
}
