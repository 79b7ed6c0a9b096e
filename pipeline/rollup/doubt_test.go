package rollup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// TestDoubtedSweeps: by hand, an hour of one target, of whose four sweeps some may not be trusted. It is the same whichever
// driver sums up, and whether a manifest comes before its points or behind them.
func TestDoubtedSweeps(t *testing.T) {
	target := series("h", "10.0.0.1")
	points := []schema.SweepRow{
		{Time: 0, Sent: 4, Received: 3, RTT: schema.Some(100)},
		{Time: minute, Sent: 4, Received: 1, Late: 1, RTT: schema.Some(300)},
		{Time: minute + 1, Sent: 4},
		{Time: 3 * minute, Sent: 4},
	}
	for name, c := range map[string]struct {
		trust [4]string // of the sweeps
		want  []string  // sweeps, sent, received, lost, doubted, percent_lost and rtt_mean_ns of the hour, and of its minutes
	}{
		"all trusted": {[4]string{"ok", "ok", "ok", ""},
			[]string{"4 16 4 11 0 68.75 200", "1 4 3 1 0 25.00 100", "2 8 1 6 0 75.00 300", "1 4 0 4 0 100.00 0"}},
		"one dropped frames": {[4]string{"ok", "capture_drops", "ok", ""},
			[]string{"4 16 4 9 2 64.29 200", "1 4 3 1 0 25.00 100", "2 8 1 4 2 66.67 300", "1 4 0 4 0 100.00 0"}},
		"none trusted": {[4]string{"unseen", "capture_drops", "carrier", "clock_step,unseen"},
			[]string{"4 16 4 0 11 0.00 200", "1 4 3 0 1 0.00 100", "2 8 1 0 6 0.00 300", "1 4 0 0 4 0.00 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := func(i int) *schema.SweepStatsRow {
				return &schema.SweepStatsRow{Host: "h", Instance: "i", Time: points[i].Time, Points: 1, Trust: c.trust[i]}
			}
			doubted := []Sweep{{"other", "i", 0}, {"h", "other", 0}, {"h", "i", 2 * minute}}
			for i := range slices.Backward(points) {
				if trust := c.trust[i]; trust != "ok" && trust != "" {
					doubted = append(doubted, Sweep{"h", "i", points[i].Time})
				}
			}
			block := NewBlock(testConfig, hourAndMinutes("h"), doubted)
			stream := NewStream(StreamConfig{Config{Lengths: []time.Duration{time.Minute, time.Hour}, PerTarget: day}, time.Hour})
			stream.Manifest(manifest(3))
			stream.Manifest(manifest(1))
			for i := range points {
				block.Add(target, &points[i])
				stream.Add(target, &points[i])
			}
			stream.Manifest(manifest(2))
			stream.Manifest(manifest(0))
			var streamed []schema.Row
			if err := stream.Finish(func(r schema.Row) error { streamed = append(streamed, r); return nil }); err != nil {
				t.Fatal(err)
			}
			for driver, rows := range map[string][]schema.Row{"block": block.Rows(), "stream": streamed} {
				if got := losses(rows); !slices.Equal(got, c.want) {
					t.Errorf("%s\n got %q\nwant %q", driver, got, c.want)
				}
			}
		})
	}
}

// losses gives what the rows of blocks tell of loss: the hour, then its minutes.
func losses(rows []schema.Row) (all []string) {
	for _, length := range []string{"1h", "1m"} {
		for _, r := range rows {
			if r, ok := r.(*schema.BlockRollupRow); ok && r.Window == length {
				all = append(all, fmt.Sprintf("%d %d %d %d %d %.2f %d", r.Sweeps, r.Sent, r.Received, r.Lost, r.Doubted, r.PercentLost, r.RTTMean.N))
			}
		}
	}
	return all
}
