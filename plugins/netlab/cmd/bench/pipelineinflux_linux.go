package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/netlab/parts"
)

// database is an InfluxDB that is started for one run.
type database struct {
	*parts.Influx
	// When watching began:
	cpu       float64 // s
	anonymous int64   // bytes
	// While it lasts:
	peak int64  // bytes
	stop func() // waits until it has ended
}

// Quiet times: InfluxDB looks for files to compact once a second.
const (
	quietAfterStart = time.Second
	quietAfterLoad  = 3 * time.Second
	settleTime      = 10 * time.Minute
)

// openDatabase starts InfluxDB on the files in dir, and waits until it rests.
func openDatabase(ctx context.Context, dir string, quiet time.Duration) (*database, error) {
	db, err := parts.StartInfluxDB(ctx, dir)
	if err != nil {
		return nil, err
	}
	d := &database{Influx: db}
	if err := d.settle(ctx, quiet); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

// settle waits until InfluxDB has used hardly any CPU for a quiet time: compactions are over.
func (d *database) settle(ctx context.Context, quiet time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	const look, busy = 250 * time.Millisecond, .04 // s of CPU a look
	tick := time.NewTicker(look)
	defer tick.Stop()
	used, err := cpuSeconds(d.Pid())
	for still := time.Duration(0); err == nil && still < quiet; still += look {
		select {
		case <-ctx.Done():
			return fmt.Errorf("influxd does not come to rest: %w", ctx.Err())
		case <-d.Done():
			return errors.New("influxd has ended")
		case <-tick.C:
		}
		before := used
		if used, err = cpuSeconds(d.Pid()); used-before > busy {
			still = -look
		}
	}
	return err
}

// use is what a database needed while it was watched.
type use struct {
	cpu    float64 // s
	growth int64   // bytes: the peak of its anonymous memory above what it had when watching began
}

// watch begins to measure. The files that InfluxDB maps are not its memory but the page cache, as those that a program
// reads are: only what it has allocated counts.
func (d *database) watch() (err error) {
	if d.cpu, err = cpuSeconds(d.Pid()); err != nil {
		return err
	}
	d.anonymous = anonymousMemory(d.Pid())
	d.peak = d.anonymous
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	d.stop = func() { stop(); <-ended }
	go func() {
		defer close(ended)
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			d.peak = max(d.peak, anonymousMemory(d.Pid()))
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}()
	return nil
}

// seen is what it needed since watch, and ends the watching.
func (d *database) seen() (use, error) {
	d.stop()
	cpu, err := cpuSeconds(d.Pid())
	return use{cpu - d.cpu, d.peak - d.anonymous}, err
}

// cpuSeconds is the user and system time of a process: fields 14 and 15 of proc_pid_stat(5), in hundredths. The second
// field is a name in brackets that may hold anything.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	var ticks float64
	for _, field := range bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])[11:13] {
		n, err := strconv.Atoi(string(field))
		if err != nil {
			return 0, err
		}
		ticks += float64(n)
	}
	return ticks / 100, nil
}

// loader gathers lines into writes.
type loader struct {
	*database
	ctx  context.Context
	text strings.Builder
	held int
}

// loadBatch is how many lines Telegraf writes at once, as the sample configuration has it.
const loadBatch = 5000

func (l *loader) put(line []byte) error {
	l.text.Write(line)
	if l.held++; l.held < loadBatch {
		return nil
	}
	return l.flush()
}

func (l *loader) flush() error {
	if l.held == 0 {
		return nil
	}
	defer l.text.Reset()
	l.held = 0
	return l.Write(l.ctx, rawDatabase, l.text.String())
}

// load writes sweeps from <= n < to of a day.
func (d *database) load(ctx context.Context, made *day, from, to int) error {
	l := loader{database: d, ctx: ctx}
	return errors.Join(made.lines(from, to, l.put), l.flush())
}

// count counts the points of a measurement that have a field.
func (d *database) count(ctx context.Context, name, measurement, field string) (int, error) {
	series, err := d.Query(ctx, name, fmt.Sprintf("SELECT count(%q) FROM %q", field, measurement))
	if err != nil || len(series) == 0 {
		return 0, err
	}
	return int(series[0].Int(0, "count")), nil
}
