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
		`of=ping count=2 first="target 192.0.2.1 at 2026-01-10T12:00:00Z: RTT -7000000 ns"`,
		`of=ping count=5 first="target 192.0.2.1 at 2026-01-10T12:00:00Z: RTT beyond what nanoseconds can hold"`,
	}
	got := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(got) != len(want) || !strings.HasSuffix(got[0], want[0]) || !strings.HasSuffix(got[1], want[1]) {
		t.Errorf("got\n%s", log.String())
	}
}
