package bfdwatch_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// compareFRR holds the ends of sessions against what FRR says of itself: it is up, and was down so often.
func (c *goldenCase) compareFRR(d *differences, r *replay) {
	for _, end := range c.FRR {
		sums := c.directions(r)
		for _, key := range inOrder(sums) {
			sum := sums[key]
			if sum.last.Discriminator != int64(end.Discriminator) {
				continue
			}
			equal(d, key.src+" state by FRR", strings.ToLower(sum.last.State), end.Status)
			equal(d, key.src+" detect multiplier by FRR", sum.last.DetectMult, end.DetectMult)
			equal(d, key.src+" flaps by FRR", sum.flaps, end.Downs)
		}
	}
}

// frrTolerance is how far the mean of FRR's last eight RTTs, which it takes in user space, may be from ours.
const frrTolerance = 100_000 // ns

// frrStumbles are the samples in which one of FRR's own eight RTTs is so far from what was on the wire that it
// bends their mean, by the greatest of the eight: FRR stamps a return when its process runs, not when it comes.
var frrStumbles = map[string]int64{
	"s04_echo_both": 876_000, // on the wire no RTT of that time is above 61 µs
}

// compareFRRMeans holds the means of eight RTTs against FRR's, for the samples taken while the capture ran. Which
// eight they were is known to the time of asking: those at its beginning or at its end.
func (c *goldenCase) compareFRRMeans(d *differences, r *replay) {
	scenario, _, _ := strings.Cut(c.name, ".")
	for i, sample := range c.FRRRTT {
		if sample.To > r.last || frrStumbles[scenario] == sample.Max {
			continue
		}
		was, is := c.lastEight(r, sample.InitiatorMAC, sample.From), c.lastEight(r, sample.InitiatorMAC, sample.To)
		if math.Abs(was-float64(sample.Mean)) > frrTolerance && math.Abs(is-float64(sample.Mean)) > frrTolerance {
			d.addf("FRR's sample %d: its mean is %d, ours %.0f at its beginning, %.0f at its end", i, sample.Mean, was, is)
		}
	}
}

// lastEight is the mean of the last eight RTTs of an initiator at a time.
func (c *goldenCase) lastEight(r *replay, initiator string, at int64) float64 {
	var rtts []int64
	for _, row := range r.rtts {
		if row.InitiatorMAC == initiator && row.RTT.Set && row.Time+row.RTT.N <= at {
			rtts = append(rtts, row.RTT.N)
		}
	}
	return mean(rtts[max(len(rtts)-8, 0):])
}

func ofKind(events []*schema.BFDEventRow, kind string) []*schema.BFDEventRow {
	return slices.DeleteFunc(slices.Clone(events), func(e *schema.BFDEventRow) bool { return e.Event != kind })
}

func findCase(t *testing.T, name string) *goldenCase {
	t.Helper()
	return readCase(t, "testdata/"+name)
}

// Router a's daemon is stopped for 60, 80, 90 and 250 ms; T is 50 ms, the detection time 150 ms.
func TestGoldenNearMisses(t *testing.T) {
	for _, tap := range []string{"a", "mid", "b"} {
		c := findCase(t, "s23_nearmiss."+tap)
		for _, limit := range []struct {
			nearMiss float64
			stops    []int // that give one
		}{
			{1.4, []int{0, 1, 2}},
			{1.5, []int{1, 2}}, // the first gap is 71.8 ms: 60 ms and the rest of an interval, 1.44 T
		} {
			t.Run(fmt.Sprintf("%s above %g T", tap, limit.nearMiss), func(t *testing.T) {
				r := c.run(t, goldenPeriod, func(config *bfdwatch.Config) { config.NearMiss = limit.nearMiss }, nil)
				var d differences
				c.compareStops(&d, r, limit.stops)
				d.report(t)
			})
		}
	}
}

// compareStops wants a near miss of router a in each of the stops that are given, and a flap in the last of all.
func (c *goldenCase) compareStops(d *differences, r *replay, stops []int) {
	misses := ofKind(r.events, schema.BFDEventNearMiss)
	equal(d, "near misses", len(misses), len(stops))
	for i := range min(len(misses), len(stops)) {
		e, stop := misses[i], c.Events[2*stops[i]:]
		equal(d, "near miss of", e.Local, "10.0.1.1")
		within(d, "end of the near miss", e.Time, stop[1].At, 10e6)
		stopped := stop[1].At - stop[0].At // by the clock of who sent the signals, before and after
		between(d, "gap of the near miss", e.Gap.N, stopped-5e6, stopped+50e6)
	}
	a, b := direction{src: "10.0.1.1", dst: "10.0.1.2", port: bfdwire.PortControl}, direction{src: "10.0.1.2", dst: "10.0.1.1", port: bfdwire.PortControl}
	sums := c.directions(r)
	if sums[a] == nil || sums[b] == nil {
		d.addf("no session")
		return
	}
	equal(d, "near misses of a", sums[a].nearMisses, int64(len(stops)))
	equal(d, "near misses of b", sums[b].nearMisses, 0)
	last := c.Events[len(c.Events)-2:]
	flaps := ofKind(r.events, schema.BFDEventFlap)
	if len(flaps) == 0 {
		d.addf("no flap")
		return
	}
	equal(d, "the first flap is told by", flaps[0].Local, "10.0.1.2")
	equal(d, "its diagnostic", flaps[0].DiagnosticCode.N, int64(bfdwire.DiagDetectionTime))
	between(d, "its time", flaps[0].Time, last[0].At, last[1].At)
	within(d, "its detection time", flaps[0].DetectionMeasured.N, 150e6, 1e6)
}

// The link fails silently, then with its carrier: two outages, each told by both ends.
func TestGoldenOutages(t *testing.T) {
	for _, tap := range []string{"a", "mid", "b"} {
		t.Run(tap, func(t *testing.T) {
			c := findCase(t, "s11_link_down_up."+tap)
			r := c.run(t, goldenPeriod, nil, nil)
			var d differences
			c.compareOutages(&d, r)
			d.report(t)
		})
	}
}

// compareOutages wants what the link's failures did: each flap follows a failure, for a cause that an end has told,
// and the session is Up again a little over a second after the link is.
func (c *goldenCase) compareOutages(d *differences, r *replay) {
	flaps, ups := ofKind(r.events, schema.BFDEventFlap), ofKind(r.events, schema.BFDEventUp)
	for i := 0; i+1 < len(c.Events); i += 2 {
		fails, heals := c.Events[i], c.Events[i+1]
		const slow = 2e9 // a session that is Down sends once a second
		n := 0
		for _, e := range flaps {
			if e.Time > fails.At && e.Time < heals.At+slow {
				n++
				equal(d, fails.What+" cause told by "+e.Local, e.DiagnosticCode.N, int64(bfdwire.DiagDetectionTime))
			}
		}
		if n == 0 || n > 2 {
			d.addf("%s: %d flaps", fails.What, n)
		}
		n = 0
		for _, e := range ups {
			if e.Time > heals.At && e.Time < heals.At+slow {
				n++
				between(d, fails.What+" outage", e.Outage.N, heals.At-fails.At-300e6, heals.At-fails.At+slow)
			}
		}
		if n == 0 || n > 2 {
			d.addf("%s: %d times up again", heals.What, n)
		}
	}
	sums := c.directions(r)
	for _, key := range inOrder(sums) {
		equal(d, key.src+" flaps", sums[key].flaps, 2)
		equal(d, key.src+" near misses", sums[key].nearMisses, 0)
	}
}
