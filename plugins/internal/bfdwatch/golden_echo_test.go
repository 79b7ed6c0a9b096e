package bfdwatch_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"echogram/plugins/schema"
)

// stream names a stream of echoes by what both rows and truth know of it.
type stream struct {
	tap, vlan, initiator, reflector, layout string
	discriminator                           int64
}

// echoSum is a stream over all periods.
type echoSum struct {
	local                                string
	sent, returned, unanswered, inFlight int64
	duplicates, unmatched, ambiguous     int64
	reordered, mirrored                  int64
	intervals                            intervalSum
	role                                 string
	rows                                 []*schema.BFDEchoRow
	rtt, interval                        []int64 // of the rows of single echoes, by send time
	unansweredRows                       int64
}

func (c *goldenCase) stream(s *schema.BFDEchoSeries, discriminator schema.Opt) stream {
	key := stream{c.tap(s.Tap), s.VLAN, s.InitiatorMAC, s.ReflectorMAC, s.Layout, discriminator.N}
	if !slices.ContainsFunc(c.Echo, func(e echoTruth) bool { return e.ReflectorMAC != "" }) {
		key.reflector = "" // a cooked header tells the sender's only
	}
	return key
}

// streams adds up the echo rows of r.
func (c *goldenCase) streams(r *replay) map[stream]*echoSum {
	sums := map[stream]*echoSum{}
	at := func(key stream) *echoSum {
		if sums[key] == nil {
			sums[key] = &echoSum{}
		}
		return sums[key]
	}
	for _, row := range r.echoes {
		at(c.stream(&row.BFDEchoSeries, row.Discriminator)).add(row)
	}
	for _, row := range r.rtts {
		sum := at(c.stream(&row.BFDEchoSeries, row.Discriminator))
		if row.RTT.Set {
			sum.rtt = append(sum.rtt, row.RTT.N)
		} else {
			sum.unansweredRows++
		}
		if row.Interval.Set {
			sum.interval = append(sum.interval, row.Interval.N)
		}
	}
	return sums
}

func (s *echoSum) add(row *schema.BFDEchoRow) {
	s.local, s.role = row.Local, row.TapRole
	s.sent += row.Sent
	s.returned += row.Returned
	s.unanswered += row.Unanswered
	s.inFlight += row.InFlight
	s.duplicates += row.Duplicates
	s.unmatched += row.Unmatched
	s.ambiguous += row.Ambiguous
	s.reordered += row.Reordered
	s.mirrored += row.Mirrored
	s.intervals.add(&row.Intervals)
	s.rows = append(s.rows, row)
}

// compareEchoes holds streams and the RTT of each echo against the truth.
func (c *goldenCase) compareEchoes(d *differences, r *replay) {
	sums := c.streams(r)
	for i := range c.Echo {
		want := &c.Echo[i]
		key := c.streamOf(want)
		got := sums[key]
		delete(sums, key)
		name := fmt.Sprintf("echoes of %s (%s, %s, sport %d)", want.Src, want.InitiatorMAC, want.Layout, want.SPort)
		if got == nil {
			d.addf("%s: no such stream", name)
			continue
		}
		if got.local != want.Src && got.local != want.Dst {
			d.addf("%s: local is %s", name, got.local)
		}
		if len(c.Local) > 0 {
			equal(d, name+" initiated here", got.role, map[bool]string{true: "initiator", false: "reflector"}[slices.Contains(c.Local, got.local)])
		}
		equal(d, name+" sent", got.sent, want.Sent)
		equal(d, name+" returned", got.returned, want.Returned)
		equal(d, name+" unanswered", got.unanswered+got.inFlight, want.Unanswered)
		equal(d, name+" rows without an RTT", got.unansweredRows, want.Unanswered)
		equal(d, name+" duplicates, reordered, ambiguous", got.duplicates+got.reordered+got.ambiguous, 0)
		equal(d, name+" returns without a send", got.unmatched, c.unmatched(want))
		compareRTTs(d, name, got, want.RTT)
		compareSendIntervals(d, name, got, want)
		c.compareLink(d, name, got, want)
	}
	for _, key := range inOrder(sums) {
		d.addf("%v: a stream that nobody else saw", key)
	}
}

func (c *goldenCase) streamOf(e *echoTruth) stream {
	return stream{c.tap(e.Tap), e.VLAN, e.InitiatorMAC, e.ReflectorMAC, e.Layout, int64(e.Discriminator)}
}

func (c *goldenCase) unmatched(e *echoTruth) (n int64) {
	for _, u := range c.Unmatched {
		if u.Src == e.Src && u.Dst == e.Dst {
			n += u.Count
		}
	}
	return n
}

// compareRTTs wants each RTT, and the statistics that follow from all of them.
func compareRTTs(d *differences, name string, got *echoSum, want []int64) {
	equal(d, name+" RTTs", len(got.rtt), len(want))
	for i := range min(len(got.rtt), len(want)) {
		equal(d, fmt.Sprintf("%s RTT %d", name, i), got.rtt[i], want[i])
	}
	if len(want) == 0 || len(got.rows) != 1 {
		return
	}
	row, sorted := got.rows[0], slices.Sorted(slices.Values(want))
	least := sorted[0]
	equal(d, name+" least RTT", row.RTTMin.N, least)
	equal(d, name+" greatest RTT", row.RTTMax.N, sorted[len(sorted)-1])
	within(d, name+" mean RTT", row.RTTMean.N, int64(math.Round(mean(want))), 1)
	equal(d, name+" median RTT", row.RTTP50.N, rank(sorted, 0.5))
	equal(d, name+" 95th percentile", row.RTTP95.N, rank(sorted, 0.95))
	equal(d, name+" 99th percentile", row.RTTP99.N, rank(sorted, 0.99))
	equal(d, name+" PDV, 95th percentile", row.PDVP95.N, rank(sorted, 0.95)-least)
	equal(d, name+" greatest PDV", row.PDVMax.N, sorted[len(sorted)-1]-least)
	steps := steps(want)
	equal(d, name+" least IPDV", row.IPDVMin.N, slices.Min(steps))
	equal(d, name+" greatest IPDV", row.IPDVMax.N, slices.Max(steps))
}

