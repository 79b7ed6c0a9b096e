package rollup

import (
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// sample is one raw point on its way in.
type sample struct {
	s *schema.RTTSeries
	p schema.SweepRow
}

// world is a set of points with their manifests.
type world struct {
	samples   []sample
	manifests []*schema.SweepStatsRow
}

// makeWorld gives two probers with a few networks, blocks, sizes and labels, whose points miss here and there, and one
// other measurement.
func makeWorld(rng *rand.Rand, span, interval time.Duration) *world {
	w := &world{}
	site := []schema.Tag{{Key: "site", Value: "x"}}
	for _, host := range []string{"a", "b"} {
		var all []*schema.RTTSeries
		for n := range 12 {
			s := &schema.RTTSeries{HasCounts: true, Series: schema.Series{
				Host: host, Instance: "i", Network: fmt.Sprint("10.", n%2, ".0.0/16"), Block: fmt.Sprint("10.", n%2, ".", n%3, ".0/24"),
				Target: fmt.Sprint("10.", n%2, ".", n%3, ".", n), Size: []string{"", "1400"}[n/6],
			}}
			if n%4 == 0 {
				s.Labels = site
			}
			if n == 11 { // a second name of one target
				*s = *all[10]
				s.Name = "other"
			}
			all = append(all, s)
		}
		for t := time.Duration(0); t < span; t += interval {
			promised := int64(len(all))
			for i, s := range all {
				if rng.IntN(50) == 0 && (host == "b" || i == 0) {
					continue // "b" loses rows, and "a" here and there one
				}
				w.samples = append(w.samples, sample{s, randomPoint(rng, int64(t))})
			}
			if host == "a" || rng.IntN(9) > 0 {
				trust := []string{schema.TrustOK, schema.TrustOK, "", "capture_drops"}[rng.IntN(4)]
				w.manifests = append(w.manifests, &schema.SweepStatsRow{Host: host, Instance: "i", Time: int64(t), Points: promised, Trust: trust})
			}
		}
	}
	http := &schema.RTTSeries{Of: "http_response", Series: schema.Series{Target: "http://x", Labels: []schema.Tag{{Key: "server", Value: "http://x"}}}}
	for t := time.Duration(0); t < span; t += interval {
		w.samples = append(w.samples, sample{http, schema.SweepRow{Time: int64(t) + rng.Int64N(int64(interval)), RTT: schema.Some(rng.Int64N(20e9))}})
	}
	return w
}

func randomPoint(rng *rand.Rand, t int64) schema.SweepRow {
	p := schema.SweepRow{Time: t, Sent: 3, Received: int64(rng.IntN(4))}
	if rng.IntN(20) == 0 {
		p.Late, p.Duplicates, p.Corrupt = 3-p.Received, int64(rng.IntN(3)), int64(rng.IntN(2))
	}
	if p.Received > 0 {
		p.RTT = schema.Some(200_000 + int64(rng.ExpFloat64()*40_000) - 1000*int64(rng.IntN(2)))
		p.TTL = schema.Some(int64(60 + rng.IntN(4)))
	}
	if p.Received > 1 {
		p.RTTMin, p.RTTMax = schema.Some(p.RTT.N-rng.Int64N(5000)), schema.Some(p.RTT.N+rng.Int64N(1e6))
	}
	return p
}

// windows lists the windows of w with points, with what the manifests say of them minute by minute.
func (w *world) windows(lengths []time.Duration) []Window {
	rows := map[Window]int64{}
	promised := map[Window]int64{}
	for _, x := range w.samples {
		o := ownerOf(x.s.Of, &x.s.Series)
		rows[Window{Of: o.of, Host: o.host, Instance: o.instance, Start: x.p.Time / int64(lengths[0]) * int64(lengths[0])}]++
	}
	for _, m := range w.manifests {
		promised[Window{Host: m.Host, Instance: m.Instance, Start: m.Time / int64(lengths[0]) * int64(lengths[0])}] += m.Points
	}
	found := map[Window]*Window{}
	for k, n := range rows {
		for _, l := range lengths {
			x := k
			x.Start, x.Length = k.Start/int64(l)*int64(l), l
			if found[x] == nil {
				found[x] = &Window{Of: x.Of, Host: x.Host, Instance: x.Instance, Start: x.Start, Length: l, Complete: true}
			}
			found[x].Complete = found[x].Complete && n == promised[k]
			found[x].Missing += max(0, promised[k]-n)
		}
	}
	var all []Window
	for _, x := range found {
		all = append(all, *x)
	}
	slices.SortFunc(all, func(a, b Window) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Host, b.Host)) })
	return all
}

