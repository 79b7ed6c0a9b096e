package rollup

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// slash16 makes the series of a /16 in the order in which a permuted sweep comes in: block after block within groups.
func slash16() []*schema.RTTSeries {
	var all []*schema.RTTSeries
	for i := range 256 {
		block := fmt.Sprintf("10.0.%d.0/24", i)
		for n := range 256 {
			all = append(all, &schema.RTTSeries{HasCounts: true, Series: schema.Series{
				Host: "h", Instance: "i", Network: "10.0.0.0/16", Block: block, Target: fmt.Sprintf("10.0.%d.%d", i, n)}})
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for from := 0; from < len(all); from += 16 * 256 {
		group := all[from : from+16*256]
		rng.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
	}
	return all
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func discard(schema.Row) error { return nil }

// BenchmarkStream takes in one sweep of a /16 every five minutes for all windows; -benchtime=288x makes it a day.
func BenchmarkStream(b *testing.B) {
	b.Run("in one order", func(b *testing.B) { benchmarkStream(b, func([]*schema.RTTSeries) {}) })
	b.Run("in any order", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(4, 4))
		benchmarkStream(b, func(all []*schema.RTTSeries) {
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		})
	})
}

func benchmarkStream(b *testing.B, reorder func([]*schema.RTTSeries)) {
	all := slash16()
	before := heap()
	s := NewStream(StreamConfig{testConfig, 7 * time.Minute})
	rng := rand.New(rand.NewPCG(2, 3))
	var rtts [4096]int64
	for i := range rtts {
		rtts[i] = 200_000 + int64(rng.ExpFloat64()*40_000)
	}
	sweep := 0
	var adding time.Duration
	for b.Loop() {
		b.StopTimer()
		reorder(all)
		b.StartTimer()
		p := schema.SweepRow{Time: int64(sweep) * int64(5*time.Minute), Sent: 1, Received: 1, TTL: schema.Some(64)}
		began := time.Now()
		for i, series := range all {
			p.RTT = schema.Some(rtts[(i*7+sweep)%len(rtts)])
			s.Add(series, &p)
		}
		adding += time.Since(began)
		if err := s.Close(discard); err != nil {
			b.Fatal(err)
		}
		sweep++
	}
	points := float64(sweep * len(all))
	b.ReportMetric(points/b.Elapsed().Seconds(), "points/s")
	b.ReportMetric(points/adding.Seconds(), "added/s")
	b.ReportMetric(float64(heap()-before)/float64(len(all)), "B/series")
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(s)
}

// BenchmarkBlock rolls up a day of a /24 swept every five minutes, with all windows due, as a database gives it.
func BenchmarkBlock(b *testing.B) {
	all := slash16()
	slices.SortFunc(all, func(x, y *schema.RTTSeries) int { return compareSeries(&x.Series, &y.Series) })
	var windows []Window
	for _, l := range testConfig.Lengths {
		for t := time.Duration(0); t < day; t += l {
			windows = append(windows, Window{Host: "h", Instance: "i", Start: int64(t), Length: l})
		}
	}
	block, networks := NewBlock(testConfig, windows, nil), NewNetworks(windows)
	points := 0
	for b.Loop() {
		block.Reset()
		for i, s := range all[:256] {
			p := schema.SweepRow{Sent: 1, Received: 1}
			for ; p.Time < int64(day); p.Time += int64(5 * time.Minute) {
				p.RTT = schema.Some(200_000 + int64(i%977)*(p.Time%1013))
				block.Add(s, &p)
				points++
			}
		}
		block.Rows()
		block.Networks(networks)
	}
	b.ReportMetric(float64(points)/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkCloseHour closes one hour of 65,536 targets with 12 sweeps each.
func BenchmarkCloseHour(b *testing.B) {
	all := slash16()
	for b.Loop() {
		b.StopTimer()
		s := NewStream(StreamConfig{testConfig, 7 * time.Minute})
		p := schema.SweepRow{Sent: 1, Received: 1}
		for ; p.Time < int64(time.Hour); p.Time += int64(5 * time.Minute) {
			for i, series := range all {
				p.RTT = schema.Some(200_000 + int64(i%977)*int64(p.Time%1013))
				s.Add(series, &p)
			}
		}
		if err := s.Close(discard); err != nil {
			b.Fatal(err)
		}
		s.Manifest(&schema.SweepStatsRow{Host: "h", Instance: "i", Time: 2 * int64(time.Hour)})
		b.StartTimer()
		if err := s.Close(discard); err != nil {
			b.Fatal(err)
		}
	}
}