func mean(v []int64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x)
	}
	return sum / float64(len(v))
}

// rank is the nearest rank of quantile q in sorted values.
func rank(sorted []int64, q float64) int64 {
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

func steps(v []int64) (steps []int64) {
	for i := 1; i < len(v); i++ {
		steps = append(steps, v[i]-v[i-1])
	}
	return steps
}

// compareSendIntervals wants the times between sends, by echo and by period.
func compareSendIntervals(d *differences, name string, got *echoSum, want *echoTruth) {
	if len(got.interval) == 0 {
		d.addf("%s: no intervals", name)
		return
	}
	w := want.SendInterval
	equal(d, name+" least send interval", slices.Min(got.interval), w.Min)
	equal(d, name+" greatest send interval", slices.Max(got.interval), w.Max)
	within(d, name+" mean send interval", int64(math.Round(mean(got.interval))), w.Mean, 1)
	equal(d, name+" send intervals", got.intervals.count, want.Sent-1)
	equal(d, name+" least send interval of periods", got.intervals.min, w.Min)
	equal(d, name+" greatest send interval of periods", got.intervals.max, w.Max)
}

// compareLink holds a stream against the emulated link. Where the loop spans the link, what it dropped is unanswered
// and the RTT is its delay and little more. Beyond the link, at the reflector, no loss shows, and the RTT is none
// of the link's.
func (c *goldenCase) compareLink(d *differences, name string, got *echoSum, want *echoTruth) {
	for _, link := range c.Link {
		if link.InitiatorMAC != want.InitiatorMAC {
			continue
		}
		equal(d, name+" sent by the link's book", got.sent, link.Sent)
		if link.Residual.Min < 0 {
			equal(d, name+" unanswered beyond the link", got.unanswered, 0)
			equal(d, name+" lost on the way, by gaps", missing(got.interval), link.LostBefore)
			continue
		}
		equal(d, name+" answered by the link's book", got.returned, link.Answered)
		equal(d, name+" unanswered by the link's book", got.unanswered, link.DroppedOutbound+link.DroppedReturn)
		equal(d, name+" returns and unanswered", got.returned+got.unanswered, got.sent)
		sorted := slices.Sorted(slices.Values(got.rtt))
		between(d, name+" least RTT", sorted[0], link.Added.Min+link.Residual.Min, link.Added.Min+link.Residual.Max)
		between(d, name+" median RTT", rank(sorted, 0.5), link.Added.Median+link.Residual.Min, link.Added.Median+link.Residual.Max)
		between(d, name+" greatest RTT", sorted[len(sorted)-1], link.Added.Max+link.Residual.Min, link.Added.Max+link.Residual.Max)
	}
}

// missing is how many echoes, sent every 37.5 to 50 ms, gaps tell of behind a link whose delay varies by 2 ms each way.
func missing(intervals []int64) (n int64) {
	const most = 1.02*50e6 + 2e6
	for _, i := range intervals {
		n += int64(math.Ceil(float64(i)/most)) - 1
	}
	return n
}

func between[T cmp.Ordered](d *differences, what string, got, least, most T) {
	if got < least || got > most {
		d.addf("%s: got %v, want %v to %v", what, got, least, most)
	}
}

// compareEchoCounts holds counts of echoes against tshark's. Sends are those with TTL 255.
func (c *goldenCase) compareEchoCounts(d *differences, r *replay) {
	type way struct {
		vlan, src, dst string // src before dst: the way back may swap them
		sport          uint16
		mac            string // without copies: who sent it
		sent           bool
	}
	name := func(w way) string {
		return fmt.Sprintf("echo packets %s, %s, sport %d, of %s, sent %v", w.src, w.dst, w.sport, w.mac, w.sent)
	}
	sums, got, want := c.streams(r), map[way]int64{}, map[way]int64{}
	copies := slices.ContainsFunc(r.echoes, func(row *schema.BFDEchoRow) bool { return row.Mirrored > 0 })
	add := func(to map[way]int64, w way, n int64) {
		w.src, w.dst = min(w.src, w.dst), max(w.src, w.dst)
		if copies {
			w.mac, w.sent = "", false
		}
		to[w] += n
	}
	for i := range c.Echo {
		e := &c.Echo[i]
		if sum := sums[c.streamOf(e)]; sum != nil {
			add(got, way{e.VLAN, e.Src, e.Dst, e.SPort, e.InitiatorMAC, true}, sum.sent)
			add(got, way{e.VLAN, e.Src, e.Dst, e.SPort, e.ReflectorMAC, false}, sum.returned+sum.duplicates+sum.ambiguous+sum.unmatched)
			if copies {
				add(got, way{e.VLAN, e.Src, e.Dst, e.SPort, "", false}, sum.mirrored)
			}
		}
	}
	for _, n := range c.TShark.Echo {
		add(want, way{n.VLAN, n.Src, n.Dst, n.SPort, n.MAC, n.TTL == 255}, n.Count)
		add(got, way{n.VLAN, n.Src, n.Dst, n.SPort, n.MAC, n.TTL == 255}, 0)
	}
	for _, w := range inOrder(got) {
		equal(d, name(w), got[w], want[w])
	}
}
