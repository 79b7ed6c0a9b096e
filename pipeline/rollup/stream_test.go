package rollup

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// brief tells of a row what the tests below look at.
func brief(r schema.Row) string {
	var p schema.Point
	schema.Fill(&p, r)
	at := func(f string) any {
		if f, ok := p.Field(f); ok {
			return f.Value()
		}
		return "-"
	}
	return fmt.Sprint(p.Measurement, " ", p.Tag("window"), " ", time.Duration(p.Time), " sent ", at("sent"), " late ", at("late"), " ", at("complete"), " ", at("missing"))
}

type collector []string

func (c *collector) add(r schema.Row) error {
	*c = append(*c, brief(r))
	return nil
}

func (c collector) last() string { return c[len(c)-1] }

func (c *collector) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(*c, want) {
		t.Errorf("got\n%q\nwant\n%q", *c, want)
	}
	*c = nil
}

func testStream() (*Stream, *schema.RTTSeries) {
	cfg := Config{Lengths: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}, PerTarget: time.Hour}
	return NewStream(StreamConfig{cfg, 2 * time.Minute}), &schema.RTTSeries{HasCounts: true, Series: series("h", "10.0.0.1").Series}
}

func promise(s *Stream, at, points int64) {
	s.Manifest(&schema.SweepStatsRow{Host: "h", Instance: "i", Time: at, Points: points})
}

func TestWindowsCloseByTheDataTime(t *testing.T) {
	s, a := testStream()
	var got collector
	add := func(at int64) {
		s.Add(a, &schema.SweepRow{Time: at, Sent: 1})
		if err := s.Close(got.add); err != nil {
			t.Fatal(err)
		}
	}
	add(58 * minute)
	promise(s, 58*minute, 1)
	add(60*minute + 59e9)
	got.want(t)
	add(61 * minute) // two minutes behind the end of 0:58
	got.want(t, "icmp_sweep_network_rollup 1m 58m0s sent 1 late 0 true 0", "icmp_sweep_block_rollup 1m 58m0s sent 1 late 0 true 0")
	add(62 * minute) // and of the hour, which has no minute 0:59
	got.want(t,
		"icmp_sweep_network_rollup 1h 0s sent 1 late 0 true 0", "icmp_sweep_block_rollup 1h 0s sent 1 late 0 true 0", "icmp_sweep_rollup 1h 0s sent 1 late 0 true 0",
		"icmp_sweep_network_rollup 10m 50m0s sent 1 late 0 true 0", "icmp_sweep_block_rollup 10m 50m0s sent 1 late 0 true 0")
	add(60*minute - 1) // its window is gone
	add(0)
	if s.TooLate() != 2 {
		t.Errorf("%d points too late, want 2", s.TooLate())
	}
	if err := s.Finish(got.add); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3*2+2+3 {
		t.Errorf("the rest is %q", got)
	}
	add(100 * hour)
	if s.TooLate() != 3 {
		t.Error("a point behind the end was taken")
	}
}

func TestManifests(t *testing.T) {
	for name, c := range map[string]struct {
		points   int
		promised []int64
		want     string
	}{
		"as promised":       {2, []int64{2}, "true 0"},
		"two sweeps":        {2, []int64{1, 1}, "true 0"},
		"fewer":             {2, []int64{5}, "false 3"},
		"more":              {2, []int64{1}, "false 0"},
		"nothing promised":  {2, nil, "false 0"},
		"an empty manifest": {1, []int64{0}, "false 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s, a := testStream()
			for i := range c.points {
				s.Add(a, &schema.SweepRow{Time: int64(i), Sent: 1})
				s.Add(a, &schema.SweepRow{Time: int64(i), Sent: 1}) // sent again
			}
			for i, n := range c.promised {
				promise(s, int64(i), n)
				promise(s, int64(i), n) // sent again
			}
			var got collector
			if err := s.Finish(got.add); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint("icmp_sweep_rollup 1h 0s sent ", c.points, " late 0 ", c.want); got.last() != want {
				t.Errorf("%s, want %s", got.last(), want)
			}
		})
	}
}

// TestSurplusDoesNotHideWhatIsMissing: one minute has a row too many, another one too few.
func TestSurplusDoesNotHideWhatIsMissing(t *testing.T) {
	s, a := testStream()
	for i := range int64(2) {
		s.Add(a, &schema.SweepRow{Time: i, Sent: 1})
		promise(s, i*minute, 1)
	}
	var got collector
	if err := s.Finish(got.add); err != nil {
		t.Fatal(err)
	}
	if want := "icmp_sweep_rollup 1h 0s sent 2 late 0 false 1"; got.last() != want {
		t.Errorf("%s, want %s", got.last(), want)
	}
}

