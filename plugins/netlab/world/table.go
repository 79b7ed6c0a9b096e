package world

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// figure is a line of the table.
type figure struct {
	name  string
	value string
	cases string
	goal  string
	met   bool
}

// share is a line of a share, of which at least goal is wanted; 0: nothing is.
func share(name string, s Share, goal float64) figure {
	return ratio(name, s.Value(), fmt.Sprintf("%d of %d", s.Right, s.Of), goal)
}

func ratio(name string, value float64, cases string, goal float64) figure {
	f := figure{name: name, value: "–", cases: cases, met: !(value < goal)} // without cases nothing is missed
	if !math.IsNaN(value) {
		f.value = fmt.Sprintf("%.3f", value)
	}
	if goal > 0 {
		f.goal = fmt.Sprintf("≥ %.2f", goal)
	}
	return f
}

// none is a line of what must not be.
func none(name string, n int) figure {
	return figure{name: name, value: fmt.Sprint(n), goal: "0", met: n == 0}
}

func (f *Figures) table() []figure {
	return []figure{
		share("outages of blocks, precision", f.OutagePrecision, .98),
		share("outages of blocks, recall", f.OutageRecall, .98),
		share("begin within one sweep", f.OutageBegin, .98),
		share("end within one sweep", f.OutageEnd, .98),
		share("reported in one piece", f.OutageWhole, 0),
		share("outages of halves, precision", f.HalfPrecision, 0),
		share("outages of halves, recall", f.HalfRecall, 0),
		none("renumberings reported as outages", f.FromRenumbering),
		none("the prober's own outages reported as outages", f.FromUplink),
		none("rate limiting reported as outages", f.FromRateLimit),
		none("capture drops reported as outages", f.FromDrops),
		{name: "other reports of outages that were none", value: fmt.Sprint(f.FromElse), met: true},
		share("renumberings of blocks, precision", f.RenumberingPrecision, 0),
		share("renumberings of blocks, recall", f.RenumberingRecall, 0),
		share("the prober's own outages said, precision", f.VantagePrecision, 0),
		share("the prober's own outages said, recall", f.VantageRecall, 0),
		share("rate limiting named, precision", f.RateLimitPrecision, 0),
		share("rate limiting named, recall", f.RateLimitRecall, 0),
		ratio("DHCP pools told from static, F1", f.F1(), "", .95),
		share("DHCP pools, precision", f.DHCPPrecision, 0),
		share("DHCP pools, recall", f.DHCPRecall, 0),
		share("hour of the daily renumbering", f.Hour, .95),
		share("blocks with such an hour that have one", f.HourPrecision, 0),
		share("period of it", f.Period, 0),
		share("diurnal, precision", f.DiurnalPrecision, .9),
		share("diurnal, recall", f.DiurnalRecall, .9),
		share("class of the daily latency", f.PeakClass, .95),
		share("hour of its peak", f.PeakHour, .95),
		share("single targets, class", f.TargetClass, 0),
		share("single targets with a pattern of their own, recall", f.TargetRecall, 0),
		share("hour of its peak", f.TargetHour, 0),
		share("share that answers, within 4 points", f.Responding, 0),
	}
}

// Missed names the figures that do not reach their goals.
func (f *Figures) Missed() (names []string) {
	for _, l := range f.table() {
		if !l.met {
			names = append(names, l.name+": "+l.value)
		}
	}
	return names
}

// Text is the table of the figures for a terminal, with the classes of churn by use below it.
func (f *Figures) Text() string {
	var b strings.Builder
	for _, l := range f.table() {
		mark := ""
		if !l.met {
			mark = "missed"
		}
		fmt.Fprintf(&b, "%-52s %6s  %-14s %-7s %s\n", l.name, l.value, l.cases, l.goal, mark)
	}
	for _, line := range f.classes() {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// Markdown is the table of several worlds for a document, a column each; what misses its goal is bold.
func Markdown(names []string, all []*Figures) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | asked | %s |\n| --- | ---%s |\n", strings.Join(names, " | "), strings.Repeat(" | ---", len(all)))
	for i, l := range all[0].table() {
		fmt.Fprintf(&b, "| %s | %s", l.name, l.goal)
		for _, f := range all {
			b.WriteString(" | " + f.table()[i].cell())
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

func (f *figure) cell() string {
	text := f.value
	if f.cases != "" {
		text += ", " + f.cases
	}
	if !f.met {
		return "**" + text + "**"
	}
	return text
}

// classes says of each use how its blocks were classed.
func (f *Figures) classes() (lines []string) {
	for _, use := range slices.Sorted(maps.Keys(f.Churn)) {
		line := "churn of " + string(use) + ":"
		for _, class := range slices.Sorted(maps.Keys(f.Churn[use])) {
			name := class
			if name == "" {
				name = "no row"
			}
			line += fmt.Sprintf(" %s %d", name, f.Churn[use][class])
		}
		lines = append(lines, line)
	}
	return lines
}
