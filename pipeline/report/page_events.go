package report

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// event is one thing that happened.
type pageEvent struct {
	network string
	row     *schema.BlockOutageRow
}

// events lists what happened to blocks and to the prober, the latest first. Vantage is told of each network of a prober, but
// is one event.
func (c *Collection) events() []pageEvent {
	var all []pageEvent
	type vantage struct {
		host, instance string
		at             int64
	}
	seen := map[vantage]bool{}
	for _, n := range c.Networks {
		for i := range n.Vantage {
			r := &n.Vantage[i]
			if key := (vantage{r.Host, r.Instance, r.Time}); !seen[key] {
				seen[key] = true
				all = append(all, pageEvent{"", r})
			}
		}
		for _, b := range n.Blocks {
			for i := range b.Outages {
				all = append(all, pageEvent{n.Name, &b.Outages[i]})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pageEvent) int { return cmp.Compare(b.row.Time, a.row.Time) })
	return all
}

func eventTable(c *Collection, most int) pageTable {
	t := pageTable{ID: "t-events", Caption: "Events, the latest first. A begin or end is known to within the time between two sweeps."}
	all := c.events()
	if left := len(all) - most; left > 0 {
		all = all[:most]
		t.Left = counted(int64(left), "earlier event is left out.", "earlier events are left out.")
	}
	where := c.config.Location
	columns := []pageColumn[pageEvent]{{pageHead{Name: "Begin", Unit: "UTC"}, func(e pageEvent) pageCell { return pageCell{Text: utcMinute(e.row.Time)} }}}
	if where.String() != "UTC" {
		columns = append(columns, pageColumn[pageEvent]{pageHead{Name: "Begin", Unit: where.String()}, func(e pageEvent) pageCell {
			return pageCell{Text: time.Unix(0, e.row.Time).In(where).Format(minuteFormat)}
		}})
	}
	fillTable(&t, append(columns, eventColumns()...), all)
	return t
}

func eventColumns() []pageColumn[pageEvent] {
	return []pageColumn[pageEvent]{
		{pageHead{Name: "Event"}, eventCell},
		{pageHead{Name: "Where"}, func(e pageEvent) pageCell {
			if e.row.Event == schema.EventVantage {
				return pageCell{Text: strings.TrimSpace("prober " + e.row.Host)}
			}
			return pageCell{Text: cmp.Or(e.row.Prefix, e.row.Block, e.network)}
		}},
		{pageHead{Name: "Duration", Number: true}, func(e pageEvent) pageCell {
			text := lastingText(e.row.Duration)
			if e.row.Open {
				text += " so far"
			}
			return numberCell(float64(e.row.Duration), text)
		}},
		{pageHead{Name: "Within", Number: true, Hint: "by how much it may have begun before or ended before its end"}, func(e pageEvent) pageCell {
			if e.row.Uncertain == 0 {
				return pageCell{}
			}
			return numberCell(float64(e.row.Uncertain), "± "+lastingText(e.row.Uncertain))
		}},
		{pageHead{Name: "Silent", Unit: "addresses", Number: true, Hint: "that answered before and did not in it"}, func(e pageEvent) pageCell {
			if e.row.Event == schema.EventVantage {
				return pageCell{}
			}
			return numberCell(float64(e.row.Addresses), thousands(e.row.Addresses))
		}},
		{pageHead{Name: "Belief", Number: true, Hint: "the least in it that the block is up"}, func(e pageEvent) pageCell {
			if e.row.Event != schema.EventOutage {
				return pageCell{}
			}
			return numberCell(e.row.BeliefLow, strconv.FormatFloat(e.row.BeliefLow, 'f', 2, 64))
		}},
		{pageHead{Name: "Moved to"}, func(e pageEvent) pageCell { return pageCell{Text: e.row.To} }},
		{pageHead{Name: "Reason"}, func(e pageEvent) pageCell { return pageCell{Text: e.row.Reason, Kind: "text"} }},
	}
}

func eventCell(e pageEvent) pageCell {
	switch e.row.Event {
	case schema.EventOutage:
		return pageCell{Text: "outage", Kind: "bad"}
	case schema.EventVantage:
		return pageCell{Text: "own way suspect", Kind: "odd", Hint: fmt.Sprintf("%s silent at once", counted(e.row.Blocks, "block", "blocks"))}
	case schema.EventRateLimit:
		return pageCell{Text: "rate limiting"}
	}
	return pageCell{Text: e.row.Event}
}

// targetTable lists the single targets whose RTT swings most over the day.
func targetTable(c *Collection, most int) pageTable {
	t := pageTable{ID: "t-targets", Caption: "Single targets, the greatest swing first. Hours are local."}
	var all []*Target
	for _, n := range c.Networks {
		for _, target := range n.Targets {
			if target.Daily != nil && target.Daily.Amplitude.Set {
				all = append(all, target)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *Target) int { return cmp.Compare(b.Daily.Amplitude.N, a.Daily.Amplitude.N) })
	if left := len(all) - most; left > 0 {
		all = all[:most]
		t.Left = counted(int64(left), "target with a smaller swing is left out.", "targets with smaller swings are left out.")
	}
	fillTable(&t, targetColumns(), all)
	return t
}

func targetColumns() []pageColumn[*Target] {
	return []pageColumn[*Target]{
		{pageHead{Name: "Target"}, func(t *Target) pageCell {
			at := t.Addr.As16()
			return pageCell{Text: t.Addr.String(), Sort: hex.EncodeToString(at[:]), Address: t.Addr.String()}
		}},
		{pageHead{Name: "Name"}, func(t *Target) pageCell { return pageCell{Text: t.Name} }},
		{pageHead{Name: "Block"}, func(t *Target) pageCell { return pageCell{Text: t.Block.Name} }},
		{pageHead{Name: "Class"}, func(t *Target) pageCell {
			return latencyCell(&subject{Analytics: &Analytics{Daily: []schema.BlockDailyRow{*t.Daily}}})
		}},
		{pageHead{Name: "Peak", Unit: "local hour"}, func(t *Target) pageCell {
			if !t.Daily.LatencyHour.Set {
				return pageCell{}
			}
			return pageCell{Text: clockHour(t.Daily.LatencyHour.F)}
		}},
		{pageHead{Name: "Swing", Unit: "ms", Number: true}, func(t *Target) pageCell {
			return numberCell(float64(t.Daily.Amplitude.N), millis(float64(t.Daily.Amplitude.N)))
		}},
		{pageHead{Name: "Floor", Unit: "ms", Number: true, Hint: "its least median"}, func(t *Target) pageCell {
			if !t.Daily.RTTFloor.Set {
				return pageCell{}
			}
			return numberCell(float64(t.Daily.RTTFloor.N), millis(float64(t.Daily.RTTFloor.N)))
		}},
		{pageHead{Name: "At the end"}, func(t *Target) pageCell { return pageCell{Text: t.Last.String()} }},
		{pageHead{Name: "Days", Number: true, Hint: "of the span"}, func(t *Target) pageCell {
			return numberCell(float64(t.Daily.Days), thousands(t.Daily.Days))
		}},
	}
}
