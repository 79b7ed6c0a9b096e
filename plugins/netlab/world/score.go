package world

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"echogram/plugins/schema"
)

// What is asked of block analytics. Outages are those of one sweep or more that can be trusted, of blocks that Trinocular
// (SIGCOMM '13) can measure.
const (
	leastAvailability = .3
	leastResponders   = 15
	nearHour          = 1.0  // h; by which the hour of the peak may be off
	nearRenumbering   = .5   // h; or an interval, if that is longer
	clearSwing        = 10.0 // percent; a diurnal block with less is not counted, nor one with more that is not
	nearShare         = 4.0  // percentage points; by which the share that answers may be off
)

// Share is a part of a number of cases.
type Share struct{ Right, Of int }

// Value is the share, not a number if there are no cases.
func (s Share) Value() float64 { return float64(s.Right) / float64(s.Of) }

func (s *Share) count(right bool) {
	s.Of++
	if right {
		s.Right++
	}
}

// Figures is how well rows of block analytics tell a world's truth.
type Figures struct {
	OutagePrecision, OutageRecall Share // of whole blocks
	OutageBegin, OutageEnd        Share // within one sweep, of those found
	OutageWhole                   Share // reported as one, of those found
	HalfPrecision, HalfRecall     Share

	// Reported as outages of blocks that were none, by what it was.
	FromRenumbering, FromUplink, FromRateLimit, FromDrops, FromElse int

	RenumberingPrecision, RenumberingRecall Share // moves of a population, told with the block where it went
	VantagePrecision, VantageRecall         Share // sweeps lost to the uplink, or doubted ones
	RateLimitPrecision, RateLimitRecall     Share

	DHCPPrecision, DHCPRecall Share
	Churn                     map[Use]map[string]int // how many blocks of a use have which class; "": no row
	HourPrecision, Hour       Share                  // of daily renumbering: of the blocks with an hour that have one; right, of those that have one
	Period                    Share

	DiurnalPrecision, DiurnalRecall Share
	PeakClass, PeakHour             Share // of latency, of blocks
	TargetClass                     Share // of the targets with a row
	TargetRecall, TargetHour        Share // of the targets with a pattern of their own: with a row that says so; and its hour is right
	Responding                      Share // blocks whose share that answers is right
}

// F1 is the harmonic mean of precision and recall of DHCP pools.
func (f *Figures) F1() float64 {
	return 2 * float64(f.DHCPRecall.Right) / float64(f.DHCPPrecision.Of+f.DHCPRecall.Of)
}

// Score compares rows of block_outage, block_churn, block_daily and block_state with the truth. Of rows with the same
// series and time the last counts, and of those of a day the last day's. Other rows are passed over.
//
// The classes of blocks whose population moved are not asked for, nor, but for latency, those of rate-limited blocks.
func Score(t *Truth, rows []schema.Row) *Figures {
	s := scorer{Truth: t, blocks: map[string]*BlockTruth{}, events: map[string][]*Event{}}
	for i := range t.Blocks {
		s.blocks[t.Blocks[i].Prefix.String()] = &t.Blocks[i]
	}
	for i := range t.Events {
		e := &t.Events[i]
		block := e.block().String()
		s.events[block] = append(s.events[block], e)
	}
	s.Churn = map[Use]map[string]int{}
	s.outages(rows)
	s.named(rows)
	s.churn(rows)
	s.daily(rows)
	s.targets(rows)
	s.states(rows)
	return &s.Figures
}

type scorer struct {
	*Truth
	Figures
	blocks map[string]*BlockTruth
	events map[string][]*Event // by block
}

// latest is the last row for each key, of those rows that have one.
func latest[R any](rows []schema.Row, key func(R) string) map[string]R {
	last := map[string]R{}
	for _, row := range rows {
		if r, ok := row.(R); ok {
			if k := key(r); k != "" {
				last[k] = r
			}
		}
	}
	return last
}

// lasts is the time of a row of an event, an interval longer at both ends.
func (t *Truth) lasts(r *schema.BlockOutageRow) span {
	s := span{r.Time - int64(t.Interval), r.Time + r.Duration + int64(t.Interval)}
	if r.Open {
		s.to = math.MaxInt64
	}
	return s
}

