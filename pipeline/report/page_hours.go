package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"echogram/pipeline/median"
)

const calendarDays = 31 // that a calendar shows at most, the last ones

// pageCalendar is how a network was used, by day and hour.
type pageCalendar struct {
	Network, Text string
	Hours         []string
	Days          []pageDay
	Steps         []string // classes of colours, the least first
	Low, High     string   // what the first and the last stand for
	Left          string
}

type pageDay struct {
	Name  string
	Hours []pageCell
}

func pageCalendars(c *Collection) []pageCalendar {
	var all []pageCalendar
	for _, n := range c.Networks {
		if len(n.Use) > 0 {
			all = append(all, newCalendar(n, c.config.Location))
		}
	}
	return all
}

const calendarSteps = 10

func newCalendar(n *Network, where *time.Location) pageCalendar {
	low, high := math.Inf(1), math.Inf(-1)
	for _, u := range n.Use {
		if u.Probed > 0 {
			low, high = min(low, u.percent()), max(high, u.percent())
		}
	}
	k := pageCalendar{Network: n.Name, Text: fmt.Sprintf("%.1f to %.1f %%", low, high),
		Low: fmt.Sprintf("%.1f %%", low), High: fmt.Sprintf("%.1f %%", high)}
	for i := range 24 {
		k.Hours = append(k.Hours, strconv.Itoa(i))
	}
	for i := range calendarSteps {
		k.Steps = append(k.Steps, "u"+strconv.Itoa(i))
	}
	for _, u := range n.Use {
		at := time.Unix(0, u.Time).In(where)
		name := at.Format("Mon 2 Jan")
		if len(k.Days) == 0 || k.Days[len(k.Days)-1].Name != name {
			k.Days = append(k.Days, pageDay{name, make([]pageCell, 24)})
		}
		if u.Probed > 0 {
			step := min(int(calendarSteps*(u.percent()-low)/max(high-low, 1e-9)), calendarSteps-1)
			k.Days[len(k.Days)-1].Hours[at.Hour()] = pageCell{Text: strconv.FormatFloat(u.percent(), 'f', 0, 64), Kind: k.Steps[step],
				Hint: fmt.Sprintf("%s, %d:00: %.1f %%", name, at.Hour(), u.percent())}
		}
	}
	if left := len(k.Days) - calendarDays; left > 0 {
		k.Days = k.Days[left:]
		k.Left = counted(int64(left), "earlier day is left out.", "earlier days are left out.")
	}
	return k
}

func (u *Use) percent() float64 { return 100 * u.Responding / u.Probed }

// pageCurve is the RTT of a network by hour of the day.
type pageCurve struct {
	Network, Text string
	Line, Band    string // paths
	Grid, Ticks   []curveTick
	Rows          []curveRow
}

type curveTick struct{ X, Y, Name string }

type curveRow struct{ Hour, Median, Low, High string }

// pageHour is the median of an hour, ns, with the range of its days; 0: there are none.
type pageHour struct{ median, low, high float64 }

func pageCurves(c *Collection) []pageCurve {
	var all []pageCurve
	for _, n := range c.Networks {
		hours := n.byHour(c.config.Location)
		known := 0
		for _, h := range hours {
			if h.median > 0 {
				known++
			}
		}
		if known >= 12 { // less is no day
			all = append(all, newCurve(n.Name, hours))
		}
	}
	return all
}

// byHour is the RTT of each hour: of the medians of that hour's sweeps, which are exact, else of windows that block
// analytics wrote, whose medians are the middles of bins of 6 %, else of all answers, which tells no range of days.
func (n *Network) byHour(where *time.Location) (hours [24]pageHour) {
	days, known := n.frameMedians(where)
	windows := [24]spread{}
	found := 0
	for i := range n.States {
		if r := &n.States[i]; r.RTTP50.Set {
			s := &windows[time.Unix(0, r.Time).In(where).Hour()]
			if s.add(r.RTTP50.N); s.n == 1 {
				found++
			}
		}
	}
	if known < max(found, 2) {
		days = windows
	}
	for i := range hours {
		switch s := &days[i]; {
		case s.n > 0:
			hours[i] = pageHour{s.at(0.5), s.at(0.1), s.at(0.9)}
		case n.hours[i].n > 0 && len(n.States) == 0:
			m := n.hours[i].at(0.5)
			hours[i] = pageHour{m, m, m}
		}
	}
	return hours
}

