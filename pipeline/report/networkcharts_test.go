package report

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

func TestCalendar(t *testing.T) {
	n := small.collected(t, CollectionConfig{}).Networks[0]
	c := calendarChart(n, time.UTC)
	tiles := c.panels[0].layers[0]
	if len(tiles.runs) != 336 || len(tiles.tints) != 336 || c.panels[0].x.max != 14 {
		t.Fatalf("%d tiles, %d tints, %v days", len(tiles.runs), len(tiles.tints), c.panels[0].x.max)
	}
	// The eleventh hour of the second day, in which the first block was out, is darker than that of the third.
	dark, light := tiles.tints[24+11], tiles.tints[48+11]
	if at := tiles.runs[24+11][0]; math.Abs(at.X-1.03) > 1e-9 || math.Abs(at.Y-12.97) > 1e-9 || dark.G >= light.G {
		t.Errorf("hour at %v, %v in an outage, %v else", at, dark, light)
	}
	if c.bar.min >= 0.2 || c.bar.max <= 0.3 || c.bar.max > 0.4 {
		t.Errorf("from %v to %v", c.bar.min, c.bar.max)
	}
	if calendarChart(&Network{}, time.UTC) != nil {
		t.Error("a calendar of nothing")
	}
}

// TestCalendarPrefersCounts: rows of blocks count all targets, those of targets need not; rows of block_state come last.
func TestCalendarPrefersCounts(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	row := answered(1e6)
	for hour := range int64(2) {
		row.Time = begun + hour*3600e9
		c.Add(&schema.RTTSeries{Series: schema.Series{Network: "198.18.0.0/24", Target: "198.18.0.1"}}, &row)
	}
	c.Row(&schema.SweepBlockRow{Network: "198.18.0.0/24", Block: "198.18.0.0/24", Time: begun, Targets: 200, Responding: 50})
	c.Row(&schema.SweepBlockRow{Network: "198.18.0.0/24", Block: "198.18.0.0/24", Time: begun, Targets: 9, Partial: true})
	for hour := range int64(3) {
		c.Row(&schema.BlockStateRow{BlockSeries: schema.BlockSeries{Group: schema.GroupBlock, Network: "198.18.0.0/24", Block: "198.18.0.0/24"},
			Time: begun + hour*3600e9, Targets: 100, Sweeps: 2, PercentResponding: 12.5})
	}
	c.Finish()
	want := []Use{{begun, 200, 50}, {begun + 3600e9, 1, 1}, {begun + 7200e9, 200, 25}}
	if got := c.Networks[0].Use; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTimeline(t *testing.T) {
	n := small.collected(t, CollectionConfig{}).Networks[0]
	c := timelineChart(n)
	p := &c.panels[0]
	var names []string
	for _, tick := range p.y.ticks(p.y) {
		names = append(names, tick.Label)
	}
	if want := []string{"198.18.16.0/24", "198.18.18.0/24", "198.18.20.0/24", "198.18.21.0/24", "198.18.23.0/24"}; !slices.Equal(names, want) {
		t.Errorf("rows %v", names)
	}
	hours := func(x float64) float64 { return math.Round(x/36) / 100 }
	bars := layerOf(t, p, "outage").runs
	// By rows from the top: the whole block from 30 h to 40 h for sure, at 41 h it was back.
	if b := bars[0]; len(bars) != 4 || hours(b[0].X) != 30 || hours(b[1].X) != 40 || b[0].Y != 4-barHalf || b[2].Y != 4+barHalf {
		t.Errorf("%d bars, the first %v", len(bars), b)
	}
	if b := bars[2]; b[0].Y != 3 || b[2].Y != 3+barHalf {
		t.Errorf("the upper half of the second row: %v", b)
	}
	if b := layerOf(t, p, "prober's own way suspect").runs; len(b) != 1 || b[0][0].Y != -0.5 || b[0][2].Y != 4.5 || hours(b[0][0].X) != 150 || hours(b[0][1].X) != 155 {
		t.Errorf("band %v", b)
	}
	if open := layerOf(t, p, "still open").xys; len(open) != 1 || hours(open[0].X) != 336 {
		t.Errorf("open: %v", open)
	}
	maybe := layerOf(t, p, "begin or end between two sweeps").runs
	if b := maybe[0]; hours(b[0].X) != 29 || hours(b[1].X) != 30 || len(maybe) != 4+3+1+2 {
		t.Errorf("%d stretches between sweeps, the first %v", len(maybe), b)
	}
	for _, want := range []string{"4 outages", "longest 1 d 12 h", "1 of them open", "1 renumbering", "1 rate limit", "1 time the prober's own way was suspect"} {
		if !slices.Contains(c.facts, want) {
			t.Errorf("%q is not in %v", want, c.facts)
		}
	}
	if timelineChart(&Network{}) != nil {
		t.Error("a timeline of nothing")
	}
}

// TestTimelineOfManyBlocks: those whose events took longest are shown, by address.
func TestTimelineOfManyBlocks(t *testing.T) {
	n := &Network{Name: "n"}
	for i := range 100 {
		b := &Block{Name: blockOf(addrAt(small.network, i<<8))}
		b.Prefix = prefixOf(b.Name)
		b.Outages = []schema.BlockOutageRow{{Event: schema.EventOutage, Time: begun, Duration: int64(i%50) * 60e9}}
		n.Blocks = append(n.Blocks, b)
	}
	c := timelineChart(n)
	ticks := c.panels[0].y.ticks(c.panels[0].y)
	if len(ticks) != timelineRows || ticks[0].Label != "198.18.46.0/24" || !strings.Contains(strings.Join(c.facts, " · "), "40 of 100 blocks with events") {
		t.Errorf("%d rows from %s, %v", len(ticks), ticks[0].Label, c.facts)
	}
}

func TestHours(t *testing.T) {
	n := small.collected(t, CollectionConfig{}).Networks[0]
	n.Daily = []schema.BlockDailyRow{{Days: 14, Amplitude: schema.Some(3_400_000), LatencyClass: schema.DailySevere, LatencyHour: schema.OptFloat{F: 20.5, Set: true}}}
	c := hoursChart(n, time.UTC)
	if len(c.panels) != 2 {
		t.Fatalf("%d panels", len(c.panels))
	}
	band := layerOf(t, &c.panels[1], "middle half").runs
	upper := func(hour int) float64 { return band[hour][2].Y }
	if len(band) != 24 || upper(20) < 3*upper(8) {
		t.Errorf("%d hours, the upper quartile at 20:00 is %v, at 08:00 %v", len(band), upper(20), upper(8))
	}
	if line := layerOf(t, &c.panels[0], "median").runs; len(line) != 1 || len(line[0]) != 48 {
		t.Errorf("median in %d pieces", len(line))
	}
	if !slices.Contains(c.facts, "daily swing of 14 days: 3.4 ms (severe), highest at 20:30") {
		t.Errorf("%v", c.facts)
	}
	n.Window = "1d"
	if hoursChart(n, time.UTC) != nil {
		t.Error("windows of a day have no hours")
	}
}

func TestChurn(t *testing.T) {
	n := small.collected(t, CollectionConfig{}).Networks[0]
	c := churnChart(n)
	var want int64
	for _, b := range n.Blocks {
		want += b.Churn[3].Joined
	}
	if y := layerOf(t, &c.panels[1], "joined").runs[0][6].Y; y != float64(want) {
		t.Errorf("%v joined on the fourth day, want %d", y, want)
	}
	moved := layerOf(t, &c.panels[1], "renumbered at once").xys
	if len(moved) != 5 || moved[0].X != 27*3600 || moved[0].Y != 77 {
		t.Errorf("renumberings: %v", moved)
	}
	n.Churn = []schema.BlockChurnRow{{Time: begun, Addresses: 9, Class: schema.ChurnDHCP, SessionP50: schema.Some(90 * 60e9), Period: schema.Some(24 * 3600e9)}}
	if facts := strings.Join(churnChart(n).facts, " · "); !strings.HasSuffix(facts, "dhcp · median session of the last day 1 h 30 min · every 1 d") {
		t.Errorf("%s", facts)
	}
	if churnChart(&Network{}) != nil {
		t.Error("churn of nothing")
	}
}

func TestLasting(t *testing.T) {
	for ns, want := range map[int64]string{0: "0 s", 5e9: "5 s", 60e9: "1 min", 61e9: "1 min 1 s", 5400e9: "1 h 30 min", 3605e9: "1 h", 36 * 3600e9: "1 d 12 h"} {
		if got := lasting(ns); got != want {
			t.Errorf("%d: %q, want %q", ns, got, want)
		}
	}
}