func (e *Event) overlaps(s span) bool { return s.overlaps(e.Begin.UnixNano(), e.End.UnixNano()) }

func (e *Event) whole() bool { return e.Kind == BlockOutage || e.Kind == RegionOutage }

// ofEvent is the rows of an event, by time, each as it was last written.
func ofEvent(rows []schema.Row, event string) []*schema.BlockOutageRow {
	last := latest(rows, func(r *schema.BlockOutageRow) string {
		if r.Event != event {
			return ""
		}
		return r.Group + " " + r.Network + " " + r.Block + " " + time.Unix(0, r.Time).UTC().String() + " " + r.Prefix
	})
	out := make([]*schema.BlockOutageRow, 0, len(last))
	for _, r := range last {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *schema.BlockOutageRow) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Block, b.Block), cmp.Compare(a.Prefix, b.Prefix))
	})
	return out
}

// outages looks from the rows for precision, and from the events for recall.
func (s *scorer) outages(rows []schema.Row) {
	byBlock := map[string][]*schema.BlockOutageRow{}
	for _, r := range ofEvent(rows, schema.EventOutage) {
		if r.Group != schema.GroupBlock {
			continue
		}
		byBlock[r.Block] = append(byBlock[r.Block], r)
		real := slices.ContainsFunc(s.events[r.Block], func(e *Event) bool {
			return e.overlaps(s.lasts(r)) && (e.whole() || e.Kind == HalfOutage && r.Prefix == e.Prefix.String())
		})
		if isHalf(r) {
			s.HalfPrecision.count(real)
		} else {
			s.OutagePrecision.count(real)
		}
		if !real {
			*s.cause(r)++
		}
	}
	for name, events := range s.events {
		for _, e := range events {
			b := s.blocks[name]
			if e.Sweeps > 0 && e.Kind != UplinkOutage && e.Responders >= leastResponders && b.Availability > leastAvailability {
				s.found(e, byBlock[name])
			}
		}
	}
}

func isHalf(r *schema.BlockOutageRow) bool { return r.Prefix != "" && r.Prefix != r.Block }

// found looks for the rows of an outage.
func (s *scorer) found(e *Event, rows []*schema.BlockOutageRow) {
	var best *schema.BlockOutageRow
	pieces, most := 0, int64(-1)
	for _, r := range rows {
		lasts := s.lasts(r)
		if !e.overlaps(lasts) || isHalf(r) != (e.Kind == HalfOutage) || isHalf(r) && r.Prefix != e.Prefix.String() {
			continue
		}
		pieces++
		if common := min(lasts.to, e.End.UnixNano()) - max(lasts.from, e.Begin.UnixNano()); common > most {
			best, most = r, common
		}
	}
	if e.Kind == HalfOutage {
		s.HalfRecall.count(best != nil)
		return
	}
	s.OutageRecall.count(best != nil)
	if best != nil {
		s.OutageWhole.count(pieces == 1)
		s.OutageBegin.count(s.near(best.Time, e.First, e.Begin))
		s.OutageEnd.count(!best.Open && s.near(best.Time+best.Duration, e.Behind, e.End))
	}
}

// near tells whether t is no more than one sweep from sweep n, or, where the sweeps before that tell nothing, lies
// between what happened and n.
func (s *scorer) near(t int64, n int, happened time.Time) bool {
	at := s.Start.UnixNano() + int64(n)*int64(s.Interval)
	return min(at-int64(s.Interval), happened.UnixNano()) <= t && t <= at+int64(s.Interval)
}

// cause is where a report of an outage that was none is counted.
func (s *scorer) cause(r *schema.BlockOutageRow) *int {
	lasts := s.lasts(r)
	b := s.blocks[r.Block]
	moved := func(e *Event) bool { return e.Kind == Renumbering && lasts.to > e.Begin.UnixNano() }
	cut := func(e *Event) bool { return e.Kind == UplinkOutage && e.overlaps(lasts) }
	switch {
	case slices.ContainsFunc(s.events[r.Block], moved):
		return &s.FromRenumbering
	case b != nil && b.RateLimited:
		return &s.FromRateLimit
	case slices.ContainsFunc(s.events[noBlock], cut):
		return &s.FromUplink
	case s.doubted(lasts):
		return &s.FromDrops
	}
	return &s.FromElse
}

