package rollup

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

const day = 24 * time.Hour

var testConfig = Config{Lengths: []time.Duration{time.Minute, 10 * time.Minute, time.Hour, day}, PerTarget: time.Hour}

// byBlock rolls w up block by block, the series of a block and their points in random order.
func byBlock(cfg Config, w *world, windows []Window, rng *rand.Rand) []schema.Row {
	blocks := map[string]map[*schema.RTTSeries][]sample{}
	for _, x := range w.samples {
		if blocks[x.s.Block] == nil {
			blocks[x.s.Block] = map[*schema.RTTSeries][]sample{}
		}
		blocks[x.s.Block][x.s] = append(blocks[x.s.Block][x.s], x)
	}
	b, networks := NewBlock(cfg, windows, w.doubted()), NewNetworks(windows)
	var rows []schema.Row
	for _, all := range blocks { // maps are in random order
		b.Reset()
		for s, points := range all {
			rng.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
			for i := range points {
				b.Add(s, &points[i].p)
			}
		}
		rows = append(rows, b.Rows()...)
		b.Networks(networks)
	}
	return append(rows, networks.Rows()...)
}

// streamed rolls w up as a stream whose points and manifests come in up to lateness behind others, some of them twice,
// closing at any time.
func streamed(t *testing.T, cfg StreamConfig, w *world, rng *rand.Rand) []schema.Row {
	type event struct {
		at  int64
		add func(*Stream)
	}
	var events []event
	put := func(at int64, add func(*Stream)) {
		for range 1 + rng.IntN(10)/9 {
			events = append(events, event{at + rng.Int64N(int64(cfg.Lateness)), add})
		}
	}
	for _, x := range w.samples {
		if x.p.Late > 0 && rng.IntN(2) == 0 {
			late := x.p
			x.p.Late = 0
			put(x.p.Time, func(s *Stream) { s.Late(x.s, &late) })
		}
		put(x.p.Time, func(s *Stream) { s.Add(x.s, &x.p) })
	}
	for _, m := range w.manifests {
		put(m.Time, func(s *Stream) { s.Manifest(m) })
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	s := NewStream(cfg)
	var rows []schema.Row
	emit := func(r schema.Row) error { rows = append(rows, r); return nil }
	for _, e := range events {
		e.add(s)
		if rng.IntN(100) == 0 {
			if err := s.Close(emit); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Finish(emit); err != nil {
		t.Fatal(err)
	}
	if s.TooLate() > 0 {
		t.Errorf("%d points were too late", s.TooLate())
	}
	return rows
}

func lines(t *testing.T, rows []schema.Row) string {
	t.Helper()
	var all []byte
	for _, r := range rows {
		var err error
		if all, err = schema.AppendLine(all, r); err != nil {
			t.Fatal(err)
		}
	}
	return string(all)
}

// TestDriversEqualTheLongWayRound holds both drivers, in random orders of arrival, against big integers and sorting.
func TestDriversEqualTheLongWayRound(t *testing.T) {
	for name, c := range map[string]struct {
		cfg            Config
		span, interval time.Duration
	}{
		"two hours of minutes":     {testConfig, 2*time.Hour + 20*time.Minute, time.Minute},
		"twenty minutes of 10 s":   {testConfig, 20 * time.Minute, 10 * time.Second},
		"a day of half hours":      {testConfig, 26 * time.Hour, 30 * time.Minute},
		"rows for targets always":  {Config{Lengths: []time.Duration{time.Minute, 5 * time.Minute}}, 12 * time.Minute, 7 * time.Second},
		"rows for targets never":   {Config{Lengths: []time.Duration{10 * time.Second, time.Minute}, PerTarget: day}, 5 * time.Minute, time.Second},
		"one length of three days": {Config{Lengths: []time.Duration{3 * day}}, 7 * day, 6 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(c.span)))
			w := makeWorld(rng, c.span, c.interval)
			windows := w.windows(c.cfg.Lengths)
			want := refRows(c.cfg, w, windows)
			first := ""
			for range 2 {
				compareWithReference(t, byBlock(c.cfg, w, windows, rng), want)
				rows := streamed(t, StreamConfig{c.cfg, 3*c.interval + time.Second}, w, rng)
				got := lines(t, rows)
				if first == "" {
					first = got
				}
				if got != first {
					t.Error("another order of arrival gives other rows, or another order of rows")
				}
				compareWithReference(t, rows, want)
			}
		})
	}
}

// TestManyRTTs compares both drivers where a target's day has more RTTs than the filter gets, and its hour has not.
func TestManyRTTs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	w := &world{}
	s := &schema.RTTSeries{Series: schema.Series{Host: "a", Instance: "i", Network: "n", Block: "192.0.2.0/24", Target: "t"}}
	for i := range int64(40000) {
		rtt := 200_000 + int64(rng.NormFloat64()*5000)
		if i%1000 == 7 {
			rtt += 1 << 33
		}
		w.samples = append(w.samples, sample{s, schema.SweepRow{Time: 2e9 * i, Sent: 1, Received: 1, RTT: schema.Some(rtt)}})
	}
	for i, lengths := range [][]time.Duration{{time.Minute, time.Hour, day}, {time.Hour, 12 * time.Hour, day}, {day}, {time.Hour, day}, {day}} {
		most := []int{0, DefaultRTTs, 0, 1000, 777}[i]
		cfg := Config{Lengths: lengths, FilterRTTs: most}
		windows := w.windows(lengths)
		var block, stream []schema.Row
		block = byBlock(cfg, w, windows, rng)
		stream = streamed(t, StreamConfig{cfg, time.Minute}, w, rng)
		slices.SortFunc(block, byLine(t))
		slices.SortFunc(stream, byLine(t))
		if lines(t, block) != lines(t, stream) {
			t.Errorf("%v: stream and block differ", lengths)
		}
		var long *schema.SweepRollupRow
		for _, r := range stream {
			if r, ok := r.(*schema.SweepRollupRow); ok && r.Window == "1d" {
				long = r
			}
		}
		if seen := []int64{10000, 10000, 10000, 625, 625}[i]; long.N != seen || long.Sweeps != 40000 {
			t.Errorf("%v: the filter saw %d of %d", lengths, long.N, long.Sweeps)
		}
	}
}

func byLine(t *testing.T) func(a, b schema.Row) int {
	return func(a, b schema.Row) int {
		return cmp.Compare(lines(t, []schema.Row{a}), lines(t, []schema.Row{b}))
	}
}
