package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	reader "echogram/pipeline/lines"
	"echogram/plugins/schema"
)

const titleNetworks = 4 // that the title names

// head says what was looked at, when, and whether it can be believed.
func (v *page) head(c *Collection) {
	from, to, sweeps := c.extent()
	for _, n := range c.Networks {
		if !slices.Contains(v.Networks, n.Name) {
			v.Networks = append(v.Networks, n.Name)
		}
	}
	if more := len(v.Networks) - titleNetworks; more > 0 {
		v.Networks, v.More = v.Networks[:titleNetworks], "and "+thousands(int64(more))+" more"
	}
	v.Title = strings.TrimSpace("Echogram: " + strings.Join(v.Networks, ", ") + " " + v.More)
	v.Zone = zoneName(c.config.Location, to)
	v.Span = fmt.Sprintf("%s to %s UTC · %s · days and hours: %s", utcMinute(from), utcMinute(to), sweeps, v.Zone)
	v.Trust, v.Doubted = c.trust()
}

// extent is from when to when the data go, and how many sweeps there were.
func (c *Collection) extent() (from, to int64, sweeps string) {
	var least, most int64
	from, least = math.MaxInt64, math.MaxInt64
	one, many := "sweep", "sweeps"
	for _, n := range c.Networks {
		if n.Sweeps > 0 {
			from, to = min(from, n.From), max(to, n.To)
		} else if len(n.Use) > 0 { // there are rows of analytics alone
			from, to = min(from, n.Use[0].Time), max(to, lastRow(n.Use).Time)
		}
		least, most = min(least, int64(n.Sweeps)), max(most, int64(n.Sweeps))
		if n.Window != "" {
			one, many = "window of "+n.Window, "windows of "+n.Window
		}
	}
	sweeps = counted(most, one, many)
	if least < most {
		sweeps = thousands(least) + " to " + sweeps + " a network"
	}
	return min(from, to), to, sweeps
}

// Words on the sweeps of which nothing is known.
const (
	trustUnknown = "Nothing is known of whether the sweeps can be trusted: there are no rows of block_state."
	trustConPing = "Nothing is known of whether con-ping's sweeps can be trusted: its files do not tell."
)

// trust sums up what the sweeps said of themselves, as far as rows of block_state tell it. Those of con-ping said nothing.
func (c *Collection) trust() (text string, doubted bool) {
	silent := slices.DeleteFunc(slices.Clone(c.Networks), func(n *Network) bool { return n.Instance != reader.ConPingInstance })
	speaking := slices.DeleteFunc(slices.Clone(c.Networks), func(n *Network) bool { return n.Instance == reader.ConPingInstance })
	switch {
	case len(silent) == 0:
		return trustOf(speaking)
	case len(speaking) == 0:
		return trustConPing, true
	}
	text, _ = trustOf(speaking)
	return "Of the others than con-ping's: " + text + " " + trustConPing, true
}

// trustOf is trust of networks whose sweeps say how far to trust them.
func trustOf(networks []*Network) (text string, doubted bool) {
	var told, out int64
	for _, n := range networks {
		tells := [][]schema.BlockStateRow{n.States}
		for _, b := range n.Blocks {
			tells = append(tells, b.States)
		}
		var most, worst int64
		for _, rows := range tells {
			var good, bad int64
			for i := range rows {
				good, bad = good+rows[i].Sweeps, bad+rows[i].Doubted
			}
			most, worst = max(most, good+bad), max(worst, bad)
		}
		told, out = told+most, out+worst
	}
	switch {
	case told == 0:
		return trustUnknown, true
	case out == 0:
		return "Every sweep was whole and trusted.", false
	}
	return fmt.Sprintf("%s of %s were left out of judgement: not trusted, cut short, or the prober's own way was suspect.",
		thousands(out), counted(told, "sweep", "sweeps")), true
}

type pageTile struct{ Name, Value, Note string }

// pageTiles are the figures at the top.
func pageTiles(c *Collection) []pageTile {
	var targets, answering, blocks, down, renumbered int64
	var rtts spread
	daily := map[string]int64{}
	for _, n := range c.Networks {
		for _, b := range n.Blocks {
			s := subjectOf(n, b)
			targets, answering = targets+int64(s.targets), answering+int64(s.answering)
			blocks++
			if r := lastRow(b.States); r != nil && (r.State == schema.StateDown || r.State == schema.StatePart) {
				down++
			}
			if r := lastRow(b.Daily); r != nil {
				daily[r.LatencyClass]++
			}
			if r := lastRow(b.Churn); r != nil && r.RenumberingHour.Set {
				renumbered++
			}
		}
		for _, t := range n.Targets {
			if ns, ok := t.Last.RTT(); ok {
				rtts.add(int64(ns))
			}
		}
	}
	tiles := []pageTile{
		{"Targets", thousands(targets), "in " + counted(int64(len(c.Networks)), "network", "networks")},
		{"Answering", thousands(answering), percent(float64(answering)/float64(max(targets, 1))) + " of the targets, at the end"},
		{"Blocks", thousands(blocks), nonzero(down, "down at the end", "none is down at the end")},
	}
	if rtts.n > 0 {
		tiles = append(tiles, pageTile{"Median RTT", millis(rtts.at(0.5)) + " ms", "95 %: up to " + millis(rtts.at(0.95)) + " ms"})
	}
	return append(tiles, eventTiles(c, renumbered, daily)...)
}

// eventTiles count what happened.
func eventTiles(c *Collection, renumbered int64, daily map[string]int64) []pageTile {
	var open int64
	kinds := map[string]int64{}
	for _, e := range c.events() {
		kinds[e.row.Event]++
		if e.row.Open && e.row.Event == schema.EventOutage {
			open++
		}
	}
	patterns := daily[schema.DailyLow] + daily[schema.DailyMild] + daily[schema.DailySevere]
	return []pageTile{
		{"Outages", thousands(kinds[schema.EventOutage]), nonzero(open, "last at the end", "none lasts at the end")},
		{"Renumberings", thousands(kinds[schema.EventRenumbering]), nonzero(renumbered, "blocks renumber by the clock", "no block renumbers by the clock")},
		{"Blocks with daily latency", thousands(patterns), fmt.Sprintf("%d severe, %d mild, %d low",
			daily[schema.DailySevere], daily[schema.DailyMild], daily[schema.DailyLow])},
		{"Own way suspect", thousands(kinds[schema.EventVantage]), "of the prober; no block is blamed for it"},
	}
}

func nonzero(n int64, some, none string) string {
	if n == 0 {
		return none
	}
	return thousands(n) + " " + some
}
