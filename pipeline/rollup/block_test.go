package rollup

import (
	"reflect"
	"testing"
	"time"

	"echogram/plugins/schema"
)

const minute, hour = int64(time.Minute), int64(time.Hour)

func series(host, target string, labels ...schema.Tag) *schema.RTTSeries {
	return &schema.RTTSeries{Series: schema.Series{Host: host, Instance: "i", Network: "10.0.0.0/8", Block: "10.0.0.0/24", Target: target, Labels: labels}}
}

func hourAndMinutes(host string) []Window {
	w := []Window{{Host: host, Instance: "i", Length: time.Hour, Missing: 3}}
	for m := range int64(60) {
		w = append(w, Window{Host: host, Instance: "i", Start: m * minute, Length: time.Minute, Complete: true})
	}
	return w
}

func TestRowsByHand(t *testing.T) {
	a, b := series("h", "10.0.0.1", schema.Tag{Key: "site", Value: "x"}), series("h", "10.0.0.2", schema.Tag{Key: "site", Value: "x"})
	windows := hourAndMinutes("h")
	block := NewBlock(testConfig, windows, nil)
	for _, x := range []struct {
		s *schema.RTTSeries
		p schema.SweepRow
	}{
		{a, schema.SweepRow{Time: 10e9, Sent: 1, Received: 1, RTT: schema.Some(301), Duplicates: 2, Corrupt: 1, TTL: schema.Some(61)}},
		{a, schema.SweepRow{Time: 0, Sent: 1, Received: 1, RTT: schema.Some(100), TTL: schema.Some(64)}},
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
			RTTMin: schema.Some(100), RTTMean: schema.Some(200), RTTMax: schema.Some(301), RTTStddev: schema.Some(100)},
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
	target := rows[2].(*schema.SweepRollupRow)
	if target.Target != "10.0.0.1" || target.N != 2 || target.TTLMin.N != 61 || target.TTLMax.N != 64 || target.P90.N != 301 {
		t.Errorf("target %+v", target)
	}
	target = rows[3].(*schema.SweepRollupRow)
	if target.Target != "10.0.0.2" || target.Sweeps != 2 || target.Sent != 4 || target.Lost != 1 || target.RTTMax.N != 60 || target.Labels[0].Value != "x" {
		t.Errorf("target %+v", target)
	}
	if got := block.Read(); got[0] != 4 || got[1] != 3 || got[2] != 1 || got[3] != 0 {
		t.Errorf("read %v", got[:4])
	}
	networks := NewNetworks(windows)
	block.Networks(networks)
	n := networks.Rows()[1].(*schema.NetworkRollupRow)
	if n.Window != "1h" || n.Blocks != 1 || n.Targets != 2 || n.Responding != 2 || n.Points != 4 || n.RTTStddev.N != whole.RTTStddev.N {
		t.Errorf("network %+v", n)
	}
}

