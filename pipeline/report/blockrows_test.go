package report

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// TestOrderOfRowsDoesNotMatter: the same rows in another order, and each series by many pointers, give the same pictures.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	type taken struct {
		series schema.RTTSeries
		row    schema.SweepRow
	}
	var rows []taken
	var made []schema.Row
	brief.rows(func(s *schema.RTTSeries, r *schema.SweepRow) { rows = append(rows, taken{*s, *r}) })
	brief.analytics(func(r schema.Row) { made = append(made, r) })
	collect := func() *Collection {
		c := NewCollection(CollectionConfig{Frames: 5})
		for i := range rows {
			c.Add(&rows[i].series, &rows[i].row)
		}
		for _, r := range made {
			c.Row(r)
		}
		c.Finish()
		return c
	}
	a := collect()
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	rng.Shuffle(len(made), func(i, j int) { made[i], made[j] = made[j], made[i] })
	x, y := a.Pictures(Kinds(), 0), collect().Pictures(Kinds(), 0)
	if len(x) != len(Kinds()) || len(x) != len(y) {
		t.Fatalf("%d and %d pictures", len(x), len(y))
	}
	for i := range x {
		for _, f := range x[i].Formats() {
			var p, q bytes.Buffer
			if err := x[i].Write(&p, f); err != nil {
				t.Fatal(err)
			}
			if err := y[i].Write(&q, f); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.Bytes(), q.Bytes()) {
				t.Errorf("%s.%s differs", x[i].Name, f)
			}
		}
	}
	if n := len(a.Networks[0].Frames); n < 2 || n > 5 {
		t.Errorf("%d frames, at most 5", n)
	}
}

// TestLinesAndRowsAgree: rows that come as text are those that come as values.
func TestLinesAndRowsAgree(t *testing.T) {
	direct, read := NewCollection(CollectionConfig{}), NewCollection(CollectionConfig{})
	brief.analytics(func(r schema.Row) {
		direct.Row(r)
		if ours, err := read.Line(encoded(t, r)); !ours || err != nil {
			t.Error(ours, err)
		}
	})
	direct.Finish()
	read.Finish()
	if len(direct.Networks) != 1 || len(direct.Networks[0].Blocks) != 8 || len(direct.Networks[0].Vantage) != 1 {
		t.Errorf("%+v", direct.Networks[0])
	}
	for i, b := range direct.Networks[0].Blocks {
		if !reflect.DeepEqual(b.Analytics, read.Networks[0].Blocks[i].Analytics) {
			t.Errorf("%s differs", b.Name)
		}
	}
	for _, line := range []string{"cpu usage=1 1", "", "block_state"} {
		if ours, _ := read.Line([]byte(line)); ours != (line == "block_state") {
			t.Errorf("%q", line)
		}
	}
}

func TestLateRowsAndSizes(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	at := func(size string) *schema.RTTSeries {
		return &schema.RTTSeries{Series: schema.Series{Network: "n", Target: "198.18.0.1", Size: size}}
	}
	c.Add(at(""), &schema.SweepRow{Time: 1, Sent: 1, ResultCode: schema.ResultSilent})
	c.Late(at(""), &schema.SweepRow{Time: 1, Late: 1})
	c.Add(at("56"), &schema.SweepRow{Time: 2, Received: 1, RTT: schema.Some(9)})
	c.Add(at("1400"), &schema.SweepRow{Time: 2, Received: 1, RTT: schema.Some(12)})
	c.Add(at("56"), &schema.SweepRow{Time: 3, Sent: 1})
	c.Add(&schema.RTTSeries{Of: "ping", Series: schema.Series{Target: "198.18.0.9"}}, &schema.SweepRow{Time: 3, Received: 1, RTT: schema.Some(5)})
	c.Finish()
	n := c.Networks[0]
	if len(c.Networks) != 1 || len(n.Targets) != 1 || n.Sweeps != 3 || n.From != 1 || n.To != 3 || n.Targets[0].Last != Silent {
		t.Fatalf("%+v", n)
	}
	for i, want := range []Answer{Late, 9, Silent} {
		if a := n.Frames[i].Answer(n.Targets[0]); a != want {
			t.Errorf("sweep %d: %v, want %v", i, a, want)
		}
	}
	if n.Prefix != netip.MustParsePrefix("198.18.0.0/24") {
		t.Errorf("a network without a prefix of its own is drawn as %v", n.Prefix)
	}
}

