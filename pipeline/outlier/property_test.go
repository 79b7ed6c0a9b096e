package outlier

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// spiky makes normal RTTs with some that are far too long.
func spiky(r *rand.Rand) float64 {
	if r.IntN(30) == 0 {
		return 1e8 * (1 + 9*r.Float64())
	}
	return normalRTT(r)
}

func cutOf(cfg Config, values []int64) (cut []int64) {
	Window(cfg, values, func(_ int, v int64, _ string) { cut = append(cut, v) })
	slices.Sort(cut)
	return cut
}

func TestCutDoesNotDependOnOrder(t *testing.T) {
	for m := Sigma; m <= MAD; m++ {
		for seed := range uint64(50) {
			values := draw(20+int(seed)*7, spiky, seed)
			want := cutOf(Config{Method: m}, values)
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
			if got := cutOf(Config{Method: m}, values); !slices.Equal(got, want) {
				t.Fatalf("%v: cut %v after a shuffle, %v before", m, got, want)
			}
		}
	}
}

// TestResultScales: eight times the values have eight times all that is in ns, and the same counts.
func TestResultScales(t *testing.T) {
	for m := Sigma; m <= MAD; m++ {
		for seed := range uint64(50) {
			values := draw(20+int(seed)*7, spiky, seed)
			want := Window(Config{Method: m}, values, nil)
			for _, p := range []*float64{&want.Limit, &want.Mean, &want.Sigma, &want.StdErr, &want.Low, &want.High, &want.Floor, &want.Shorth} {
				*p *= 8
			}
			for i := range values {
				values[i] *= 8
			}
			if got := Window(Config{Method: m}, values, nil); got != want {
				t.Fatalf("%v:\n%+v, want\n%+v", m, got, want)
			}
		}
	}
}

// TestFilterKeepsNothing: what a filter has seen does not touch what it sees next, and it needs no memory but its own.
func TestFilterKeepsNothing(t *testing.T) {
	var f Filter
	f.Window(Config{}, draw(5000, spiky, 1), nil)
	values := draw(288, spiky, 2)
	if got, want := f.Window(Config{}, values, nil), Window(Config{}, values, nil); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := testing.AllocsPerRun(100, func() { f.Window(Config{}, values, nil) }); n != 0 {
		t.Errorf("%v allocations a window", n)
	}
}

func check(t *testing.T, r Result, n int) {
	t.Helper()
	if r.N != n || r.Kept+r.Cut != n || r.Kept < min(n, 1) || r.Cut < 0 {
		t.Errorf("%d values: %+v", n, r)
	}
	if !(r.Low <= r.Mean && r.Mean <= r.High) || !(r.StdErr >= 0) || n > 0 && !(r.Tau >= 1) || math.IsInf(r.High-r.Low, 0) {
		t.Errorf("%+v", r)
	}
	if n > 0 && !(r.Mean <= r.Limit && r.Floor <= r.Limit && r.Shorth <= r.Limit) {
		t.Errorf("above the limit: %+v", r)
	}
}

// FuzzWindow gives windows and streams whatever eight bytes may say.
func FuzzWindow(f *testing.F) {
	seed := func(values ...int64) {
		var b []byte
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
		f.Add(uint8(0), 0.0, b)
		f.Add(uint8(1), 0.5, b)
		f.Add(uint8(2), 1e-9, b)
	}
	seed()
	seed(0)
	seed(math.MinInt64, math.MaxInt64, -1, 0, 1, math.MaxInt64, math.MinInt64+1, 7, 7, 7)
	seed(repeated(300, 5, 6, 5, 1e9)...)
	f.Fuzz(func(t *testing.T, method uint8, k float64, data []byte) {
		cfg := Config{Method: Method(method % 3), K: k, WarmUp: 5}
		var values []int64
		s := NewStream(cfg)
		for ; len(data) >= 8; data = data[8:] {
			v := int64(binary.LittleEndian.Uint64(data))
			values = append(values, v)
			s.Add(v)
		}
		cut := 0
		r := Window(cfg, values, func(i int, v int64, _ string) {
			if cut++; values[i] != v {
				t.Errorf("%d at %d is %d", v, i, values[i])
			}
		})
		check(t, r, len(values))
		if cut != r.Cut {
			t.Errorf("%d reported, %d cut", cut, r.Cut)
		}
		if got := s.Result(); got.N != len(values) || got.Kept+got.Cut != got.N || !(got.Low <= got.Mean && got.Mean <= got.High) {
			t.Errorf("stream: %+v", got)
		}
	})
}

func BenchmarkWindow(b *testing.B) {
	for m := Sigma; m <= MAD; m++ {
		for _, n := range []int{12, 288} {
			b.Run(m.String()+"/"+map[int]string{12: "12", 288: "288"}[n], func(b *testing.B) {
				var f Filter
				values := draw(n, spiky, 1)
				b.ReportAllocs()
				for b.Loop() {
					f.Window(Config{Method: m}, values, nil)
				}
			})
		}
	}
}

func BenchmarkStream(b *testing.B) {
	values := draw(1<<16, spiky, 1)
	s := NewStream(Config{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Add(values[i%len(values)])
	}
}
