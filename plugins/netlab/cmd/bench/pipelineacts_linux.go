package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// act is what one contender does in a round.
type act struct {
	table int
	names []string // of what it measures, in this order
	ours  bool
	run   func(ctx context.Context) ([]*pipelineRun, error)
}

const (
	pipelineTime  = 20 * time.Minute // after which one of them is ended
	pipelineRound = 25 * time.Minute // what a round may last on average
)

// acts lists who takes part.
func (b *pipelineBench) acts() []act {
	acts := []act{
		{table: fromFile, names: []string{nameImport}, ours: true, run: b.importFile("")},
		{table: fromFile, names: []string{nameRollups}, ours: true, run: b.importFile(noBlocks)},
	}
	if b.telegraf != "" {
		acts = append(acts,
			act{table: fromFile, names: []string{nameBasic}, run: b.aggregate(basicstats)},
			act{table: fromFile, names: []string{nameQuantile}, run: b.aggregate(basicstats + quantile)})
	}
	return append(acts,
		act{table: fromInflux, names: []string{nameSame}, ours: true, run: b.rollDay(windowsDay+"\ntarget_fields = ['rtt_mean_ns']", noBlocks+"[path]\nshifts = false\n")},
		act{table: fromInflux, names: []string{nameDay}, ours: true, run: b.rollDay(windowsDay, noBlocks)},
		act{table: fromInflux, names: []string{nameAll, nameCloses, nameSweep}, ours: true, run: b.rollAll},
		act{table: fromInflux, names: []string{nameWindow}, run: b.flux(fluxWindow)},
		act{table: fromInflux, names: []string{nameMean}, run: b.flux(fluxBare)})
}

// oneCore is the environment of those who read files: one core of computing.
func oneCore(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

// noBlocks has blocks not looked at: those beside us know none.
const noBlocks = "[block]\nenabled = false\n"

// fileConfig is that of import, but for tables.
const fileConfig = "sweep_interval = '5m'\n[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n"

// importFile rolls the day's file up into another.
func (b *pipelineBench) importFile(tables string) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) ([]*pipelineRun, error) {
		out, config := b.path("rollups.lp"), b.path("import.toml")
		defer os.Remove(out)
		if err := os.WriteFile(config, []byte(fileConfig+tables), 0o644); err != nil {
			return nil, err
		}
		return b.readFile(ctx, b.store.day.points(daySweeps), out, b.pipeline, "import", "--config", config, "--output", out, b.store.file())
	}
}

// Telegraf's aggregators of one period. They take what is as old as grace; the windows themselves are of the clock.
const (
	aggregatorsConfig = `[agent]
  omit_hostname = true
  metric_batch_size = 5000
  metric_buffer_limit = 600000
  skip_processors_after_aggregators = true
[[inputs.file]]
  files = ["%s/*.lp"]
  data_format = "influx"
  namepass = ["icmp_sweep"]
[[outputs.file]]
  files = ["%s"]
  data_format = "influx"
`
	ofRTT = `  period = "24h"
  grace = "876000h"
  drop_original = true
  fieldinclude = ["rtt_ns"]
`
	basicstats = "[[aggregators.basicstats]]\n" + ofRTT + "  stats = [\"count\", \"min\", \"max\", \"mean\", \"stdev\"]\n"
	quantile   = "[[aggregators.quantile]]\n" + ofRTT + "  quantiles = [0.5, 0.9, 0.99]\n"
)

// aggregate has Telegraf read the slice once: all aggregators emit what they have at its end.
func (b *pipelineBench) aggregate(aggregators string) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) ([]*pipelineRun, error) {
		out, config := b.path("aggregates.lp"), b.path("telegraf.conf")
		defer os.Remove(out)
		if err := os.WriteFile(config, fmt.Appendf(nil, aggregatorsConfig+aggregators, b.store.slice(), out), 0o644); err != nil {
			return nil, err
		}
		return b.readFile(ctx, b.store.day.points(sliceSweeps), out, b.telegraf, "--config", config, "--once")
	}
}

// readFile measures a program that makes the file out from so many points.
func (b *pipelineBench) readFile(ctx context.Context, points int, out, program string, args ...string) ([]*pipelineRun, error) {
	c, err := watchChild(oneCore(command(ctx, program, args...)))
	if err != nil {
		return nil, err
	}
	r := c.pipelineRun(points)
	r.Written, err = countLines(out)
	if err == nil && r.Written == 0 {
		err = fmt.Errorf("nothing came of it: %s", c.said)
	}
	return []*pipelineRun{r}, err
}

