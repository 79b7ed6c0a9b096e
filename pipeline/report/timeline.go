package report

import (
	"cmp"
	"fmt"
	"image/color"
	"net/netip"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"echogram/plugins/schema"
)

const (
	timelineRows = 40            // blocks that are shown
	rowHeight    = vg.Length(15) //
	thinnest     = 0.0012        // of the axis: a bar's least width
	barHalf      = 0.32          // of a row: half a bar
)

// eventLooks says how events are drawn.
var eventLooks = []struct {
	event, name string
	color       color.NRGBA
}{
	{schema.EventOutage, "outage", vermillion},
	{schema.EventRenumbering, "renumbering: the addresses moved", blue},
	{schema.EventRateLimit, "rate limiting", orange},
}

// timelineChart shows the events of a network's blocks as bars, and while the prober's own way was suspect a band through
// all. It is nil if there is neither.
func timelineChart(n *Network) *chart {
	rows, of := eventBlocks(n)
	if len(rows)+len(n.Vantage) == 0 {
		return nil
	}
	t := n.eventSpan(rows)
	c := &chart{name: n.file("timeline"), title: "Outages  " + n.Name, facts: append(n.place(), eventWords(n)...),
		tall: 80 + rowHeight*vg.Length(max(len(rows), 4))}
	c.text = fmt.Sprintf("outages of %s over time: %s", n.Name, counted(int64(of), "block with events", "blocks with events"))
	if len(rows) < of {
		c.facts = append(c.facts, fmt.Sprintf("%d of %d blocks with events, those with the longest", len(rows), of))
	}
	var layers []layer
	band := layer{mark: areas, name: "prober's own way suspect", color: fade(sky, 0x60)}
	for i := range n.Vantage {
		v := &n.Vantage[i]
		band.runs = append(band.runs, t.bar(v.Time, v.Time+v.Duration, -0.5, float64(len(rows))-0.5))
	}
	maybe := layer{mark: areas, name: "begin or end between two sweeps", color: fade(grey, 0x80)}
	open := layer{mark: dots, name: "still open", color: black, glyph: pointer{}, size: 3.2}
	for _, look := range eventLooks {
		l := layer{mark: areas, name: look.name, color: look.color}
		for i, b := range rows {
			for j := range b.Outages {
				if e := &b.Outages[j]; e.Event == look.event {
					t.event(e, b.Prefix, float64(len(rows)-1-i), &l, &maybe, &open)
				}
			}
		}
		layers = append(layers, l)
	}
	layers = append([]layer{band, maybe}, append(layers, open)...)
	c.panels = []panel{{x: t.axis(), y: blockAxis(rows), layers: present(layers...)}}
	return c
}

// event draws one: what is certain in full, and in grey the time by which it may have begun earlier or ended earlier.
func (t span) event(e *schema.BlockOutageRow, block netip.Prefix, row float64, sure, maybe, open *layer) {
	low, high := row-barHalf, row+barHalf
	if p := prefixOf(e.Prefix); e.Event == schema.EventOutage && p.IsValid() && block.IsValid() && p.Bits() > block.Bits() {
		if p.Addr() == block.Addr() {
			low = row // the first half lies above
		} else {
			high = row
		}
	}
	end := e.Time + e.Duration
	certain := end
	if e.Uncertain > 0 {
		maybe.runs = append(maybe.runs, t.bar(e.Time-e.Uncertain, e.Time, low, high))
	}
	if e.Uncertain > 0 && !e.Open && e.Event != schema.EventRenumbering {
		certain = max(e.Time, end-e.Uncertain)
		maybe.runs = append(maybe.runs, t.bar(certain, end, low, high))
	}
	least := int64(float64(t.to-t.from) * thinnest)
	sure.runs = append(sure.runs, t.bar(e.Time, max(certain, e.Time+least), low, high))
	if e.Open {
		open.xys = append(open.xys, plotter.XY{X: t.x(max(end, e.Time+least)), Y: (low + high) / 2})
	}
}

