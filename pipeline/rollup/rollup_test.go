package rollup

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

const minute, hour = int64(time.Minute), int64(time.Hour)

type sample struct {
	s *schema.Series
	p schema.SweepRow
}

func series(host, target string, labels ...schema.Tag) *schema.Series {
	return &schema.Series{Host: host, Instance: "i", Network: "10.0.0.0/8", Block: "10.0.0.0/24", Target: target, Labels: labels}
}

func windows(host string) []Window {
	w := []Window{{Host: host, Instance: "i", Start: 0, Length: time.Hour, Missing: 3}}
	for m := range int64(60) {
		w = append(w, Window{Host: host, Instance: "i", Start: m * minute, Length: time.Minute, Complete: true})
	}
	return w
}

func TestRowsByHand(t *testing.T) {
	a, b := series("h", "10.0.0.1", schema.Tag{Key: "site", Value: "x"}), series("h", "10.0.0.2", schema.Tag{Key: "site", Value: "x"})
	block := NewBlock(windows("h"))
	for _, x := range []sample{
		{a, schema.SweepRow{Time: 0, Sent: 1, Received: 1, RTT: schema.Some(100)}},
		{a, schema.SweepRow{Time: 10e9, Sent: 1, Received: 1, RTT: schema.Some(301), Duplicates: 2, Corrupt: 1}},
		{b, schema.SweepRow{Time: 0, Sent: 2, Late: 1}},
		{b, schema.SweepRow{Time: minute, Sent: 2, Received: 2, RTT: schema.Some(50), RTTMin: schema.Some(40), RTTMax: schema.Some(60)}},
		{b, schema.SweepRow{Time: hour, Sent: 9}},                        // behind the hour
		{b, schema.SweepRow{Time: -1, Sent: 9}},                          // before it
		{series("other", "10.0.0.1"), schema.SweepRow{Time: 0, Sent: 9}}, // somebody else's
	} {
		block.Add(x.s, &x.p)
	}
	rows := block.Rows()
	if len(rows) != 5 {
		t.Fatalf("%d rows, want 2 minutes, 1 hour and 2 targets", len(rows))
	}
	first := &schema.BlockRollupRow{
		Host: "h", Instance: "i", Network: "10.0.0.0/8", Block: "10.0.0.0/24", Labels: a.Labels, Window: "1m",
		Targets: 2, Responding: 1, Points: 3, Complete: true,
		Counts: schema.Counts{Sweeps: 2, Sent: 4, Received: 2, Lost: 1, PercentLost: 25, Late: 1, Duplicates: 2, Corrupt: 1,
			RTTMin: schema.Some(100), RTTMean: schema.Some(200), RTTMax: schema.Some(301)},
		RTTQuantiles: schema.RTTQuantiles{P50: schema.Some(100), P90: schema.Some(301), P99: schema.Some(301)},
	}
	if !reflect.DeepEqual(rows[0], schema.Row(first)) {
		t.Errorf("minute\n got %+v\nwant %+v", rows[0], first)
	}
	whole := rows[1].(*schema.BlockRollupRow)
	if whole.Window != "1h" || whole.Points != 4 || whole.Responding != 2 || whole.Sweeps != 3 || whole.Missing != 3 || whole.Complete ||
		whole.RTTMin.N != 40 || whole.RTTMean.N != 150 {
		t.Errorf("hour %+v", whole)
	}
	target := rows[3].(*schema.SweepRollupRow)
	if target.Target != "10.0.0.2" || target.Sweeps != 2 || target.Sent != 4 || target.Lost != 1 || target.RTTMax.N != 60 || target.Labels[0].Value != "x" {
		t.Errorf("target %+v", target)
	}
	if got := block.Read(); got[0] != 4 || got[1] != 3 || got[2] != 1 || got[3] != 0 {
		t.Errorf("read %v", got[:4])
	}
}

