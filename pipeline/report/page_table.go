package report

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// pageTable is a table that sorts by its heads.
type pageTable struct {
	ID, Caption string
	Columns     []pageHead
	Rows        [][]pageCell
	Left        string // what was left out
}

type pageHead struct {
	Name, Unit, Hint string
	Number           bool
}

type pageCell struct {
	Text    string
	Sort    string // by what it sorts; "": by Text
	Kind    string // classes of style
	Hint    string
	Address string // where it is on the map; of a first cell
}

// pageColumn is a column of a table whose rows are of S.
type pageColumn[S any] struct {
	pageHead
	cell func(S) pageCell
}

// fillTable makes rows, and leaves out columns in which no row has anything to say.
func fillTable[S any](t *pageTable, columns []pageColumn[S], of []S) {
	all := make([][]pageCell, len(of))
	said := make([]bool, len(columns))
	for i, s := range of {
		for j, c := range columns {
			cell := c.cell(s)
			if c.Number {
				cell.Kind = strings.TrimSpace("n " + cell.Kind)
			}
			all[i] = append(all[i], cell)
			said[j] = said[j] || cell.Text != ""
		}
	}
	for j, c := range columns {
		if said[j] {
			t.Columns = append(t.Columns, c.pageHead)
		}
	}
	for _, row := range all {
		var kept []pageCell
		for j := range row {
			if said[j] {
				kept = append(kept, row[j])
			}
		}
		t.Rows = append(t.Rows, kept)
	}
}

// subject is what a row of the tables of blocks and groups is about.
type subject struct {
	name, sort, address string
	kind                string // of a group: network, or the label's key
	network             string
	labels              []schema.Tag
	targets, answering  int
	rtts                spread
	*Analytics
}

func subjectOf(n *Network, b *Block) *subject {
	s := &subject{name: b.Name, sort: b.Name, kind: schema.GroupBlock, network: n.Name, labels: b.Labels, targets: max(int(b.Probed), len(b.Targets)),
		Analytics: &b.Analytics}
	if b.Prefix.IsValid() {
		at := b.Prefix.Addr().As16()
		s.sort, s.address = hex.EncodeToString(at[:]), b.Name
	}
	s.tally(b.Targets)
	return s
}

func (s *subject) tally(targets []*Target) {
	for _, t := range targets {
		if t.Last.Answered() {
			s.answering++
		}
		if ns, ok := t.Last.RTT(); ok {
			s.rtts.add(int64(ns))
		}
	}
}

// share is how much of it answers, percent: in its last window, else at its end.
func (s *subject) share() (percent float64, ok bool) {
	if r := lastRow(s.States); r != nil {
		return r.PercentResponding, true
	}
	return 100 * float64(s.answering) / float64(max(s.targets, 1)), s.targets > 0
}

func (s *subject) outages() (n int, latest *schema.BlockOutageRow) {
	for i := range s.Outages {
		if s.Outages[i].Event == schema.EventOutage {
			n, latest = n+1, &s.Outages[i]
		}
	}
	return n, latest
}

// last is the latest row; nil: there is none.
func lastRow[R any](rows []R) *R {
	if len(rows) == 0 {
		return nil
	}
	return &rows[len(rows)-1]
}

const labelColumns = 4

