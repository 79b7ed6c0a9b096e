package service

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// TestBadPointsAreSaidOnce: the first is quoted; more of them only when they are twice as many.
func TestBadPointsAreSaidOnce(t *testing.T) {
	s, _ := fixture()
	var log bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	series := &schema.RTTSeries{Of: "ping", Series: schema.Series{Target: "192.0.2.1"}}
	run := func(rtts ...int64) {
		var all badPoints
		for _, rtt := range rtts {
			var one badPoints
			one.look(series, &schema.SweepRow{Time: noon.UnixNano(), RTT: schema.Some(rtt)})
			all.merge(&one)
		}
		s.complain("ping", &all)
	}
	run(1, 0)
	run(5, -7e6, source.NoRTT)
	run(-7e6, -7e6, 4)
	run(source.NoRTT, -1, -1, -1, -1)
	want := []string{
		`of=ping count=2 first="target 192.0.2.1 at 2026-01-10T12:00:00Z: schema: -7000000 ns is no RTT"`,
		`of=ping count=5 first="target 192.0.2.1 at 2026-01-10T12:00:00Z: RTT beyond what nanoseconds can hold"`,
	}
	got := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(got) != len(want) || !strings.HasSuffix(got[0], want[0]) || !strings.HasSuffix(got[1], want[1]) {
		t.Errorf("got\n%s", log.String())
	}
}

// TestBadPointsOfSweeps: what no sweep can have written.
func TestBadPointsOfSweeps(t *testing.T) {
	whole := &schema.RTTSeries{Series: schema.Series{Target: "192.0.2.1", Block: "192.0.2.0/24"}}
	banana := &schema.RTTSeries{Series: schema.Series{Target: "192.0.2.1", Block: "banana"}}
	var all badPoints
	for _, c := range []struct {
		series *schema.RTTSeries
		row    schema.SweepRow
		bad    bool
	}{
		{whole, schema.SweepRow{Sent: 1, Received: 1}, false},
		{banana, schema.SweepRow{Sent: 1, Received: 1}, true},
		{whole, schema.SweepRow{Sent: 1, Received: 2}, true},
		{whole, schema.SweepRow{Sent: 1}, false},
	} {
		if all.look(c.series, &c.row) != c.bad {
			t.Errorf("%+v of %+v: want %v", c.row, c.series, c.bad)
		}
	}
	if all.n != 2 || !strings.HasSuffix(all.first, `block "banana" is no prefix`) {
		t.Errorf("%d bad points, the first %q", all.n, all.first)
	}
}
