package bfdwatch_test

import (
	"fmt"
	"slices"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// hopPorts are the ports behind the tag hop.
var hopPorts = map[string]uint16{"single": 3784, "multi": 4784, "micro": 6784, "sbfd": 7784}

// sessionSum is one direction of a session over all periods.
type sessionSum struct {
	last                      *schema.BFDSessionRow
	control                   int64 // accepted, refused and cut packets
	mirrored, truncated       int64
	polls, finals             int64
	flaps, nearMisses         int64
	intervals                 intervalSum
	maxGap                    int64
	margin                    float64 // the least
	discriminators, auth, ttl []int64
}

// intervalSum adds up the statistics of several periods.
type intervalSum struct {
	count, min, max, late, early int64
	total                        float64 // count × mean
	ratioMin, ratioMax           float64
}

func (s *intervalSum) add(i *schema.Intervals) {
	if i.Count == 0 {
		return
	}
	if s.count == 0 || i.Min.N < s.min {
		s.min = i.Min.N
	}
	if s.count == 0 || i.RatioMin.Set && i.RatioMin.F < s.ratioMin {
		s.ratioMin = i.RatioMin.F
	}
	s.count += i.Count
	s.max = max(s.max, i.Max.N)
	s.ratioMax = max(s.ratioMax, i.RatioMax.F)
	s.total += float64(i.Count) * float64(i.Mean.N)
	s.late += i.Late
	s.early += i.Early
}

func (s *intervalSum) mean() int64 { return int64(s.total / float64(max(s.count, 1))) }

// directions adds up the session rows of r.
func (c *goldenCase) directions(r *replay) map[direction]*sessionSum {
	sums := map[direction]*sessionSum{}
	for _, row := range r.sessions {
		key := direction{c.tap(row.Tap), row.VLAN, row.Local, row.Peer, hopPorts[row.Hop]}
		if sums[key] == nil {
			sums[key] = &sessionSum{margin: 1}
		}
		sums[key].add(row)
	}
	return sums
}

func (s *sessionSum) add(row *schema.BFDSessionRow) {
	s.last = row
	s.control += row.Packets + row.Invalid + row.Truncated
	s.mirrored += row.Mirrored
	s.truncated += row.Truncated
	s.polls += row.Polls
	s.finals += row.Finals
	s.flaps += row.Flaps
	s.nearMisses += row.NearMisses
	s.intervals.add(&row.Intervals)
	s.maxGap = max(s.maxGap, row.MaxGap.N)
	if row.DetectMargin.Set {
		s.margin = min(s.margin, row.DetectMargin.F)
	}
	if row.Packets > 0 {
		note(&s.discriminators, row.Discriminator)
		note(&s.auth, row.AuthType)
		note(&s.ttl, row.TTL)
	}
}

// compareSessions holds sessions, what they said and when, against the truth.
func (c *goldenCase) compareSessions(d *differences, r *replay) {
	sums := c.directions(r)
	for _, want := range c.Sessions {
		key := direction{c.tap(want.Tap), want.VLAN, want.Src, want.Dst, want.Port}
		got := sums[key]
		delete(sums, key)
		if got == nil {
			d.addf("%v: no such session", key)
			continue
		}
		name := fmt.Sprintf("%s > %s", want.Src, want.Dst)
		if said := r.spoken[key]; said == nil {
			d.addf("%s: no packet was traced", name)
		} else {
			equal(d, name+" discriminators", fmt.Sprint(said.discriminators), fmt.Sprint(slices.Sorted(slices.Values(want.Discriminators))))
			equal(d, name+" peer discriminators", fmt.Sprint(said.peerDiscriminators), fmt.Sprint(slices.Sorted(slices.Values(want.PeerDiscriminators))))
			equal(d, name+" authentication", fmt.Sprint(said.auth), fmt.Sprint(want.Auth))
			equal(d, name+" TTL", fmt.Sprint(said.ttl), fmt.Sprint(want.TTL))
		}
		equal(d, name+" discriminators in rows", fmt.Sprint(got.discriminators), fmt.Sprint(want.Discriminators))
		equal(d, name+" authentication in rows", fmt.Sprint(got.auth), fmt.Sprint(want.Auth))
		equal(d, name+" TTL in rows", fmt.Sprint(got.ttl), fmt.Sprint(want.TTL))
		equal(d, name+" polls", got.polls, want.Polls)
		equal(d, name+" finals", got.finals, want.Finals)
		c.compareStates(d, name, r, key, want.States)
		if want.Intervals != nil {
			compareIntervals(d, name, got, c.withLeftOut(want))
			margin := 1 - float64(want.Intervals.MaxGap)/float64(got.last.DetectionTime.N)
			if !c.expired(want) {
				within(d, name+" margin", got.margin, margin, 1e-9)
			} else if got.margin < 0 || got.margin > margin {
				d.addf("%s: a margin of %f, although the peer's detection time expired", name, got.margin)
			}
		}
	}
	for _, key := range inOrder(sums) {
		if sums[key].control > sums[key].truncated {
			d.addf("%v: a session that nobody else saw", key)
		}
	}
}

// expired tells whether the peer says that it waited for s longer than the detection time.
func (c *goldenCase) expired(s sessionTruth) bool {
	return slices.ContainsFunc(c.Sessions, func(peer sessionTruth) bool {
		return peer.Src == s.Dst && peer.Dst == s.Src && peer.Tap == s.Tap && peer.VLAN == s.VLAN &&
			slices.ContainsFunc(peer.States, func(t stateTruth) bool { return t.Diag == int64(bfdwire.DiagDetectionTime) })
	})
}

// compareStates wants an event for each change of state or diagnostic, at its time. Where the truth has the same
// state and diagnostic twice the sender's timers changed, which is no change of state.
func (c *goldenCase) compareStates(d *differences, name string, r *replay, key direction, want []stateTruth) {
	var got []stateTruth
	for _, e := range ofKind(r.events, schema.BFDEventState) {
		if (direction{c.tap(e.Tap), e.VLAN, e.Local, e.Peer, hopPorts[e.Hop]}) == key {
			got = append(got, stateTruth{micros(e.Time - r.first), e.To, e.DiagnosticCode.N})
		}
	}
	want = slices.CompactFunc(slices.Clone(want), func(a, b stateTruth) bool { return a.State == b.State && a.Diag == b.Diag })
	for i := range min(len(got), len(want)) {
		equal(d, fmt.Sprintf("%s state %d", name, i), got[i], want[i])
	}
	equal(d, name+" changes of state", len(got), len(want))
}

// micros rounds ns to µs, as the truth does.
func micros(ns int64) int64 { return (ns + 500) / 1000 }

// leftOut are intervals that the truth leaves out and that have to be counted: the second after a Final, between two
// packets without P or F and of equal contents, T agreed and both ends Up before the first of them (frames 9 and 11).
var leftOut = map[string]int64{ // by case and sender
	"s17_bird_simple.a 10.0.1.2": 157243640,
	"s17_bird_md5.a 10.0.1.2":    171356771,
	"s17_bird_msha1.a 10.0.1.2":  171449621,
}

// withLeftOut are the intervals of s with those that the truth leaves out.
func (c *goldenCase) withLeftOut(s sessionTruth) *intervalTruth {
	all := *s.Intervals
	if extra := leftOut[c.name+" "+s.Src]; extra > 0 {
		all.Mean = (all.Mean*all.Count + extra) / (all.Count + 1)
		all.Count++
	}
	return &all
}

// compareIntervals holds statistics against the truth's, which are rounded to ns and to four decimals.
func compareIntervals(d *differences, name string, got *sessionSum, want *intervalTruth) {
	equal(d, name+" intervals", got.intervals.count, want.Count)
	equal(d, name+" agreed interval", fmt.Sprint([]int64{got.last.Interval.N}), fmt.Sprint(want.Nominal))
	equal(d, name+" interval min", got.intervals.min, want.Min)
	equal(d, name+" interval max", got.intervals.max, want.Max)
	within(d, name+" interval mean", got.intervals.mean(), want.Mean, 2)
	within(d, name+" ratio min", got.intervals.ratioMin, want.RatioMin, 0.000051)
	within(d, name+" ratio max", got.intervals.ratioMax, want.RatioMax, 0.000051)
	within(d, name+" interval max / detection time", float64(got.intervals.max)/float64(got.last.DetectionTime.N), want.GapOfLimit, 0.000051)
	equal(d, name+" max gap", got.maxGap, want.MaxGap)
	if got.intervals.late > want.Above100 || got.intervals.early > want.Below75 {
		d.addf("%s: %d late and %d early, but only %d above T and %d below 0.75 T", name,
			got.intervals.late, got.intervals.early, want.Above100, want.Below75)
	}
}

// compareControl holds counts of control packets against tshark's, by direction. Those that are cut are none of a
// session: the stats have them.
func (c *goldenCase) compareControl(d *differences, r *replay) {
	type way struct {
		vlan, src, dst string
		port           uint16
	}
	got, want := map[way]int64{}, map[way]int64{}
	for key, sum := range c.directions(r) {
		got[way{key.vlan, key.src, key.dst, key.port}] += sum.control + sum.mirrored - sum.truncated
	}
	for _, n := range c.TShark.Control {
		want[way{n.VLAN, n.Src, n.Dst, n.DPort}] += n.Count
		got[way{n.VLAN, n.Src, n.Dst, n.DPort}] += 0
	}
	for _, key := range inOrder(got) {
		equal(d, fmt.Sprintf("%s > %s control packets", key.src, key.dst), got[key], want[key])
	}
}
