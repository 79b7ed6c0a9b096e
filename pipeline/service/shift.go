package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"echogram/pipeline/path"
	"echogram/pipeline/rollup"
	"echogram/pipeline/source"
	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// shiftWindows is how many windows of a target are looked at for a shift. Of an hour, they are two days: a peak is told
// from a step by the day before.
const shiftWindows = 48

// shifter makes path_shift rows of the floors of targets over the shortest windows that have rows per target.
type shifter struct {
	cfg        path.ShiftConfig
	length     time.Duration
	window     string   // the tag's value
	references []string // targets
	facts      map[factKey]factsAt
	kept       memorised
	find       func(path.ShiftConfig, []path.Floor) []path.Shift // path.Newest
	log        *slog.Logger
}

type factKey struct {
	host, instance string
	start          int64 // of the window
}

// factsAt are the facts that a sweep told.
type factsAt struct {
	time int64
	text string
}

// newShifter returns nil when shifts are not wanted, or no window has rows per target.
func newShifter(cfg Config) *shifter {
	i := slices.IndexFunc(cfg.Rollup.Lengths, func(l time.Duration) bool { return l >= cfg.Rollup.PerTarget })
	if cfg.Shifts == nil || i < 0 {
		return nil
	}
	length := cfg.Rollup.Lengths[i]
	return &shifter{cfg: *cfg.Shifts, length: length, window: rollup.Name(length), references: cfg.References, log: cfg.Log,
		facts: map[factKey]factsAt{}, kept: newMemorised(length), find: path.Newest}
}

// tell takes what a sweep says of its own side: the last one of a window holds.
func (s *shifter) tell(host, instance string, at int64, link *schema.LinkFacts) {
	k := factKey{host, instance, window.Floor(at, int64(s.length))}
	before, known := s.facts[k]
	if !known {
		oldest := k.start - shiftWindows*int64(s.length)
		maps.DeleteFunc(s.facts, func(k factKey, _ factsAt) bool { return k.start < oldest })
	}
	if !known || at >= before.time {
		s.facts[k] = factsAt{at, factsText(link)}
	}
}

func factsText(l *schema.LinkFacts) string {
	if *l == (schema.LinkFacts{}) {
		return ""
	}
	number := func(o schema.Opt) string {
		if !o.Set {
			return "?"
		}
		return strconv.FormatInt(o.N, 10)
	}
	return fmt.Sprintf("rx_usecs %s, tx_usecs %s, adaptive %s, eee %s, governor %s", number(l.RXUsecs), number(l.TXUsecs), l.Adaptive, l.EEE, l.Governor)
}

// floor is what a rollup tells; ok is false without one.
func (s *shifter) floor(series *schema.Series, r *schema.SweepRollupRow) (f path.Floor, ok bool) {
	return path.Floor{
		Start: r.Time, N: int(r.N), Floor: float64(r.Floor.N), StdErr: float64(r.StdErr.N), Error: r.Error,
		TTLMin: r.TTLMin.N, TTLMax: r.TTLMax.N, Facts: s.facts[factKey{series.Host, series.Instance, r.Time}].text,
	}, r.Floor.Set
}

// newest returns the shifts that the last of floors confirms.
func (s *shifter) newest(series *schema.Series, floors []path.Floor) (rows []schema.Row) {
	for _, f := range s.find(s.cfg, floors) {
		rows = append(rows, s.row(series, &f))
		s.log.Info("the floor of a target has moved", "target", series.Target, "host", series.Host, "instance", series.Instance,
			"at", stamp(f.At), "kind", f.Kind, "step", time.Duration(f.Step).String(), "switches", round(f.Hops), "metres", round(f.Metres))
	}
	return rows
}

