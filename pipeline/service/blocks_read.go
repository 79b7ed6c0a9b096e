package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// What is read before it is judged, of which the Monitor keeps some 9 bytes a point: a stretch of at most so many points
// and so long, but never less than a sweep.
const (
	stretchPoints = 4_000_000
	stretchTime   = 6 * int64(time.Hour)
)

// round reads and judges what is whole at the time now, if that is at least so much.
func (b *blocks) round(ctx context.Context, now int64, least time.Duration) error {
	b.load()
	if ok, err := b.begin(ctx, now); err != nil || !ok {
		return err
	}
	to, err := b.frontier(ctx, now)
	if err != nil || to-b.next < int64(least) {
		return err
	}
	return b.catchUp(ctx, to)
}

// once judges everything before a time as it stands. What may yet become whole is not in the state that it leaves.
func (b *blocks) once(ctx context.Context, until int64) error {
	if err := b.round(ctx, until, 0); err != nil {
		return err
	}
	if err := b.keep(true); err != nil || b.next == 0 {
		return err
	}
	b.passing = true
	defer func() { b.passing = false }()
	if err := b.catchUp(ctx, until); err != nil {
		return err
	}
	return b.end(ctx)
}

// begin says where reading begins without a state: at the oldest point, or where what is older would be forgotten by now.
func (b *blocks) begin(ctx context.Context, now int64) (ok bool, err error) {
	if b.next > 0 {
		return true, nil
	}
	oldest, ok, err := b.Points.Oldest(ctx)
	if err != nil || !ok || oldest >= now {
		return false, err
	}
	b.next = max(oldest, now-int64(b.cfg.Blocks.Span+1)*day, 1)
	b.closed, b.saved.next = b.next, b.next
	b.cfg.Log.Info("looking at blocks from here on", "time", stamp(b.next))
	return true, nil
}

// frontier is up to where sweeps are whole at the time now: what is older than lateness, and what is there already. The
// sweeps of an instance do not overlap, and a manifest is written last: what begins behind the latest manifest of an
// instance may still be under way.
func (b *blocks) frontier(ctx context.Context, now int64) (int64, error) {
	all, err := b.Accounts.Newest(ctx, now)
	if err != nil {
		return 0, err
	}
	newest := map[ledger.Instance]int64{}
	for _, m := range all {
		i := ledger.Instance{Host: m.Host, Name: m.Instance}
		newest[i] = max(newest[i], m.Start)
	}
	sure, to := now-int64(b.cfg.Lateness), now
	for _, t := range newest {
		to = min(to, t+1)
	}
	from := max(sure, b.next)
	if to <= from {
		return sure, nil
	}
	if whole, err := b.there(ctx, from, to); err != nil || !whole {
		return sure, err
	}
	return to, nil
}

// there tells whether all rows are that the manifests of from <= t < to promise.
func (b *blocks) there(ctx context.Context, from, to int64) (bool, error) {
	promised, err := b.Accounts.Manifests(ctx, from, to)
	if err != nil {
		return false, err
	}
	rows, ok, err := b.Accounts.Totals(ctx, from, to)
	if err == nil && !ok {
		rows, err = b.Accounts.Counts(ctx, "", from, to)
	}
	return agree(onTime(rows), onTime(promised)), err
}

// onTime leaves out the late replies, which are no answers here.
func onTime(all []source.Minute) []source.Minute {
	for i := range all {
		all[i].Late = 0
	}
	return all
}

// catchUp reads and judges up to a time, stretch by stretch.
func (b *blocks) catchUp(ctx context.Context, to int64) error {
	for b.next < to {
		began, from, rows := time.Now(), b.next, b.out.Rows()
		points, err := b.stretch(ctx, to)
		if err != nil {
			return errors.Join(err, b.drop())
		}
		b.cfg.Log.Info("looked at blocks", "from", stamp(from), "to", stamp(b.next), "points", points, "rows", b.out.Rows()-rows,
			"took", time.Since(began).Round(time.Millisecond).String())
		if err := b.keep(false); err != nil {
			return err
		}
	}
	return nil
}

// drop has the next round go on from the state: the Monitor knows points that will be read again, which the state does not.
func (b *blocks) drop() error {
	err := b.keep(true)
	b.monitor = nil
	return err
}

// stretch reads and judges the next stretch before a time.
func (b *blocks) stretch(ctx context.Context, to int64) (points int64, err error) {
	to = min(to, b.next+stretchTime)
	manifests, err := b.Accounts.Sweeps(ctx, b.next, to)
	if err != nil {
		return 0, err
	}
	to = stretchEnd(manifests, to)
	for i := range manifests {
		if m := &manifests[i]; m.Time < to {
			b.manifest(m)
		}
	}
	parts, err := b.Points.Parts(ctx, "", b.next, to)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	say := func(i int) string {
		return fmt.Sprintf("blocks, %s to %s: %d of %d parts", stamp(b.next), stamp(to), i, len(parts))
	}
	err = b.cfg.each(ctx, parts, say, func() func(context.Context, source.Part) error {
		var read []point
		return func(ctx context.Context, p source.Part) (err error) {
			if read, err = b.read(ctx, p, to, read); err != nil {
				return fmt.Errorf("%s: %w", strings.Join(p.Values[:1], ""), err)
			}
			mu.Lock()
			defer mu.Unlock()
			points += int64(len(read))
			b.take(read)
			return nil
		}
	})
	if err != nil {
		return 0, err
	}
	return points, b.judge(ctx, to)
}

// stretchEnd is the end of what is read at once, at most to, by the points that manifests promise. It sorts them by time.
func stretchEnd(manifests []schema.SweepStatsRow, to int64) int64 {
	slices.SortFunc(manifests, func(x, y schema.SweepStatsRow) int { return cmp.Compare(x.Time, y.Time) })
	points := int64(0)
	for i := range manifests {
		m := &manifests[i]
		if points += m.Points; points > stretchPoints && m.Time > manifests[0].Time {
			return m.Time
		}
	}
	return to
}

// point is what a Monitor needs of a schema.SweepRow.
type point struct {
	series                     *schema.RTTSeries
	time, sent, received, code int64
	rtt                        schema.Opt
}

// read gives all points of a part in the next stretch. They are kept until all are there, as reading may start over. Of bad
// ones rollups tell.
func (b *blocks) read(ctx context.Context, p source.Part, to int64, all []point) ([]point, error) {
	var bad badPoints
	all = all[:0]
	err := b.Points.Answers(ctx, p.Values[0], b.next, to, func() { all = all[:0] }, func(s *schema.RTTSeries, r *schema.SweepRow) {
		if bad.look(s, r) {
			return
		}
		all = append(all, point{s, r.Time, r.Sent, r.Received, r.ResultCode, r.RTT})
	})
	return all, err
}

// take hands points to the analyst, with one pointer for all that was ever read of a series.
func (b *blocks) take(all []point) {
	var series, known *schema.RTTSeries
	for i := range all {
		p := &all[i]
		if p.series != series {
			series, known = p.series, b.intern(p.series)
		}
		row := schema.SweepRow{Series: known.Series, Time: p.time, Sent: p.sent, Received: p.received, ResultCode: p.code, RTT: p.rtt}
		b.add(known, &row)
	}
}

func (b *blocks) intern(s *schema.RTTSeries) *schema.RTTSeries {
	key := s.Series.Key()
	if b.known[key] == nil {
		b.known[key] = s
	}
	return b.known[key]
}
