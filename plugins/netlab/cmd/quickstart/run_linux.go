package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/command"
	"echogram/plugins/netlab/parts"
	"echogram/sampleconfig"
)

// run is one quickstart. What a step starts, end ends.
type run struct {
	options
	out *screen

	lab      *netlab.Sweep
	frr      []*netlab.FRR
	db       *parts.Influx
	telegraf *parts.Agent
	sweeps   []manifest // the complete sweeps that count
	outage   outage
	problems []string // what is not as the lab made it
	kept     bool     // the user looked around until now
}

// all runs the steps in order. The first that fails ends it; differences are collected to the end.
func (r *run) all(ctx context.Context) error {
	steps := []step{
		{"build echogram and echogram-pipeline", r.build},
		{"Telegraf " + parts.TelegrafVersion + " and InfluxDB " + parts.InfluxDBVersion, r.buildParts},
		{"network of 65,536 targets", r.startLab},
		{"a BFD session on its link", r.startBFD},
		{"start InfluxDB", r.startInflux},
		{"start Telegraf with echogram below it", r.startTelegraf},
		{fmt.Sprintf("%d sweeps, one every %v", r.options.sweeps, interval), func(ctx context.Context) error { return r.awaitSweeps(ctx, r.options.sweeps) }},
		{fmt.Sprintf("an outage of %d sweeps", r.silent), r.breakBlock},
		{"run echogram-pipeline", r.pipeline},
		{"query InfluxDB", r.query},
		{"draw the report", r.draw},
	}
	if r.silent == 0 {
		steps = slices.DeleteFunc(steps, func(s step) bool { return strings.HasPrefix(s.name, "an outage") })
	}
	for _, s := range steps {
		if err := r.out.do(s.name, func() error { return s.f(ctx) }); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if len(r.problems) > 0 {
		r.out.line("\n%s", r.out.paint(red, "Not as the lab made it"))
		for _, p := range shorten(r.problems, 20) {
			r.out.line("  %s", p)
		}
	}
	if r.keep {
		r.lookAround(ctx)
	}
	if n := len(r.problems); n > 0 {
		return fmt.Errorf("%d differences from what the lab made", n)
	}
	return nil
}

// end ends what the steps started, last first.
func (r *run) end() error {
	var errs []error
	if r.telegraf != nil {
		errs = append(errs, r.telegraf.Stop())
	}
	if r.db != nil {
		errs = append(errs, r.db.Stop())
	}
	for _, f := range r.frr {
		errs = append(errs, f.Close())
	}
	if r.lab != nil {
		errs = append(errs, r.lab.Close())
	}
	return errors.Join(errs...)
}

func (r *run) build(ctx context.Context) error {
	return r.Build(ctx, "plugins/cmd/echogram", "pipeline/cmd/echogram-pipeline")
}

func (r *run) buildParts(ctx context.Context) error {
	b := &parts.Builder{Progress: r.out}
	if !b.Ready() {
		r.out.line("    the first time this downloads and compiles, which takes a minute or two")
	}
	if _, err := b.Telegraf(ctx); err != nil {
		return err
	}
	_, err := b.InfluxDB(ctx)
	return err
}

func (r *run) startLab(context.Context) (err error) {
	if r.lab, err = netlab.SweepLab(netlab.SweepConfig{}); err != nil {
		return err
	}
	pop := r.lab.Population
	var kinds []string
	for _, k := range netlab.Kinds() {
		kinds = append(kinds, fmt.Sprintf("%d %v", len(pop.BlocksOf(k)), k))
	}
	r.out.line("    %v behind %v; blocks: %s", pop.Network, netlab.ResponderAddress, strings.Join(kinds, ", "))
	r.out.line("    namespaces %s and %s", r.lab.Prober.Name, r.lab.Responder.Name)
	return nil
}

func (r *run) startInflux(ctx context.Context) (err error) {
	dir := r.Path("influxdb")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if r.db, err = parts.StartInfluxDB(ctx, dir); err != nil {
		return err
	}
	r.out.line("    %s", r.db.URL)
	for _, name := range []string{rawDB, rollupDB} {
		if err := r.db.CreateDatabase(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// write renders a sample into the work directory.
func (r *run) write(name, sample string, settings []setting) (string, error) {
	text, err := render(sample, settings...)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return r.Path(name), os.WriteFile(r.Path(name), []byte(text), 0o644)
}

// writeEchogram renders both stanzas into one file.
func (r *run) writeEchogram(name string) error {
	sweep, err := render(sampleconfig.ICMPSweep, sweepSettings(r.lab.Population.Network.String())...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	bfd, err := render(sampleconfig.BFD, bfdSettings(netlab.ProberLink)...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(r.Path(name), []byte(sweep+"\n"+bfd), 0o644)
}

func (r *run) startTelegraf(ctx context.Context) error {
	if err := r.writeEchogram("echogram.conf"); err != nil {
		return err
	}
	child := r.lab.Prober.Command(ctx, r.Path("echogram"), "telegraf", "--config", r.Path("echogram.conf"))
	config, err := r.write("telegraf.conf", sampleconfig.Telegraf, telegrafSettings(child.Args, r.db.URL))
	if err != nil {
		return err
	}
	r.telegraf, err = parts.StartTelegraf(ctx, config, r.Path("telegraf.log"))
	return err
}

// awaitSweeps waits until the database has the manifests of n complete sweeps in all, and until Telegraf has reported
// on itself after the last of them; by then late answers are in, too.
func (r *run) awaitSweeps(ctx context.Context, n int) error {
	deadline := time.Now().Add(time.Duration(n-len(r.sweeps)+4) * interval)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := r.lookForSweeps(ctx, n)
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.telegraf.Done():
			return fmt.Errorf("telegraf ended: %v\n%s", r.telegraf.Wait(), lastLines(r.telegraf.Log, 5))
		case <-r.db.Done():
			return errors.New("influxd ended")
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d complete sweeps of %d within the time\n%s", len(r.sweeps), n, lastLines(r.telegraf.Log, 5))
		}
	}
}

func (r *run) lookForSweeps(ctx context.Context, n int) (done bool, err error) {
	found, err := manifests(ctx, r.db)
	if err != nil {
		return false, err
	}
	found = found[:min(len(found), n)]
	for _, m := range found[len(r.sweeps):] {
		r.out.line("    sweep %s: %s points, %s answers in time, trust %s", clock(m.time), count(m.points), count(m.received), m.trust)
	}
	r.sweeps = found
	r.out.say(fmt.Sprintf("sweep %d of %d", len(found)+1, n))
	if len(found) < n {
		return false, nil
	}
	r.out.say("Telegraf's report")
	counters, err := readTelegraf(ctx, r.db)
	return counters.time >= r.span().to, err
}

// span reaches from the first sweep to one interval after the last.
func (r *run) span() span {
	return span{r.sweeps[0].time, r.sweeps[len(r.sweeps)-1].time + interval.Nanoseconds()}
}

// pipeline ends Telegraf first, unless it is to be kept: its next sweep would slow the database down.
func (r *run) pipeline(ctx context.Context) error {
	if !r.keep {
		err := r.telegraf.Stop()
		if err != nil {
			return err
		}
	}
	config, err := r.write("pipeline.toml", sampleconfig.Pipeline, pipelineSettings(r.db.URL, r.Path("state")))
	if err != nil {
		return err
	}
	log, err := os.Create(r.Path("pipeline.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := command.Child(ctx, r.Path("echogram-pipeline"), "run", "--config", config, "--once", "--until", r.until())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("echogram-pipeline: %w\n%s", err, lastLines(log.Name(), 5))
	}
	return nil
}

func (r *run) until() string { return time.Unix(0, r.span().to).UTC().Format(time.RFC3339) }

func (r *run) differs(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// lastLines is the end of a log, for an error.
func lastLines(file string, n int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// sweepTimes are the times of the sweeps that count.
func (r *run) sweepTimes() []int64 {
	var times []int64
	for _, m := range r.sweeps {
		times = append(times, m.time)
	}
	slices.Sort(times)
	return times
}

// lookAround prints what a person may want to type, and waits.
func (r *run) lookAround(ctx context.Context) {
	answering := r.lab.Population.BlocksOf(netlab.Answering)[0]
	r.kept = true
	r.out.line("\n%s", r.out.paint(bold, "Still running; Ctrl-C ends all"))
	for _, l := range lookAroundLines(r.db.URL, r.Work, r.lab.Prober.Path(), answering) {
		r.out.line("  %s", l)
	}
	select {
	case <-ctx.Done():
	case <-r.telegraf.Done():
		r.differs("telegraf ended: %v", r.telegraf.Wait())
	case <-r.db.Done():
		r.differs("influxd ended")
	}
}

func lookAroundLines(url, work, namespace string, block netip.Prefix) []string {
	return []string{
		"InfluxDB        " + url + " (databases " + rawDB + " and " + rollupDB + ")",
		"configurations  " + work,
		"in the network  nsenter --net=" + namespace + " ping -c 3 " + block.Addr().Next().String(),
		"a sweep by hand nsenter --net=" + namespace + " " + filepath.Join(work, "echogram") + " sweep " + block.String(),
		"a query         curl -s -G " + url + "/query --data-urlencode db=" + rawDB +
			" --data-urlencode 'q=SELECT points, received, trust FROM icmp_sweep_stats ORDER BY time DESC LIMIT 3'",
		"the same in Flux",
		"  curl -s " + url + "/api/v2/query -H 'Content-Type: application/vnd.flux' -d 'from(bucket: \"" + rawDB + "/autogen\")" +
			" |> range(start: -5m) |> filter(fn: (r) => r._measurement == \"icmp_sweep\" and r.block == \"" + block.String() + "\"" +
			" and r._field == \"rtt_ns\") |> last()'",
	}
}

// step is one of a run.
type step struct {
	name string
	f    func(context.Context) error
}
