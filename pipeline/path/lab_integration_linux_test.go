//go:build integration

package path

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// runs is how often each case is tried: ECHOGRAM_PATH_RUNS, or a few.
func runs(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("ECHOGRAM_PATH_RUNS"))
	if os.Getenv("ECHOGRAM_PATH_RUNS") == "" {
		return 2
	} else if err != nil || n < 1 {
		t.Fatalf("ECHOGRAM_PATH_RUNS=%q is no number of runs", os.Getenv("ECHOGRAM_PATH_RUNS"))
	}
	return n
}

// strict tells whether the machine is there for this alone.
func strict() bool { return os.Getenv("ECHOGRAM_PATH_RUNS") != "" }

// echogram builds the command once.
var echogram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "echogram-path-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "echogram")
	cmd := exec.Command("go", "build", "-o", file, "echogram/plugins/cmd/echogram")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := echogram(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// gap is the interval between probes.
const gap = 500 * time.Microsecond

// sweep starts to probe the responder of a pair count times a size, and returns a function that waits and gives the
// answered samples.
func sweep(t *testing.T, p *netlab.Pair, gap time.Duration, count int, sizes ...string) (wait func() []Sample) {
	t.Helper()
	all := sweepAll(t, p, gap, count, []string{netlab.ResponderAddress.String()}, sizes...)
	return func() []Sample { return all()[netlab.ResponderAddress.String()] }
}

// sweepAll does so in turn for several targets, 100 µs apart.
func sweepAll(t *testing.T, p *netlab.Pair, gap time.Duration, count int, targets []string, sizes ...string) (wait func() map[string][]Sample) {
	t.Helper()
	file, err := echogram()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "samples.lp")
	rate := "0"
	if len(targets) > 1 { // alone a probe needs none, and leaves on time
		rate = "10000"
	}
	args := []string{"sweep", "--burst", "1", "--rate", rate, "--order", "sequential", "--count", strconv.Itoa(count * max(1, len(sizes))),
		"--count-interval", gap.String(), "--timeout", "200ms", "--samples", "--format", "influx", "-o", out}
	for _, s := range sizes {
		args = append(args, "--size", s)
	}
	cmd := p.Prober.Command(t.Context(), file, append(args, targets...)...)
	done := make(chan error, 1)
	go func() {
		text, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, text)
		}
		done <- err
	}()
	return func() map[string][]Sample {
		t.Helper()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return readSamples(t, out)
	}
}

func readSamples(t *testing.T, file string) map[string][]Sample {
	t.Helper()
	all := map[string][]Sample{}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r schema.SampleRow
		var p schema.Point
		if err := p.Parse(lines.Bytes()); err != nil {
			t.Fatal(err)
		}
		if p.Measurement != schema.ICMPSample {
			continue
		}
		if err := schema.Read(&p, &r); err != nil {
			t.Fatal(err)
		}
		if !r.RTT.Set {
			continue
		}
		size := 12
		if r.Size != "" {
			if size, err = strconv.Atoi(r.Size); err != nil {
				t.Fatal(err)
			}
		}
		all[r.Target] = append(all[r.Target], Sample{At: r.Time, Size: size, RTT: r.RTT.N, TTL: r.TTL.N})
	}
	return all
}

func awake(t *testing.T) {
	t.Helper()
	a, err := netlab.StayAwake()
	netlab.Lasting(t, a, err)
}

// bridges measures the way through a fresh chain of n bridges, in turn with those through one and four.
func bridges(t *testing.T, n, probes int) (*Measurement, *Calibration) {
	t.Helper()
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: n})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cal, targets := &Calibration{}, []string{netlab.ResponderAddress.String()}
	for _, hops := range []int{1, 4} {
		a, err := p.AddResponder(hops)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, a.String())
		cal.Known = append(cal.Known, Known{Name: a.String(), Hops: hops, Paired: true})
	}
	all := sweepAll(t, p, gap, probes, targets)()
	measure := func(target string) *Measurement {
		return Measure(outlier.Config{}, target, false, all[target], probes, Facts{Interval: gap, Awake: true})
	}
	for i := range cal.Known {
		cal.Known[i].Measurement = *measure(cal.Known[i].Name)
	}
	return measure(targets[0]), cal
}

// TestBridgesAreCounted: calibrated on 1 and 4, each other number is told, or that it cannot be, and never wrong.
func TestBridgesAreCounted(t *testing.T) {
	awake(t)
	const probes = 2000
	told, silent := 0, 0
	for range runs(t) {
		for _, n := range []int{2, 3, 5, 6, 8} {
			m, cal := bridges(t, n, probes)
			e, err := Config{}.Estimate(m, cal)
			if err != nil {
				t.Fatal(err)
			}
			levels := []float64{m.Sizes[0].Level.Value, cal.Known[0].Sizes[0].Level.Value, cal.Known[1].Sizes[0].Level.Value}
			t.Logf("%d bridges: level %.0f ± %.0f ns, mean %.0f; references %.0f; told %v, %d with %.4f before %d; %v", n, levels[0], m.Sizes[0].Level.StdErr,
				m.Sizes[0].Filter.Mean, levels[1:], e.Hops.Told, e.Hops.Hops, e.Hops.Confidence, e.Hops.RunnerUp, e.Reasons)
			switch {
			case !e.Hops.Told:
				silent++
			case e.Hops.Hops != n:
				t.Errorf("%d bridges are told as %d", n, e.Hops.Hops)
			default:
				told++
			}
		}
	}
	t.Logf("told rightly %d, cannot be told %d", told, silent)
	if strict() && silent > (told+silent)/50 {
		t.Errorf("%d of %d cannot be told", silent, told+silent)
	}
}