// noBlock is the key of what befell no block.
var noBlock = netip.Prefix{}.String()

func (s *scorer) doubted(within span) bool {
	return slices.ContainsFunc(s.Doubted, func(n int) bool {
		return within.has(s.Start.UnixNano() + int64(n)*int64(s.Interval))
	})
}

// named looks whether the other events are called by their names.
func (s *scorer) named(rows []schema.Row) {
	moves := ofEvent(rows, schema.EventRenumbering)
	same := func(r *schema.BlockOutageRow, e *Event) bool {
		return e.Kind == Renumbering && r.Block == e.Prefix.String() && r.To == e.To.String() && e.overlaps(s.lasts(r))
	}
	vantage := ofEvent(rows, schema.EventVantage)
	for _, r := range moves {
		s.RenumberingPrecision.count(slices.ContainsFunc(s.events[r.Block], func(e *Event) bool { return same(r, e) }))
	}
	for _, r := range vantage {
		cut := slices.ContainsFunc(s.events[noBlock], func(e *Event) bool { return e.overlaps(s.lasts(r)) })
		s.VantagePrecision.count(cut || s.doubted(s.lasts(r)))
	}
	for i := range s.Events {
		switch e := &s.Events[i]; {
		case e.Kind == Renumbering:
			s.RenumberingRecall.count(slices.ContainsFunc(moves, func(r *schema.BlockOutageRow) bool { return same(r, e) }))
		case e.Kind == UplinkOutage && e.Sweeps > 0:
			s.VantageRecall.count(slices.ContainsFunc(vantage, func(r *schema.BlockOutageRow) bool { return e.overlaps(s.lasts(r)) }))
		}
	}
	s.limited(rows)
}

// limited looks who was called rate-limited, by an event or by the state of any window.
func (s *scorer) limited(rows []schema.Row) {
	said := latest(rows, func(r *schema.BlockStateRow) string {
		if r.Group != schema.GroupBlock || !r.RateLimited {
			return ""
		}
		return r.Block
	})
	named := map[string]bool{}
	for block := range said {
		named[block] = true
	}
	for _, r := range ofEvent(rows, schema.EventRateLimit) {
		named[r.Block] = true
	}
	for block, b := range s.blocks {
		if named[block] {
			s.RateLimitPrecision.count(b.RateLimited)
		}
		if b.RateLimited {
			s.RateLimitRecall.count(named[block])
		}
	}
}

// churn looks at the last day's rows, and at the last that have an hour or a period of renumbering.
func (s *scorer) churn(rows []schema.Row) {
	key := func(wanted func(*schema.BlockChurnRow) bool) func(*schema.BlockChurnRow) string {
		return func(r *schema.BlockChurnRow) string {
			if r.Group != schema.GroupBlock || !wanted(r) {
				return ""
			}
			return r.Block
		}
	}
	last := latest(rows, key(func(*schema.BlockChurnRow) bool { return true }))
	hours := latest(rows, key(func(r *schema.BlockChurnRow) bool { return r.RenumberingHour.Set }))
	periods := latest(rows, key(func(r *schema.BlockChurnRow) bool { return r.Period.Set }))
	for block, b := range s.blocks {
		if b.Moved || b.RateLimited {
			continue
		}
		class := ""
		if r := last[block]; r != nil {
			class = r.Class
		}
		if s.Churn[b.Use] == nil {
			s.Churn[b.Use] = map[string]int{}
		}
		s.Churn[b.Use][class]++
		if class == schema.ChurnDHCP && b.Churn != schema.ChurnMixed {
			s.DHCPPrecision.count(b.Churn == schema.ChurnDHCP)
		}
		if b.Churn == schema.ChurnDHCP {
			s.DHCPRecall.count(class == schema.ChurnDHCP)
		}
		s.renumbering(b, hours[block], periods[block])
	}
}

