package block

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"echogram/plugins/schema"
)

var defaults = func() *Config {
	c := Defaults()
	return &c
}()

// tally counts what is said of blocks whose truth is known.
type tally struct {
	right, wrong, missed      int // DHCP or not
	hours, periods, renumbers int
	phantoms                  int
	classes                   map[string]int
}

func (y *tally) add(b *population, row *schema.BlockChurnRow) {
	y.classes[row.Class]++
	switch is, said := b.class == schema.ChurnDHCP, row.Class == schema.ChurnDHCP; {
	case is && said:
		y.right++
	case said:
		y.wrong++
	case is:
		y.missed++
	}
	if b.period == 0 {
		if row.RenumberingHour.Set {
			y.phantoms++
		}
		return
	}
	y.renumbers++
	if off := math.Abs(math.Mod(row.RenumberingHour.F-b.hour+36, 24) - 12); row.RenumberingHour.Set && off <= 1.0/6 {
		y.hours++
		if row.Period.N == int64(b.period)*int64(24*time.Hour) {
			y.periods++
		}
	}
}

func (y *tally) String() string {
	return fmt.Sprintf("%v hour %d of %d, period %d, phantoms %d", y.classes, y.hours, y.renumbers, y.periods, y.phantoms)
}

func (y *tally) f1() float64 { return float64(2*y.right) / float64(2*y.right+y.wrong+y.missed) }

// lastDay sweeps a block and returns the row of its last day.
func lastDay(s *scene, b *population) (row schema.BlockChurnRow) {
	var c churn
	var last churnDay
	b.sweep(s, func(l *Look) { c.observe(defaults, l, Up) }, func(start int64) { last = c.day(defaults, start) })
	last.fill(&defaults.Churn, &row)
	return row
}

// Of 20 seeds and 14 days F1 is 0.99 and 59 of 60 hours are right. What is missed are homes whose client gets the same
// address on most evenings.
func TestKindsOfBlocks(t *testing.T) {
	sum := tally{classes: map[string]int{}}
	for _, kind := range blocks {
		one := tally{classes: map[string]int{}}
		for seed := range uint64(2) {
			s := newScene(seed, 14)
			s.loss = s.between(0.02, 0.05)
			b := kind.build(s)
			row := lastDay(s, b)
			one.add(b, &row)
			sum.add(b, &row)
		}
		t.Logf("%-24s %v", kind.name, &one)
	}
	if sum.f1() < 0.95 || sum.phantoms > 0 || sum.hours < sum.renumbers {
		t.Errorf("F1 %.3f: %v", sum.f1(), &sum)
	}
}

// times of a scripted block: a sweep every 10 minutes from midnight.
func look(n int, answered ...int) *Look {
	l := &Look{Time: time.Date(2026, 1, 5, 0, 10*n, 0, 0, time.UTC).UnixNano(), Interval: int64(10 * time.Minute), Probed: whole}
	for _, place := range answered {
		l.Answered.Add(place)
	}
	return l
}

func TestDayCounts(t *testing.T) {
	var c churn
	for n := range 144 {
		up := []int{1, 2}
		if n >= 60 && n < 66 { // an hour
			up = append(up, 70)
		}
		if n >= 100 {
			up[1] = 3
		}
		c.observe(defaults, look(n, up...), Up)
	}
	d := c.day(defaults, look(0).Time)
	var row schema.BlockChurnRow
	d.fill(&defaults.Churn, &row)
	want := schema.BlockChurnRow{
		Days: 1, Addresses: 4, Peak: 3, Joined: 2, Left: 2, Sessions: 2,
		SessionP50: schema.Some(3648e9), // of place 70, to 3 %; place 2 was up before the first sweep
		SessionP90: schema.Some(3648e9),
	}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("got %+v\nwant %+v", row, want)
	}
}

// A session that ends before midnight, as is known behind it, is taken out of the day before.
func TestEndBeforeMidnight(t *testing.T) {
	var c churn
	for n := range 150 {
		if n == 144 {
			c.day(defaults, look(0).Time)
		}
		if n < 143 {
			c.observe(defaults, look(n, 5, 6), Up)
		} else {
			c.observe(defaults, look(n, 6), Up)
		}
	}
	if up := c.Pages[0].Up[47]; up.Has(5) || !up.Has(6) {
		t.Errorf("up in the last slot: %x", up)
	}
	if c.Pages[0].Left[ticks-2] != 1 {
		t.Error("the session did not end at 23:50")
	}
}

