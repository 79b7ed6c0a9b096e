package service

import (
	"context"
	"sync"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/rollup"
	"echogram/plugins/schema"
)

// rollUp reads the blocks of one hour's due windows and writes their rows.
func (s *Service) rollUp(ctx context.Context, ws []ledger.Window, now int64) error {
	began := time.Now()
	j := newJob(ws, now)
	blocks, err := s.points.Blocks(ctx, j.from, j.to)
	if err != nil {
		return err
	}
	j.out = writer{sink: s.sink, batch: s.cfg.Batch}
	if err := s.readAll(ctx, j, blocks); err != nil {
		return err
	}
	if err := j.out.flush(ctx); err != nil {
		return err
	}
	complete := 0
	for i := range ws {
		if j.read[i] < ws[i].Rows {
			return short(&ws[i], j.read[i])
		}
		if ws[i].Complete {
			complete++
		}
	}
	s.cfg.Log.Info("rolled up", "from", stamp(j.from), "to", stamp(j.to), "windows", len(ws), "complete", complete,
		"blocks", len(blocks), "rows", j.out.rows, "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

// job is the work on one hour's windows. Its lower part is shared by the readers.
type job struct {
	from, to int64
	windows  []rollup.Window

	mu   sync.Mutex
	read []int64 // points of each window
	out  writer
}

func newJob(ws []ledger.Window, now int64) *job {
	j := &job{from: ws[0].Start, to: ws[0].End(), windows: make([]rollup.Window, len(ws)), read: make([]int64, len(ws))}
	for i := range ws {
		w := &ws[i]
		j.to = max(j.to, w.End())
		j.windows[i] = rollup.Window{Host: w.Host, Instance: w.Name, Start: w.Start, Length: w.Length, Complete: w.Complete, Missing: w.Missing}
	}
	j.to = min(j.to, now)
	return j
}

// readAll reads blocks with a few readers at once and returns when all have ended: the first error stops them.
func (s *Service) readAll(ctx context.Context, j *job, blocks []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	names := make(chan string)
	for range min(s.cfg.Readers, len(blocks)) {
		wg.Go(func() {
			block := rollup.NewBlock(rollup.Config{PerTarget: time.Hour}, j.windows)
			for name := range names {
				if err := s.readOne(ctx, j, block, name); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, name := range blocks {
		if ctx.Err() != nil {
			break
		}
		names <- name
	}
	close(names)
	wg.Wait()
	return context.Cause(ctx)
}

func (s *Service) readOne(ctx context.Context, j *job, block *rollup.Block, name string) error {
	block.Reset()
	if err := s.points.Read(ctx, name, j.from, j.to, block.Reset, block.Add); err != nil {
		return err
	}
	rows := block.Rows()
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, n := range block.Read() {
		j.read[i] += n
	}
	return j.out.put(ctx, rows)
}

// writer gathers rows into batches.
type writer struct {
	sink  Sink
	batch int
	buf   []byte
	point schema.Point
	lines int
	rows  int
}

func (w *writer) put(ctx context.Context, rows []schema.Row) error {
	for _, r := range rows {
		schema.Fill(&w.point, r)
		var err error
		if w.buf, err = w.point.AppendLine(w.buf); err != nil {
			return err
		}
		w.rows++
		if w.lines++; w.lines >= w.batch {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) flush(ctx context.Context) error {
	err := w.sink.Write(ctx, w.buf)
	w.buf, w.lines = w.buf[:0], 0
	return err
}