func (s *scorer) renumbering(b *BlockTruth, hour, period *schema.BlockChurnRow) {
	if hour != nil {
		s.HourPrecision.count(b.RenumberingHour.Set)
	}
	if b.Renumberings > 0 {
		within := max(nearRenumbering, s.Interval.Hours())
		s.Hour.count(hour != nil && apart(hour.RenumberingHour.F, b.RenumberingHour.F) <= within)
	}
	if b.Renumberings > 1 {
		s.Period.count(period != nil && period.Period.N == int64(b.Period))
	}
}

// apart is by how many hours two hours of a day differ, round the clock.
func apart(a, b float64) float64 { return math.Abs(a - b - 24*math.Round((a-b)/24)) }

// daily looks at the last rows that have a class.
func (s *scorer) daily(rows []schema.Row) {
	of := func(class func(*schema.BlockDailyRow) string) map[string]*schema.BlockDailyRow {
		return latest(rows, func(r *schema.BlockDailyRow) string {
			if r.Group != schema.GroupBlock || class(r) == "" {
				return ""
			}
			return r.Block
		})
	}
	availability := of(func(r *schema.BlockDailyRow) string { return r.AvailabilityClass })
	latency := of(func(r *schema.BlockDailyRow) string { return r.LatencyClass })
	for block, b := range s.blocks {
		if b.Moved || b.Ever < leastResponders {
			continue
		}
		if r := availability[block]; !b.RateLimited && b.Diurnal == (b.Swing >= clearSwing) {
			said := r != nil && r.AvailabilityClass != schema.DiurnalNone
			if said {
				s.DiurnalPrecision.count(b.Diurnal)
			}
			if b.Diurnal {
				s.DiurnalRecall.count(said)
			}
		}
		if b.Responders >= leastResponders {
			class, hour := s.peak(latency[block], b.Daily)
			s.PeakClass.count(class)
			if b.Daily.Class != schema.DailyNone {
				s.PeakHour.count(hour)
			}
		}
	}
}

// peak tells whether a row has the class and the hour right.
func (s *scorer) peak(r *schema.BlockDailyRow, d Daily) (class, hour bool) {
	if r == nil {
		return false, false
	}
	return r.LatencyClass == d.Class, r.LatencyHour.Set && apart(r.LatencyHour.F, d.Hour) <= nearHour
}

// targets looks at the rows of single targets, which are only those with the largest amplitudes.
func (s *scorer) targets(rows []schema.Row) {
	said := latest(rows, func(r *schema.BlockDailyRow) string {
		if r.Group != schema.GroupTarget || r.LatencyClass == "" {
			return ""
		}
		return r.Target
	})
	own := map[string]Daily{}
	for _, t := range s.Targets {
		own[t.Target.String()] = t.Daily
		class, hour := s.peak(said[t.Target.String()], t.Daily)
		s.TargetRecall.count(class)
		if class {
			s.TargetHour.count(hour)
		}
	}
	for target, r := range said {
		b := s.blocks[r.Block]
		if b == nil || b.Moved {
			continue
		}
		d, alone := own[target]
		if !alone {
			d = b.Daily
		}
		s.TargetClass.count(r.LatencyClass == d.Class)
	}
}

// states looks at the share that answers, over all windows.
func (s *scorer) states(rows []schema.Row) {
	sum, sweeps := map[string]float64{}, map[string]float64{}
	for _, row := range rows {
		if r, ok := row.(*schema.BlockStateRow); ok && r.Group == schema.GroupBlock {
			sum[r.Block] += r.PercentResponding * float64(r.Sweeps)
			sweeps[r.Block] += float64(r.Sweeps)
		}
	}
	for block, b := range s.blocks {
		if b.RateLimited {
			continue
		}
		want := 100 * b.Responders * (1 - b.Loss) / float64(b.Targets)
		s.Responding.count(sweeps[block] > 0 && math.Abs(sum[block]/sweeps[block]-want) <= nearShare)
	}
}
