package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"echogram/pipeline/config"
	"echogram/pipeline/influx"
	"echogram/pipeline/ledger"
	"echogram/pipeline/service"
	"echogram/pipeline/sink"
	"echogram/pipeline/source"
)

// opener opens what a pipeline works between. Everything opened is closed by Close.
type opener struct {
	cfg     *config.Config
	retries int          // of requests that may yet succeed; negative: for ever
	failed  *slog.Logger // gets a line for each failed attempt; nil: none
	log     *slog.Logger
	closers []io.Closer
}

// Close closes in reverse, and returns what the disk had against it.
func (o *opener) Close() error {
	var errs []error
	for i := range o.closers {
		errs = append(errs, o.closers[len(o.closers)-1-i].Close())
	}
	return errors.Join(errs...)
}

// closing is a Close without an error.
type closing func()

func (f closing) Close() error { f(); return nil }

func (o *opener) client(s *config.Server) *influx.Client {
	c := influx.New(s.Client(o.retries, o.failed))
	o.closers = append(o.closers, closing(c.Close))
	return c
}

// sink opens where rows go, and the way to read floors back if there is one.
func (o *opener) sink(ctx context.Context) (service.Sink, service.Floors, error) {
	switch o.cfg.Sink.Type {
	case config.Stdout:
		return sink.Stdout(), nil, nil
	case config.File:
		f, err := sink.Open(o.cfg.Sink.Path)
		if err != nil {
			return nil, nil, err
		}
		o.closers = append(o.closers, f)
		return f, nil, nil
	}
	to := o.client(&o.cfg.Sink.Server)
	if !o.cfg.Path.Shifts {
		return to, nil, nil
	}
	back := source.New(to, o.cfg.Source.Language, nil)
	err := back.Open(ctx)
	var e *influx.Error
	if errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		o.log.Warn("rollups cannot be read back: shifts are looked for from here on only", "reason", err.Error())
		return to, nil, nil
	}
	return to, back, err
}

// ends opens both ends, the source being InfluxDB.
func (o *opener) ends(ctx context.Context) (service.Ends, error) {
	src := source.New(o.client(&o.cfg.Source.Server), o.cfg.Source.Language, o.cfg.Measurements())
	if err := src.Open(ctx); err != nil {
		return service.Ends{}, err
	}
	o.log.Debug("source is open", "language", src.Language())
	to, floors, err := o.sink(ctx)
	return service.Ends{Accounts: src, Points: src, Sink: to, Floors: floors}, err
}

// services is what services, fillers and streams need to know of the configuration.
func services(cfg *config.Config, log *slog.Logger) service.Config {
	c := service.Config{Interval: cfg.Interval.Duration, Readers: cfg.Source.Readers, Batch: cfg.Sink.Batch, TargetFields: cfg.TargetFields, Rollup: cfg.Rollup(),
		Blocks: cfg.Blocks(), Lateness: cfg.Lateness.Duration, Log: log}
	for _, m := range cfg.Measurement {
		c.Of = append(c.Of, m.Name)
	}
	if cfg.Path.Shifts {
		shifts := cfg.ShiftConfig()
		c.Shifts, c.References = &shifts, cfg.Path.References
	}
	return c
}

func ledgers(cfg *config.Config) ledger.Config {
	return ledger.Config{Lengths: cfg.Lengths(), PerTarget: cfg.PerTarget.Duration, Lateness: cfg.Lateness.Duration, Revisit: cfg.Revisit.Duration}
}

// grace is a context that ends so much after ctx: for what must still be written then.
func grace(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(after)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel() }
}
