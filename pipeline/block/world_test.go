package block

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"echogram/plugins/schema"
)

const tick = 10 * time.Minute

// monday is when the worlds of these tests begin.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// world is a small population: blocks whose people come and go, and what goes wrong on the way.
type world struct {
	rng     *rand.Rand
	start   time.Time
	host    string
	loss    float64
	blocks  []*people
	outages []failure      // the truth
	cuts    []failure      // of the prober's own way: of the sweeps from and to only the blocks behind (before) cut are silent
	trust   map[int]string // of sweeps
	rate    func(n int) float64
	noRows  map[int]bool // sweeps of which rows are missing
	series  [][]*schema.RTTSeries
}

// failure silences places low to high-1 of a block from sweep from on, up to before sweep to.
type failure struct {
	block, low, high int
	from, to         int
	cut              float64
}

// people are those of one block: who is there in sweep n, which begins at t.
type people struct {
	there [256]bool
	step  func(p *people, w *world, n int, t time.Time)
	limit func(rate float64) int // answers that are let through; nil: all
}

func newWorld(seed uint64) *world {
	return &world{rng: rand.New(rand.NewPCG(seed, 6)), start: monday, host: "h", loss: 0.03, trust: map[int]string{}, noRows: map[int]bool{}}
}

func (w *world) add(p *people) int {
	b := len(w.blocks)
	w.blocks = append(w.blocks, p)
	all := make([]*schema.RTTSeries, 256)
	for i := range all {
		all[i] = &schema.RTTSeries{HasCounts: true, Series: schema.Series{Host: "h", Instance: "i", Network: "198.18.0.0/16",
			Block: fmt.Sprintf("198.18.%d.0/24", b), Target: fmt.Sprintf("198.18.%d.%d", b, i),
			Labels: []schema.Tag{{Key: "site", Value: fmt.Sprint("s", b%3)}}}}
	}
	w.series = append(w.series, all)
	return b
}

func (w *world) static(n int) *people {
	p := &people{}
	for _, i := range w.rng.Perm(256)[:n] {
		p.there[i] = true
	}
	return p
}

// pool has so many clients, each of whom stays for so many hours in the mean; every day at an hour all are renumbered
// when hour is not negative.
func (w *world) pool(n int, hours float64, hour int) *people {
	p := w.static(n)
	p.step = func(p *people, w *world, _ int, t time.Time) {
		if t.Hour() == hour && t.Minute() == 0 {
			p.there = [256]bool{}
			p.fill(w, n)
			return
		}
		for i := range p.there {
			if p.there[i] && w.rng.Float64() < tick.Hours()/hours {
				p.there[i] = false
			}
		}
		if p.count() < n {
			p.fill(w, 1+w.rng.IntN(1+(n-p.count())))
		}
	}
	return p
}

func (p *people) count() (n int) {
	for _, there := range p.there {
		if there {
			n++
		}
	}
	return n
}

// fill lets n more come.
func (p *people) fill(w *world, n int) {
	for _, i := range w.rng.Perm(256) {
		if n > 0 && !p.there[i] {
			p.there[i] = true
			n--
		}
	}
}

// office is there on weekdays; each comes around 8 and leaves around 18 h, within so many minutes. stay never leave.
func (w *world) office(n, stay, minutes int) *people {
	p := &people{}
	places := w.rng.Perm(256)[:n]
	come, leave := make([]time.Duration, n), make([]time.Duration, n)
	day := -1
	p.step = func(p *people, w *world, _ int, t time.Time) {
		if t.YearDay() != day {
			day = t.YearDay()
			for i := range places {
				come[i] = 8*time.Hour + time.Duration(w.rng.Float64()*float64(time.Hour))
				leave[i] = 18*time.Hour + time.Duration(w.rng.Float64()*float64(minutes)*float64(time.Minute))
			}
		}
		at := t.Sub(t.Truncate(24 * time.Hour))
		for i, place := range places {
			weekday := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
			p.there[place] = i < stay || weekday && at >= come[i] && at < leave[i]
		}
	}
	return p
}

// homes has most of its people there in the evening, and a third at four in the morning.
func (w *world) homes(n int) *people {
	p := &people{}
	places := w.rng.Perm(256)[:n]
	p.step = func(p *people, w *world, _ int, t time.Time) {
		h := float64(t.Hour()) + float64(t.Minute())/60
		share := 0.65
		switch {
		case h < 4:
			share = 0.9 - 0.6*h/4
		case h < 8:
			share = 0.3
		case h < 20:
			share = 0.3 + 0.6*(h-8)/12
		default:
			share = 0.9
		}
		for _, place := range places {
			if w.rng.Float64() < 0.08 {
				p.there[place] = w.rng.Float64() < share
			}
		}
	}
	return p
}