func TestGroup(t *testing.T) {
	days := make([]churnDay, 2)
	for i := range days {
		var c churn
		for n := range 144 {
			l := look(n, 1, 2, 3)
			if i == 1 && n >= 72 {
				l = look(n, 1)
			}
			c.observe(defaults, l, Up)
		}
		days[i] = c.day(defaults, look(0).Time)
	}
	sum := &churnDay{}
	sum.merge(&days[0])
	sum.merge(&days[1])
	var row schema.BlockChurnRow
	sum.fill(&defaults.Churn, &row)
	if want := (schema.BlockChurnRow{Days: 1, Addresses: 6, Peak: 6, Left: 2, Sessions: 2}); !reflect.DeepEqual(row, want) {
		t.Errorf("got %+v\nwant %+v", row, want)
	}
}

// The hours are those of the place: of a clock that was put forward, too.
func TestRenumberingByTheLocalClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	cfg := *defaults
	cfg.Location = berlin
	s := newScene(3, 8)
	s.loss, s.interval = 0.03, 5*time.Minute
	s.start = time.Date(2026, 3, 25, 0, 0, 0, 0, berlin) // summer time begins on the 29th
	b := pooled(s, 200, 0.7, 4, 0, visitors(50, 100, 0.1, 20, 0))
	for i := range b.pool.clients {
		for day := range s.days {
			at := time.Date(2026, 3, 25+day, 5, 0, 0, 0, berlin).Add(hours(s.between(-0.1, 0.1)))
			b.pool.clients[i].moves = append(b.pool.clients[i].moves, at)
		}
	}
	var c churn
	var last churnDay
	b.sweep(s, func(l *Look) { c.observe(&cfg, l, Up) }, func(start int64) { last = c.day(&cfg, start) })
	var row schema.BlockChurnRow
	last.fill(&defaults.Churn, &row)
	if math.Abs(row.RenumberingHour.F-5) > 5.0/60 || row.Period.N != int64(24*time.Hour) || row.Renumbered < 20 {
		t.Errorf("got %+v", row)
	}
}

// An outage, and a prober who sees nothing, change neither sessions nor kinds.
func TestOutagesEndNoSession(t *testing.T) {
	s := newScene(5, 6)
	b := servers(s)
	var c churn
	var last churnDay
	sessions, n := int64(0), 0
	for i := range b.fixed {
		if b.fixed[i] != nil {
			b.fixed[i] = &server{every: hours(1e9)}
		}
	}
	b.sweep(s, func(l *Look) {
		v := Up
		if n++; n%100 < 20 {
			v, l.Answered = []Verdict{Down, Part, Uncertain, Doubted}[n/100%4], nil
		}
		c.observe(defaults, l, v)
	}, func(start int64) {
		last = c.day(defaults, start)
		sessions += last.Sessions + last.Joined
	})
	if last.class(&defaults.Churn) != schema.ChurnStatic || sessions != 0 {
		t.Errorf("class %s, %d joined or left", last.class(&defaults.Churn), sessions)
	}
}

// A state that was saved goes on as if it had not been.
func TestChurnSaved(t *testing.T) {
	s, n := newScene(8, 5), 0
	s.loss = 0.05
	var through, saved churn
	renumbered(s, 1).sweep(s, func(l *Look) {
		through.observe(defaults, l, Up)
		if n++; n%97 == 0 {
			saved = again(t, &saved)
		}
		saved.observe(defaults, l, Up)
	}, func(start int64) {
		var a, b schema.BlockChurnRow
		one, other := through.day(defaults, start), saved.day(defaults, start)
		one.fill(&defaults.Churn, &a)
		other.fill(&defaults.Churn, &b)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("got %+v\nwant %+v", b, a)
		}
	})
}

// again saves and loads.
func again[T any](t *testing.T, v *T) (out T) {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&b).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChurnUnused(t *testing.T) {
	for name, c := range map[string]struct {
		verdict Verdict
		want    string
	}{"silent": {Unmeasured, schema.ChurnUnused}, "nothing known": {Doubted, ""}} {
		var a churn
		a.observe(defaults, look(0), c.verdict)
		if d := a.day(defaults, look(0).Time); d.class(&defaults.Churn) != c.want {
			t.Errorf("%s: got %q, want %q", name, d.class(&defaults.Churn), c.want)
		}
	}
}

// record is a day of sweeps of a kind of block, to be repeated.
func record(kind func(*scene) *population) (looks []*Look) {
	s := newScene(1, 1)
	s.loss = 0.03
	kind(s).sweep(s, func(l *Look) { looks = append(looks, l) }, func(int64) {})
	return looks
}

func BenchmarkObserve(b *testing.B) {
	for _, kind := range blocks {
		looks := record(kind.build)
		b.Run(kind.name, func(b *testing.B) {
			var u use
			var c churn
			for n := 0; b.Loop(); n++ {
				l := *looks[n%len(looks)]
				l.Time += int64(n/len(looks)) * int64(24*time.Hour)
				u.observe(defaults, &l, Up)
				c.observe(defaults, &l, Up)
				if n%len(looks) == len(looks)-1 {
					c.day(defaults, l.Time)
				}
			}
			b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
		})
	}
}
