//go:build integration

package dashboards

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/netlab/world"
	"echogram/plugins/schema"
)

// The worlds are small, and so made that much befalls the IPv4 one before a block that many people use is out for hours.
// Both are swept until that outage has lasted for outFor, and that moment is taken for the time of the test: what is made
// is the same at each hour.
const (
	worldSeed  = 33
	worldV4    = "198.18.0.0/22"
	worldV6    = "2001:2:0:100::/62"
	instanceV6 = "world-v6"
	interval   = 20 * time.Minute
	outFor     = 90 * time.Minute
)

// The BFD is of captures that were taken one after the other, between routers of the same addresses: echoes, flaps, near
// misses.
const (
	bfdRows  = "../../plugins/internal/bfdwatch/testdata/%s.mid/expected.lp"
	bfdTap   = "eth0"
	bfdLocal = "10.0.1.1"
)

var bfdCaptures = []string{"s06_wan_loss", "s11_link_down_up", "s23_nearmiss"}

// population is what a prober and the pipeline have written until end.
type population struct {
	t   *testing.T
	db  *parts.Influx
	end time.Time
}

// populate fills the buckets telegraf and rollup with rows of every measurement that dashboards ask for, up to end. It
// returns values of variables, by their names, to which all happened that there is to see.
func populate(ctx context.Context, t *testing.T, db *parts.Influx, end time.Time) (subject map[string]string) {
	t.Helper()
	p := &population{t: t, db: db, end: end}
	v4 := world.New(world.Config{Seed: worldSeed, Network: netip.MustParsePrefix(worldV4), Days: 5, Interval: interval})
	v6 := world.New(world.Config{Seed: worldSeed, Network: netip.MustParsePrefix(worldV6), Days: 5, Interval: interval, IPv6: true})
	truth := v4.Truth()
	out, n := lastOutage(truth)
	by := end.Truncate(time.Minute).Sub(truth.Start.Add(time.Duration(n-1) * interval))
	rows, err := p.pipeline(ctx, func(to io.Writer) error { return p.sweeps(ctx, to, by, n, v4, v6) })
	if err != nil {
		t.Fatal(err)
	}
	subject = map[string]string{
		"host": world.Host, "instance": world.Instance, "network": worldV4, "block": out.Prefix.String(),
		"target": dailyTarget(t, rows, out.Prefix), "tap": bfdTap, "local": bfdLocal,
	}
	t.Logf("%d sweeps of two worlds, %d rows of the pipeline", n, bytes.Count(rows, []byte("\n")))
	rows = p.paths(p.later(nil, rows, by), subject)
	if err := errors.Join(db.Write(ctx, "rollup", string(rows)), db.Write(ctx, "telegraf", string(p.bfd()))); err != nil {
		t.Fatal(err)
	}
	return subject
}

// sweeps writes the first n sweeps of both worlds to the pipeline, and, later by so much, to the database.
func (p *population) sweeps(ctx context.Context, to io.Writer, by time.Duration, n int, v4, v6 *world.World) error {
	var lines, both []byte
	for i := range n {
		lines = v6.AppendSweep(lines[:0], i)
		both = p.later(both[:0], lines, 0, schema.Tag{Key: schema.TagInstance, Value: instanceV6})
		both = v4.AppendSweep(both, i)
		if _, err := to.Write(both); err != nil {
			return err
		}
		lines = p.later(lines[:0], both, by)
		if err := p.db.Write(ctx, "telegraf", string(lines)); err != nil {
			return err
		}
	}
	return nil
}

// lastOutage is the last outage of a whole block, and how many sweeps there are until it has lasted for outFor.
func lastOutage(truth *world.Truth) (out world.Event, sweeps int) {
	for _, e := range truth.Events {
		if e.Kind == world.BlockOutage && e.End.Sub(e.Begin) > outFor {
			out = e
		}
	}
	return out, int(out.Begin.Add(outFor).Sub(truth.Start) / interval)
}

const pipelineConfig = "sweep_interval = %q\n[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n"

