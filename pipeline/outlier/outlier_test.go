package outlier

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestMethodsHaveNames(t *testing.T) {
	for _, m := range []Method{Sigma, Density, MAD} {
		if got, err := ParseMethod(m.String()); got != m || err != nil {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	if _, err := ParseMethod("3sigma"); err == nil || err.Error() != `outlier: method "3sigma" is none of sigma, density, mad` {
		t.Error(err)
	}
}

// repeated is n values that go through the given ones again and again.
func repeated(n int, values ...int64) []int64 {
	var all []int64
	for i := range n {
		all = append(all, values[i%len(values)])
	}
	return all
}

func TestWindowByHand(t *testing.T) {
	calm := repeated(19, 99, 100, 101) // 6 or 7 of each
	for _, c := range []struct {
		name   string
		cfg    Config
		values []int64
		limit  float64
		cut    []int64
		mean   float64
	}{
		// 7 of 99, 6 of 100, 6 of 101: mean 1899/19 - 99.947, sample σ 0.8481
		{"sigma", Config{}, append(slices.Clone(calm), 5000), 102.4917, []int64{5000}, 99.9474},
		{"sigma cuts again what the first cut uncovers", Config{}, append(slices.Clone(calm), 110, 50_000), 102.4917, []int64{110, 50_000}, 99.9474},
		{"sigma never cuts below", Config{}, append(slices.Clone(calm), -5000), math.NaN(), nil, -155.05},
		// 2 + 0.866 cuts the 3s; 1.5 + 0.5477 keeps the 2s
		{"sigma, k = 1", Config{K: 1}, repeated(9, 1, 2, 3), 2.0477, []int64{3, 3, 3}, 1.5},
		// The shortest half of 20 holds 99 and 100; of these again the lowest tie: 99.
		{"density", Config{Method: Density}, append(slices.Clone(calm), 197, 199), 198, []int64{199}, 104.8},
		{"density of no RTT", Config{Method: Density}, []int64{-3, -3, -3, 9}, 9, nil, 0},
		{"mad", Config{Method: MAD}, append(slices.Clone(calm), 104, 105), 104.4478, []int64{105}, 100.15},
		// |x - 7| is 0 seven times and 93 once: mean 11.625, times 3 · 1.253314 over 7
		{"mad of equals", Config{Method: MAD}, append(repeated(7, 7), 100), 50.7093, []int64{100}, 7},
		{"one", Config{}, []int64{42}, 42, nil, 42},
		{"equal", Config{}, repeated(30, 1_000_003), 1_000_003, nil, 1_000_003},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cut []int64
			r := Window(c.cfg, c.values, func(i int, v int64, reason string) {
				if c.values[i] != v || reason == "" {
					t.Errorf("cut %d at %d for %q", v, i, reason)
				}
				cut = append(cut, v)
			})
			slices.Sort(cut)
			slices.Sort(c.cut)
			if !slices.Equal(cut, c.cut) || r.Cut != len(cut) || r.N != len(c.values) {
				t.Errorf("cut %v, want %v: %+v", cut, c.cut, r)
			}
			if math.Abs(r.Mean-c.mean) > 1e-4 || !math.IsNaN(c.limit) && math.Abs(r.Limit-c.limit) > 1e-4 {
				t.Errorf("mean %.4f, limit %.4f; want %.4f, %.4f", r.Mean, r.Limit, c.mean, c.limit)
			}
		})
	}
	if r := Window(Config{}, nil, nil); r != (Result{Error: Few}) {
		t.Errorf("%+v", r)
	}
}

func TestFloors(t *testing.T) {
	for _, c := range []struct {
		sorted       []int64
		mode, shorth float64
	}{
		{nil, 0, 0},
		{[]int64{5}, 5, 5},
		{[]int64{4, 6}, 5, 4},
		{[]int64{0, 10, 11}, 10.5, 10.5},
		{[]int64{0, 1, 2}, 0.5, 0.5},                    // the lowest of equals
		{[]int64{0, 10, 20, 21, 22, 40}, 20.5, 21},      // 20 21 22, of these 20 21
		{[]int64{1, 2, 3, 5, 8, 13, 21, 34}, 1.5, 2.75}, // 1 2 3 5, then 1 2
		{[]int64{math.MinInt64, math.MaxInt64 - 1, math.MaxInt64}, math.MaxInt64, math.MaxInt64},
	} {
		if m, s := HalfSampleMode(c.sorted), Shorth(c.sorted); m != c.mode || s != c.shorth {
			t.Errorf("%v: mode %v, shorth %v; want %v, %v", c.sorted, m, s, c.mode, c.shorth)
		}
	}
}

