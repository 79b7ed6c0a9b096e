package block

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// lines are rows as line protocol, sorted.
func lines(t testing.TB, rows []schema.Row) (all []string) {
	t.Helper()
	var p schema.Point
	for _, row := range rows {
		schema.Fill(&p, row)
		line, err := p.AppendLine(nil)
		check(t, err)
		all = append(all, string(line))
	}
	slices.Sort(all)
	return all
}

// TestSaved: a Monitor that is saved and loaded at random sweeps, or told that series have other pointers, with sweeps that come in any order and are closed many
// at once, tells the same as one that sees one sweep after the other.
func TestSaved(t *testing.T) {
	for seed := range uint64(4) {
		sweeps := 2*day + 50
		whole := new(collector)
		w := city(seed, 12)
		m := New(Config{Labels: []string{"site"}})
		for n := range sweeps {
			w.feed(m, n, true)
			check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), whole.take))
		}
		check(t, m.Finish(whole.take))

		parts, rng := new(collector), rand.New(rand.NewPCG(seed, 1))
		w = city(seed, 12)
		m = New(Config{Labels: []string{"site"}})
		for n := 0; n < sweeps; {
			ahead := min(n+1+rng.IntN(20), sweeps)
			for ; n < ahead; n++ {
				w.feed(m, n, true)
			}
			check(t, m.Close(w.start.Add(time.Duration(n-1)*tick+1).UnixNano(), parts.take))
			switch rng.IntN(6) {
			case 0:
				if m.Forget(); len(m.seats)+len(m.bySeries) > 0 {
					t.Error("series are kept")
				}
			case 1, 2:
				var state bytes.Buffer
				check(t, m.Save(&state))
				loaded, err := Load(Config{Labels: []string{"site"}}, &state)
				check(t, err)
				if loaded.Position() != m.Position() {
					t.Fatalf("position %d, want %d", loaded.Position(), m.Position())
				}
				m = loaded
			}
		}
		check(t, m.Finish(parts.take))
		want, got := lines(t, whole.rows), lines(t, parts.rows)
		if i := slices.IndexFunc(got, func(l string) bool { return !slices.Contains(want, l) }); i >= 0 || len(got) != len(want) {
			j := slices.IndexFunc(want, func(l string) bool { return !slices.Contains(got, l) })
			t.Fatalf("seed %d: %d rows, want %d; the first others are\n%s\n%s", seed, len(got), len(want), got[max(i, 0)], want[max(j, 0)])
		}
	}
}

func TestLoadOfSomethingElse(t *testing.T) {
	var other bytes.Buffer
	z := gzip.NewWriter(&other)
	check(t, gob.NewEncoder(z).Encode(stateVersion+1))
	check(t, z.Close())
	for name, state := range map[string][]byte{"nothing": nil, "text": []byte("position=1"), "another version": other.Bytes()} {
		if _, err := Load(Config{}, bytes.NewReader(state)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: error %v, want ErrOther", name, err)
		}
	}
}

// TestInstancesAreApart: two hosts probe the same blocks; what one does not see is an outage of its own rows alone.
func TestInstancesAreApart(t *testing.T) {
	w := town(30, 6)
	other := town(30, 6)
	other.outages = []failure{{block: 2, high: 256, from: 60, to: 63}}
	for _, block := range other.series {
		for _, s := range block {
			s.Host = "g"
		}
	}
	m := New(Config{})
	var c collector
	for n := range day {
		w.feed(m, n, true)
		other.host = "g"
		other.feed(m, n, true)
		check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), c.take))
	}
	check(t, m.Finish(c.take))
	got := c.events()
	w.expect(t, got, "outage 198.18.2.0/24 60-63")
	if len(got) == 1 && got[0].Host != "g" {
		t.Errorf("host %s, want g", got[0].Host)
	}
}

// TestWindows checks the rows of blocks and groups over one hour.
func TestWindows(t *testing.T) {
	w := newWorld(31)
	w.loss = 0
	for n := range 4 {
		w.add(w.static(40 + 20*n))
	}
	w.trust[3] = "capture_drops"
	m := New(Config{Labels: []string{"site"}})
	var c collector
	for n := range 9 {
		w.feed(m, n, true)
		check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), c.take))
	}
	want := []string{
		"block 198.18.0.0/24  5+1 256 40 40-40 15.625 up", "block 198.18.1.0/24  5+1 256 60 60-60 23.4375 up",
		"block 198.18.2.0/24  5+1 256 80 80-80 31.25 up", "block 198.18.3.0/24  5+1 256 100 100-100 39.0625 up",
		"network  198.18.0.0/16 5+1 1024 280 280-280 27.34375 ",
		"site  s0 5+1 512 140 140-140 27.34375 ", "site  s1 5+1 256 60 60-60 23.4375 ", "site  s2 5+1 256 80 80-80 31.25 ",
	}
	var got []string
	for _, row := range c.rows {
		r, ok := row.(*schema.BlockStateRow)
		if !ok {
			continue
		}
		value := ""
		switch r.Group {
		case schema.GroupNetwork:
			value = r.Network
		case "site":
			value = r.Labels[0].Value
		}
		got = append(got, fmt.Sprintf("%s %s %s %d+%d %d %d %d-%d %v %s", r.Group, r.Block, value, r.Sweeps, r.Doubted, r.Targets, r.Ever,
			r.RespondingMin, r.RespondingMax, r.PercentResponding, r.State))
		if p := float64(r.RTTP50.N) / 5.1e6; p < 0.97 || p > 1.04 {
			t.Errorf("%s: median RTT %d", r.Group, r.RTTP50.N)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%q, want\n%q", got, want)
	}
}