// doubted lists the sweeps whose manifests say that they are not to be trusted, the newest first.
func (w *world) doubted() (all []Sweep) {
	for _, m := range slices.Backward(w.manifests) {
		if m.Trust == "capture_drops" {
			all = append(all, Sweep{m.Host, m.Instance, m.Time})
		}
	}
	return all
}

// refRows computes the rows of w the long way round: group, sort, big integers.
func refRows(cfg Config, w *world, windows []Window) []schema.Row {
	var rows []schema.Row
	doubted := map[Sweep]bool{}
	for _, s := range w.doubted() {
		doubted[s] = true
	}
	for i := range windows {
		win := &windows[i]
		groups := map[string][]sample{}
		for _, x := range w.samples {
			if ownerOf(x.s.Of, &x.s.Series) != (owner{win.Of, win.Host, win.Instance}) || x.p.Time < win.Start || x.p.Time >= win.end() {
				continue
			}
			if x.s.Of != "" {
				groups["r"+x.s.Series.Key()] = append(groups["r"+x.s.Series.Key()], x)
				continue
			}
			one := shared(&x.s.Series)
			groups["b"+one.Key()] = append(groups["b"+one.Key()], x)
			one.Block = ""
			groups["n"+one.Key()] = append(groups["n"+one.Key()], x)
			if win.Length >= cfg.PerTarget {
				groups["t"+x.s.Series.Key()] = append(groups["t"+x.s.Series.Key()], x)
			}
		}
		for kind, g := range groups {
			rows = append(rows, refRow(cfg, kind[0], g, doubted, win))
		}
	}
	return rows
}

func refRow(cfg Config, kind byte, g []sample, doubted map[Sweep]bool, w *Window) schema.Row {
	slices.SortFunc(g, func(a, b sample) int { return cmp.Compare(a.p.Time, b.p.Time) })
	var rtts []int64
	blocks, targets, answered, sweeps := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[int64]bool{}
	var c schema.Counts
	var ttls schema.Opt
	ttlMax := schema.Opt{}
	sum := new(big.Int)
	for _, x := range g {
		blocks[x.s.Block], targets[x.s.Target], sweeps[x.p.Time] = true, true, true
		if x.p.Received > 0 {
			answered[x.s.Target] = true
		}
		c.Sent, c.Received, c.Late = c.Sent+x.p.Sent, c.Received+x.p.Received, c.Late+x.p.Late
		if doubted[Sweep{x.s.Host, x.s.Instance, x.p.Time}] {
			c.Doubted += x.p.Sent - x.p.Received - x.p.Late
		} else {
			c.Lost += x.p.Sent - x.p.Received - x.p.Late
		}
		c.Duplicates, c.Corrupt = c.Duplicates+x.p.Duplicates, c.Corrupt+x.p.Corrupt
		if x.p.TTL.Set {
			if !ttls.Set {
				ttls, ttlMax = x.p.TTL, x.p.TTL
			}
			ttls.N, ttlMax.N = min(ttls.N, x.p.TTL.N), max(ttlMax.N, x.p.TTL.N)
		}
		if !x.p.RTT.Set {
			continue
		}
		rtts = append(rtts, x.p.RTT.N)
		sum.Add(sum, big.NewInt(x.p.RTT.N))
		for _, v := range []schema.Opt{x.p.RTT, x.p.RTTMin, x.p.RTTMax} {
			if !v.Set {
				continue
			}
			if !c.RTTMin.Set {
				c.RTTMin, c.RTTMax = v, v
			}
			c.RTTMin.N, c.RTTMax.N = min(c.RTTMin.N, v.N), max(c.RTTMax.N, v.N)
		}
	}
	c.Sweeps = int64(len(sweeps))
	if c.Sent > c.Doubted {
		c.PercentLost = 100 * float64(c.Lost) / float64(c.Sent-c.Doubted)
	}
	if len(rtts) > 0 {
		n := big.NewInt(int64(len(rtts)))
		squares := new(big.Int)
		for _, v := range rtts {
			d := new(big.Int).Mul(n, big.NewInt(v)) // n (v - mean)
			d.Sub(d, sum)
			squares.Add(squares, d.Mul(d, d))
		}
		cube := new(big.Int).Exp(n, big.NewInt(3), nil)
		c.RTTMean = schema.Some(new(big.Int).Div(sum, n).Int64()) // Euclidean: down
		c.RTTStddev = schema.Some(new(big.Int).Sqrt(squares.Div(squares, cube)).Int64())
	}
	s := g[0].s
	f := filtered(outlier.Window(cfg.Filter, rtts, nil))
	q := exactQuantiles(rtts)
	name := Name(w.Length)
	switch kind {
	case 'n':
		return &schema.NetworkRollupRow{Host: s.Host, Instance: s.Instance, Network: s.Network, Size: s.Size, Labels: s.Labels, Window: name, Time: w.Start,
			Blocks: int64(len(blocks)), Targets: int64(len(targets)), Responding: int64(len(answered)), Points: int64(len(g)),
			Counts: c, RTTQuantiles: q, Complete: w.Complete, Missing: w.Missing}
	case 'b':
		return &schema.BlockRollupRow{Host: s.Host, Instance: s.Instance, Network: s.Network, Block: s.Block, Size: s.Size, Labels: s.Labels, Window: name, Time: w.Start,
			Targets: int64(len(targets)), Responding: int64(len(answered)), Points: int64(len(g)),
			Counts: c, RTTQuantiles: q, Complete: w.Complete, Missing: w.Missing}
	case 'r':
		return &schema.RTTRollupRow{Of: s.Of, Tags: s.Labels, Window: name, Time: w.Start, Points: int64(len(g)),
			RTTMin: c.RTTMin, RTTMean: c.RTTMean, RTTMax: c.RTTMax, RTTStddev: c.RTTStddev, RTTQuantiles: q, Filtered: f}
	}
	return &schema.SweepRollupRow{Series: s.Series, Window: name, Time: w.Start, Counts: c, RTTQuantiles: q, Filtered: f,
		TTLMin: ttls, TTLMax: ttlMax, Complete: w.Complete, Missing: w.Missing}
}

