package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"echogram/pipeline/config"
	"echogram/pipeline/service"
)

type backfillFlags struct {
	config, start, stop string
	partial             bool
}

func newBackfill() *cobra.Command {
	var f backfillFlags
	cmd := &cobra.Command{
		Use:   "backfill --config FILE --start T [--stop T]",
		Short: "Roll up a stretch of the past again",
		Long: `Roll up every window that overlaps the time from --start to --stop out of InfluxDB, whatever was done before: after
a correction, for a window that was configured later, or after an import. Each such window is computed whole, from what
lies before --start and behind --stop, too; blocks over time from up to block.span days before. The checkpoint is neither read nor written: a running service may go on.

Windows that began before the oldest raw point are left out, because something better may be stored of them already.
Exit codes: 0 done, 1 failed, 2 usage or configuration.`,
		Example: `  echogram-pipeline backfill --config pipeline.toml --start 2026-01-10T00:00:00Z --stop 2026-01-12T00:00:00Z
  echogram-pipeline backfill --config pipeline.toml --start 2026-01-10T00:00:00Z --partial`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.ErrOrStderr()) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`")
	cmd.Flags().StringVar(&f.start, "start", "", "begin at `T`, RFC 3339 or seconds since the epoch")
	cmd.Flags().StringVar(&f.stop, "stop", "", "end before `T` (default: now)")
	cmd.Flags().BoolVar(&f.partial, "partial", false, "also windows that began before the oldest raw point, from what is left of them")
	return cmd
}

func (f *backfillFlags) run(ctx context.Context, stderr io.Writer) (err error) {
	now := time.Now()
	start, stop, err := f.parse(now)
	if err != nil {
		return usageError{err}
	}
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return usageError{err}
	}
	if cfg.Source.URL == "" {
		return usageError{fmt.Errorf("%s: key \"source.url\": is missing: there is nothing to read the past from", f.config)}
	}
	p := newProgress(stderr)
	defer p.clear()
	log := newLog(p.over(stderr), cfg)
	o := &opener{cfg: cfg, retries: onceRetries, log: log}
	defer func() { err = errors.Join(err, o.Close()) }()
	ends, err := o.ends(ctx)
	if err != nil {
		return err
	}
	c := services(cfg, log)
	c.Progress = func(text string) { p.say("%s", text) }
	filler := service.Filler{Ends: ends, Config: c, Ledger: ledgers(cfg)}
	return filler.Backfill(ctx, start.UnixNano(), stop.UnixNano(), now.UnixNano(), f.partial)
}

// parse checks the flags.
func (f *backfillFlags) parse(now time.Time) (start, stop time.Time, err error) {
	switch {
	case f.config == "":
		return start, stop, errors.New("--config is missing")
	case f.start == "":
		return start, stop, errors.New("--start is missing")
	}
	if start, err = parseTime("--start", f.start, now); err != nil {
		return start, stop, err
	}
	if stop = now; f.stop != "" {
		stop, err = parseTime("--stop", f.stop, now)
	}
	if err == nil && !start.Before(stop) {
		err = fmt.Errorf("--start %s does not lie before --stop, %s", start.UTC().Format(time.RFC3339), stop.UTC().Format(time.RFC3339))
	}
	return start, stop, err
}