// frameMedians are the medians of the RTTs in the frames of one hour of one day, by hour of the day, and how many of these
// have any. Of windows longer than an hour there are none.
func (n *Network) frameMedians(where *time.Location) (hours [24]spread, known int) {
	if windowLength(n.Window) > time.Hour {
		return hours, 0
	}
	clock := hourClock{location: where}
	var rtts, medians []float64
	end := func(of int) {
		if len(medians) > 0 {
			hours[of].add(int64(median.Of(medians)))
			medians = medians[:0]
		}
	}
	last, of := int64(0), 0
	for _, f := range n.Frames {
		start, hour := clock.hour(f.Time)
		if start != last {
			end(of)
			last, of = start, hour
		}
		rtts = rtts[:0]
		for _, a := range f.answers {
			if ns, ok := a.RTT(); ok {
				rtts = append(rtts, ns)
			}
		}
		if len(rtts) > 0 {
			medians = append(medians, median.Of(rtts))
		}
	}
	end(of)
	for i := range hours {
		known += int(min(hours[i].n, 1))
	}
	return hours, known
}

// The place of the curve in its picture; page/template.html draws the frame.
const (
	curveLeft, curveRight = 44.0, 472.0
	curveTop, curveBottom = 18.0, 172.0
)

func newCurve(name string, hours [24]pageHour) pageCurve {
	k := pageCurve{Network: name}
	low, high := math.Inf(1), 0.0
	least, most := -1, -1
	for i, h := range hours {
		row := curveRow{Hour: fmt.Sprintf("%02d:00", i)}
		if h.median > 0 {
			low, high = min(low, h.low), max(high, h.high)
			if least < 0 || h.median < hours[least].median {
				least = i
			}
			if most < 0 || h.median > hours[most].median {
				most = i
			}
			row.Median, row.Low, row.High = millis(h.median), millis(h.low), millis(h.high)
		}
		k.Rows = append(k.Rows, row)
	}
	k.Text = fmt.Sprintf("least at %02d:00 with %s ms, most at %02d:00 with %s ms", least, millis(hours[least].median), most, millis(hours[most].median))
	k.draw(hours, low, high)
	return k
}

// roundScale is a linear axis from round to round ns around low and high, some four steps.
func roundScale(low, high float64) (from, to, by float64) {
	by = step(max(high-low, high*0.02, 1) / 4)
	return by * math.Floor(low/by), by * math.Ceil(high/by), by
}

func (k *pageCurve) draw(hours [24]pageHour, low, high float64) {
	from, to, by := roundScale(low, high)
	x := func(i float64) float64 { return curveLeft + (curveRight-curveLeft)*i/24 }
	y := func(v float64) float64 { return curveBottom - (curveBottom-curveTop)*(v-from)/(to-from) }
	var line, over, under []string
	for i, h := range hours {
		if h.median > 0 {
			at := x(float64(i) + 0.5)
			line = append(line, fmt.Sprintf("%.1f %.1f", at, y(h.median)))
			over = append(over, fmt.Sprintf("%.1f %.1f", at, y(h.high)))
			under = append(under, fmt.Sprintf("%.1f %.1f", at, y(h.low)))
		}
	}
	slices.Reverse(under)
	k.Line = "M" + strings.Join(line, "L")
	k.Band = "M" + strings.Join(append(over, under...), "L") + "Z"
	for i := 0.0; from+i*by <= to*(1+1e-9); i++ {
		k.Grid = append(k.Grid, curveTick{Y: fmt.Sprintf("%.1f", y(from+i*by)), Name: strconv.FormatFloat((from+i*by)/1e6, 'g', 6, 64)})
	}
	for i := 0; i <= 24; i += 6 {
		k.Ticks = append(k.Ticks, curveTick{X: fmt.Sprintf("%.1f", min(x(float64(i)), curveRight-8)), Name: fmt.Sprintf("%02d:00", i)})
	}
}
