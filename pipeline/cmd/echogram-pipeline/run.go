package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"echogram/pipeline/checkpoint"
	"echogram/pipeline/config"
	"echogram/pipeline/influx"
	"echogram/pipeline/ledger"
	"echogram/pipeline/service"
	"echogram/pipeline/source"
)

type runFlags struct {
	config string
	once   bool
	check  bool
	until  string
}

// onceRetries bounds how often a single run tries a failing server again: for about 8 s.
const onceRetries = 5

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run --config FILE [--once [--until T]] [--check]",
		Short: "Roll up windows as they close, or everything there is",
		Long: `Roll up the points of icmp_sweep: by the minute and the hour for each block, by the hour for each target.

Without --once it keeps running and rolls windows up as they close. Exit codes: 0 done, 1 failed, 2 usage or
configuration.`,
		Example: `  echogram-pipeline run --config /etc/echogram/pipeline.toml
  echogram-pipeline run --config pipeline.toml --once --until 2026-03-01T00:00:00Z`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`")
	cmd.Flags().BoolVar(&f.once, "once", false, "roll up everything there is, unfinished windows with complete=false, and end")
	cmd.Flags().StringVar(&f.until, "until", "", "with --once: only what lies before `T`, RFC 3339 or seconds since the epoch (default: now)")
	cmd.Flags().BoolVar(&f.check, "check", false, "read and check the configuration, print it without secrets, and end")
	return cmd
}

func (f *runFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	until, err := f.parse(time.Now())
	if err != nil {
		return usageError{err}
	}
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return usageError{err}
	}
	if f.check {
		return cfg.Print(stdout)
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	err = serve(ctx, cfg, log, f.once, until)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info("stopped")
		return nil
	}
	return err
}

// parse checks the flags and gives the end of --once. An end that lies ahead is now: nobody knows the future.
func (f *runFlags) parse(now time.Time) (time.Time, error) {
	switch {
	case f.config == "":
		return now, errors.New("--config is missing")
	case f.until == "":
		return now, nil
	case !f.once:
		return now, errors.New("--until needs --once")
	}
	t, err := time.Parse(time.RFC3339Nano, f.until)
	if err != nil {
		var seconds int64
		if seconds, err = strconv.ParseInt(f.until, 10, 64); err != nil || seconds < 0 || seconds > 1<<33 {
			return now, fmt.Errorf("--until %q is neither an RFC 3339 time nor seconds since the epoch", f.until)
		}
		t = time.Unix(seconds, 0)
	}
	if t.After(now) {
		t = now
	}
	return t, nil
}

// serve wires everything and runs it.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, once bool, until time.Time) error {
	store, err := checkpoint.Open(cfg.StateDir, cfg.Source.Identity(), cfg.Sink.Identity())
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := load(store, cfg, log)
	if err != nil {
		return err
	}
	retries, attempts := -1, log
	if once {
		retries, attempts = onceRetries, nil // the one error at the end says it all
	}
	from, to := influx.New(cfg.Source.Client(retries, attempts)), influx.New(cfg.Sink.Client(retries, attempts))
	defer from.Close()
	defer to.Close()
	src := source.New(from, cfg.Source.Language)
	if err := src.Open(ctx); err != nil {
		return err
	}
	log.Debug("source is open", "language", src.Language())
	s := service.New(service.Config{
		Interval: cfg.Interval.Duration, Readers: cfg.Source.Readers, Batch: cfg.Sink.Batch, Log: log,
	}, l, src, src, to, store)
	if once {
		return s.Once(ctx, until)
	}
	return s.Run(ctx)
}

// load makes a ledger that goes on from the checkpoint, or an empty one.
func load(store *checkpoint.Store, cfg *config.Config, log *slog.Logger) (*ledger.Ledger, error) {
	lc := ledger.Config{Lateness: cfg.Lateness.Duration, Revisit: cfg.Revisit.Duration}
	var state ledger.State
	err := store.Load(&state)
	switch {
	case err == nil:
		return ledger.Restore(lc, &state), nil
	case errors.Is(err, checkpoint.ErrNone):
		log.Info("no checkpoint: reading starts from the oldest point", "state_dir", cfg.StateDir)
	case errors.Is(err, checkpoint.ErrDamaged), errors.Is(err, checkpoint.ErrOther):
		log.Warn("checkpoint not usable: reading starts from the oldest point again", "state_dir", cfg.StateDir, "reason", err.Error())
	default:
		return nil, err
	}
	return ledger.New(lc), nil
}