func TestSilentHasNoRTT(t *testing.T) {
	block := NewBlock(testConfig, hourAndMinutes("h"), nil)
	block.Add(series("h", "10.0.0.1"), &schema.SweepRow{Sent: 1})
	for _, r := range block.Rows() {
		var p schema.Point
		schema.Fill(&p, r)
		for _, f := range []string{"rtt_min_ns", "rtt_mean_ns", "rtt_max_ns", "rtt_stddev_ns", "rtt_p50_ns", "rtt_kept_mean_ns", "rtt_floor_ns", "ttl_min"} {
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
	windows := hourAndMinutes("h")
	block, networks := NewBlock(testConfig, windows, nil), NewNetworks(windows)
	big, small := series("h", "10.0.0.1"), series("h", "10.0.0.1")
	big.Size, small.Size = "1400", "64"
	for _, s := range []*schema.RTTSeries{big, small, series("h", "10.0.0.2", schema.Tag{Key: "owner", Value: "o"})} {
		block.Add(s, &schema.SweepRow{Sent: 1})
	}
	block.Networks(networks)
	count := map[string]int{}
	for _, r := range append(block.Rows(), networks.Rows()...) {
		count[r.Measurement()]++
	}
	if count[schema.ICMPSweepBlockRollup] != 6 || count[schema.ICMPSweepNetworkRollup] != 6 || count[schema.ICMPSweepRollup] != 3 {
		t.Errorf("rows %v, want 3 of targets and 6 each of blocks and networks", count)
	}
}

func TestSeriesThatComesBackIsLeftOut(t *testing.T) {
	block := NewBlock(testConfig, hourAndMinutes("h"), nil)
	a, b := series("h", "10.0.0.1"), series("h", "10.0.0.2")
	again := *a
	block.Add(a, &schema.SweepRow{Time: 0, Sent: 1})
	block.Add(&again, &schema.SweepRow{Time: 1, Sent: 1}) // another pointer to the same series
	block.Add(b, &schema.SweepRow{Time: 0, Sent: 1})
	block.Add(a, &schema.SweepRow{Time: 2, Sent: 1})
	if n := block.Read()[0]; n != 3 {
		t.Errorf("%d points, want 3", n)
	}
	if rows := block.Rows(); len(rows) != 4 {
		t.Errorf("%d rows, want those of an hour, a minute and two targets", len(rows))
	}
	block.Reset()
	block.Add(a, &schema.SweepRow{Time: 2, Sent: 1})
	if n := block.Read()[0]; n != 1 {
		t.Errorf("%d points after Reset, want 1", n)
	}
}

func TestName(t *testing.T) {
	for name, length := range map[string]time.Duration{
		"10s": 10 * time.Second, "1m": time.Minute, "90m": 90 * time.Minute, "1h": time.Hour, "1d": 24 * time.Hour, "36h": 36 * time.Hour,
	} {
		if got := Name(length); got != name {
			t.Errorf("%v is %s, want %s", length, got, name)
		}
	}
}

// TestMalformed: a negative RTT, of whatever measurement, and a row of what is no block are read, and in no row.
func TestMalformed(t *testing.T) {
	w := []Window{{Of: "ping", Length: time.Minute}, {Of: "ping", Length: time.Hour}, {Host: "h", Instance: "i", Length: time.Minute}}
	block := NewBlock(testConfig, w, nil)
	ping := func(target string) *schema.RTTSeries {
		return &schema.RTTSeries{Of: "ping", HasCounts: true, Series: schema.Series{Target: target}}
	}
	some, none := ping("a"), ping("b")
	for i, rtt := range []int64{5, -7, 9} {
		block.Add(some, &schema.SweepRow{Time: int64(i), Sent: 1, Received: 1, RTT: schema.Some(rtt)})
	}
	block.Add(none, &schema.SweepRow{Time: 1, Sent: 1, Received: 1, RTT: schema.Some(-1)})
	block.Add(series("h", "10.0.0.1"), &schema.SweepRow{Time: 1, Sent: 1, Received: 1, RTT: schema.Some(-1)})
	block.Add(&schema.RTTSeries{Series: schema.Series{Host: "h", Instance: "i", Block: "banana", Target: "10.0.0.1"}}, &schema.SweepRow{Time: 1, Sent: 1})
	block.Add(series("h", "10.0.0.2"), &schema.SweepRow{Time: 1, Sent: 1, Received: 1, RTT: schema.Some(1)})
	if got := block.Read(); !reflect.DeepEqual(got, []int64{4, 4, 3}) {
		t.Errorf("read %v", got)
	}
	rows := block.Rows()
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		switch r := row.(type) {
		case *schema.RTTRollupRow:
			if r.Sent.N != 2 || r.RTTMin.N != 5 || r.RTTMax.N != 9 {
				t.Errorf("%+v", r)
			}
		case *schema.BlockRollupRow:
			if r.Sent != 1 {
				t.Errorf("%+v", r)
			}
		}
	}
}