// pipelineConfig rolls up to another database of the same server. The arguments are the directory of the state, the
// windows, the server and the databases.
const pipelineConfig = `state_dir = %q
sweep_interval = "5m"
windows = %s
[source]
url = %q
bucket = "%s/autogen"
[sink]
bucket = "%s/autogen"
`

const (
	windowsDay = `["1d"]`
	windowsAll = `["1m", "10m", "1h", "1d"]`
)

// rollDay has the pipeline make windows of a day only, as Flux does.
func (b *pipelineBench) rollDay(windows, tables string) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) (runs []*pipelineRun, err error) {
		err = b.withInflux(ctx, func(db *database) error {
			r, err := b.roll(ctx, db, windows, tables, daySweeps)
			runs = append(runs, r)
			return err
		})
		return runs, err
	}
}

// rollAll has it make all windows, and again for each of two sweeps that come later.
func (b *pipelineBench) rollAll(ctx context.Context) (runs []*pipelineRun, err error) {
	err = b.withInflux(ctx, func(db *database) error {
		runs, err = b.allWindows(ctx, db)
		return err
	})
	return runs, err
}

// allWindows: the first sweep that comes later begins the next day, by which the windows of this one are known to be
// over; the second is one like any other.
func (b *pipelineBench) allWindows(ctx context.Context, db *database) (runs []*pipelineRun, err error) {
	for before := daySweeps; before <= daySweeps+2; before++ {
		if before > daySweeps {
			if err := errors.Join(db.load(ctx, b.store.day, before-1, before), db.settle(ctx, quietAfterStart)); err != nil {
				return nil, err
			}
		}
		r, err := b.roll(ctx, db, windowsAll, "", before)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// roll runs the pipeline on everything before the given sweep.
func (b *pipelineBench) roll(ctx context.Context, db *database, windows, tables string, before int) (*pipelineRun, error) {
	config := b.path("pipeline.toml")
	text := fmt.Appendf(nil, pipelineConfig, filepath.Join(db.Dir, "state"), windows, db.URL, rawDatabase, rollupDatabase)
	text = append(text, tables...)
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return nil, err
	}
	until := dayStart.Add(time.Duration(before) * sweepEvery).Format(time.RFC3339)
	r, c, err := db.beside(command(ctx, b.pipeline, "run", "--config", config, "--once", "--until", until),
		func(said string) int { return b.store.day.points(sweepsRead(said, before)) })
	if err != nil {
		return nil, err
	}
	if r.Written = rowsWritten(c.said); r.Read == 0 || r.Written == 0 {
		return nil, fmt.Errorf("nothing came of it: %s", c.said)
	}
	return r, nil
}

// rolledUp is what the pipeline says of each piece of work: it has read all points of from <= t < to once.
var rolledUp = regexp.MustCompile(`msg="rolled up" from=(\S+) to=(\S+) .*\brows=(\d+)`)

// sweepsRead is how many sweeps before the given one the pipeline has read, those read twice counted twice.
func sweepsRead(said string, before int) (n int) {
	for _, m := range rolledUp.FindAllStringSubmatch(said, -1) {
		n += max(0, min(sweepsBefore(m[2]), before)-sweepsBefore(m[1]))
	}
	return n
}

// sweepsBefore is how many sweeps of the day, and of what follows it, begin before a time of RFC 3339.
func sweepsBefore(stamp string) int {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return 0
	}
	return max(0, int((t.Sub(dayStart)+sweepEvery-1)/sweepEvery))
}

// rowsWritten adds up what the pipeline says to have written.
func rowsWritten(said string) (n int) {
	for _, m := range rolledUp.FindAllStringSubmatch(said, -1) {
		rows, _ := strconv.Atoi(m[3]) // digits
		n += rows
	}
	return n
}

// flux has InfluxDB compute the means of the day, and this program write them back.
func (b *pipelineBench) flux(way string) func(context.Context) ([]*pipelineRun, error) {
	return func(ctx context.Context) (runs []*pipelineRun, err error) {
		err = b.withInflux(ctx, func(db *database) error {
			r, err := b.means(ctx, db, way)
			runs = append(runs, r)
			return err
		})
		return runs, err
	}
}

func (b *pipelineBench) means(ctx context.Context, db *database, way string) (*pipelineRun, error) {
	r, _, err := db.beside(command(ctx, b.self, "flux", way, db.URL), func(string) int { return b.store.day.points(daySweeps) })
	if err != nil {
		return nil, err
	}
	if r.Written, err = db.count(ctx, rollupDatabase, fluxMean, fluxField); err == nil && r.Written == 0 {
		err = errors.New("nothing came of it")
	}
	return r, err
}
