package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"echogram/plugins/netlab/witness"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}

// The ratio of a slow round counts as that of a fast one; a round in which either failed does not.
func TestMedianRatioIsPaired(t *testing.T) {
	at := func(rates ...float64) (runs []*run) {
		for _, r := range rates {
			if r == 0 {
				runs = append(runs, nil)
				continue
			}
			runs = append(runs, &run{Rate: r})
		}
		return runs
	}
	if got := medianRatio(at(200, 20, 0, 90), at(100, 10, 1, 0)); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := medianRatio(at(200), nil); got != 0 {
		t.Errorf("got %v without the other", got)
	}
}

func sample() *report {
	r := &report{
		Machine: machine{2, "Some CPU", "8.0", "6.1.0", "performance", "0.10"},
		Rounds:  3,
		Results: []*result{
			{Name: "echogram", Targets: all, Runs: []*run{
				{1, 150_000, 65537, 65536, 0, .5, 40e6}, {1.2, 170_000, 65536, 65536, 0, .7, 42e6}, {1.1, 160_000, 65536, 65535, 1, .6, 41e6}}},
			{Name: nameLimit, Targets: all, Runs: []*run{{Seconds: 1, Rate: 200_000}, nil, {Seconds: 1, Rate: 160_000}}},
			{Name: nameFping, Version: "5.1", Targets: all - 2, Runs: []*run{nil, nil, nil}},
		},
		RTT: []witnessed{{"echogram", "full", 2, witness.Agreement{Compared: 2000, Within: 1999, Median: 0, P99: 12, Max: 1500,
			Prober: witness.Distribution{P50: 2500, P90: 2600, P99: 6400}, Tcpdump: witness.Distribution{P50: 2500, P90: 2600, P99: 6400}}}},
	}
	r.note("fping failed")
	r.note("fping failed")
	r.finish()
	return r
}

func TestFinish(t *testing.T) {
	r := sample()
	ours := r.Results[0]
	if want := (&run{1.1, 160_000, 65536, 65536, 0, .6, 41e6}); !reflect.DeepEqual(ours.Median, want) {
		t.Errorf("median %+v, want %+v", ours.Median, want)
	}
	if ours.Complete != 2 || ours.Ended != 3 || ours.OverLimit != .875 || ours.OverFping != 0 {
		t.Errorf("%+v", ours)
	}
	if r.Results[2].Median != nil || r.Results[2].Ended != 0 {
		t.Errorf("a contender that always failed has %+v", r.Results[2])
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	if err := sample().write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2 cores (Some CPU), 8.0 GB, Linux 6.1.0, governor performance, load 0.10\n",
		"                   targets  time s  packets/s   x C  x fping   found  false loss  all found  CPU s  peak MB\n" +
			"echogram            65,536    1.10    160,000  0.88        -  65,536           0        2/3   0.60       41\n",
		"fping 5.1           65,534       -          -     -        -       -           -          -      -        -\n",
		"          rate  compared  dropped  within 1 µs  median ns  p99 |ns|  max |ns|  p50/p90/p99 µs    tcpdump's\n" +
			"echogram  full     2,000        2     99.950 %          0        12      1500     2.5/2.6/6.4  2.5/2.6/6.4\n",
		"\nnote: fping failed\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "note:"); n != 1 {
		t.Errorf("%d notes, want 1", n)
	}
}

func TestJSONHoldsAll(t *testing.T) {
	var b strings.Builder
	want := sample()
	if err := want.writeJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("got %s", b.String())
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 65536: "65,536", 1_000_001: "1,000,001", -1234: "-1,234"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