func (s *shifter) row(series *schema.Series, f *path.Shift) *schema.PathShiftRow {
	ns := func(v float64) schema.Opt { return schema.Some(int64(math.Round(v))) }
	ttl := func(v int64) schema.Opt { return schema.Opt{N: v, Set: v != 0} }
	return &schema.PathShiftRow{
		Series: *series, Window: s.window, Time: f.At, Kind: f.Kind,
		Step: ns(f.Step), StepLow: ns(f.Low), StepHigh: ns(f.High), Before: ns(f.Before), After: ns(f.After),
		Hops: schema.OptFloat{F: f.Hops, Set: true}, Cable: schema.OptFloat{F: f.Metres, Set: true},
		TTLBefore: ttl(f.TTLBefore), TTLAfter: ttl(f.TTLAfter),
	}
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

// fresh are the starts of the windows of j whose floors may show a shift, by their instance.
func (s *shifter) fresh(j *job) map[factKey]bool {
	fresh := map[factKey]bool{}
	for i := range j.windows {
		if w := &j.windows[i]; w.Of == "" && w.Length == s.length && w.Start+int64(w.Length) <= j.now {
			fresh[factKey{w.Host, w.Instance, w.Start}] = true
		}
	}
	return fresh
}

// reach is from the first window that is looked at for shifts in fresh to the end of the last.
func (s *shifter) reach(fresh map[factKey]bool) (from, to int64) {
	from, to = math.MaxInt64, math.MinInt64
	for k := range fresh {
		from, to = min(from, k.start), max(to, k.start)
	}
	return from - (shiftWindows-1)*int64(s.length), to + int64(s.length)
}

// look asks for the facts of the windows of j, and of those before that they are compared with.
func (s *Service) look(ctx context.Context, j *job) error {
	if s.shifter == nil {
		return nil
	}
	fresh := s.shifter.fresh(j)
	if len(fresh) == 0 {
		return nil
	}
	from, to := s.shifter.reach(fresh)
	all, err := s.Points.Facts(ctx, from, to, s.shifter.length)
	for i := range all {
		s.shifter.tell(all[i].Host, all[i].Instance, all[i].Start, &all[i].Link)
	}
	return err
}

// lookBack reads the floors of the targets in parts back and writes the shifts that the windows of j confirm: what is
// stored decides, so that doing it twice is doing it once.
func (s *Service) lookBack(ctx context.Context, j *job, parts []source.Part) error {
	if s.shifter == nil || s.Floors == nil {
		return nil
	}
	fresh := s.shifter.fresh(j)
	if len(fresh) == 0 {
		return nil
	}
	from, to := s.shifter.reach(fresh)
	beside, err := s.referencesBack(ctx, from, to)
	if err != nil {
		return err
	}
	err = s.each(ctx, j, parts, func() func(context.Context, source.Part) error {
		room := make([]path.Floor, 0, shiftWindows)
		return func(ctx context.Context, p source.Part) error {
			floors, err := s.shifter.read(func(begin func(), add addFloor) error {
				return s.Floors.Floors(ctx, p.Values[0], s.shifter.window, from, to, begin, add)
			})
			if err != nil {
				return err
			}
			return s.writeShifts(ctx, j, floors, fresh, beside, room)
		}
	})
	if err != nil {
		return err
	}
	return s.refused(j.out.Flush(ctx))
}

type addFloor = func(*schema.RTTSeries, *schema.SweepRollupRow)

// read brings floors together by their series, each in the order of time.
func (s *shifter) read(from func(begin func(), add addFloor) error) (map[*schema.RTTSeries][]path.Floor, error) {
	floors := map[*schema.RTTSeries][]path.Floor{}
	err := from(func() { clear(floors) }, func(series *schema.RTTSeries, r *schema.SweepRollupRow) {
		if f, ok := s.floor(&series.Series, r); ok {
			floors[series] = append(floors[series], f)
		}
	})
	for _, all := range floors {
		slices.SortFunc(all, func(a, b path.Floor) int { return cmp.Compare(a.Start, b.Start) })
	}
	return floors, err
}

// writeShifts looks at the floors of some targets beside their references; room is scratch.
func (s *Service) writeShifts(ctx context.Context, j *job, floors map[*schema.RTTSeries][]path.Floor, fresh map[factKey]bool, beside *references, room []path.Floor) error {
	for series, all := range floors {
		for i := range all {
			if !fresh[factKey{series.Host, series.Instance, all[i].Start}] {
				continue
			}
			rows := s.shifter.newest(&series.Series, beside.floors(room, &series.Series, all[max(0, i+1-shiftWindows):i+1]))
			j.mu.Lock()
			err := s.refused(j.out.Put(ctx, rows...))
			j.mu.Unlock()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
