package report

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"echogram/plugins/schema"
)

// hoursChart shows the RTTs of a network by hour of the day: all of them, and by how much they lie above each target's
// own least, which is where a daily swing shows. It is nil where there are not RTTs of two hours at least.
func hoursChart(n *Network, in *time.Location) *chart {
	if n.hours == nil || windowLength(n.Window) > time.Hour {
		return nil
	}
	total, hours := int64(0), 0
	for i := range n.hours {
		total += n.hours[i].n
		if n.hours[i].n > 0 {
			hours++
		}
	}
	if hours < 2 {
		return nil
	}
	c := &chart{name: n.file("hours"), title: "RTT by hour of the day  " + n.Name,
		text:   fmt.Sprintf("RTT of %s by hour of the day: %s", n.Name, counted(total, "RTT", "RTTs")),
		facts:  append(n.place(), counted(total, "RTT", "RTTs")+" of "+n.sweeps(), stamp(n.From)+" to "+stamp(n.To)),
		panels: []panel{quartilePanel("RTT", n.hours, in)}}
	if above := n.above(in); above != nil {
		c.panels = append(c.panels, quartilePanel("above the target's least RTT", above, in))
		if len(n.Frames) < n.Sweeps {
			c.facts = append(c.facts, fmt.Sprintf("above the least: of %d sweeps", len(n.Frames)))
		}
	}
	c.facts = append(c.facts, dailyWords(n.Daily)...)
	return c
}

// dailyWords says what block analytics found.
func dailyWords(rows []schema.BlockDailyRow) []string {
	if len(rows) == 0 {
		return nil
	}
	r := &rows[len(rows)-1]
	if !r.Amplitude.Set || !r.LatencyHour.Set || r.LatencyClass == schema.DailyNone {
		return nil
	}
	return []string{fmt.Sprintf("daily swing of %d days: %s (%s), highest at %s", r.Days, duration(float64(r.Amplitude.N)), r.LatencyClass, clock(r.LatencyHour.F))}
}

// clock writes an hour of the day: 20:30.
func clock(hour float64) string {
	minutes := int(hour*60+0.5) % (24 * 60)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

const leastLooks = 4 // RTTs that a target needs for a least of its own

// above is by how much the RTTs of frames lie above the least of their target, by hour of the day; nil if nobody has
// enough of them.
func (n *Network) above(in *time.Location) *[24]spread {
	least := make([]float64, len(n.Targets))
	count := make([]int, len(n.Targets))
	for _, f := range n.Frames {
		for i, t := range n.Targets {
			if ns, ok := f.Answer(t).RTT(); ok {
				if count[i] == 0 || ns < least[i] {
					least[i] = ns
				}
				count[i]++
			}
		}
	}
	var hours [24]spread
	found := false
	clock := hourClock{location: in}
	for _, f := range n.Frames {
		_, hour := clock.hour(f.Time)
		for i, t := range n.Targets {
			if ns, ok := f.Answer(t).RTT(); ok && count[i] >= leastLooks {
				hours[hour].add(int64(ns - least[i]))
				found = true
			}
		}
	}
	if !found {
		return nil
	}
	return &hours
}

// quartilePanel shows the middle half of each hour's values and their median.
func quartilePanel(name string, hours *[24]spread, in *time.Location) panel {
	var low, high, median [24]float64
	hi := 0.0
	for i := range hours {
		s := &hours[i]
		low[i], median[i], high[i] = s.at(0.25), s.at(0.5), s.at(0.75)
		hi = max(hi, high[i])
	}
	y := &axis{max: max(hi*(1+margin), 1), ticks: linearTicks}
	y.label = name + " (" + unitFor(y.max).name + ")"
	band := layer{mark: areas, name: "middle half", color: fade(sky, 0x70)}
	line := layer{mark: lines, name: "median", color: blue, size: 1.8}
	for i := range hours {
		if hours[i].n == 0 {
			continue
		}
		from, to := float64(i), float64(i+1)
		band.runs = append(band.runs, plotter.XYs{{X: from, Y: low[i]}, {X: to, Y: low[i]}, {X: to, Y: high[i]}, {X: from, Y: high[i]}})
		step := plotter.XYs{{X: from, Y: median[i]}, {X: to, Y: median[i]}}
		if last := len(line.runs) - 1; last >= 0 && i > 0 && hours[i-1].n > 0 {
			line.runs[last] = append(line.runs[last], step...)
		} else {
			line.runs = append(line.runs, step)
		}
	}
	return panel{x: hourAxis(in), y: y, layers: []layer{band, line}}
}

// hourAxis is the hours of a day from left to right.
func hourAxis(in *time.Location) *axis {
	return &axis{label: "hour of the day (" + in.String() + ")", max: 24, ticks: func(*axis) (ticks []plot.Tick) {
		for h := 0; h <= 24; h++ {
			t := plot.Tick{Value: float64(h)}
			if h%3 == 0 {
				t.Label = fmt.Sprintf("%02d:00", h)
			}
			ticks = append(ticks, t)
		}
		return ticks
	}}
}