// TestDays: a day's rows come when it is over, by the clock of the place, or at the end when it holds 20 h.
func TestDays(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for sweeps, want := range map[int]int{100: 0, 130: 1, 144: 1, 145 + 110: 1, 145 + 125: 2} {
		w := newWorld(32)
		w.start = time.Date(2026, 3, 2, 0, 0, 0, 0, berlin)
		w.add(w.static(30))
		m := New(Config{Location: berlin})
		var c collector
		for n := range sweeps {
			w.feed(m, n, true)
			check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), c.take))
		}
		check(t, m.Finish(c.take))
		var days []int64
		for _, row := range c.rows {
			if r, ok := row.(*schema.BlockChurnRow); ok && r.Group == schema.GroupBlock {
				days = append(days, r.Time)
			}
		}
		if len(days) != want || want > 0 && days[0] != w.start.UnixNano() {
			t.Errorf("%d sweeps: days %v, want %d", sweeps, days, want)
		}
	}
}

// TestBlocksOfIPv6 are places by first appearance, and have no halves.
func TestBlocksOfIPv6(t *testing.T) {
	m := New(Config{})
	var c collector
	rng := rand.New(rand.NewPCG(33, 6))
	series := make([][]*schema.RTTSeries, 6)
	for b := range series {
		for i := range 40 {
			series[b] = append(series[b], &schema.RTTSeries{Series: schema.Series{Host: "h", Instance: "i", Network: "2001:db8::/32",
				Block: fmt.Sprintf("2001:db8:%x::/64", b), Target: fmt.Sprintf("2001:db8:%x::%x", b, 7*i+1)}})
		}
	}
	for n := range 60 {
		at := monday.Add(time.Duration(n) * tick).UnixNano()
		for b := range series {
			for _, i := range rng.Perm(40) {
				row := schema.SweepRow{Time: at, Sent: 1, ResultCode: schema.ResultSilent}
				if rng.Float64() > 0.03 && !(b == 2 && n >= 40 && n < 42) {
					row.Received, row.ResultCode = 1, 0
				}
				m.Add(series[b][i], &row)
			}
		}
		check(t, m.Close(at+1, c.take))
		if n == 20 {
			var state bytes.Buffer
			check(t, m.Save(&state))
			var err error
			m, err = Load(Config{}, &state)
			check(t, err)
		}
	}
	check(t, m.Finish(c.take))
	(&world{start: monday}).expect(t, c.events(), "outage 2001:db8:2::/64 40-42")
}

// TestForgotten: blocks that are not probed any more are forgotten, and begin anew when they are.
func TestForgotten(t *testing.T) {
	w := newWorld(34)
	w.add(w.static(30))
	w.add(w.static(30))
	m := New(Config{})
	none := func(schema.Row) error { return nil }
	all := w.series
	for n := 0; n < 40*day; n += 6 {
		if w.series = all; n > 6 && n < 39*day {
			w.blocks, w.series = w.blocks[:1], all[:1]
		} else {
			w.blocks = w.blocks[:2]
		}
		w.feed(m, n, true)
		check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), none))
		if n == 35*day {
			if in := m.instances[0]; in.Blocks[1] != nil || len(in.sorted()) != 1 {
				t.Error("the second block is remembered after 35 days")
			}
			var state bytes.Buffer
			check(t, m.Save(&state))
			var err error
			m, err = Load(Config{}, &state)
			check(t, err)
		}
	}
	if n := len(m.instances[0].sorted()); n != 2 {
		t.Errorf("%d blocks, want 2", n)
	}
}

// TestAnErrorOfEmit ends Close.
func TestAnErrorOfEmit(t *testing.T) {
	w := town(35, 3)
	m, full := New(Config{}), errors.New("full")
	for n := range 20 {
		w.feed(m, n, true)
	}
	if err := m.Close(w.start.Add(20*tick).UnixNano(), func(schema.Row) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

// BenchmarkMonitor reads a /16 with everything in it, each target in each sweep.
func BenchmarkMonitor(b *testing.B) {
	w := newWorld(1)
	for i := range 256 {
		switch i % 3 {
		case 0:
			w.add(w.static(100))
		case 1:
			w.add(w.pool(120, 8, -1))
		default:
			w.add(w.office(100, 3, 90))
		}
	}
	type point struct {
		series *schema.RTTSeries
		row    schema.SweepRow
	}
	// Eight sweeps that differ, again and again at other times.
	sweeps := make([][]point, 8)
	for n := range sweeps {
		for i, p := range w.blocks {
			if p.step != nil {
				p.step(p, w, n, w.start.Add(9*time.Hour))
			}
			for place, there := range w.answers(i, p, n, 1e4) {
				row := schema.SweepRow{Sent: 1, ResultCode: schema.ResultSilent}
				if there {
					row.Received, row.ResultCode, row.RTT = 1, 0, schema.Some(int64(5e6))
				}
				sweeps[n] = append(sweeps[n], point{w.series[i][place], row})
			}
		}
	}
	m := New(Config{})
	none := func(schema.Row) error { return nil }
	b.ResetTimer()
	for n := range b.N {
		at := monday.Add(time.Duration(n) * 5 * time.Minute).UnixNano()
		points := sweeps[n%8]
		for i := range points {
			points[i].row.Time = at
			m.Add(points[i].series, &points[i].row)
		}
		m.Manifest(&schema.SweepStatsRow{Host: "h", Instance: "i", Time: at, Points: 65536, Trust: schema.TrustOK, Rate: 1e4})
		check(b, m.Close(at+1, none))
	}
	b.ReportMetric(65536*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
}
