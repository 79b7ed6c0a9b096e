package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"echogram/plugins/netlab/world"
	"echogram/plugins/schema"
)

// blocksTime is what one run may last.
const blocksTime = 90 * time.Minute

// speedEvery is how often the /16 is swept whose analytics are timed.
const speedEvery = 5 * time.Minute

// blocksOptions say how large worlds are.
type blocksOptions struct {
	seeds     []int
	days      int
	speedDays int // of the /16 that is timed; 0: none is
	blocks    int
	interval  time.Duration
	ipv6      bool
	out       string // directory for the rows of blocks; "": none
	markdown  bool
}

func (o *blocksOptions) check() error {
	switch {
	case len(o.seeds) == 0:
		return errors.New("--seeds is empty")
	case o.days < 1 || o.days > 366 || o.speedDays < 0 || o.speedDays > 366:
		return fmt.Errorf("--days %d or --speed-days %d is not in 1..366", o.days, o.speedDays)
	case o.blocks < 1 || o.blocks > dayBlocks || o.blocks&(o.blocks-1) != 0:
		return fmt.Errorf("--blocks %d is not a power of 2 up to %d", o.blocks, dayBlocks)
	case o.interval < time.Second || o.interval%time.Second != 0:
		return fmt.Errorf("--interval %v is not a number of whole seconds", o.interval)
	}
	return nil
}

// blocksBench is one run of scripts/bench blocks.
type blocksBench struct {
	options
	pipeline string
	report   blocksReport
}

func benchBlocks(ctx context.Context, o options) (err error) {
	b := &blocksBench{options: o, report: blocksReport{Machine: thisMachine()}}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	if err := o.world.check(); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, seed := range o.world.seeds {
		c := worldConfig(seed, o.world.blocks, o.world.days, o.world.interval, o.world.ipv6)
		if err := b.measure(ctx, c, true, onlyBlocks); err != nil {
			return err
		}
	}
	if err := b.speed(ctx); err != nil {
		return err
	}
	return errors.Join(b.report.write(os.Stdout, o.world.markdown), writeJSONTo(b.json, b.report.writeJSON))
}

func (b *blocksBench) prepare(ctx context.Context) error {
	say("building echogram-pipeline")
	b.pipeline = filepath.Join(b.work, "echogram-pipeline")
	return goBuild(ctx, b.repo, pipelinePackage, b.pipeline)
}

// worldConfig is a world of so many blocks, a power of 2.
func worldConfig(seed, blocks, days int, interval time.Duration, ipv6 bool) world.Config {
	first := netip.MustParsePrefix("198.18.0.0/24")
	if ipv6 {
		first = netip.MustParsePrefix("2001:2:0:100::/64")
	}
	network := netip.PrefixFrom(first.Addr(), first.Bits()-bits.TrailingZeros(uint(blocks)))
	return world.Config{Seed: uint64(seed), Network: network, Days: days, Interval: interval, IPv6: ipv6}
}

// onlyBlocks is the flag of import that leaves rollups out.
const onlyBlocks = "--only-blocks"

// measure pipes a world through the pipeline, and sets what that tells of its blocks against the truth, if wanted.
func (b *blocksBench) measure(ctx context.Context, c world.Config, score bool, flags ...string) error {
	run := &blocksRun{Seed: c.Seed, Network: c.Network, Days: c.Days, Interval: c.Interval.String(), Rollups: !slices.Contains(flags, onlyBlocks)}
	say("seed %d: %s", c.Seed, run)
	w := world.New(c)
	rows, err := b.run(ctx, run, w, c.Interval, flags...)
	if err != nil {
		return fmt.Errorf("seed %d, %s: %w", c.Seed, run, err)
	}
	b.report.Runs = append(b.report.Runs, run)
	if score {
		b.report.Figures = append(b.report.Figures, world.Score(w.Truth(), rows))
	}
	return nil
}

