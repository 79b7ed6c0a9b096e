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
	"echogram/pipeline/ledger"
	"echogram/pipeline/service"
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
		Long: `Roll up the points of icmp_sweep, and of other measurements that the configuration names, over all its windows: for
each network, block and target. Where the floor of a target's RTT has moved, write a path_shift. Of blocks over time write
how they are used (block_state), when they were out (block_outage, and a log line), how their addresses come and go
(block_churn), and what a day does to them (block_daily).

Without --once it keeps running and rolls windows up as they close. With [source] type = "stdin" it reads line protocol
from STDIN, as a child of Telegraf (outputs.execd), until that ends. Exit codes: 0 done, 1 failed, or rows were refused,
2 usage or configuration.`,
		Example: `  echogram-pipeline run --config /etc/echogram/pipeline.toml
  echogram-pipeline run --config pipeline.toml --once --until 2026-03-01T00:00:00Z
  echogram sweep --format influx 192.0.2.0/24 | echogram-pipeline run --config stdin.toml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`")
	cmd.Flags().BoolVar(&f.once, "once", false, "roll up everything there is, unfinished windows with complete=false, and end")
	cmd.Flags().StringVar(&f.until, "until", "", "with --once: only what lies before `T`, RFC 3339 or seconds since the epoch (default: now)")
	cmd.Flags().BoolVar(&f.check, "check", false, "read and check the configuration, print it without secrets, and end")
	return cmd
}

func (f *runFlags) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	until, err := f.parse(time.Now())
	if err != nil {
		return usageError{err}
	}
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return usageError{err}
	}
	if f.check {
		if cfg.OneBucket() {
			fmt.Fprintf(stderr, "%s: source and sink are one bucket: what is made of raw points is kept no longer than these\n", f.config)
		}
		return cfg.Print(stdout)
	}
	log := newLog(stderr, cfg)
	switch {
	case cfg.Source.Type != config.Stdin:
		err = serve(ctx, cfg, log, f.once, until)
	case f.once:
		return usageError{errors.New("--once is for a source of type influxdb: STDIN ends by itself")}
	default:
		err = serveStream(ctx, cfg, log, stdin)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info("stopped")
		return nil
	}
	return err
}

func newLog(stderr io.Writer, cfg *config.Config) *slog.Logger {
	return slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
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
	return parseTime("--until", f.until, now)
}

// parseTime reads the time that a flag gives. One that lies ahead is now.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		var seconds int64
		if seconds, err = strconv.ParseInt(text, 10, 64); err != nil || seconds < 0 || seconds > 1<<33 {
			return now, fmt.Errorf("%s %q is neither an RFC 3339 time nor seconds since the epoch", flag, text)
		}
		t = time.Unix(seconds, 0)
	}
	if t.After(now) {
		t = now
	}
	return t, nil
}

// serve rolls up what lies in InfluxDB.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, once bool, until time.Time) (err error) {
	store, err := checkpoint.Open(cfg.StateDir, cfg.Source.Identity(), cfg.Sink.Identity())
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := load(store, cfg, log)
	if err != nil {
		return err
	}
	o := &opener{cfg: cfg, retries: -1, failed: log, log: log}
	if once {
		o.retries, o.failed = onceRetries, nil // the one error at the end says it all
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	ends, err := o.ends(ctx)
	if err != nil {
		return err
	}
	s := service.New(services(cfg, log), l, ends, store)
	if once {
		return s.Once(ctx, until)
	}
	return s.Run(ctx)
}

// load makes a ledger that goes on from the checkpoint, or an empty one.
func load(store *checkpoint.Store, cfg *config.Config, log *slog.Logger) (*ledger.Ledger, error) {
	lc := ledgers(cfg)
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
