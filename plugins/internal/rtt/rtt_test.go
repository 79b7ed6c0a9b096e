package rtt

import (
	"testing"

	"echogram/plugins/schema"
)

func TestSum(t *testing.T) {
	for _, c := range []struct {
		rtts    []int64
		several bool
		want    schema.SweepRow
	}{
		{nil, true, schema.SweepRow{}},
		{[]int64{7}, false, schema.SweepRow{RTT: schema.Some(7)}},
		{[]int64{7}, true, schema.SweepRow{RTT: schema.Some(7), RTTMin: schema.Some(7), RTTMax: schema.Some(7), RTTStddev: schema.Some(0)}},
		{[]int64{0}, true, schema.SweepRow{RTT: schema.Some(0), RTTMin: schema.Some(0), RTTMax: schema.Some(0), RTTStddev: schema.Some(0)}},
		{[]int64{50, 20, 80, 51}, true, schema.SweepRow{RTT: schema.Some(50), RTTMin: schema.Some(20), RTTMax: schema.Some(80), RTTStddev: schema.Some(21)}},
	} {
		var s Sum
		for _, v := range c.rtts {
			s.Add(v)
		}
		var got schema.SweepRow
		s.Into(&got, c.several)
		if got.RTT != c.want.RTT || got.RTTMin != c.want.RTTMin || got.RTTMax != c.want.RTTMax || got.RTTStddev != c.want.RTTStddev {
			t.Errorf("%v: got %+v, want %+v", c.rtts, got, c.want)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var row schema.SweepBlockRow
	Quantiles(&row, nil)
	if row.RTTMean.Set || row.RTTP50.Set {
		t.Errorf("of nothing: %+v", row)
	}
	rtts := make([]int64, 100) // 1000, 990 … 10
	for i := range rtts {
		rtts[i] = int64(10 * (100 - i))
	}
	Quantiles(&row, rtts)
	got := [...]schema.Opt{row.RTTMin, row.RTTP50, row.RTTMean, row.RTTP90, row.RTTP99, row.RTTMax}
	for i, want := range []int64{10, 500, 505, 900, 990, 1000} {
		if got[i] != schema.Some(want) {
			t.Errorf("%d: got %+v, want %d", i, got[i], want)
		}
	}
}

func TestPercentilesOfFewValues(t *testing.T) {
	for _, c := range []struct {
		n, percent    int // of the values 10, 20 … 10n
		rank, between int64
	}{
		{1, 0, 10, 10}, {1, 50, 10, 10}, {1, 100, 10, 10},
		{2, 0, 10, 10}, {2, 50, 10, 15}, {2, 51, 20, 15}, {2, 100, 20, 20},
		{5, 20, 10, 18}, {5, 21, 20, 18}, {5, 95, 50, 48},
		{100, 7, 70, 79}, {100, 55, 550, 554}, {100, 100, 1000, 1000}, // 7 % of 100 are more than 7 as floats go
	} {
		var values []int64
		for i := range c.n {
			values = append(values, int64(10*(i+1)))
		}
		if r, b := Rank(values, c.percent), Between(values, c.percent); r != c.rank || b != c.between {
			t.Errorf("percentile %d of %d: got %d and %d, want %d and %d", c.percent, c.n, r, b, c.rank, c.between)
		}
	}
}
