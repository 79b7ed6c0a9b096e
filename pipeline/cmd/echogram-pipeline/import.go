package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"echogram/pipeline/config"
	"echogram/pipeline/lines"
	"echogram/pipeline/service"
	"echogram/pipeline/sink"
	"echogram/plugins/schema"
)

type importFlags struct {
	config, output, host string
	lateness             time.Duration
	interval             time.Duration // of the sweeps, as the files show it; 0: unknown
	raw, onlyBlocks      bool
}

func newImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import [--config FILE] [--output FILE|-] FILE…",
		Short: "Roll up files: line protocol and con-ping's",
		Long: `Roll up files of line protocol, or of con-ping (NETWORK-LENGTH-EPOCH.txt, known by their names), gzip or not, and look
at their blocks over time: outages, churn, use, daily patterns. - is STDIN. Rows go to the sink of the configuration, or to --output as line protocol. Without --config the windows are the
default ones, sweeps are as far apart as the first ones of the files, and only icmp_sweep is read. Of a directory its
files are read, by name.

Points may come in any order within the lateness. Files that are in no order of time (exports of InfluxDB) are written
to a bucket by "influx write" first and rolled up by "backfill". A point more than a day and the lateness ahead of all
before it is left out when the next one falls back by as much: its time is wrong. With --raw the sweeps of con-ping become points of
icmp_sweep, in the source bucket of the configuration or in --output, and nothing is rolled up.

Malformed lines are counted, and the first five of each file are shown. Exit codes: 0 done, 1 failed, or a file of
nothing but malformed lines, 2 usage or configuration.`,
		Example: `  echogram-pipeline import --output rollups.lp metrics.out metrics-2026-01-10.out.gz
  echogram sweep --format influx 192.0.2.0/24 | echogram-pipeline import --output - -
  echogram-pipeline import --config pipeline.toml --raw 192.0.2.0-24-*.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("no FILE is given; - is STDIN")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args, cmd.InOrStdin(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`")
	cmd.Flags().StringVar(&f.output, "output", "", "write line protocol to `FILE`, which is appended to, or - for STDOUT")
	cmd.Flags().StringVar(&f.host, "host", "", "tag host of con-ping's points (default: this host's name)")
	cmd.Flags().DurationVar(&f.lateness, "lateness", 0, "by how much points may come late (default: the configuration's, or 2m10s)")
	cmd.Flags().BoolVar(&f.onlyBlocks, "only-blocks", false, "look at blocks over time, and roll nothing up")
	cmd.Flags().BoolVar(&f.raw, "raw", false, "write con-ping's points as they are")
	return cmd
}

func (f *importFlags) run(ctx context.Context, files []string, stdin io.Reader, stderr io.Writer) (err error) {
	cfg, err := f.load()
	if err != nil {
		return usageError{err}
	}
	p := newProgress(stderr)
	defer p.clear()
	log := newLog(p.over(stderr), cfg)
	in := &inputs{host: f.host, stdin: stdin, progress: p, log: log, reader: lines.NewReader(nil, cfg.Measurements())}
	if err := in.order(files, f.raw); err != nil {
		return usageError{err}
	}
	if f.config == "" && !f.raw {
		if cfg, err = f.measured(in); err != nil {
			return err
		}
	}
	o := &opener{cfg: cfg, retries: onceRetries, log: log}
	defer func() { err = errors.Join(err, o.Close()) }()
	to, _, err := o.sink(ctx)
	if err != nil {
		return err
	}
	if f.raw {
		return writeRaw(ctx, in, sink.NewBatcher(to, cfg.Sink.Batch, nil), log)
	}
	s := service.NewStream(service.StreamConfig{Config: services(cfg, log), OnlyBlocks: f.onlyBlocks}, service.Closed{}, to, nil, nil)
	if err := in.each(func(r *lines.Reader) error { return s.Read(ctx, r) }); err != nil {
		return err
	}
	err = s.End(ctx)
	log.Info("imported", "files", len(in.names), "lines", in.lines, "rows", s.Rows())
	return errors.Join(append(in.useless, err)...)
}

// measured is the configuration for sweeps as far apart as those of the files, where no other one says how far that is.
func (f *importFlags) measured(in *inputs) (*config.Config, error) {
	if f.interval = in.interval(); f.interval > 0 {
		in.log.Info("the sweeps of the files, by their times", "interval", f.interval.String())
	}
	return f.load()
}

// load reads the configuration and brings it into line with the flags.
func (f *importFlags) load() (cfg *config.Config, err error) {
	switch {
	case f.raw && f.onlyBlocks:
		return nil, errors.New("--raw looks at no blocks: leave out --only-blocks")
	case f.lateness < 0:
		return nil, fmt.Errorf("--lateness %v is negative", f.lateness)
	case f.config != "":
		cfg, err = config.Load(f.config, os.LookupEnv)
	case f.output == "":
		return nil, errors.New("--config or --output is missing: where should the rows go?")
	default:
		text := "[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n"
		if f.interval > 0 {
			text = fmt.Sprintf("sweep_interval = '%ds'\n", f.interval/time.Second) + text
		}
		cfg, err = config.Parse("the defaults", []byte(text), os.LookupEnv)
	}
	if err != nil {
		return nil, err
	}
	if f.onlyBlocks && cfg.Blocks() == nil {
		return nil, fmt.Errorf("%s: key \"block.enabled\": is false: with --only-blocks nothing is left to do", f.config)
	}
	if f.lateness > 0 {
		cfg.Lateness.Duration = f.lateness
	}
	switch {
	case f.output == "-":
		cfg.Sink.Type = config.Stdout
	case f.output != "":
		cfg.Sink.Type, cfg.Sink.Path = config.File, f.output
	case f.raw && cfg.Source.URL == "":
		return nil, fmt.Errorf("%s: key \"source.url\": is missing: that is where raw points go without --output", f.config)
	case f.raw:
		cfg.Sink.Type, cfg.Sink.Server, cfg.Path.Shifts = config.InfluxDB, cfg.Source.Server, false
	}
	return cfg, nil
}

// writeRaw writes points and manifests as the sweeps would have.
func writeRaw(ctx context.Context, in *inputs, out *sink.Batcher, log *slog.Logger) error {
	err := in.each(func(r *lines.Reader) error {
		defer r.Forget(func(*schema.RTTSeries) bool { return false })
		for {
			kind, err := r.Next()
			if err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			row := schema.Row(&r.Row)
			if kind == lines.Manifest {
				row = &r.Stats
			}
			if err := out.Put(ctx, row); err != nil {
				return err
			}
		}
	})
	if err == nil {
		err = out.Flush(ctx)
	}
	log.Info("written", "rows", out.Rows())
	return errors.Join(append(in.useless, err)...)
}