// feed gives sweep n to m.
func (w *world) feed(m *Monitor, n int, step bool) {
	t := w.start.Add(time.Duration(n) * tick)
	rate := 10000.0
	if w.rate != nil {
		rate = w.rate(n)
	}
	points := int64(0)
	for b, p := range w.blocks {
		if p.step != nil && step {
			p.step(p, w, n, t)
		}
		answers := w.answers(b, p, n, rate)
		for i, there := range answers {
			row := schema.SweepRow{Time: t.UnixNano(), Sent: 1, ResultCode: schema.ResultSilent}
			if there {
				row.Received, row.ResultCode, row.RTT = 1, schema.ResultAnswered, schema.Some(int64(5e6)+int64(i)*1000)
			}
			points++
			if w.noRows[n] && i%7 == 3 {
				continue
			}
			m.Add(w.series[b][i], &row)
		}
	}
	trust := w.trust[n]
	if trust == "" {
		trust = schema.TrustOK
	}
	m.Manifest(&schema.SweepStatsRow{Host: w.host, Instance: "i", Time: t.UnixNano(), Points: points, Trust: trust, Rate: rate})
}

func (w *world) answers(b int, p *people, n int, rate float64) [256]bool {
	got := p.there
	for _, o := range w.outages {
		if o.block == b && n >= o.from && n < o.to {
			clear(got[o.low:o.high])
		}
	}
	behind := float64(b) / float64(len(w.blocks))
	for _, c := range w.cuts {
		if n > c.from && n < c.to || n == c.from && behind >= c.cut || n == c.to && behind < c.cut {
			got = [256]bool{}
		}
	}
	if p.limit != nil {
		left := p.limit(rate)
		for _, i := range w.rng.Perm(256) {
			if got[i] {
				got[i] = left > 0
				left--
			}
		}
	}
	for i := range got {
		got[i] = got[i] && w.rng.Float64() >= w.loss*map[bool]float64{false: 1, true: 12}[w.trust[n] == "capture_drops"]
	}
	return got
}

// run lets a Monitor see so many sweeps and returns the events, each as it was told last, in the order in which they began
// to be told.
func (w *world) run(t testing.TB, sweeps int) []*schema.BlockOutageRow {
	t.Helper()
	return w.runWith(t, New(Config{}), sweeps)
}

func (w *world) runWith(t testing.TB, m *Monitor, sweeps int) []*schema.BlockOutageRow {
	t.Helper()
	var c collector
	for n := range sweeps {
		w.feed(m, n, true)
		check(t, m.Close(w.start.Add(time.Duration(n)*tick+1).UnixNano(), c.take))
	}
	check(t, m.Finish(c.take))
	return c.events()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collector keeps rows.
type collector struct{ rows []schema.Row }

func (c *collector) take(row schema.Row) error {
	c.rows = append(c.rows, row)
	return nil
}

// events are the last rows of each event.
func (c *collector) events() (events []*schema.BlockOutageRow) {
	at := map[string]int{}
	for _, row := range c.rows {
		e, ok := row.(*schema.BlockOutageRow)
		if !ok {
			continue
		}
		key := fmt.Sprint(e.Event, e.Block, e.Prefix, e.Time)
		if i, ok := at[key]; ok {
			events[i] = e
		} else {
			at[key] = len(events)
			events = append(events, e)
		}
	}
	return events
}

// told is an event in short: kind, prefix, first sweep and the one behind the last.
func (w *world) told(e *schema.BlockOutageRow) string {
	from := (e.Time - w.start.UnixNano()) / int64(tick)
	s := fmt.Sprintf("%s %s %d-%d", e.Event, e.Prefix, from, from+e.Duration/int64(tick))
	if e.Open {
		s += " open"
	}
	return s
}

func (w *world) expect(t *testing.T, got []*schema.BlockOutageRow, want ...string) {
	t.Helper()
	var all []string
	for _, e := range got {
		all = append(all, w.told(e))
	}
	if fmt.Sprintf("%q", all) != fmt.Sprintf("%q", want) {
		t.Errorf("events %q,\n  want %q", all, want)
	}
}

const day = 144 // sweeps