// TestStudent compares with a table (0.975 quantiles, and one other).
func TestStudent(t *testing.T) {
	for _, c := range []struct{ p, n, want float64 }{
		{0.95, 1, 12.706}, {0.95, 2, 4.303}, {0.95, 3, 3.182}, {0.95, 4, 2.776}, {0.95, 10, 2.228}, {0.95, 30, 2.042},
		{0.95, 1e6, 1.960}, {0.99, 5, 4.032}, {0.5, 4, 0.741}, {0.95, 0, 0},
	} {
		if got := student(c.p, c.n); math.Abs(got-c.want) > 0.001 {
			t.Errorf("student(%v, %v) = %.4f, want %v", c.p, c.n, got, c.want)
		}
	}
}

// draw makes n values from f.
func draw(n int, f func(*rand.Rand) float64, seed uint64) []int64 {
	random := rand.New(rand.NewPCG(seed, 3))
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(f(random))
	}
	return values
}

func normalRTT(r *rand.Rand) float64 { return 200_000 + 1000*r.NormFloat64() }

// fading makes values whose autocorrelation is rho^lag, so that tau is (1+rho)/(1-rho).
func fading(rho float64) func(*rand.Rand) float64 {
	x := 0.0
	return func(r *rand.Rand) float64 {
		x = rho*x + math.Sqrt(1-rho*rho)*r.NormFloat64()
		return 200_000 + 1000*x
	}
}

func TestTauOfFadingCorrelation(t *testing.T) {
	for _, rho := range []float64{0, 0.5, 0.8, 0.95} {
		var tau float64
		for seed := range uint64(40) {
			r := Window(Config{}, draw(10_000, fading(rho), seed), nil)
			tau += r.Tau / 40
			if se := r.Sigma * math.Sqrt(r.Tau/float64(r.Kept)); math.Abs(r.StdErr/se-1) > 1e-9 {
				t.Errorf("standard error %v, want %v", r.StdErr, se)
			}
		}
		if want := (1 + rho) / (1 - rho); tau < 0.85*want || tau > 1.25*want { // never below 1, so above it on average
			t.Errorf("rho %v: tau %.2f, want %.2f", rho, tau, want)
		}
	}
}

// TestErrors counts in how many of 200 windows each word stands.
func TestErrors(t *testing.T) {
	two := func(r *rand.Rand) float64 { return 100_000 + 20_000*float64(r.IntN(2)) + 1000*r.NormFloat64() }
	few := func(r *rand.Rand) float64 { return 100_000 + 20_000*float64(r.IntN(20)/19) + 1000*r.NormFloat64() }
	skewed := func(r *rand.Rand) float64 { return 100_000 + 20_000*r.ExpFloat64() }
	flat := func(r *rand.Rand) float64 { return 100_000 + 20_000*r.Float64() }
	for _, c := range []struct {
		name     string
		values   func(*rand.Rand) float64
		n        int
		word     string
		from, to int
	}{
		{"independent", normalRTT, 100, OK, 195, 200},
		{"independent, as many as an hour holds", normalRTT, 12, OK, 185, 200},
		{"too few", normalRTT, 9, Few, 200, 200},
		{"skewed", skewed, 100, Modes, 0, 2},
		{"flat", flat, 100, Modes, 0, 2},
		{"two clusters", two, 100, Modes, 198, 200},
		{"a twentieth apart", few, 100, Modes, 0, 20},
		{"slow", fading(0.97), 100, Autocorrelated, 130, 200},
		{"slow, but long", fading(0.97), 10_000, OK, 198, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := 0
			for seed := range uint64(200) {
				if words := strings.Split(Window(Config{}, draw(c.n, c.values, seed), nil).Error, ","); slices.Contains(words, c.word) {
					count++
				}
			}
			if count < c.from || count > c.to {
				t.Errorf("%s: %d of 200, want %d to %d", c.word, count, c.from, c.to)
			}
		})
	}
}
