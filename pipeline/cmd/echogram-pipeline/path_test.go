package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/path"
	"echogram/pipeline/prober"
	"echogram/plugins/schema"
)

// pathBegin is the time of the first probe, ns: 2026-01-10 12:00:00 UTC.
const pathBegin = int64(1768046400e9)

// wires is a network of targets, each with a floor: what a child would see of it.
type wires struct {
	floors   map[string]float64 // ns, by address
	perByte  float64            // ns of RTT
	sizes    []int
	interval time.Duration
	rng      *rand.Rand
	at       int64
	runs     []string // addresses in the order of the rounds
	fail     error    // of the round behind the last
	rounds   int      // that work; 0: all
	eee      string
}

func newWires(floors map[string]float64, sizes ...int) *wires {
	return &wires{floors: floors, perByte: 0.2, sizes: sizes, interval: 10 * time.Millisecond, rng: rand.New(rand.NewPCG(1, 2)), at: pathBegin, eee: "off"}
}

// Run implements sender.
func (w *wires) Run(_ context.Context, target netip.Addr, count int) (*prober.Round, error) {
	if w.runs = append(w.runs, target.String()); w.rounds > 0 && len(w.runs) > w.rounds {
		return nil, w.fail
	}
	r := &prober.Round{Stats: schema.SweepStatsRow{Host: "lab", Instance: "path", Points: 1, Sent: int64(count), Trust: schema.TrustOK, StampKind: "software",
		Link: schema.LinkFacts{RXUsecs: schema.Some(0), EEE: w.eee}, Time: w.at}}
	for i := range count {
		s := schema.SampleRow{Series: schema.Series{Host: "lab", Instance: "path", Target: target.String()}, Time: w.at, Probe: int64(i)}
		size := w.sizes[i%len(w.sizes)]
		if len(w.sizes) > 1 {
			s.Size = strconv.Itoa(size)
		}
		if floor, there := w.floors[target.String()]; there && i%50 != 49 {
			s.TTL, s.RTT = schema.Some(64), schema.Some(int64(floor+w.perByte*float64(max(60, 42+size))+w.noise(i)))
		}
		r.Samples = append(r.Samples, s)
		w.at += int64(w.interval)
	}
	return r, nil
}

// noise is some hundred ns, and now and then some 100 µs.
func (w *wires) noise(i int) float64 {
	if i%40 == 7 {
		return 1e5 * (1 + w.rng.Float64())
	}
	return 100 * w.rng.ExpFloat64()
}

// lines are rounds of count probes to each target in turn, as a sweep would have stored them.
func (w *wires) lines(t *testing.T, rounds, count int, targets ...string) string {
	t.Helper()
	var text []byte
	for range rounds {
		for _, target := range targets {
			r, _ := w.Run(t.Context(), netip.MustParseAddr(target), count)
			for i := range r.Samples {
				text = appendRow(t, text, &r.Samples[i])
			}
			text = appendRow(t, text, &r.Stats)
		}
	}
	return string(text)
}