// blockTable has a row a block.
func blockTable(c *Collection, most int) pageTable {
	t := pageTable{ID: "t-blocks"}
	var all []*subject
	networks := map[string]bool{}
	for _, n := range c.Networks {
		networks[n.Name] = true
		for _, b := range n.Blocks {
			all = append(all, subjectOf(n, b))
		}
	}
	keys := labelKeys(all)
	t.Caption = "Blocks: how they answer, are used and change. A head sorts; a block's name shows it on the map. Times are UTC, hours local."
	if left := len(all) - most; left > 0 {
		slices.SortStableFunc(all, func(a, b *subject) int { return cmp.Compare(b.told(), a.told()) })
		all = all[:most]
		slices.SortStableFunc(all, func(a, b *subject) int { return cmp.Compare(a.sort, b.sort) })
		t.Left = fmt.Sprintf("%s left out: those with the fewest outages, then the fewest answers.", counted(int64(left), "block is", "blocks are"))
	}
	columns := []pageColumn[*subject]{{pageHead{Name: "Block"}, func(s *subject) pageCell {
		return pageCell{Text: s.name, Sort: s.sort, Address: s.address}
	}}}
	if len(networks) > 1 {
		columns = append(columns, pageColumn[*subject]{pageHead{Name: "Network"}, func(s *subject) pageCell { return pageCell{Text: s.network} }})
	}
	for _, key := range keys {
		columns = append(columns, pageColumn[*subject]{pageHead{Name: key}, func(s *subject) pageCell {
			v := labelValue(s.labels, key)
			return pageCell{Text: v, Kind: "cut", Hint: v}
		}})
	}
	fillTable(&t, append(columns, subjectColumns()...), all)
	return t
}

// told weighs how much there is to tell of a block.
func (s *subject) told() int {
	n, _ := s.outages()
	return n<<32 + s.answering
}

// labelKeys are the labels that most blocks have, by name.
func labelKeys(all []*subject) []string {
	seen := map[string]int{}
	for _, s := range all {
		for _, l := range s.labels {
			seen[l.Key]++
		}
	}
	var keys []string
	for key := range seen {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(seen[b], seen[a]), cmp.Compare(a, b)) })
	keys = keys[:min(len(keys), labelColumns)]
	slices.Sort(keys)
	return keys
}

func labelValue(labels []schema.Tag, key string) string {
	for _, l := range labels {
		if l.Key == key {
			return l.Value
		}
	}
	return ""
}

// groupTable has a row a network and a row a label's value.
func groupTable(c *Collection) pageTable {
	t := pageTable{ID: "t-groups", Caption: "Networks, and the targets that share a label, each as a whole"}
	var all []*subject
	for _, n := range c.Networks {
		s := &subject{name: n.Name, kind: schema.GroupNetwork, targets: len(n.Targets), Analytics: &n.Analytics}
		s.tally(n.Targets)
		all = append(all, s)
	}
	for _, g := range c.Groups {
		all = append(all, &subject{name: g.Label.Value, kind: g.Label.Key, Analytics: &g.Analytics})
	}
	if len(all) < 2 {
		return t // the tiles say it
	}
	columns := []pageColumn[*subject]{
		{pageHead{Name: "Name"}, func(s *subject) pageCell { return pageCell{Text: s.name} }},
		{pageHead{Name: "Kind"}, func(s *subject) pageCell { return pageCell{Text: s.kind} }},
		{pageHead{Name: "Targets", Number: true}, func(s *subject) pageCell {
			n := int64(s.targets)
			if r := lastRow(s.States); r != nil {
				n = r.Targets
			}
			return numberCell(float64(n), thousands(n))
		}},
	}
	fillTable(&t, append(columns, subjectColumns()...), all)
	return t
}

func numberCell(v float64, text string) pageCell {
	return pageCell{Text: text, Sort: strconv.FormatFloat(v, 'g', 8, 64)}
}