// TestDelayIsMeasured: what a delay line adds is the offset from the same line at 0, in turn with it.
func TestDelayIsMeasured(t *testing.T) {
	awake(t)
	covered, all := 0, 0
	var widths []float64
	for range runs(t) {
		for _, d := range []time.Duration{100, 250, 500, 1000, 2500} {
			e, truth := delayed(t, d)
			o := e.Offset
			width := o.High - o.Low
			widths = append(widths, width)
			all++
			if o.Low <= truth && truth <= o.High {
				covered++
			}
			t.Logf("%v: the line took %.1f ns, the offset is %.1f (%.1f to %.1f, %.1f wide), off by %.1f; %.1f m (%.1f to %.1f)", d, truth, o.Value, o.Low, o.High, width, o.Value-truth,
				e.Cable.Value, e.Cable.Low, e.Cable.High)
			// On a machine that has other work, too, an honest width is all that can be asked for.
			if miss := math.Abs(o.Value - truth); miss > 25 && (strict() || miss > width/2) {
				t.Errorf("%v: %.1f ns off", d, miss)
			}
		}
	}
	t.Logf("covered %d of %d, median width %.1f ns", covered, all, middle(widths))
	if covered*10 < all*9-10 || strict() && middle(widths) > 40 {
		t.Errorf("the interval covers %d of %d, its median width is %.1f ns", covered, all, middle(widths))
	}
}

// delayed measures a delay in a fresh lab, until the interval is narrow or some times over. truth is what the line itself
// spent over what it spent at 0, ns.
func delayed(t *testing.T, d time.Duration) (e *Estimate, truth float64) {
	t.Helper()
	const narrow = 36
	most := 4
	if strict() {
		most = 12
	}
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	line, err := netlab.Delay(p.Responder, netlab.ResponderLink, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	var samples [2][]Sample // without and with the delay
	var spent [2][]int64
	for range most {
		alternate(t, p, line, d, &samples, &spent)
		var m [2]*Measurement
		for i := range m {
			m[i] = Measure(outlier.Config{}, "lab", false, samples[i], len(samples[i]), Facts{Interval: gap, Awake: true})
		}
		e, err = Config{}.Estimate(m[1], &Calibration{Known: []Known{{Measurement: *m[0], Name: "line at 0", Hops: -1, Paired: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if e.Offset.High-e.Offset.Low <= narrow {
			break
		}
	}
	return e, levelOf(spent[1], len(spent[1])).Value - levelOf(spent[0], len(spent[0])).Value
}

// alternate probes while the line is at 0 and at d in turns, and adds what it got.
func alternate(t *testing.T, p *netlab.Pair, line *netlab.DelayLine, d time.Duration, samples *[2][]Sample, spent *[2][]int64) {
	t.Helper()
	const turns, probes, gap, settle = 100, 150, 100 * time.Microsecond, int64(time.Millisecond)
	if err := line.Reset(); err != nil {
		t.Fatal(err)
	}
	wait := sweep(t, p, gap, turns*probes+500) // it keeps to 200 µs and more
	for begun := false; !begun; begun = stats(t, line).Packets > 100 {
		time.Sleep(time.Millisecond)
	}
	var edges []int64
	for turn := range 2*turns + 1 {
		if err := line.Set(d * time.Duration(turn%2)); err != nil {
			t.Fatal(err)
		}
		edges = append(edges, time.Now().UnixNano())
		time.Sleep(probes * gap)
	}
	for _, s := range wait() {
		turn, _ := slices.BinarySearch(edges, s.At)
		if turn--; turn >= 0 && turn < 2*turns && s.At > edges[turn]+settle && s.At < edges[turn+1]-settle {
			samples[turn%2] = append(samples[turn%2], s)
		}
	}
	all, err := line.Spent()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		i := 0
		if s >= d {
			i = 1
		}
		spent[i] = append(spent[i], int64(s))
	}
}

// TestLinksAreCounted: the switches between one to four links that serialise, by the slope alone.
func TestLinksAreCounted(t *testing.T) {
	awake(t)
	sizes := []string{"12", "380", "750", "1110", "1472"}
	right, all := 0, 0
	for range runs(t) {
		for links := 1; links <= 4; links++ {
			for _, rate := range []int64{1e9, 100e6} {
				m := serialised(t, links, rate, sizes)
				for _, given := range [][]int64{{rate}, nil} {
					e, err := Config{LinkRates: given}.Estimate(m, nil)
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%d links of %d: slope %.3f (%.3f to %.3f) ns a byte, %.2f links; rates %v: %+v", links, rate, e.Slope.Value, e.Slope.Low, e.Slope.High,
						(e.Slope.Value-hostSlope)/perLink(rate), given, *e.Hops)
					all++
					if e.Hops.Told && e.Hops.Hops != links-1 {
						t.Errorf("%d links of %d are told as %d switches", links, rate, e.Hops.Hops)
					} else if e.Hops.Told {
						right++
					}
				}
			}
		}
	}
	if right*10 < all*8 {
		t.Errorf("%d of %d are told", right, all)
	}
}

// serialised measures the way through a fresh chain of links of a rate.
func serialised(t *testing.T, links int, rate int64, sizes []string) *Measurement {
	t.Helper()
	const probes = 300 // of each size
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: links - 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	serial, err := p.Serialise(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer serial.Close()
	all := sweep(t, p, gap, probes, sizes...)()
	return Measure(outlier.Config{}, "lab", false, all, probes*len(sizes), Facts{Interval: gap, Awake: true})
}

func stats(t *testing.T, line *netlab.DelayLine) netlab.DelayStats {
	t.Helper()
	s, err := line.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func middle(v []float64) float64 {
	return slices.Sorted(slices.Values(v))[len(v)/2]
}