func appendRow(t *testing.T, text []byte, row schema.Row) []byte {
	t.Helper()
	text, err := schema.AppendLine(text, row)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// runPath runs the command on text as STDIN.
func runPath(text string, args ...string) (stdout, stderr string, err error) {
	root := newRoot()
	var out, log bytes.Buffer
	root.SetIn(strings.NewReader(text))
	root.SetOut(&out)
	root.SetErr(&log)
	root.SetArgs(append([]string{"path"}, args...))
	err = root.ExecuteContext(context.Background())
	return out.String(), log.String(), err
}

func TestPathArguments(t *testing.T) {
	for args, want := range map[string]string{
		"":               "no target: give an address or a host name, or --read",
		"--format xml a": `--format "xml" is neither text nor json nor influx`,
		"--stored a":     "--stored needs --config, whose source it reads, and no --read",
		"--start 7 a":    "--start and --stop say which samples --stored reads",
		"--stored --config none --start 7 --stop 5": "--start 1970-01-01T00:00:07Z does not lie before --stop, 1970-01-01T00:00:05Z",
		"--filter mean a":                      `--filter: outlier: method "mean" is none of sigma, density, mad`,
		"--sizes 8 a":                          `--sizes "8": a payload has 12 to 65507 bytes`,
		"--sizes 12,abc a":                     `--sizes "abc": a payload has 12 to 65507 bytes`,
		"--baseline none.json a":               "--baseline none.json: no such file: --save NAME makes it, of a target that later ones are compared with",
		"--count 0 a":                          "--count 0 is not positive",
		"--interval 100us a":                   "--interval 100µs is less than 1ms: a probe must not wait behind another",
		"--error -1ns a":                       "--timeout must be positive, and --duration, --error and --hop-delay must not be negative",
		"--ns-per-metre NaN a":                 "--ns-per-metre must be positive, and --metres must not be negative",
		"--save x a":                           "--save needs one TARGET, and --baseline FILE to store it in",
		"--save x --baseline f a b":            "--save needs one TARGET, and --baseline FILE to store it in",
		"--hops 2 a":                           "--hops and --metres say what --save stores; of a reference measured in turn it is --reference ADDRESS=HOPS,METRES",
		"--picture p.gif a":                    `--picture "p.gif" ends neither in .png nor in .svg`,
		"--reference b=x a":                    `--reference "b=x" is not ADDRESS[=HOPS[,METRES]]`,
		"--reference b=1,-2 a":                 `--reference "b=1,-2" is not ADDRESS[=HOPS[,METRES]]`,
		"--link-rate 1G,2G,3G,4G,5G a":         "--link-rate: 5 rates: a slope decides between 4 at most",
		"--link-rate 1G,fast a":                `--link-rate "fast" is no rate such as 100M or 2.5G`,
		"--echogram e 192.0.2.0/24":            "192.0.2.0/24 is a network: a path leads to one address",
		"--baseline " + os.DevNull + " --read": "flag needs an argument: --read (see echogram-pipeline path --help)",
	} {
		_, _, err := runPath("", strings.Fields(args)...)
		if usage := (usageError{}); !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

func TestReferences(t *testing.T) {
	for text, want := range map[string]reference{
		"192.0.2.1":        {"192.0.2.1", -1, 0},
		"2001:db8::1=3":    {"2001:db8::1", 3, 0},
		"switch=0,12.5":    {"switch", 0, 12.5},
		"fe80::1%eth0=1,5": {"fe80::1%eth0", 1, 5},
	} {
		if got, err := parseReference(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// measure runs m over w with a clock that follows the probes.
func measure(t *testing.T, w *wires, f pathFlags, p pathPlan) (*measuring, error) {
	t.Helper()
	f.sizes, f.interval = w.sizes, w.interval
	subjects, err := resolve(t.Context(), &p)
	if err != nil {
		t.Fatal(err)
	}
	m := &measuring{flags: &f, send: w, subjects: subjects, awake: true, show: func(*measuring, *path.Measurement) {},
		now: func() time.Time { return time.Unix(0, w.at) }}
	return m, m.run(t.Context())
}

func TestRounds(t *testing.T) {
	one := map[string]float64{"192.0.2.1": 5000}
	for name, c := range map[string]struct {
		w            *wires
		f            pathFlags
		rounds, sent int
	}{
		"count":           {newWires(one, 12), pathFlags{count: 500}, 3, 500},
		"count of sizes":  {newWires(one, 12, 800, 1440), pathFlags{count: 100}, 2, 300},
		"error":           {newWires(one, 12), pathFlags{count: 100000, err: time.Microsecond}, 1, 200},
		"duration":        {newWires(one, 12), pathFlags{count: 100000, duration: 3 * time.Second}, 2, 300},
		"duration, short": {newWires(one, 12), pathFlags{count: 100000, duration: time.Millisecond}, 1, 200},
	} {
		m, err := measure(t, c.w, c.f, pathPlan{targets: []string{"192.0.2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		if s := m.subjects[0]; s.rounds != c.rounds || s.sent != c.sent {
			t.Errorf("%s: %d probes in %d rounds, want %d in %d", name, s.sent, s.rounds, c.sent, c.rounds)
		}
	}
}

func TestRoundsGoThroughAll(t *testing.T) {
	w := newWires(map[string]float64{"192.0.2.1": 5000, "192.0.2.2": 7000}, 12)
	p := pathPlan{targets: []string{"192.0.2.1"}, references: []reference{{target: "192.0.2.2", hops: 1}}}
	if _, err := measure(t, w, pathFlags{count: 400}, p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.runs, " "); got != "192.0.2.1 192.0.2.2 192.0.2.1 192.0.2.2" {
		t.Errorf("rounds: %s", got)
	}
}

func TestMeasuringFails(t *testing.T) {
	p := pathPlan{targets: []string{"192.0.2.1"}}
	if _, err := measure(t, newWires(nil, 12), pathFlags{count: 400}, p); err == nil || err.Error() != "path: no reply from 192.0.2.1 to 200 probes" {
		t.Errorf("silent: %v", err)
	}
	w := newWires(map[string]float64{"192.0.2.1": 5000}, 12)
	w.rounds, w.fail = 1, errors.New("echogram sweep: no permission")
	if m, err := measure(t, w, pathFlags{count: 400}, p); !errors.Is(err, w.fail) || m.rounds() != 1 {
		t.Errorf("a failing child: %v", err)
	}
	m := &measuring{flags: &pathFlags{sizes: []int{12}}, send: newWires(map[string]float64{"192.0.2.1": 5000}, 12)}
	s := &subject{name: "it", address: netip.MustParseAddr("192.0.2.1")}
	if err := m.round(t.Context(), s, 10); err != nil {
		t.Fatal(err)
	}
	m.send.(*wires).eee = "on"
	if err := m.round(t.Context(), s, 10); err == nil || err.Error() != "path: it: Energy-Efficient Ethernet was off and became on while it was measured" {
		t.Errorf("facts that change: %v", err)
	}
}

func TestProgressLine(t *testing.T) {
	w := newWires(map[string]float64{"192.0.2.1": 5000}, 12, 800)
	m, err := measure(t, w, pathFlags{count: 200, err: time.Nanosecond}, pathPlan{targets: []string{"192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	line := progressLine(m, m.subjects[0].measure(m.filter))
	for _, want := range []string{"round 2: 192.0.2.1, ", " bytes: 5.", " ± ", ", wanted ± 1 ns; ", " kept and ", " cut, at most 200"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
}

// chain is three targets: two of known hops, and one with two switches of 2.2 µs more than the first.
func chain() *wires {
	return newWires(map[string]float64{"192.0.2.1": 5000, "192.0.2.4": 5000 + 3*2200, "192.0.2.3": 5000 + 2*2200}, 12)
}

// words undoes the wrapping.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestPathFromStoredSamples(t *testing.T) {
	text := chain().lines(t, 5, 200, "192.0.2.3", "192.0.2.1", "192.0.2.4")
	stdout, stderr, err := runPath(text, "--read", "-", "--reference", "192.0.2.1=1,5", "--reference", "192.0.2.4=4,5")
	if err != nil || stderr != "" {
		t.Fatalf("%v, %s", err, stderr)
	}
	for _, want := range []string{
		"192.0.2.3 1000 echo requests of 12 bytes, one every 10 ms, 980 answered.", " cut as noise, more than 3 σ above", "the other 9",
		"that of 192.0.2.1.", "A switch adds 2.2", "That makes 3 switches with a confidence of ", "In between: 3 switches, at most ", " m of cable, one way.",
	} {
		if !strings.Contains(words(stdout), want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "192.0.2.4\n") {
		t.Errorf("a reference is explained:\n%s", stdout)
	}
}

func TestPathPoint(t *testing.T) {
	text := chain().lines(t, 5, 200, "192.0.2.3", "192.0.2.1", "192.0.2.4")
	args := []string{"--read", "-", "--reference", "192.0.2.1=1,5", "--reference", "192.0.2.4=4,5", "--format"}
	stdout, _, err := runPath(text, append(args, "influx")...)
	if err != nil {
		t.Fatal(err)
	}
	var row schema.PathEstimateRow
	if err := schema.ParseLine([]byte(stdout), &row); err != nil {
		t.Fatal(err)
	}
	if row.Target != "192.0.2.3" || row.Reference != "192.0.2.1" || row.Host != "lab" || row.Instance != "path" || row.Probes != 1000 || row.Verdict != schema.VerdictTold ||
		row.Hops != schema.Some(3) || row.HopsBy != "offset" || row.TTL != schema.Some(64) || !row.Cable.Set || !row.CableLow.Set {
		t.Errorf("%+v", row)
	}
	if stdout, _, err = runPath(text, append(args, "json")...); err != nil {
		t.Fatal(err)
	}
	var object struct {
		Measurement string
		Fields      struct{ Hops int }
		Measured    path.Measurement
	}
	if err := json.Unmarshal([]byte(stdout), &object); err != nil || object.Measurement != schema.PathEstimate || object.Fields.Hops != 3 || object.Measured.Sizes[0].Filter.N != 980 {
		t.Errorf("%v: %s", err, stdout)
	}
}

// TestPathStores: with --config the point goes to the sink, too, again and again; what says STDOUT is refused.
func TestPathStores(t *testing.T) {
	text := chain().lines(t, 5, 200, "192.0.2.3")
	dir := t.TempDir()
	file, cfg := filepath.Join(dir, "points.lp"), filepath.Join(dir, "pipeline.toml")
	write := func(sink string) {
		if err := os.WriteFile(cfg, []byte("[source]\ntype = 'stdin'\n[sink]\n"+sink), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("type = 'file'\npath = '" + file + "'\n")
	for range 2 {
		if stdout, _, err := runPath(text, "--read", "-", "--config", cfg); err != nil || !strings.Contains(stdout, "Cannot be told") {
			t.Fatalf("%v: %s", err, stdout)
		}
	}
	got, err := os.ReadFile(file)
	first, second, _ := strings.Cut(string(got), "\n")
	var row schema.PathEstimateRow
	if err := errors.Join(err, schema.ParseLine([]byte(first), &row)); err != nil || row.Target != "192.0.2.3" || second != first+"\n" {
		t.Errorf("%v: %s", err, got)
	}
	for sink, want := range map[string]string{
		"type = 'stdout'\n": cfg + `: key "sink.type": is "stdout", where the results go already: --format influx writes them as points`,
		"type = 'tape'\n":   cfg + `:4: key "sink.type": "tape" is not one of influxdb, file, stdout`,
	} {
		write(sink)
		var usage usageError
		if _, _, err := runPath(text, "--read", "-", "--config", cfg); !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPathBySlope(t *testing.T) {
	w := newWires(map[string]float64{"192.0.2.3": 20000}, 12, 400, 800, 1200, 1440)
	w.perByte = 3 * 160 // two switches between three links of 100 Mbit/s
	stdout, _, err := runPath(w.lines(t, 5, 1000, "192.0.2.3"), "--read", "-")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"5000 echo requests of 5 sizes in turn", "payload answered cut above mean of the others floor 12 ",
		"Each further byte of the frame takes 4", "That makes 2 store-and-forward switches on links of 100 Mbit/s", "In between: 2 switches.",
	} {
		if !strings.Contains(words(stdout), want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if stdout, _, err = runPath(w.lines(t, 5, 1000, "192.0.2.3"), "--read", "-", "--format", "influx"); err != nil {
		t.Fatal(err)
	}
	var row schema.PathEstimateRow
	if err := schema.ParseLine([]byte(stdout), &row); err != nil || math.Abs(row.Slope.F-480) > 3*row.SlopeStdErr.F || row.SlopeStdErr.F > 5 {
		t.Errorf("%v: slope %v with a standard error of %v", err, row.Slope, row.SlopeStdErr)
	}
}

func TestCannotBeTold(t *testing.T) {
	stdout, _, err := runPath(chain().lines(t, 5, 200, "192.0.2.3"), "--read", "-")
	if err != nil || !strings.Contains(words(stdout), "Cannot be told: one frame size shows no slope, and there is no reference.") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if stdout, _, err = runPath(chain().lines(t, 5, 200, "192.0.2.3"), "--read", "-", "--format", "influx"); err != nil ||
		!strings.Contains(stdout, `verdict="cannot be told",reason="one frame size shows no slope, and there is no reference"`) {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestReadRefuses(t *testing.T) {
	burst := chain()
	burst.interval = time.Microsecond
	burst.Run(t.Context(), netip.MustParseAddr("192.0.2.1"), 1) // the first of the burst
	bursts := burst.lines(t, 2, 100, "192.0.2.1", "192.0.2.3")
	twice := chain().lines(t, 1, 10, "192.0.2.3")
	for _, c := range []struct{ text, want string }{
		{"cpu usage=1 1\n", "path: no rows of icmp_sample in 1 lines: echogram sweep writes them with --samples --format influx"},
		{bursts, "path: all 200 probes of 192.0.2.3 were sent less than 1ms behind another, and may have waited for it: sweep with --burst 1 and --rate 500, or one target at a time"},
		{chain().lines(t, 1, 10, "192.0.2.1"), "path: there are no samples of 192.0.2.3"},
		{twice + strings.ReplaceAll(twice, "host=lab", "host=b"), `path: samples of 192.0.2.3 are of more than one address, host or instance: 192.0.2.3 by ["lab" "path"] and 192.0.2.3 by ["b" "path"]`},
	} {
		if _, _, err := runPath(c.text, "--read", "-", "192.0.2.3"); err == nil || err.Error() != c.want {
			t.Errorf("%v, want\n%s", err, c.want)
		}
	}
	if stdout, _, err := runPath(bursts, "--read", "-", "192.0.2.1"); err != nil || !strings.Contains(words(stdout), "199 requests more left less than 1ms behind another and may have waited for it: left out. That is most of them: sweep with --burst 1 and --rate 500,") {
		t.Errorf("%v\n%s", err, stdout)
	}
}

// TestBaseline: what was stored is compared with later, unless it was measured under other facts.
func TestBaseline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.json")
	w := chain()
	for i, k := range []string{"192.0.2.1", "192.0.2.4"} {
		save := fmt.Sprint("rack", i)
		if _, _, err := runPath(w.lines(t, 5, 200, k), "--read", "-", "--baseline", file, "--save", save, "--hops", strconv.Itoa(1+3*i), "--metres", "5", k); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := runPath(w.lines(t, 5, 200, "192.0.2.3"), "--read", "-", "--interval", "20ms", "--baseline", file, "--save", "x"); err == nil || !strings.Contains(err.Error(), `20ms here and 10ms at the reference "rack0"`) {
		t.Errorf("mixed intervals are stored: %v", err)
	}
	if _, _, err := runPath(w.lines(t, 5, 200, "192.0.2.3"), "--read", "-", "--baseline", file, "--save", "rack0", "192.0.2.3"); err == nil ||
		!strings.Contains(err.Error(), "holds 192.0.2.1 under that name: 192.0.2.3 needs another") {
		t.Errorf("another target is stored under the name: %v", err)
	}
	if _, _, err := runPath(w.lines(t, 1, 10, "192.0.2.3", "192.0.2.4"), "--read", "-", "--baseline", file, "--save", "x"); err == nil || err.Error() != "--save x: there are samples of 2 targets: name one" {
		t.Errorf("one of two is stored: %v", err)
	}
	few := filepath.Join(t.TempDir(), "few.json")
	if _, stderr, err := runPath(w.lines(t, 1, 100, "192.0.2.3"), "--read", "-", "--baseline", few, "--save", "x"); err != nil || !strings.Contains(stderr, "fewer than 200 RTTs") {
		t.Errorf("few RTTs are stored: %v, %s", err, stderr)
	}
	if _, stderr, err := runPath(newWires(nil, 12).lines(t, 1, 100, "192.0.2.3"), "--read", "-", "--baseline", few, "--save", "y"); err == nil || !strings.Contains(err.Error(), "192.0.2.3 did not answer") {
		t.Errorf("silence is stored: %v, %s", err, stderr)
	}
	stored, err := loadBaseline(file, false)
	if err != nil || len(stored.Known) != 2 || stored.Known[1].Hops != 4 || stored.Known[1].Metres != 5 {
		t.Fatalf("%v: %+v", err, stored)
	}
	text := w.lines(t, 5, 200, "192.0.2.3")
	if stdout, _, err := runPath(text, "--read", "-", "--baseline", file); err != nil || !strings.Contains(words(stdout), "In between: 3 switches") {
		t.Errorf("%v\n%s", err, stdout)
	}
	for change, want := range map[[2]string]string{
		{`eee="off"`, `eee="on"`}:       `path: Energy-Efficient Ethernet is on here and off at the reference "rack0"`,
		{`rx_usecs=0i`, `rx_usecs=50i`}: `path: interrupt coalescing (rx_usecs) is 50 here and 0 at the reference "rack0"`,
	} {
		if _, _, err := runPath(strings.ReplaceAll(text, change[0], change[1]), "--read", "-", "--baseline", file); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, _, err := runPath(text, "--read", "-", "--interval", "100ms", "--baseline", file); err == nil || !strings.Contains(err.Error(), "100ms here and 10ms") {
		t.Errorf("interval: %v", err)
	}
}

func TestBadBaseline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.json")
	for text, want := range map[string]string{
		"{":                          "unexpected EOF",
		`{"known":[{"nmae":"x"}]}`:   `json: unknown field "nmae"`,
		`{"known":[{"name":"x"}]}`:   "entry 1 has no name, or nothing was measured",
		`{"known":[{"sizes":[{}]}]}`: "entry 1 has no name, or nothing was measured",
		`{"known":[{"name":"x","hops":"` + `1"}]}`: "json: cannot unmarshal string",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := loadBaseline(file, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := loadBaseline(file+".none", false); err == nil {
		t.Error("a baseline that is not there")
	}
}

func TestPathPictures(t *testing.T) {
	dir := t.TempDir()
	text := chain().lines(t, 5, 200, "192.0.2.3", "192.0.2.1", "192.0.2.4")
	if _, _, err := runPath(text, "--read", "-", "--reference", "192.0.2.1=1", "--picture", filepath.Join(dir, "p.png")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p_192.0.2.3.png", "p_192.0.2.4.png"} {
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := png.Decode(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUsualInterval(t *testing.T) {
	for _, c := range []struct {
		times []int64
		want  time.Duration
	}{
		{nil, 0}, {[]int64{5}, 0}, {[]int64{7, 7, 7}, 0},
		{[]int64{0, 10_100_000, 20_150_000, 30_200_000, 930_000_000}, 10 * time.Millisecond},
		{[]int64{0, 4_930_000, 9_900_000}, 5 * time.Millisecond},
	} {
		if got := usualInterval(c.times); got != c.want {
			t.Errorf("%v: %v, want %v", c.times, got, c.want)
		}
	}
}

func TestDurationsInWords(t *testing.T) {
	for v, want := range map[float64]string{0: "0 ns", -0.2: "0 ns", 12.4: "12 ns", 2345: "2.345 µs", -1.5e6: "-1.500 ms", 2e9: "2.000 s"} {
		if got := ns(v); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
}

// TestOneReplyIsNotExact: the error of a single RTT is unknown, not nought, so that measuring goes on.
func TestOneReplyIsNotExact(t *testing.T) {
	var line string
	m := &measuring{flags: &pathFlags{sizes: []int{12}, count: 200, err: time.Microsecond}}
	m.show = func(m *measuring, worst *path.Measurement) { line = progressLine(m, worst) }
	m.subjects = []*subject{{address: netip.MustParseAddr("192.0.2.1"), sent: 200, samples: []path.Sample{{At: 1, Size: 12, RTT: 5000}}}}
	if m.exact() || !strings.Contains(line, "192.0.2.1: 5.000 µs, wanted ± 1.000 µs") {
		t.Errorf("exact, or %q", line)
	}
}