// bar is a rectangle.
func (t span) bar(from, to int64, low, high float64) plotter.XYs {
	return plotter.XYs{{X: t.x(from), Y: low}, {X: t.x(to), Y: low}, {X: t.x(to), Y: high}, {X: t.x(from), Y: high}}
}

// eventBlocks are the blocks with events, by address, and how many of them there are: of more than fit those whose events
// took longest.
func eventBlocks(n *Network) (rows []*Block, of int) {
	for _, b := range n.Blocks {
		if len(b.Outages) > 0 {
			rows = append(rows, b)
		}
	}
	of = len(rows)
	if of > timelineRows {
		long := func(b *Block) (sum int64) {
			for i := range b.Outages {
				sum += b.Outages[i].Duration
			}
			return sum
		}
		slices.SortStableFunc(rows, func(a, b *Block) int { return cmp.Compare(long(b), long(a)) })
		rows = rows[:timelineRows]
		slices.SortStableFunc(rows, func(a, b *Block) int { return comparePrefixes(a.Prefix, b.Prefix) })
	}
	return rows, of
}

// eventSpan is the time of all sweeps, windows and events.
func (n *Network) eventSpan(rows []*Block) (t span) {
	widen := func(from, to int64) {
		if t == (span{}) {
			t = span{from, to}
		}
		t.from, t.to = min(t.from, from), max(t.to, to)
	}
	if n.Sweeps > 0 {
		widen(n.From, n.To)
	}
	for _, u := range n.Use {
		widen(u.Time, u.Time+int64(time.Hour))
	}
	for _, e := range n.Vantage {
		widen(e.Time-e.Uncertain, e.Time+e.Duration)
	}
	for _, b := range rows {
		for _, e := range b.Outages {
			widen(e.Time-e.Uncertain, e.Time+e.Duration)
		}
	}
	return t
}

// eventWords counts events.
func eventWords(n *Network) (facts []string) {
	counts := map[string]int64{}
	var longest, open int64
	for _, b := range n.Blocks {
		for i := range b.Outages {
			e := &b.Outages[i]
			counts[e.Event]++
			if e.Event == schema.EventOutage {
				longest = max(longest, e.Duration)
				if e.Open {
					open++
				}
			}
		}
	}
	facts = append(facts, counted(counts[schema.EventOutage], "outage", "outages"))
	if longest > 0 {
		facts = append(facts, "longest "+lasting(longest))
	}
	if open > 0 {
		facts = append(facts, thousands(open)+" of them open")
	}
	for _, k := range []struct {
		n         int64
		one, many string
	}{
		{counts[schema.EventRenumbering], "renumbering", "renumberings"},
		{counts[schema.EventRateLimit], "rate limit", "rate limits"},
		{int64(len(n.Vantage)), "time the prober's own way was suspect", "times the prober's own way was suspect"},
	} {
		if k.n > 0 {
			facts = append(facts, counted(k.n, k.one, k.many))
		}
	}
	return facts
}

// lasting writes a length of time in its two largest units: "1 d 12 h", "20 min".
func lasting(ns int64) string {
	units := []struct {
		name string
		of   int64
	}{{"d", int64(day)}, {"h", int64(time.Hour)}, {"min", int64(time.Minute)}, {"s", int64(time.Second)}}
	for i, u := range units {
		if ns < u.of {
			continue
		}
		text := fmt.Sprintf("%d %s", ns/u.of, u.name)
		if i+1 < len(units) && ns%u.of >= units[i+1].of {
			text += fmt.Sprintf(" %d %s", ns%u.of/units[i+1].of, units[i+1].name)
		}
		return text
	}
	return "0 s"
}

// blockAxis names a block a row, from top to bottom.
func blockAxis(rows []*Block) *axis {
	n := float64(max(len(rows), 1))
	return &axis{label: "", min: -0.6, max: n - 0.4, ticks: func(*axis) (ticks []plot.Tick) {
		for i, b := range rows {
			ticks = append(ticks, plot.Tick{Value: n - 1 - float64(i), Label: b.Name})
		}
		return ticks
	}}
}