func TestLateRepliesAndRepeatedPoints(t *testing.T) {
	s, a := testStream()
	s.Late(a, &schema.SweepRow{Time: 0, Late: 2}) // overtakes its row
	s.Add(a, &schema.SweepRow{Time: 0, Sent: 3, Late: 1})
	s.Add(a, &schema.SweepRow{Time: 1, Sent: 3})
	s.Late(a, &schema.SweepRow{Time: 1, Late: 1})
	s.Add(a, &schema.SweepRow{Time: 1, Sent: 3})
	s.Add(a, &schema.SweepRow{Time: 2, Sent: 9})
	s.Add(a, &schema.SweepRow{Time: 2, Sent: 1})  // the last one counts
	s.Late(a, &schema.SweepRow{Time: 3, Late: 1}) // its row was lost
	promise(s, 0, 3)
	var got collector
	if err := s.Finish(got.add); err != nil {
		t.Fatal(err)
	}
	if want := "icmp_sweep_rollup 1h 0s sent 7 late 3 true 0"; got.last() != want {
		t.Errorf("%s, want %s", got.last(), want)
	}
}

func TestOtherMeasurements(t *testing.T) {
	s, _ := testStream()
	tags := []schema.Tag{{Key: "url", Value: "10.0.0.9"}}
	ping := &schema.RTTSeries{Of: "ping", HasCounts: true, Series: schema.Series{Target: "10.0.0.9", Labels: tags}}
	bfd := &schema.RTTSeries{Of: "bfd_echo_rtt", Series: schema.Series{Target: "x"}}
	s.Add(ping, &schema.SweepRow{Time: 5, Sent: 4, Received: 3, RTT: schema.Some(100)})
	s.Add(bfd, &schema.SweepRow{Time: 5, RTT: schema.Some(100)})
	var got []*schema.RTTRollupRow
	err := s.Finish(func(r schema.Row) error { got = append(got, r.(*schema.RTTRollupRow)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 || got[0].Of != "bfd_echo_rtt" || got[0].Window != "1m" || got[0].Sent.Set || got[0].RTTMean.N != 100 || got[0].N != 1 {
		t.Fatalf("%d rows, first %+v", len(got), got[0])
	}
	if r := got[5]; r.Measurement() != "ping_rollup" || r.Window != "1h" || r.Lost.N != 1 || r.PercentLost.F != 25 || r.Tags[0] != tags[0] || r.P99.N != 100 {
		t.Errorf("%+v", r)
	}
}

func TestSilentSeriesAreForgotten(t *testing.T) {
	s, a := testStream()
	b := &schema.RTTSeries{Series: series("h", "10.0.0.2").Series}
	var got collector
	s.Add(a, &schema.SweepRow{Time: 0, Sent: 1})
	for h := range int64(4) {
		s.Add(b, &schema.SweepRow{Time: h * hour, Sent: 1, Received: 1, RTT: schema.Some(h)})
		if err := s.Close(got.add); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.seats) != 1 || s.seats[0].series != b || s.seats[0].member != 0 {
		t.Errorf("%d seats are left, want that of %s", len(s.seats), b.Target)
	}
	got = nil
	s.Add(a, &schema.SweepRow{Time: 3 * hour, Sent: 1})
	if err := s.Finish(got.add); err != nil {
		t.Fatal(err)
	}
	got.want(t,
		"icmp_sweep_network_rollup 1h 2h0m0s sent 1 late 0 false 0", "icmp_sweep_block_rollup 1h 2h0m0s sent 1 late 0 false 0", "icmp_sweep_rollup 1h 2h0m0s sent 1 late 0 false 0",
		"icmp_sweep_network_rollup 1m 3h0m0s sent 2 late 0 false 0", "icmp_sweep_block_rollup 1m 3h0m0s sent 2 late 0 false 0",
		"icmp_sweep_network_rollup 10m 3h0m0s sent 2 late 0 false 0", "icmp_sweep_block_rollup 10m 3h0m0s sent 2 late 0 false 0",
		"icmp_sweep_network_rollup 1h 3h0m0s sent 2 late 0 false 0", "icmp_sweep_block_rollup 1h 3h0m0s sent 2 late 0 false 0",
		"icmp_sweep_rollup 1h 3h0m0s sent 1 late 0 false 0", "icmp_sweep_rollup 1h 3h0m0s sent 1 late 0 false 0")
}

func TestErrorOfEmitEndsClose(t *testing.T) {
	s, a := testStream()
	s.Add(a, &schema.SweepRow{Sent: 1})
	full := errors.New("full")
	if err := s.Finish(func(schema.Row) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

// TestSteadyStreamAllocatesNothing: one more point of a known series costs no memory but its place in a basket.
func TestSteadyStreamAllocatesNothing(t *testing.T) {
	s, a := testStream()
	b := &schema.RTTSeries{Series: series("h", "10.0.0.2").Series}
	p := schema.SweepRow{Sent: 1, Received: 1, RTT: schema.Some(1)}
	for range 4096 {
		s.Add(a, &p)
	}
	s.basket.points = s.basket.points[:0]
	if n := testing.AllocsPerRun(1000, func() { s.Add(a, &p); s.Add(b, &p) }); n > 0 {
		t.Errorf("%v allocations a point", n)
	}
}
