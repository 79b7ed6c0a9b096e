package block

import (
	"bytes"
	"encoding/gob"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// BenchmarkDailyObserve takes in sweeps of a /24, all of whose addresses answer.
func BenchmarkDailyObserve(b *testing.B) {
	l := fullLook(rand.New(rand.NewPCG(1, 1)))
	var d daily
	for b.Loop() {
		l.Time += int64(5 * time.Minute)
		d.observe(&testDaily, l, Up)
	}
	b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "points/s")
}

func fullLook(rng *rand.Rand) *Look {
	l := &Look{Time: time.Date(2024, 5, 1, 0, 0, 0, 0, berlin).UnixNano(), RTT: make([]int64, 256)}
	for place := range l.RTT {
		l.Probed.Add(place)
		l.Answered.Add(place)
		l.RTT[place] = 1e6 + rng.Int64N(1e8)
	}
	return l
}

// slash16 is two weeks of 65,536 targets, of which the blocks that busy names have a severe evening.
func slash16(busy func(block int) bool) []*daily {
	blocks := make([]*daily, 256)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range blocks {
		blocks[i] = &daily{}
		l, usual := fullLook(rng), fullLook(rng).RTT
		for range 14 * halvesADay {
			excess := 0.
			if busy(i) {
				excess = 8e6 * bump(clockHour(time.Unix(0, l.Time).In(berlin)), 20, 4)
			}
			for place := range l.RTT {
				l.RTT[place] = usual[place] + int64(excess) + int64(rng.Uint32()>>12)
			}
			blocks[i].observe(&testDaily, l, Up)
			l.Time += int64(halfHours)
		}
	}
	return blocks
}

// BenchmarkDailyEnd ends a day of a /16: 256 blocks, each of their targets, and all together.
func BenchmarkDailyEnd(b *testing.B) {
	b.Run("a fifth is busy", func(b *testing.B) { benchmarkDailyEnd(b, func(block int) bool { return block%5 == 0 }) })
	b.Run("all are busy", func(b *testing.B) { benchmarkDailyEnd(b, func(int) bool { return true }) })
}

func benchmarkDailyEnd(b *testing.B, busy func(block int) bool) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	blocks := slash16(busy)
	runtime.GC()
	runtime.ReadMemStats(&m)
	held := float64(m.HeapAlloc-before) / 1e6
	start := time.Date(2024, 5, 14, 0, 0, 0, 0, berlin).UnixNano()
	var took [3]time.Duration
	shared := make([][]float64, len(blocks))
	for b.Loop() {
		at := time.Now()
		for i, d := range blocks {
			shared[i] = d.day(&testDaily, start).excess
		}
		took[0] += time.Since(at)
		at = time.Now()
		for i, d := range blocks {
			d.targets(&testDaily, start, shared[i])
		}
		took[1] += time.Since(at)
		at = time.Now()
		sumDaily(&testDaily, start, blocks)
		took[2] += time.Since(at)
	}
	for i, what := range []string{"s-blocks", "s-targets", "s-together"} {
		b.ReportMetric(took[i].Seconds()/float64(b.N), what)
	}
	b.ReportMetric(held, "MB")
}

// BenchmarkDailySave encodes the state of a /16.
func BenchmarkDailySave(b *testing.B) {
	blocks := slash16(func(int) bool { return true })
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := gob.NewEncoder(&out).Encode(blocks); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len())/1e6, "MB")
}