// speed times a /16, without rollups and with them.
func (b *blocksBench) speed(ctx context.Context) error {
	o := &b.options.world
	if o.speedDays == 0 {
		return nil
	}
	for _, flags := range [][]string{{onlyBlocks}, nil} {
		if err := b.measure(ctx, worldConfig(o.seeds[0], dayBlocks, o.speedDays, speedEvery, false), false, flags...); err != nil {
			return err
		}
	}
	return nil
}

// blocksConfig is that of a pipeline between pipes.
const blocksConfig = "sweep_interval = %q\n[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n"

// run pipes the lines of a world through echogram-pipeline on one core, and keeps the rows of blocks that come out.
func (b *blocksBench) run(ctx context.Context, r *blocksRun, w *world.World, interval time.Duration, flags ...string) ([]schema.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, blocksTime)
	defer cancel()
	config := filepath.Join(b.work, "blocks.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, blocksConfig, interval), 0o644); err != nil {
		return nil, err
	}
	args := append([]string{"-c", "0", b.pipeline, "import", "--config", config}, flags...)
	cmd := command(ctx, "taskset", append(args, "-")...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out collected
	c, err := through(cmd, func(to io.Writer) (err error) {
		r.Points, err = feed(to, w)
		return err
	}, out.read)
	if err != nil {
		return nil, err
	}
	r.Rows, r.Seconds, r.CPU, r.Peak = out.lines, c.seconds, c.cpu, c.peak
	r.Rate, r.RealTime = float64(r.Points)/c.seconds, float64(w.Sweeps())*interval.Seconds()/c.seconds
	return out.rows, b.keepRows(out.text)
}

// keepRows writes the rows of blocks of a run to a file.
func (b *blocksBench) keepRows(text []byte) error {
	dir := b.options.world.out
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("blocks-%d.lp", len(b.report.Runs))), text, 0o644)
}

// through runs a program between two pipes. collect must read to the end.
func through(cmd *exec.Cmd, feed func(io.Writer) error, collect func(io.Reader) error) (child, error) {
	in, to, err := os.Pipe()
	if err != nil {
		return child{}, err
	}
	from, out, err := os.Pipe()
	if err != nil {
		return child{}, errors.Join(err, in.Close(), to.Close())
	}
	cmd.Stdin, cmd.Stdout = in, out
	ended := make(chan error, 2)
	go func() { ended <- errors.Join(feed(to), to.Close()) }()
	go func() { ended <- errors.Join(collect(from), from.Close()) }()
	c, err := watchChild(cmd)
	err = errors.Join(err, in.Close(), out.Close()) // they are the program's: now both goroutines end
	return c, errors.Join(err, <-ended, <-ended)
}

// feed writes all sweeps of a world and returns how many points of targets they have.
func feed(to io.Writer, w *world.World) (points int, err error) {
	var lines []byte
	for n := range w.Sweeps() {
		lines = w.AppendSweep(lines[:0], n)
		points += bytes.Count(lines, []byte(schema.ICMPSweep+","))
		if _, err := to.Write(lines); err != nil {
			return points, err
		}
	}
	return points, nil
}

// collected is what came out of the pipeline.
type collected struct {
	lines int
	rows  []schema.Row // of blocks
	text  []byte       // of these
}

// read takes all lines, even when one is not as it should be: the pipeline would wait for us.
func (c *collected) read(from io.Reader) (err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 1<<16), 1<<20)
	for lines.Scan() {
		c.lines++
		name, _, _ := bytes.Cut(lines.Bytes(), []byte{','})
		row := schema.NewBlockRow(string(name))
		if row == nil {
			continue
		}
		err = cmp.Or(err, schema.ParseLine(lines.Bytes(), row))
		c.rows, c.text = append(c.rows, row), append(append(c.text, lines.Bytes()...), '\n')
	}
	return errors.Join(err, lines.Err())
}