// TestRollupsStandIn: without rows of sweeps the shortest windows are drawn.
func TestRollupsStandIn(t *testing.T) {
	s := schema.Series{Network: "198.18.0.0/24", Target: "198.18.0.1"}
	rollup := func(window string, rtt int64) schema.Row {
		r := &schema.SweepRollupRow{Series: s, Window: window, Time: 3600e9}
		r.Sent, r.Received, r.P50 = 6, 6, schema.Some(rtt)
		return r
	}
	c := NewCollection(CollectionConfig{})
	c.Row(rollup("1d", 5))
	c.Row(rollup("2h", 6))
	c.Row(rollup("90m", 7))
	c.Finish()
	if n := c.Networks[0]; n.Window != "90m" || n.Targets[0].Last != 7 {
		t.Errorf("%s: %v", n.Window, n.Targets[0].Last)
	}
	c = NewCollection(CollectionConfig{})
	c.Row(rollup("1h", 5))
	c.Add(&schema.RTTSeries{Series: s}, &schema.SweepRow{Time: 1, Received: 1, RTT: schema.Some(8)})
	c.Finish()
	if n := c.Networks[0]; n.Window != "" || n.Targets[0].Last != 8 {
		t.Errorf("%s: %v", n.Window, n.Targets[0].Last)
	}
}

func TestOnlyWhatLiesWithin(t *testing.T) {
	part := netip.MustParsePrefix("198.18.18.0/23")
	c := small.collected(t, CollectionConfig{Network: part, Start: begun + 24*3600e9, Stop: begun + 48*3600e9})
	if len(c.Networks) != 1 {
		t.Fatalf("%d networks", len(c.Networks))
	}
	n := c.Networks[0]
	if n.Name != "198.18.18.0/23" || n.Prefix != part || len(n.Targets) != 512 || len(n.Blocks) != 2 || n.Sweeps != 24 || len(n.Use) != 24 {
		t.Errorf("%s %v: %d targets in %d blocks, %d sweeps, %d hours", n.Name, n.Prefix, len(n.Targets), len(n.Blocks), n.Sweeps, len(n.Use))
	}
	for _, b := range n.Blocks {
		if len(b.Outages) != 0 || len(b.Churn) != 1 {
			t.Errorf("%s: %d outages, %d days of churn", b.Name, len(b.Outages), len(b.Churn))
		}
	}
}

func TestGroupsByLabel(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	for i, owner := range []string{"b", "a", "b"} {
		c.Row(&schema.BlockStateRow{BlockSeries: schema.BlockSeries{Group: "owner", Labels: []schema.Tag{{Key: "owner", Value: owner}}}, Time: int64(i)})
	}
	c.Finish()
	if len(c.Groups) != 2 || c.Groups[1].Label.Value != "b" || len(c.Groups[1].States) != 2 || len(c.Networks) != 0 {
		t.Errorf("%+v", c.Groups)
	}
}

// TestDailyPatternOfATarget: the latest row about it is the target's.
func TestDailyPatternOfATarget(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	row := answered(1e6)
	c.Add(&schema.RTTSeries{Series: schema.Series{Network: "n", Target: "198.18.0.1"}}, &row)
	for _, at := range []int64{2, 3, 1} {
		c.Row(&schema.BlockDailyRow{BlockSeries: schema.BlockSeries{Group: schema.GroupTarget, Network: "n"}, Target: "198.18.0.1", Time: at})
	}
	c.Finish()
	if d := c.Networks[0].Targets[0].Daily; d == nil || d.Time != 3 {
		t.Errorf("%+v", d)
	}
}

// TestHourClock: local hours, over half hours and the change to summer time.
func TestHourClock(t *testing.T) {
	for _, k := range []struct {
		zone, at, start string
		hour            int
	}{
		{"UTC", "2026-01-10T12:34:56Z", "2026-01-10T12:00:00Z", 12},
		{"Asia/Kolkata", "2026-01-10T12:34:56Z", "2026-01-10T12:30:00Z", 18},
		{"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T00:00:00Z", 1},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", 3},
	} {
		zone, err := time.LoadLocation(k.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, k.at)
		clock := hourClock{location: zone}
		for range 2 {
			start, hour := clock.hour(at.UnixNano())
			if got := time.Unix(0, start).UTC().Format(time.RFC3339); got != k.start || hour != k.hour {
				t.Errorf("%s in %s: hour %d from %s", k.at, k.zone, hour, got)
			}
		}
	}
}

func TestAnswerWords(t *testing.T) {
	for a, want := range map[Answer]string{NotProbed: "not probed", Silent: "silent", Late: "late", ICMPError: "ICMP error", Untimed: "answered", 1.5e6: "1.5 ms"} {
		if a.String() != want {
			t.Errorf("%q, want %q", a, want)
		}
	}
}

func FuzzCollectionLine(f *testing.F) {
	brief.analytics(func(r schema.Row) {
		line, err := schema.AppendLine(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	})
	f.Add([]byte("icmp_sweep_rollup,window=1h,target=::1 sent=1i -9223372036854775808\nicmp_sweep_block,block=x targets=-5i 9223372036854775807\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := NewCollection(CollectionConfig{})
		for line := range bytes.Lines(text) {
			c.Line(line)
		}
		c.Finish()
		for _, p := range c.Pictures([]Kind{Map, Calendar, Timeline, Hours, Churn}, 0) {
			if err := p.Write(new(bytes.Buffer), SVG); err != nil {
				t.Fatal(err)
			}
		}
	})
}