func TestSilentHasNoRTT(t *testing.T) {
	block := NewBlock(windows("h"))
	block.Add(series("h", "10.0.0.1"), &schema.SweepRow{Sent: 1})
	for _, r := range block.Rows() {
		var p schema.Point
		schema.Fill(&p, r)
		for _, f := range []string{"rtt_min_ns", "rtt_mean_ns", "rtt_max_ns", "rtt_p50_ns"} {
			if _, ok := p.Field(f); ok {
				t.Errorf("%s has %s", r.Measurement(), f)
			}
		}
		if f, _ := p.Field("percent_lost"); f.Value() != 100.0 {
			t.Errorf("percent_lost %v", f.Value())
		}
	}
}

func TestLabelsAndSizesStayApart(t *testing.T) {
	block := NewBlock(windows("h"))
	big, small := *series("h", "10.0.0.1"), *series("h", "10.0.0.1")
	big.Size, small.Size = "1400", "64"
	block.Add(&big, &schema.SweepRow{Sent: 1})
	block.Add(&small, &schema.SweepRow{Sent: 1})
	block.Add(series("h", "10.0.0.2", schema.Tag{Key: "owner", Value: "o"}), &schema.SweepRow{Sent: 1})
	var blocks, targets int
	for _, r := range block.Rows() {
		switch r := r.(type) {
		case *schema.BlockRollupRow:
			blocks++
			if r.Targets != 1 {
				t.Errorf("%+v: want one target", r)
			}
		case *schema.SweepRollupRow:
			targets++
		}
	}
	if blocks != 4 || targets != 3 {
		t.Errorf("%d block rows and %d target rows, want 4 and 3", blocks, targets)
	}
}

// TestOrderDoesNotMatter shuffles points of two hosts and compares every byte of the rows.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []sample
	for _, host := range []string{"a", "b"} {
		for _, target := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} {
			s := series(host, target)
			for sweep := range int64(360) {
				p := schema.SweepRow{Time: sweep * 10e9, Sent: 1, Received: int64(rng.IntN(2))}
				if p.Received > 0 {
					p.RTT = schema.Some(rng.Int64N(1e9))
				}
				all = append(all, sample{s, p})
			}
		}
	}
	var want []byte
	for round := range 20 {
		block := NewBlock(append(windows("a"), windows("b")...))
		for _, x := range all {
			block.Add(x.s, &x.p)
		}
		var got []byte
		for _, r := range block.Rows() {
			got, _ = schema.AppendLine(got, r)
		}
		if round == 0 {
			want = got
		}
		if string(got) != string(want) {
			t.Fatal("another order gives other rows")
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
}

func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 99, 511, 512, 513, 5000, 100000} {
		var q Quantiles
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(1000 * (1 + rng.ExpFloat64()*500))
			q.Add(values[i])
		}
		slices.Sort(values)
		for _, p := range []float64{0.001, 0.5, 0.9, 0.99, 1} {
			got := q.At(p)
			if n == 0 {
				if got.Set {
					t.Error("a quantile of nothing")
				}
				continue
			}
			exact := values[max(int(float64(n)*p+0.999999), 1)-1]
			tolerance := float64(exact) * accuracy
			if n <= exactValues {
				tolerance = 0
			}
			if d := float64(got.N - exact); d > tolerance+1 || -d > tolerance+1 {
				t.Errorf("n %d p %v: %d, want %d", n, p, got.N, exact)
			}
		}
	}
}

func TestQuantilesOfOddValues(t *testing.T) {
	var q Quantiles
	for i := range int64(2000) {
		q.Add(i - 1000)
	}
	q.Add(1 << 62)
	if got := q.At(1); got.N < 1<<62-1<<56 || got.N > 1<<62 {
		t.Errorf("max %d", got.N)
	}
	if got := q.At(0.25).N; got < -510 || got > -490 {
		t.Errorf("p25 %d", got)
	}
}

func TestName(t *testing.T) {
	if Name(time.Minute) != "1m" || Name(time.Hour) != "1h" {
		t.Error("window names changed")
	}
}