func exactQuantiles(rtts []int64) (q schema.RTTQuantiles) {
	sorted := slices.Sorted(slices.Values(rtts))
	if n := len(sorted); n > 0 {
		at := func(percent int) schema.Opt { return schema.Some(sorted[(n*percent+99)/100-1]) }
		q = schema.RTTQuantiles{P50: at(50), P90: at(90), P99: at(99)}
	}
	return q
}

// compareWithReference wants every row as the reference has it, quantiles of more than 512 values within 1 %.
func compareWithReference(t *testing.T, got, want []schema.Row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	key := func(r schema.Row) string {
		var p schema.Point
		schema.Fill(&p, r)
		return fmt.Sprint(p.Measurement, p.Tags, p.Time)
	}
	byKey := map[string]schema.Row{}
	for _, r := range want {
		byKey[key(r)] = r
	}
	wrong := 0
	for _, r := range got {
		w := byKey[key(r)]
		if w == nil {
			t.Fatalf("%s is not asked for, or comes twice", key(r))
		}
		delete(byKey, key(r))
		leveled(r, w)
		if !reflect.DeepEqual(r, w) {
			if wrong++; wrong < 4 {
				t.Errorf("%s\n got %+v\nwant %+v", key(r), r, w)
			}
		}
	}
}

// leveled copies quantiles that are near enough from want to got.
func leveled(got, want schema.Row) {
	g := reflect.ValueOf(got).Elem().FieldByName("RTTQuantiles").Addr().Interface().(*schema.RTTQuantiles)
	w := reflect.ValueOf(want).Elem().FieldByName("RTTQuantiles").Interface().(schema.RTTQuantiles)
	if points := reflect.ValueOf(got).Elem().FieldByName("Points"); points.IsValid() && points.Int() <= exactValues {
		return
	}
	for _, q := range []struct {
		got  *schema.Opt
		want schema.Opt
	}{{&g.P50, w.P50}, {&g.P90, w.P90}, {&g.P99, w.P99}} {
		if d := q.got.N - q.want.N; q.got.Set == q.want.Set && max(d, -d) <= max(q.want.N, -q.want.N)/100+1 {
			*q.got = q.want
		}
	}
}