// subjectColumns are what the tables of blocks and groups have in common.
func subjectColumns() []pageColumn[*subject] {
	return []pageColumn[*subject]{
		{pageHead{Name: "Answering", Unit: "%", Number: true, Hint: "of the targets, in the last window"}, func(s *subject) pageCell {
			v, ok := s.share()
			if !ok {
				return pageCell{}
			}
			return numberCell(v, strconv.FormatFloat(v, 'f', 1, 64))
		}},
		{pageHead{Name: "RTT", Unit: "ms", Number: true, Hint: "median of the answering addresses, at the end"}, func(s *subject) pageCell {
			if s.rtts.n == 0 {
				return pageCell{}
			}
			v := s.rtts.at(0.5)
			return numberCell(v/1e6, millis(v))
		}},
		{pageHead{Name: "State", Hint: "at the end"}, stateCell},
		{pageHead{Name: "Use"}, func(s *subject) pageCell {
			if r := lastRow(s.States); r != nil {
				return pageCell{Text: r.Class}
			}
			return pageCell{}
		}},
		{pageHead{Name: "A", Number: true, Hint: "share of the echoes answered by addresses that have ever answered"}, func(s *subject) pageCell {
			if r := lastRow(s.States); r != nil && r.Availability.Set {
				return numberCell(r.Availability.F, strconv.FormatFloat(r.Availability.F, 'f', 2, 64))
			}
			return pageCell{}
		}},
		{pageHead{Name: "Churn"}, func(s *subject) pageCell {
			if r := lastRow(s.Churn); r != nil {
				return pageCell{Text: r.Class}
			}
			return pageCell{}
		}},
		{pageHead{Name: "Renumbers", Hint: "local hour, and how often"}, renumberingCell},
		{pageHead{Name: "Outages", Number: true}, func(s *subject) pageCell {
			n, _ := s.outages()
			if len(s.States) == 0 && n == 0 {
				return pageCell{}
			}
			return numberCell(float64(n), thousands(int64(n)))
		}},
		{pageHead{Name: "Last outage", Unit: "UTC"}, func(s *subject) pageCell {
			if _, r := s.outages(); r != nil {
				return pageCell{Text: utcMinute(r.Time), Hint: lastingText(r.Duration)}
			}
			return pageCell{}
		}},
		{pageHead{Name: "Latency", Hint: "class of the daily swing of the RTT"}, latencyCell},
		{pageHead{Name: "Peak", Unit: "local hour", Hint: "at which RTTs are highest"}, func(s *subject) pageCell {
			if r := swinging(s.Daily); r != nil && r.LatencyHour.Set {
				return pageCell{Text: clockHour(r.LatencyHour.F)}
			}
			return pageCell{}
		}},
		{pageHead{Name: "Swing", Unit: "ms", Number: true, Hint: "amplitude of the daily pattern, peak to peak"}, func(s *subject) pageCell {
			if r := lastRow(s.Daily); r != nil && r.Amplitude.Set {
				return numberCell(float64(r.Amplitude.N)/1e6, millis(float64(r.Amplitude.N)))
			}
			return pageCell{}
		}},
		{pageHead{Name: "Day and night", Hint: "class of the daily swing of the share that answers"}, func(s *subject) pageCell {
			if r := lastRow(s.Daily); r != nil {
				return pageCell{Text: r.AvailabilityClass}
			}
			return pageCell{}
		}},
	}
}

// swinging is the latest daily row if it has a pattern.
func swinging(rows []schema.BlockDailyRow) *schema.BlockDailyRow {
	if r := lastRow(rows); r != nil && r.LatencyClass != "" && r.LatencyClass != schema.DailyNone {
		return r
	}
	return nil
}

func stateCell(s *subject) pageCell {
	r := lastRow(s.States)
	if r == nil {
		return pageCell{}
	}
	cell := pageCell{Text: r.State}
	switch r.State {
	case schema.StateUp:
		cell.Kind = "fine"
	case schema.StateDown, schema.StatePart:
		cell.Kind = "bad"
	}
	if r.Belief.Set {
		cell.Hint = fmt.Sprintf("belief that it is up: %.2f", r.Belief.F)
	}
	return cell
}

func latencyCell(s *subject) pageCell {
	r := lastRow(s.Daily)
	if r == nil {
		return pageCell{}
	}
	cell := pageCell{Text: r.LatencyClass}
	switch r.LatencyClass {
	case schema.DailySevere:
		cell.Kind = "bad"
	case schema.DailyMild:
		cell.Kind = "odd"
	}
	return cell
}

func renumberingCell(s *subject) pageCell {
	r := lastRow(s.Churn)
	if r == nil || !r.RenumberingHour.Set {
		return pageCell{}
	}
	text := clockHour(r.RenumberingHour.F)
	if r.Period.Set {
		text += fmt.Sprintf(" every %d h", r.Period.N/int64(60*60*1e9))
	}
	return pageCell{Text: text}
}