// pipeline gives what feed writes to echogram-pipeline import, and returns its rows.
func (p *population) pipeline(ctx context.Context, feed func(to io.Writer) error) ([]byte, error) {
	dir := p.t.TempDir()
	program, config := filepath.Join(dir, "echogram-pipeline"), filepath.Join(dir, "pipeline.toml")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "echogram/pipeline/cmd/echogram-pipeline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, text)
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, pipelineConfig, interval), 0o644); err != nil {
		return nil, err
	}
	var rows, log bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "import", "--config", config, "-")
	cmd.Stdout, cmd.Stderr = &rows, &log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := errors.Join(feed(in), in.Close(), cmd.Wait()); err != nil {
		return nil, fmt.Errorf("echogram-pipeline import: %w\n%s", err, &log)
	}
	return rows.Bytes(), nil
}

// later appends lines with their times moved and tags set.
func (p *population) later(dst, lines []byte, by time.Duration, tags ...schema.Tag) []byte {
	p.t.Helper()
	var point schema.Point
	for line := range bytes.Lines(lines) {
		p.parse(&point, line)
		for _, tag := range tags {
			point.SetTag(tag.Key, tag.Value)
		}
		point.Time += int64(by)
		var err error
		if dst, err = point.AppendLine(dst); err != nil {
			p.t.Fatalf("%s: %v", line, err)
		}
	}
	return dst
}

func (p *population) parse(point *schema.Point, line []byte) {
	p.t.Helper()
	if err := point.Parse(bytes.TrimSpace(line)); err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
}

// dailyTarget is a target of the block whose days the pipeline has looked at.
func dailyTarget(t *testing.T, rows []byte, block netip.Prefix) string {
	t.Helper()
	for line := range bytes.Lines(rows) {
		var r schema.BlockDailyRow
		if schema.ParseLine(bytes.TrimSpace(line), &r) == nil && r.Group == schema.GroupTarget && r.Block == block.String() {
			return r.Target
		}
	}
	t.Fatalf("no row of a day of a target of %v", block)
	return ""
}

// bfd are the rows of captures, as a tap of the prober would have given them.
func (p *population) bfd() []byte {
	p.t.Helper()
	var rows []byte
	for _, name := range bfdCaptures {
		text, err := os.ReadFile(fmt.Sprintf(bfdRows, name))
		if err != nil {
			p.t.Fatal(err)
		}
		rows = append(rows, text...)
	}
	var point schema.Point
	last := int64(0)
	for line := range bytes.Lines(rows) {
		p.parse(&point, line)
		last = max(last, point.Time)
	}
	return p.later(nil, rows, time.Duration(p.end.UnixNano()-last-1), schema.Tag{Key: schema.TagHost, Value: world.Host},
		schema.Tag{Key: schema.TagInstance, Value: "bfd"}, schema.Tag{Key: schema.TagTap, Value: bfdTap})
}

// paths appends what path inference would have found out about the target: no way of the worlds gets longer.
func (p *population) paths(rows []byte, of map[string]string) []byte {
	p.t.Helper()
	at := p.end.Add(-3 * time.Hour).UnixNano()
	series := schema.Series{Host: world.Host, Instance: world.Instance, Network: of["network"], Block: of["block"], Target: of["target"]}
	for _, row := range []schema.Row{
		&schema.PathShiftRow{
			Series: series, Window: "1h", Time: at, Kind: schema.ShiftStep, Step: schema.Some(2e4), StepLow: schema.Some(1e4), StepHigh: schema.Some(3e4),
			Before: schema.Some(5e6), After: schema.Some(502e4), Hops: schema.OptFloat{F: 1, Set: true}, Cable: schema.OptFloat{F: 2000, Set: true},
		},
		&schema.PathEstimateRow{
			Host: world.Host, Target: series.Target, Reference: "198.18.0.1", Time: at, Probes: 100, Kept: 99, RTT: schema.Some(51e5), Floor: schema.Some(5e6),
			Verdict: schema.VerdictTold, Reason: "no cable", Hops: schema.Some(3), HopsConfidence: schema.OptFloat{F: .9, Set: true}, Offset: schema.Some(2e4),
			Cable: schema.OptFloat{F: 2000, Set: true},
		},
	} {
		var err error
		if rows, err = schema.AppendLine(rows, row); err != nil {
			p.t.Fatal(err)
		}
	}
	return rows
}
