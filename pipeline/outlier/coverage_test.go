package outlier

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// block is how many values that follow each other a bootstrapped series takes at once, 2 s: within 10 to 20 values the
// autocorrelation of RTTs in the lab falls below 0.05.
const block = 32

// recording reads testdata/rtts.txt.
func recording(t *testing.T) (series [][]int64) {
	t.Helper()
	text, err := os.ReadFile("testdata/rtts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var rtts []int64
		for field := range strings.FieldsSeq(line) {
			v, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			rtts = append(rtts, v)
		}
		series = append(series, rtts)
	}
	return series
}

// TestIntervalsHold is TestIntervalsHoldInTheLab on a part of one recording.
func TestIntervalsHold(t *testing.T) { table(t, recording(t), 200, 100, 1000) }

// source draws series from recorded ones by a moving block bootstrap (Künsch 1989).
type source struct {
	recorded [][]int64
	random   *rand.Rand
}

func newSource(recorded [][]int64) *source {
	return &source{recorded, rand.New(rand.NewPCG(5, 17))}
}

func (s *source) clean(n int) []int64 {
	values := make([]int64, 0, n+block)
	for len(values) < n {
		r := s.recorded[s.random.IntN(len(s.recorded))]
		at := s.random.IntN(len(r) - block + 1)
		values = append(values, r[at:at+block]...)
	}
	return values[:n]
}

// noisy is a series with the Pinger's outliers: 1 % of the values lie anywhere between 100 ms and 1 s.
func (s *source) noisy(n int) []int64 {
	values := s.clean(n)
	for i := range values {
		if s.random.IntN(100) == 0 {
			values[i] = 100_000_000 + s.random.Int64N(900_000_000)
		}
	}
	return values
}

// figures is how well the intervals of one method hold at one length of series.
type figures struct {
	covered float64 // share of the runs whose interval holds what the filter makes of 10⁶ clean values
	width   float64 // median width of the intervals by that of the oracle
	flagged float64 // share of the runs whose Error is not OK

	filtered, plain float64 // mean over the runs − clean mean, ns: of the filter's means, of the plain means
}

// asymptote is what a method and no filter make of 10⁶ clean values.
type asymptote struct{ filtered, plain float64 }

func (s *source) asymptote(m Method) asymptote {
	values := s.clean(1_000_000)
	return asymptote{Window(Config{Method: m}, values, nil).Mean, mean(values)}
}

// oracle is the width of the interval that holds 95 % of a method's means of clean series.
func (s *source) oracle(m Method, n, runs int) float64 {
	means := make([]float64, runs)
	for i := range means {
		means[i] = Window(Config{Method: m}, s.clean(n), nil).Mean
	}
	slices.Sort(means)
	return means[runs*975/1000] - means[runs*25/1000]
}

func (s *source) figures(m Method, n, runs int, truth asymptote) (f figures) {
	widths := make([]float64, runs)
	each := 1 / float64(runs)
	for i := range widths {
		values := s.noisy(n)
		r := Window(Config{Method: m}, values, nil)
		widths[i] = r.High - r.Low
		if r.Low <= truth.filtered && truth.filtered <= r.High {
			f.covered += each
		}
		if r.Error != OK {
			f.flagged += each
		}
		f.filtered += each * (r.Mean - truth.plain)
		f.plain += each * (mean(values) - truth.plain)
	}
	slices.Sort(widths)
	f.width = widths[runs/2] / s.oracle(m, n, max(runs, 1000))
	return f
}

// table measures and reports all methods. It fails where the default's intervals hold the value in less than 90 % or
// more than 99 % of the runs, or are more than 1.5 times as wide as an oracle's.
func table(t *testing.T, recorded [][]int64, runs int, lengths ...int) {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%-8s %6s %8s %6s %8s %14s %14s\n", "method", "n", "covered", "width", "flagged", "bias", "plain bias")
	s := newSource(recorded)
	for _, m := range []Method{Sigma, Density, MAD} {
		truth := s.asymptote(m)
		for _, n := range lengths {
			f := s.figures(m, n, runs, truth)
			fmt.Fprintf(&text, "%-8v %6d %7.1f%% %6.2f %7.1f%% %11.0f ns %11.0f ns\n",
				m, n, 100*f.covered, f.width, 100*f.flagged, f.filtered, f.plain)
			if m == Sigma && (f.covered < 0.9 || f.covered > 0.99 || f.width > 1.5) {
				t.Errorf("n = %d: covered in %.3f of the runs, %.2f times as wide as an oracle's", n, f.covered, f.width)
			}
		}
		fmt.Fprintf(&text, "%-8v of 10⁶ clean RTTs: mean %.0f ns, %.0f ns from the clean mean\n", m, truth.filtered, truth.filtered-truth.plain)
	}
	t.Log("\n" + text.String())
}
