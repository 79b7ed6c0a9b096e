package world

import (
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// fortnight is a world with some of everything.
var fortnight = sync.OnceValue(func() *Truth {
	return New(Config{Seed: 11, Network: netip.MustParsePrefix("198.18.0.0/17")}).Truth()
})

// perfect is the rows of somebody who has found out everything.
func perfect(t *Truth) (rows []schema.Row) {
	for i := range t.Events {
		if r := t.perfectEvent(&t.Events[i]); r != nil {
			rows = append(rows, r)
		}
	}
	for _, n := range t.Doubted {
		rows = append(rows, &schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Group: schema.GroupNetwork}, Event: schema.EventVantage, Time: t.at(n), Duration: int64(t.Interval)})
	}
	for i := range t.Blocks {
		rows = append(rows, t.perfectBlock(&t.Blocks[i])...)
	}
	for _, target := range t.Targets {
		rows = append(rows, perfectDaily(schema.BlockSeries{Group: schema.GroupTarget, Block: blockOf(netip.PrefixFrom(target.Target, 32)).String()}, target.Target.String(), target.Daily, ""))
	}
	return rows
}

func (t *Truth) at(n int) int64 { return t.Start.UnixNano() + int64(n)*int64(t.Interval) }

func (t *Truth) perfectEvent(e *Event) *schema.BlockOutageRow {
	r := &schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Group: schema.GroupBlock, Block: e.block().String()}, Event: schema.EventOutage,
		Prefix: e.Prefix.String(), Time: t.at(e.First), Duration: t.at(e.Behind) - t.at(e.First)}
	switch {
	case e.Kind == Renumbering:
		r.Event, r.Time, r.Duration, r.To = schema.EventRenumbering, e.Begin.UnixNano(), int64(t.Interval), e.To.String()
	case e.Kind == HostOutage || e.Sweeps == 0:
		return nil
	case e.Kind == UplinkOutage:
		r.Event, r.BlockSeries, r.Prefix = schema.EventVantage, schema.BlockSeries{Group: schema.GroupNetwork}, ""
	}
	return r
}

func (t *Truth) perfectBlock(b *BlockTruth) []schema.Row {
	series := schema.BlockSeries{Group: schema.GroupBlock, Block: b.Prefix.String()}
	churn := &schema.BlockChurnRow{BlockSeries: series, Time: t.at(0), Class: b.Churn, RenumberingHour: b.RenumberingHour}
	if b.Period > 0 {
		churn.Period = schema.Some(int64(b.Period))
	}
	diurnal := schema.DiurnalNone
	if b.Diurnal {
		diurnal = schema.DiurnalStrict
	}
	state := &schema.BlockStateRow{BlockSeries: series, Time: t.at(0), Sweeps: 1, RateLimited: b.RateLimited,
		PercentResponding: 100 * b.Responders * (1 - b.Loss) / float64(b.Targets)}
	return []schema.Row{churn, state, perfectDaily(series, "", b.Daily, diurnal)}
}

func perfectDaily(s schema.BlockSeries, target string, d Daily, diurnal string) *schema.BlockDailyRow {
	r := &schema.BlockDailyRow{BlockSeries: s, Target: target, LatencyClass: d.Class, AvailabilityClass: diurnal}
	if d.Class != schema.DailyNone {
		r.LatencyHour = schema.OptFloat{F: d.Hour, Set: true}
	}
	return r
}

// shares are the figures that are shares, by name.
func shares(f *Figures) map[string]Share {
	out := map[string]Share{}
	v := reflect.ValueOf(*f)
	for i := range v.NumField() {
		if s, ok := v.Field(i).Interface().(Share); ok {
			out[v.Type().Field(i).Name] = s
		}
	}
	return out
}

