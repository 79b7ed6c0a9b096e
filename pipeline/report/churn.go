package report

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"gonum.org/v1/plot/plotter"

	"echogram/plugins/schema"
)

// churnChart shows how the addresses of a network came and went day by day. It is nil if no row tells.
func churnChart(n *Network) *chart {
	days := n.churnDays()
	if len(days) == 0 {
		return nil
	}
	var there, peak, static, dynamic, joined, left, sessions series
	for i := range days {
		d := &days[i]
		there.add(d.Time, float64(d.Addresses))
		peak.add(d.Time, float64(d.Peak))
		static.add(d.Time, float64(d.Static))
		dynamic.add(d.Time, float64(d.Dynamic))
		joined.add(d.Time, float64(d.Joined))
		left.add(d.Time, float64(d.Left))
		sessions.add(d.Time, float64(d.Sessions))
	}
	for _, s := range []*series{&there, &peak, &static, &dynamic, &joined, &left, &sessions} {
		s.step = int64(day)
	}
	t := span{}.cover(&there).withPeriod(int64(day))
	moved := n.renumberings(t)
	line := func(name string, s *series, l layer) layer {
		l.mark, l.name, l.runs = lines, name, t.steps(s)
		return l
	}
	most := max(joined.high, left.high, sessions.high)
	for _, xy := range moved {
		most = max(most, xy.Y)
	}
	c := &chart{name: n.file("churn"), title: "Churn  " + n.Name,
		text:  fmt.Sprintf("addresses and sessions of %s by day: %s", n.Name, counted(int64(len(days)), "day", "days")),
		facts: append(n.place(), churnWords(&days[len(days)-1])...)}
	c.panels = []panel{
		{x: t.axis(), y: countAxis("addresses a day", max(there.high, static.high, dynamic.high)), layers: present(
			line("answered in the day", &there, layer{color: blue, size: 1.8}),
			line("most at once", &peak, layer{color: sky, size: 1.4}),
			line("static", &static, layer{color: green, size: 1.4, dash: dashed}),
			line("dynamic", &dynamic, layer{color: orange, size: 1.4, dash: dashed}))},
		{x: t.axis(), y: countAxis("changes a day", most), layers: present(
			line("joined", &joined, layer{color: green, size: 1.4}),
			line("left", &left, layer{color: vermillion, size: 1.4, dash: dashed}),
			line("sessions that ended", &sessions, layer{color: black, size: 1.1, dash: dotted}),
			layer{mark: dots, name: "renumbered at once", color: purple, glyph: triangle{}, size: 3.4, xys: moved})},
	}
	return c
}

// churnDays are the network's own rows, or the sums of its blocks' where there are none.
func (n *Network) churnDays() []schema.BlockChurnRow {
	if len(n.Churn) > 0 {
		return n.Churn
	}
	sums := map[int64]schema.BlockChurnRow{}
	for _, b := range n.Blocks {
		for i := range b.Churn {
			r := &b.Churn[i]
			d := sums[r.Time]
			d.Time = r.Time
			d.Addresses += r.Addresses
			d.Peak += r.Peak
			d.Joined += r.Joined
			d.Left += r.Left
			d.Sessions += r.Sessions
			d.Static += r.Static
			d.Dynamic += r.Dynamic
			sums[r.Time] = d
		}
	}
	var days []schema.BlockChurnRow
	for _, at := range slices.Sorted(maps.Keys(sums)) {
		days = append(days, sums[at])
	}
	return days
}

// renumberings are how many addresses changed at once, at the hour they did, by the rows of blocks; where there are none
// by those of the network.
func (n *Network) renumberings(t span) plotter.XYs {
	sums := map[int64]int64{}
	add := func(rows []schema.BlockChurnRow) {
		for i := range rows {
			if r := &rows[i]; r.Renumbered > 0 && r.RenumberingHour.Set {
				at := r.Time + int64(r.RenumberingHour.F*float64(time.Hour))
				sums[at-at%int64(30*time.Minute)] += r.Renumbered
			}
		}
	}
	for _, b := range n.Blocks {
		add(b.Churn)
	}
	if len(sums) == 0 {
		add(n.Churn)
	}
	var xys plotter.XYs
	for _, at := range slices.Sorted(maps.Keys(sums)) {
		xys = append(xys, plotter.XY{X: t.x(at), Y: float64(sums[at])})
	}
	return xys
}

// churnWords says what the last day tells.
func churnWords(r *schema.BlockChurnRow) (facts []string) {
	if r.Class != "" {
		facts = append(facts, r.Class)
	}
	if r.SessionP50.Set {
		facts = append(facts, "median session of the last day "+lasting(r.SessionP50.N))
	}
	if r.RenumberingHour.Set {
		facts = append(facts, "renumbered at "+clock(r.RenumberingHour.F))
	}
	if r.Period.Set {
		facts = append(facts, "every "+lasting(r.Period.N))
	}
	return facts
}
