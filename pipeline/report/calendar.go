package report

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// calendarChart shows which share of a network answers, hour by hour, a column a day. It is nil if there are not two hours.
func calendarChart(n *Network, in *time.Location) *chart {
	if len(n.Use) < 2 {
		return nil
	}
	first := localDay(n.Use[0].Time, in)
	tiles := layer{mark: areas}
	var shares spread
	var sum Use
	for _, u := range n.Use {
		if u.Probed > 0 {
			shares.add(int64(u.Responding / u.Probed * shareUnit))
		}
		sum.Probed, sum.Responding = sum.Probed+u.Probed, sum.Responding+u.Responding
	}
	c := shareScale(&shares)
	days := 0.0
	for _, u := range n.Use {
		if u.Probed == 0 {
			continue
		}
		day, hour := daysBetween(first, localDay(u.Time, in)), float64(time.Unix(0, u.Time).In(in).Hour())
		days = max(days, day+1)
		tiles.runs = append(tiles.runs, tile(day, hour))
		tiles.tints = append(tiles.tints, shade(c.part(u.Responding/u.Probed)))
	}
	return &chart{name: n.file("calendar"), title: "Share that answers  " + n.Name, bar: c, tall: 1.2 * panelHeight,
		text: fmt.Sprintf("share of %s that answers, by hour and day: %s", n.Name, counted(int64(len(n.Use)), "hour", "hours")),
		facts: append(n.place(), counted(int64(len(n.Use)), "hour", "hours")+" with sweeps", "mean "+percent(sum.Responding/max(sum.Probed, 1)),
			"least "+percent(float64(shares.low)/shareUnit), "greatest "+percent(float64(shares.high)/shareUnit), "blank: no sweep"),
		panels: []panel{{x: dayAxis(first, days, in), y: clockAxis(), layers: []layer{tiles}}}}
}

// shareUnit makes integers of shares.
const shareUnit = 1e6

// shareScale spans all shares.
func shareScale(s *spread) *scale {
	lo, hi := math.Floor(float64(s.low)/shareUnit*100)/100, math.Ceil(float64(s.high)/shareUnit*100)/100
	if hi == lo {
		lo, hi = max(0, lo-0.01), min(1, hi+0.01)
	}
	return &scale{axis: axis{label: "answer (%)", min: lo, max: hi, floor: lo, ticks: func(a *axis) []plot.Tick { return evenTicks(a, 0.01) }}}
}

// tile is the place of an hour: time runs from top to bottom.
func tile(day, hour float64) plotter.XYs {
	const gap = 0.03
	left, right, top, bottom := day+gap, day+1-gap, 24-hour-gap, 23-hour+gap
	return plotter.XYs{{X: left, Y: top}, {X: right, Y: top}, {X: right, Y: bottom}, {X: left, Y: bottom}}
}

// localDay is the date of a time, as midnight UTC, so that days are 24 h apart.
func localDay(at int64, in *time.Location) time.Time {
	y, m, d := time.Unix(0, at).In(in).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func daysBetween(a, b time.Time) float64 { return math.Round(b.Sub(a).Hours() / 24) }

// dayAxis counts days from the first on.
func dayAxis(first time.Time, days float64, in *time.Location) *axis {
	by := int(math.Ceil(days / 14))
	return &axis{label: "day (" + in.String() + ")", max: days, ticks: func(*axis) (ticks []plot.Tick) {
		for d := 0; float64(d) < days; d += by {
			ticks = append(ticks, plot.Tick{Value: float64(d) + 0.5, Label: first.AddDate(0, 0, d).Format("Jan 2")})
		}
		return ticks
	}}
}

// clockAxis is the hours of a day, from top to bottom.
func clockAxis() *axis {
	return &axis{label: "hour of the day", max: 24, ticks: func(*axis) (ticks []plot.Tick) {
		for h := 0; h <= 24; h += 3 {
			ticks = append(ticks, plot.Tick{Value: float64(24 - h), Label: fmt.Sprintf("%02d:00", h)})
		}
		return ticks
	}}
}