func TestScoreOfPerfectRows(t *testing.T) {
	truth := fortnight()
	f := Score(truth, perfect(truth))
	for name, s := range shares(f) {
		if s.Of == 0 || s.Right != s.Of {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if missed := f.Missed(); missed != nil || f.F1() != 1 {
		t.Errorf("missed %v, F1 %v", missed, f.F1())
	}
	for _, table := range []string{f.Text(), Markdown([]string{"seed 1", "seed 2"}, []*Figures{f, f})} {
		if !strings.Contains(table, "outages of blocks, precision") || !strings.Contains(table, "1.000") || strings.Contains(table, "missed") {
			t.Error(table)
		}
	}
	t.Logf("\n%s", f.Text())
}

func TestScoreOfNothing(t *testing.T) {
	f := Score(fortnight(), nil)
	for _, recall := range []Share{f.OutageRecall, f.DHCPRecall, f.DiurnalRecall, f.Hour, f.PeakClass, f.PeakHour} {
		if recall.Of == 0 || recall.Right != 0 {
			t.Errorf("%+v", recall)
		}
	}
	if len(f.Missed()) != 6 {
		t.Errorf("missed %q", f.Missed())
	}
}

// TestScoreOfWrongRows spoils perfect rows in one way each, and names the figures that must become worse, and no others.
func TestScoreOfWrongRows(t *testing.T) {
	truth := fortnight()
	quiet := truth.quiet()
	eligible := truth.eligible()
	for _, c := range []struct {
		name  string
		spoil func(r schema.Row) // changes a row
		more  schema.Row
		worse string
	}{
		{name: "begin two sweeps late", spoil: onOutages(eligible, func(r *schema.BlockOutageRow) { r.Time += 2 * int64(truth.Interval) }), worse: "OutageBegin OutageEnd"},
		{name: "end missed", spoil: onOutages(eligible, func(r *schema.BlockOutageRow) { r.Open = true }), worse: "OutageEnd"},
		{name: "an outage that was none", more: truth.outage(quiet, truth.at(100)), worse: "OutagePrecision"},
		{name: "half of a block that was up", more: half(truth.outage(quiet, truth.at(100))), worse: "HalfPrecision"},
		{name: "half of a block that was out", spoil: onOutages(eligible, func(r *schema.BlockOutageRow) { half(r) }), worse: "OutageRecall"},
		{name: "in two pieces", more: truth.outage(eligible, truth.at(truth.first(eligible))+1), worse: "OutageWhole"},
		{name: "a pool called static", spoil: onChurn(func(r *schema.BlockChurnRow) {
			if r.Class == schema.ChurnDHCP {
				r.Class = schema.ChurnStatic
			}
		}), worse: "DHCPRecall"},
		{name: "an hour late", spoil: onChurn(func(r *schema.BlockChurnRow) { r.RenumberingHour.F++ }), worse: "Hour"},
		{name: "twice the period", spoil: onChurn(func(r *schema.BlockChurnRow) { r.Period.N *= 2 }), worse: "Period"},
		{name: "never diurnal", spoil: onDaily(func(r *schema.BlockDailyRow) { r.AvailabilityClass = schema.DiurnalNone }), worse: "DiurnalRecall"},
		{name: "always diurnal", spoil: onDaily(func(r *schema.BlockDailyRow) { r.AvailabilityClass = schema.DiurnalRelaxed }), worse: "DiurnalPrecision"},
		{name: "a peak two hours early", spoil: onDaily(func(r *schema.BlockDailyRow) { r.LatencyHour.F -= 2 }), worse: "PeakHour TargetHour"},
		{name: "a peak 20 minutes late, over midnight", spoil: onDaily(func(r *schema.BlockDailyRow) { r.LatencyHour.F += 24 + 1./3 })},
		{name: "all severe", spoil: onDaily(func(r *schema.BlockDailyRow) { r.LatencyClass = schema.DailySevere }), worse: "PeakClass TargetClass TargetRecall"},
		{name: "to another block", spoil: func(r schema.Row) {
			if o, ok := r.(*schema.BlockOutageRow); ok && o.Event == schema.EventRenumbering {
				o.To = quiet
			}
		}, worse: "RenumberingPrecision RenumberingRecall"},
		{name: "half as many", spoil: func(r schema.Row) {
			if s, ok := r.(*schema.BlockStateRow); ok {
				s.PercentResponding /= 2
			}
		}, worse: "Responding"},
		{name: "no limit", spoil: func(r schema.Row) {
			if s, ok := r.(*schema.BlockStateRow); ok {
				s.RateLimited = false
			}
		}, worse: "RateLimitRecall"},
	} {
		t.Run(c.name, func(t *testing.T) { wantWorse(t, truth, c.spoil, c.more, c.worse) })
	}
}

func wantWorse(t *testing.T, truth *Truth, spoil func(schema.Row), more schema.Row, worse string) {
	rows := perfect(truth)
	for _, r := range rows {
		if spoil != nil {
			spoil(r)
		}
	}
	if more != nil {
		rows = append(rows, more)
	}
	best := shares(Score(truth, perfect(truth)))
	for name, s := range shares(Score(truth, rows)) {
		wanted := strings.Contains(" "+worse+" ", " "+name+" ")
		if got := s.Of-s.Right > best[name].Of-best[name].Right; got != wanted {
			t.Errorf("%s: %+v, was %+v", name, s, best[name])
		}
	}
}

func onOutages(block string, f func(*schema.BlockOutageRow)) func(schema.Row) {
	return func(r schema.Row) {
		if o, ok := r.(*schema.BlockOutageRow); ok && o.Block == block && o.Event == schema.EventOutage {
			f(o)
		}
	}
}

func onChurn(f func(*schema.BlockChurnRow)) func(schema.Row) {
	return func(r schema.Row) {
		if c, ok := r.(*schema.BlockChurnRow); ok {
			f(c)
		}
	}
}

func onDaily(f func(*schema.BlockDailyRow)) func(schema.Row) {
	return func(r schema.Row) {
		if d, ok := r.(*schema.BlockDailyRow); ok {
			f(d)
		}
	}
}

// quiet is a block of servers to which nothing happens.
func (t *Truth) quiet() string {
	return t.find(func(b BlockTruth, events int) bool {
		return b.Use == Servers && events == 0 && !b.Moved && !b.RateLimited
	})
}

// eligible is a block with one outage that is long enough and in the books of outages alone.
func (t *Truth) eligible() string {
	return t.find(func(b BlockTruth, events int) bool {
		block := b.Prefix.String()
		n := t.first(block)
		return events == 1 && n >= 0 && b.Use == Servers && b.Responders > 30 && !b.RateLimited
	})
}

// first is the first sweep of a block's first outage of more than ten sweeps; -1: there is none.
func (t *Truth) first(block string) int {
	for _, e := range t.Events {
		if e.Prefix.String() == block && e.whole() && e.Sweeps > 10 {
			return e.First
		}
	}
	return -1
}

func (t *Truth) find(good func(b BlockTruth, events int) bool) string {
	for _, b := range t.Blocks {
		events := 0
		for _, e := range t.Events {
			if e.block() == b.Prefix && e.Kind != HostOutage {
				events++
			}
		}
		if good(b, events) {
			return b.Prefix.String()
		}
	}
	panic("the world has no such block")
}

func (t *Truth) outage(block string, at int64) *schema.BlockOutageRow {
	return &schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Group: schema.GroupBlock, Block: block}, Event: schema.EventOutage, Prefix: block, Time: at, Duration: int64(t.Interval)}
}

