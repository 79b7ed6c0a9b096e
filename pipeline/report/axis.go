package report

import (
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
)

// axis is a range and how its ticks read.
type axis struct {
	label    string
	min, max float64
	log      bool
	floor    float64 // no ticks below: room for marks that have no value
	ticks    func(a *axis) []plot.Tick
}

// Ticks implements plot.Ticker.
func (a *axis) Ticks(_, _ float64) []plot.Tick { return a.ticks(a) }

// unit is a unit of durations and its length in ns.
type unit struct {
	name string
	ns   float64
}

// unitFor picks the unit in which v ns has one to three digits.
func unitFor(v float64) unit {
	switch v = math.Abs(v); {
	case v < 1e3:
		return unit{"ns", 1}
	case v < 1e6:
		return unit{"µs", 1e3}
	case v < 1e9:
		return unit{"ms", 1e6}
	}
	return unit{"s", 1e9}
}

// duration writes ns in the unit that fits, with four significant digits at most.
func duration(ns float64) string {
	u := unitFor(ns)
	return strconv.FormatFloat(ns/u.ns, 'g', 4, 64) + " " + u.name
}

const (
	logFrom = 6    // from this ratio of greatest to least on, an axis of durations is logarithmic
	margin  = 0.06 // of an axis, free beyond the data
	strip   = 0.09 // of an axis, below the data, for marks that have no value
)

// durationAxis is a vertical axis for values from lo to hi ns, with a strip for marks below if wanted; stripY is the
// strip's middle.
func durationAxis(name string, lo, hi float64, withStrip bool) (a *axis, stripY float64) {
	a = &axis{}
	low := 0.0
	if withStrip {
		low = strip
	}
	if lo > 0 && hi/lo >= logFrom {
		name += ", logarithmic"
		a.log = true
		factor := math.Pow(hi/lo, margin)
		a.max, a.floor = hi*factor, lo/factor
		a.min = a.floor / math.Pow(hi/lo, low)
		stripY = math.Sqrt(a.min * a.floor)
		a.ticks = logTicks
	} else {
		pad := max((hi-lo)*margin, math.Abs(hi)*0.001, 1)
		a.max, a.floor = hi+pad, lo-pad
		if lo >= 0 && (a.floor < 0 || lo < hi-lo) {
			a.floor = 0
		}
		a.min = a.floor - low*(a.max-a.floor)
		stripY = (a.min + a.floor) / 2
		a.ticks = linearTicks
	}
	a.label = name + " (" + unitFor(a.max).name + ")"
	return a, stripY
}

// step is the least of 1, 2 and 5 times a power of ten that is not below v.
func step(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

const wantTicks = 7

func linearTicks(a *axis) []plot.Tick { return evenTicks(a, unitFor(max(a.max, -a.min)).ns) }

// evenTicks are some seven ticks at round multiples of scale.
func evenTicks(a *axis, scale float64) []plot.Tick {
	by := step((a.max - a.floor) / scale / wantTicks)
	decimals := max(0, int(-math.Floor(math.Log10(by)+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(a.floor/scale/by - 1e-9); i*by*scale <= a.max; i++ {
		ticks = append(ticks, plot.Tick{Value: i * by * scale, Label: strconv.FormatFloat(i*by+0, 'f', decimals, 64)})
	}
	return ticks
}

// logTicks label 1, 2 and 5 of each decade, or only powers of ten where there are many.
func logTicks(a *axis) []plot.Tick {
	u := unitFor(a.max)
	decades := math.Log10(a.max / a.floor)
	var ticks []plot.Tick
	for power := math.Pow(10, math.Floor(math.Log10(a.floor))); power <= a.max; power *= 10 {
		for m := 1.0; m < 10; m++ {
			v := m * power
			if v < a.floor || v > a.max {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || decades <= 3.5 && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(v/u.ns, 'g', 6, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// percentAxis is an axis for parts of one.
func percentAxis(name string, lo, hi float64) *axis {
	return &axis{label: name + " (%)", min: lo, max: hi, floor: lo,
		ticks: func(a *axis) []plot.Tick { return evenTicks(a, 0.01) }}
}

// countAxis is an axis for counts from 0 to hi.
func countAxis(name string, hi float64) *axis {
	return &axis{label: name, max: max(hi, 1) * (1 + margin), ticks: func(a *axis) []plot.Tick { return evenTicks(a, 1) }}
}

// span is the time that a chart shows, Unix ns. Charts count seconds from its beginning: a float64 holds no
// nanoseconds since 1970.
type span struct{ from, to int64 }

// cover widens t to what the series have.
func (t span) cover(all ...*series) span {
	for _, s := range all {
		if s.n == 0 {
			continue
		}
		from, to := s.span()
		if t == (span{}) {
			t = span{from, to}
		}
		t.from, t.to = min(t.from, from), max(t.to, to)
	}
	return t
}

// withPeriod adds the length of the last period, which a row's time is only the start of.
func (t span) withPeriod(step int64) span {
	t.to += periodOf(step)
	return t
}

// periodOf is the length of periods whose rows are step apart: ten seconds where a single row tells nothing of it.
func periodOf(step int64) int64 {
	if step == 0 {
		return 10e9
	}
	return step
}

func (t span) x(at int64) float64 { return float64(at-t.from) / 1e9 }

// timeSteps are the distances between ticks of time.
var timeSteps = []time.Duration{
	time.Microsecond, 10 * time.Microsecond, 100 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 5 * day, 10 * day, 30 * day, 60 * day, 180 * day, 365 * day, 3650 * day, 18250 * day,
}

const (
	day           = 24 * time.Hour
	wantTimeTicks = 9
)

// axis is the horizontal axis of time.
func (t span) axis() *axis {
	length := max(t.to-t.from, int64(time.Millisecond))
	pad := float64(length) / 1e9 * 0.012
	by := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if int64(s)*wantTimeTicks >= length {
			by = s
			break
		}
	}
	layout, label := t.layout(by)
	return &axis{label: label, min: -pad, max: float64(length)/1e9 + pad, ticks: func(a *axis) []plot.Tick {
		var ticks []plot.Tick
		at := time.Unix(0, t.from+int64(a.min*1e9)).UTC().Truncate(by)
		for len(ticks) < 2*wantTimeTicks && t.x(at.UnixNano()) <= a.max {
			if x := t.x(at.UnixNano()); x >= a.min {
				ticks = append(ticks, plot.Tick{Value: x, Label: at.Format(layout)})
			}
			at = at.Add(by)
		}
		return ticks
	}}
}

// layout gives ticks what tells them apart and the axis' name the rest.
func (t span) layout(by time.Duration) (layout, label string) {
	from, to := time.Unix(0, t.from).UTC(), time.Unix(0, t.to).UTC()
	date := from.Format(time.DateOnly)
	sameDay := date == to.Format(time.DateOnly)
	if !sameDay {
		date += " to " + to.Format(time.DateOnly)
	}
	label = "time (UTC), " + date
	switch {
	case by >= day:
		return "2006-01-02", "time (UTC)"
	case !sameDay && by >= time.Hour:
		return "Jan 2 15:04", label
	case by >= time.Minute:
		return "15:04", label
	case by >= time.Second:
		return "15:04:05", label
	case by >= time.Millisecond:
		return "15:04:05.000", label
	}
	return "15:04:05.000000", label
}
