package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/rollup"
	"echogram/pipeline/sink"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// ErrShort: a read gave fewer rows than were counted before, as when some were deleted in between. The windows stay
// due.
var ErrShort = errors.New("service: fewer rows were read than were counted")

// rollUp reads the parts of one run's due windows, writes their rows, and returns the windows that are done.
func (s *Service) rollUp(ctx context.Context, of string, ws []ledger.Window, now int64) ([]ledger.Window, error) {
	began := time.Now()
	j := s.newJob(ws, now)
	parts, err := s.Points.Parts(ctx, of, j.from, j.to)
	if err != nil {
		return nil, err
	}
	doubted, err := s.doubted(ctx, of, j)
	if err != nil {
		return nil, err
	}
	if err := s.look(ctx, j); err != nil {
		return nil, err
	}
	err = s.each(ctx, j, parts, func() func(context.Context, source.Part) error {
		block := rollup.NewBlock(s.cfg.Rollup, j.windows, doubted)
		return func(ctx context.Context, p source.Part) error { return s.readOne(ctx, j, block, p) }
	})
	if err == nil {
		err = s.refused(j.out.Put(ctx, j.networks.Rows()...))
	}
	if err == nil && s.shifter != nil {
		err = s.refused(j.out.Put(ctx, s.shifter.rest()...))
	}
	if err == nil {
		err = s.refused(j.out.Flush(ctx))
	}
	if err == nil {
		err = s.lookBack(ctx, j, parts)
	}
	if err != nil {
		return nil, err
	}
	s.complain(of, &j.bad)
	done := s.whole(ws, j.read)
	s.log.Info("rolled up", append(name(of), "from", stamp(j.from), "to", stamp(j.to), "windows", len(ws), "complete", complete(done),
		"parts", len(parts), "rows", j.out.Rows(), "took", time.Since(began).Round(time.Millisecond).String())...)
	return done, nil
}

// doubted asks which sweeps of j are not trusted.
func (s *Service) doubted(ctx context.Context, of string, j *job) ([]rollup.Sweep, error) {
	if of != "" {
		return nil, nil
	}
	found, err := s.Accounts.Doubted(ctx, j.from, j.to)
	sweeps := make([]rollup.Sweep, len(found))
	for i, m := range found {
		sweeps[i] = rollup.Sweep{Host: m.Host, Instance: m.Instance, Time: m.Start}
	}
	return sweeps, err
}

// name tells of which measurement a log line speaks, if it is not icmp_sweep.
func name(of string) []any {
	if of == "" {
		return nil
	}
	return []any{"of", of}
}

func complete(ws []ledger.Window) (n int) {
	for i := range ws {
		if ws[i].Complete {
			n++
		}
	}
	return n
}

// whole leaves out the windows of which fewer rows were read than counted.
func (s *Service) whole(ws []ledger.Window, read []int64) []ledger.Window {
	var done []ledger.Window
	for i := range ws {
		if read[i] != ws[i].Rows {
			s.misled = append(s.misled, ws[i])
		}
		if w := &ws[i]; read[i] >= w.Rows {
			done = append(done, *w)
		} else {
			s.fail(fmt.Errorf("%w: %d of %d, window of %s at %s, host %q, instance %q", ErrShort, read[i], w.Rows,
				rollup.Name(w.Length), stamp(w.Start), w.Host, cmp.Or(w.Name, w.Of)))
		}
	}
	return done
}

// job is the work on one run's windows. Its lower part is shared by the readers.
type job struct {
	from, to int64
	now      int64
	windows  []rollup.Window

	mu       sync.Mutex
	read     []int64 // points of each window
	networks *rollup.Networks
	out      *sink.Batcher
	bad      badPoints
}

func (s *Service) newJob(ws []ledger.Window, now int64) *job {
	j := &job{from: ws[0].Start, to: ws[0].End(), now: now, windows: make([]rollup.Window, len(ws)), read: make([]int64, len(ws))}
	for i := range ws {
		w := &ws[i]
		j.to = max(j.to, w.End())
		j.windows[i] = rollup.Window{Of: w.Of, Host: w.Host, Instance: w.Name, Start: w.Start, Length: w.Length, Complete: w.Complete, Missing: w.Missing}
	}
	j.to = min(j.to, now)
	j.networks, j.out = rollup.NewNetworks(j.windows), sink.NewBatcher(s.Sink, s.cfg.Batch, s.cfg.TargetFields)
	return j
}

// each has the parts of j read.
func (s *Service) each(ctx context.Context, j *job, parts []source.Part, work func() func(context.Context, source.Part) error) error {
	say := func(i int) string {
		return fmt.Sprintf("%s to %s: %d of %d parts", stamp(j.from), stamp(j.to), i, len(parts))
	}
	return s.cfg.each(ctx, parts, say, work)
}

// each hands parts to a few readers at once and returns when all have ended: the first error stops them. work makes
// what one reader does; say tells Progress how far it is.
func (c *Config) each(ctx context.Context, parts []source.Part, say func(i int) string, work func() func(context.Context, source.Part) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan source.Part)
	for range min(c.Readers, len(parts)) {
		wg.Go(func() {
			read := work()
			for p := range next {
				if err := read(ctx, p); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i, p := range parts {
		if ctx.Err() != nil {
			break
		}
		if c.Progress != nil {
			c.Progress(say(i))
		}
		next <- p
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

func (s *Service) readOne(ctx context.Context, j *job, block *rollup.Block, p source.Part) error {
	var bad badPoints
	begin := func() { block.Reset(); bad = badPoints{} }
	begin()
	err := s.Points.Read(ctx, p, j.from, j.to, begin, func(series *schema.RTTSeries, row *schema.SweepRow) {
		bad.look(series, row)
		block.Add(series, row)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(p.Values[:1], ""), err)
	}
	rows := block.Rows()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bad.merge(&bad)
	for i, n := range block.Read() {
		j.read[i] += n
	}
	block.Networks(j.networks)
	if err := s.refused(j.out.Put(ctx, rows...)); err != nil {
		return err
	}
	return s.remember(ctx, j, rows)
}

// remember takes the floors of rows that cannot be read back.
func (s *Service) remember(ctx context.Context, j *job, rows []schema.Row) error {
	if s.shifter == nil || s.Floors != nil {
		return nil
	}
	for _, r := range rows {
		if row, ok := r.(*schema.SweepRollupRow); ok && row.Time+int64(s.shifter.length) <= j.now {
			if err := s.refused(j.out.Put(ctx, s.shifter.add(row)...)); err != nil {
				return err
			}
		}
	}
	return nil
}
