package bfdwatch

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// TestSample holds quantiles against the sorted values: exact while there are few, then within 1 %, and never outside
// of what there was.
func TestSample(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for name, draw := range map[string]func() int64{
		"even":     func() int64 { return random.Int64N(1e9) },
		"small":    func() int64 { return random.Int64N(100) },
		"one":      func() int64 { return 1_000_003 },
		"long":     func() int64 { return int64(math.Exp(random.Float64() * 43)) },
		"greatest": func() int64 { return math.MaxInt64 - random.Int64N(5) },
	} {
		var s sample
		for _, n := range []int{1, 2, 99, 100, 512, 513, 5000} {
			s.reset()
			values := make([]int64, n)
			for i := range values {
				values[i] = draw()
				s.add(values[i])
			}
			slices.Sort(values)
			percents := []int64{1, 50, 95, 99, 100}
			for i, q := range s.quantiles(percents...) {
				want := values[max(1, (int(percents[i])*n+99)/100)-1]
				off := math.Abs(float64(q.N)/float64(want) - 1)
				if !q.Set || n <= exactMax && values[n-1] <= math.MaxUint32 && q.N != want || want > 0 && off > 0.01 || q.N < values[0] || q.N > values[n-1] {
					t.Errorf("%s, %d values: p%d is %d, want %d", name, n, percents[i], q.N, want)
				}
			}
		}
	}
	if q := (&sample{}).quantiles(50); q[0].Set {
		t.Errorf("nothing has a median: %v", q)
	}
}

func TestMoments(t *testing.T) {
	var m moments
	for _, v := range []int64{1e15 + 2, 1e15 + 4, 1e15 + 4, 1e15 + 4, 1e15 + 5, 1e15 + 5, 1e15 + 7, 1e15 + 9} {
		m.add(v)
	}
	check(t, "mean", m.mean(), 1e15+5)
	check(t, "spread", m.stddev(), 2)
	check(t, "extremes", m.most-m.least, 7)
}

// TestCounted: each frame is counted once, for what it is.
func TestCounted(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.both(0, a, b, 5, 100*ms)
	w.loop(0, &frr, a, b, 3, 50*ms, always(ms))
	w.control(600*ms, a, b, func(c *bfdwire.Control) { c.Version = 2 })
	w.packets = append(w.packets, w.packets[len(w.packets)-1], w.packets[len(w.packets)-2])
	w.look.dport = 53
	w.control(700*ms, a, b)
	w.look.dport = 0
	quoted := ip(a.addr, b.addr, 64, 0, 1, 60)
	w.frame(700*ms, ethernet(1, 2, 0, append(append(quoted, 3, 3, 0, 0, 0, 0, 0, 0), w.packets[0].Data[14:]...)))
	fragment := slices.Clone(w.packets[0].Data)
	fragment[21] = 9
	w.frame(700*ms, fragment)
	w.control(3*time.Second, a, b)
	w.control(300*ms, a, b) // long gone
	r, watch := listen(t, Config{})
	watch.Dropped(3)
	for i := range w.packets {
		watch.Observe(&w.packets[i])
	}
	watch.Dropped(4)
	watch.Finish()
	want := schema.BFDStatsRow{
		Time: epoch, Packets: 24, Control: 12, Echo: 6, Mirrored: 2, OtherFrames: 1, QuotedInICMP: 1, Fragments: 1, Disordered: 1,
		CaptureDrops: 7, Sessions: 1, EchoStreams: 1, InvalidVersion: 1, Partial: true,
	}
	got := *r.stats[0]
	got.Labels = nil
	if gotLine, wantLine := line(t, &got), line(t, &want); gotLine != wantLine || len(r.stats) != 1 {
		t.Errorf("%d rows\ngot  %swant %s", len(r.stats), gotLine, wantLine)
	}
}

func line(t *testing.T, r schema.Row) string {
	b, err := schema.AppendLine(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMirrored: second copies within the window are removed from all that is counted; the same bytes later are not.
func TestMirrored(t *testing.T) {
	for after, copies := range map[time.Duration]bool{2 * us: true, 20 * us: true, 5 * ms: false} {
		a, b := pair4()
		w := newWire()
		w.session(a, b, 10)
		w.loop(0, &ios, a, b, 10, 50*ms, always(ms))
		for _, p := range slices.Clone(w.packets) {
			p.Stamp += int64(after)
			w.packets = append(w.packets, p)
		}
		w.sort()
		r := w.run(t)
		row, echoes := r.of(t, a), r.echo(t)
		if !copies {
			check(t, "packets", row.Packets, 20)
			check(t, "mirrored", row.Mirrored+echoes.Mirrored+r.stats[0].Mirrored, 0)
			continue
		}
		check(t, "packets", row.Packets, 10)
		check(t, "mirrored", row.Mirrored, 10)
		check(t, "early", row.Early, 0)
		check(t, "echoes", echoes.Sent, 10)
		check(t, "echoes mirrored", echoes.Mirrored, 20)
		check(t, "duplicates", echoes.Duplicates, 0)
		check(t, "of all", r.stats[0].Mirrored, 40)
		check(t, "without copies", r.stats[0].Control+r.stats[0].Echo, 40)
	}
}
