package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"echogram/pipeline/config"
	"echogram/pipeline/rollup"
	"echogram/sampleconfig/strict"
)

// Bytes that InfluxDB needs when it has compacted them, measured with aligned times: 105 MB for 18.9 million raw points,
// and for a rollup 12 RTTs of 3 bytes, 12 counts of 1.3 and a float of 7.
const (
	bytesPoint = 5.6
	bytesRow   = 59
)

type retentionFlags struct {
	config  string
	targets int
}

func newRetention() *cobra.Command {
	var f retentionFlags
	cmd := &cobra.Command{
		Use:   "retention --config FILE [--targets N]",
		Short: "Print a script that makes InfluxDB forget in time",
		Long: `Print a shell script with retention policies for raw points and rollups, and with the deletion of short windows' rows,
which share a bucket with those of long ones. It says what each will take of the disk. Read it, change it, run it: the
login is left out (INFLUX_USERNAME and INFLUX_PASSWORD on 1.8, INFLUX_TOKEN on 2.x).`,
		Example: `  echogram-pipeline retention --config pipeline.toml --targets 65536 > retention.sh`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout()) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`")
	cmd.Flags().IntVar(&f.targets, "targets", 65536, "number of targets, for the sizes")
	return cmd
}

func (f *retentionFlags) run(stdout io.Writer) error {
	switch {
	case f.config == "":
		return usageError{errors.New("--config is missing")}
	case f.targets < 1:
		return usageError{fmt.Errorf("--targets %d is not positive", f.targets)}
	}
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return usageError{err}
	}
	if cfg.Source.URL == "" || cfg.Sink.Type != config.InfluxDB {
		return usageError{fmt.Errorf("%s: source and sink are not both InfluxDB", f.config)}
	}
	if cfg.OneBucket() {
		return usageError{fmt.Errorf("%s: key \"sink.bucket\": %q is the source's, too: a bucket forgets all that it holds after the same time, so rollups need one of their own", f.config, cfg.Sink.Bucket)}
	}
	_, err = io.WriteString(stdout, f.script(cfg))
	return err
}

// keep is for how long rows of a window's length are worth their room; 0: for ever.
func keep(length time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case length < time.Hour:
		return 30 * day
	case length < day:
		return 365 * day
	}
	return 0
}

func (f *retentionFlags) script(cfg *config.Config) string {
	raw := max(7*24*time.Hour, (2 * cfg.Revisit.Duration).Round(24*time.Hour))
	blocks, span := cfg.Blocks(), ""
	if blocks != nil {
		raw = max(raw, time.Duration(blocks.Span+1)*24*time.Hour)
		span = fmt.Sprintf(", and for a backfill of blocks block.span, %d days, before it", blocks.Span)
	}
	perDay := float64(24 * time.Hour)
	points := float64(f.targets) * perDay / float64(cfg.SweepInterval.Duration)
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# What InfluxDB keeps, and for how long. Sizes are for %d targets, compacted.\nset -eu\n\n", f.targets)
	fmt.Fprintf(&b, "# Raw points: %s, %s. At least revisit, %s, must be left for the pipeline%s.\n",
		days(raw), size(points*bytesPoint*raw.Hours()/24), cfg.Revisit, span)
	bucket(&b, &cfg.Source.Server, raw)
	fmt.Fprintf(&b, "\n# Rollups: for ever, but for those of short windows, which this deletes: run it every day.\n")
	bucket(&b, &cfg.Sink.Server, 0)
	for _, l := range cfg.Lengths() {
		rows := float64(f.targets) / 256 * perDay / float64(l)
		if l >= cfg.PerTarget.Duration {
			rows = float64(f.targets) * perDay / float64(l)
		}
		name := rollup.Name(l)
		if keep(l) == 0 {
			fmt.Fprintf(&b, "\n# %s: for ever, %s a year.\n", name, size(rows*bytesRow*365))
			continue
		}
		fmt.Fprintf(&b, "\n# %s: %s, %s.\n", name, days(keep(l)), size(rows*bytesRow*keep(l).Hours()/24))
		deletion(&b, &cfg.Sink.Server, name, keep(l))
	}
	if blocks != nil {
		n := math.Ceil(float64(f.targets) / 256)
		rows := 365 * (n*(perDay/float64(blocks.Window)+2) + float64(blocks.Top)) // of state; of churn and daily; of single targets
		fmt.Fprintf(&b, "\n# block_state, block_churn, block_daily, and the few of block_outage: for ever, %s a year.\n", size(rows*bytesRow))
	}
	return b.String()
}

// bucket sets for how long a whole bucket is kept, 0 for ever: 1.8 knows it as database/policy, 2.x has organisations.
func bucket(b *strings.Builder, s *config.Server, keep time.Duration) {
	if s.Org != "" {
		fmt.Fprintf(b, "influx bucket update --host %[1]s --id \"$(influx bucket list --host %[1]s --org %[2]s --name %[3]s --hide-headers | cut -f 1)\" --retention %[4]s\n",
			quote(s.Public()), quote(s.Org), quote(s.Bucket), hours(keep))
		return
	}
	db, rp, ok := strings.Cut(s.Bucket, "/")
	if !ok {
		rp = "autogen"
		fmt.Fprintf(b, "# %s names no policy (%[1]s/POLICY): it is taken for that of %[1]s/autogen.\n", db)
	}
	duration := "INF"
	if keep > 0 {
		duration = hours(keep)
	}
	fmt.Fprintf(b, "%s -execute %s\n", shell(s), quote(fmt.Sprintf("ALTER RETENTION POLICY %q ON %q DURATION %s", rp, db, duration)))
}

// deletion deletes the rows of one window's length that are older than keep.
func deletion(b *strings.Builder, s *config.Server, window string, keep time.Duration) {
	if s.Org != "" {
		fmt.Fprintf(b, "influx delete --host %s --org %s --bucket %s --predicate %s --start 1970-01-01T00:00:00Z --stop \"$(date -u -d '%d days ago' +%%FT%%TZ)\"\n",
			quote(s.Public()), quote(s.Org), quote(s.Bucket), quote(fmt.Sprintf("window=%q", window)), int(keep.Hours()/24))
		return
	}
	db, _, _ := strings.Cut(s.Bucket, "/")
	fmt.Fprintf(b, "%s -database %s -execute %s\n", shell(s), quote(db), quote(fmt.Sprintf(`DELETE FROM /_rollup$/ WHERE "window" = '%s' AND time < now() - %s`, window, hours(keep))))
}

// shell calls the shell of InfluxDB 1.8.
func shell(s *config.Server) string {
	u, err := url.Parse(s.Public())
	if err != nil || u.Port() == "" {
		return "influx"
	}
	return fmt.Sprintf("influx -host %s -port %s", quote(u.Hostname()), u.Port())
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func hours(d time.Duration) string { return strict.Duration{Duration: d.Round(time.Hour)}.String() }

func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d.Hours()/24)) }

func size(bytes float64) string {
	for _, u := range []string{"B", "kB", "MB", "GB"} {
		if bytes < 1000 {
			return fmt.Sprintf("%.3g %s", bytes, u)
		}
		bytes /= 1000
	}
	return fmt.Sprintf("%.3g TB", bytes)
}