// half makes a row that of the lower half.
func half(r *schema.BlockOutageRow) *schema.BlockOutageRow {
	r.Prefix = strings.TrimSuffix(r.Block, "/24") + "/25"
	return r
}

// TestCauses: what was none is counted where it comes from.
func TestCauses(t *testing.T) {
	truth := fortnight()
	var renumbered, uplink Event
	for _, e := range truth.Events {
		switch e.Kind {
		case Renumbering:
			renumbered = e
		case UplinkOutage:
			uplink = e
		}
	}
	limited := truth.find(func(b BlockTruth, events int) bool { return b.RateLimited && events == 0 })
	quiet := truth.quiet()
	for name, c := range map[string]struct {
		row  *schema.BlockOutageRow
		want func(*Figures) *int
	}{
		"renumbering": {truth.outage(renumbered.Prefix.String(), renumbered.Begin.UnixNano()), func(f *Figures) *int { return &f.FromRenumbering }},
		"rate limit":  {truth.outage(limited, truth.at(50)), func(f *Figures) *int { return &f.FromRateLimit }},
		"uplink":      {truth.outage(quiet, uplink.Begin.UnixNano()), func(f *Figures) *int { return &f.FromUplink }},
		"drops":       {truth.outage(quiet, truth.at(truth.Doubted[0])), func(f *Figures) *int { return &f.FromDrops }},
		"else":        {truth.outage(quiet, truth.at(truth.Doubted[0]+5)), func(f *Figures) *int { return &f.FromElse }},
	} {
		t.Run(name, func(t *testing.T) {
			f := Score(truth, []schema.Row{c.row})
			if *c.want(f) != 1 || f.OutagePrecision != (Share{0, 1}) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestLastCounts: a row that is written again replaces what it was.
func TestLastCounts(t *testing.T) {
	truth := fortnight()
	block := truth.eligible()
	first := truth.first(block)
	began := truth.outage(block, truth.at(first))
	began.Open = true
	var ended *schema.BlockOutageRow
	for i := range truth.Events {
		if e := &truth.Events[i]; e.Prefix.String() == block && e.First == first {
			ended = truth.perfectEvent(e)
		}
	}
	f := Score(truth, []schema.Row{began, ended})
	if one := (Share{1, 1}); f.OutagePrecision != one || f.OutageEnd != one || f.OutageWhole != one {
		t.Errorf("%+v", f)
	}
	if ended.Duration < int64(10*time.Minute) {
		t.Errorf("%+v", ended)
	}
}
