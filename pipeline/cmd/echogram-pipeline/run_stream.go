package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"echogram/pipeline/checkpoint"
	"echogram/pipeline/config"
	"echogram/pipeline/lines"
	"echogram/pipeline/service"
)

// endGrace is how long a stream may go on writing after SIGTERM: Telegraf kills what has not ended 5 s after it.
const endGrace = 4 * time.Second

// serveStream rolls up what comes from STDIN until that ends, or ctx does.
func serveStream(ctx context.Context, cfg *config.Config, log *slog.Logger, stdin io.Reader) (err error) {
	store, err := checkpoint.Open(cfg.StateDir, cfg.Source.Identity(), cfg.Sink.Identity())
	if err != nil {
		return err
	}
	defer store.Close()
	closed, err := loadClosed(store, cfg, log)
	if err != nil {
		return err
	}
	work, cancel := grace(ctx, endGrace)
	defer cancel()
	o := &opener{cfg: cfg, retries: -1, failed: log, log: log}
	defer func() { err = errors.Join(err, o.Close()) }()
	to, filler, err := o.streamEnds(work)
	if err != nil {
		return err
	}
	s := service.NewStream(service.StreamConfig{
		Config: services(cfg, log), Sweep: cfg.SweepInterval.Duration, Now: time.Now,
	}, closed, to, store, filler)
	r := lines.NewReader(until(ctx, stdin), cfg.Measurements())
	if err := s.Read(work, r); err != nil {
		return err
	}
	if err = s.End(work); err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("stopped while the sink could not be written to: the windows that were open are lost (%d rows are written)", s.Rows())
	}
	warnMalformed(log, "STDIN", r)
	log.Info("the input has ended", "lines", r.Lines(), "rows", s.Rows())
	return err
}

// streamEnds opens the sink, and a Filler where there is a source to fill gaps from.
func (o *opener) streamEnds(ctx context.Context) (service.Sink, *service.Filler, error) {
	if o.cfg.Source.URL == "" {
		to, _, err := o.sink(ctx)
		return to, nil, err
	}
	ends, err := o.ends(ctx)
	return ends.Sink, &service.Filler{Ends: ends, Config: services(o.cfg, o.log), Ledger: ledgers(o.cfg)}, err
}

// loadClosed tells how far a former process has come.
func loadClosed(store *checkpoint.Store, cfg *config.Config, log *slog.Logger) (c service.Closed, err error) {
	switch err = store.Load(&c); {
	case err == nil:
		return c, nil
	case errors.Is(err, checkpoint.ErrNone):
		log.Info("no checkpoint: the windows that have begun will not be complete", "state_dir", cfg.StateDir)
	case errors.Is(err, checkpoint.ErrDamaged), errors.Is(err, checkpoint.ErrOther):
		log.Warn("checkpoint not usable: it is not known since when points are missing", "state_dir", cfg.StateDir, "reason", err.Error())
	default:
		return c, err
	}
	return service.Closed{}, nil
}

// until reads in until ctx ends, which is the end of the input. Nothing wakes a read from a pipe: it goes on in a
// goroutine that ends with the process.
func until(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { w.Close() })
	return r
}

// warnMalformed says how many lines were malformed, and shows the first few.
func warnMalformed(log *slog.Logger, name string, r *lines.Reader) {
	n, first, line := r.Malformed()
	if n == 0 {
		return
	}
	log.Warn("malformed lines were left out", "file", name, "count", n, "line", line, "first", first)
	for _, f := range r.Faults()[1:] {
		log.Warn("another malformed line", "file", name, "line", f.Line, "text", f.Text, "reason", f.Err.Error())
	}
}
