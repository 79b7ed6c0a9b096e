package ledger

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"echogram/pipeline/window"
)

const (
	hour = int64(time.Hour)
	base = 1_700_000_000 * second / hour * hour // the start of an hour
)

var (
	cfg = Config{Lengths: []time.Duration{time.Minute, time.Hour}, PerTarget: time.Hour, Lateness: 130 * time.Second, Revisit: 24 * time.Hour}
	one = Instance{"", "h", "one"}
	two = Instance{"", "h", "two"}
)

// bench is a database of manifests and rows by instance and minute, and a Ledger that reads it.
type bench struct {
	t        *testing.T
	l        *Ledger
	promised map[Instance]map[int64]Tally
	newest   map[Instance]int64
	counted  int // minutes counted in the last round
}

func newBench(t *testing.T) *bench { return benchOf(t, cfg) }

func benchOf(t *testing.T, cfg Config) *bench {
	b := &bench{t: t, l: New(cfg), promised: map[Instance]map[int64]Tally{}, newest: map[Instance]int64{}}
	b.l.Begin(base)
	return b
}

// sweep adds a sweep at base+at, with rows rows of which its manifest promises points; -1: no manifest.
func (b *bench) sweep(i Instance, at time.Duration, rows, points, late int64) {
	t := base + int64(at)
	if b.promised[i] == nil {
		b.promised[i] = map[int64]Tally{}
	}
	m := window.Floor(t, minute)
	sum := b.promised[i][m]
	sum.Rows += rows
	sum.Late += late
	if points >= 0 {
		sum.Points += points
		b.newest[i] = max(b.newest[i], t)
	}
	b.promised[i][m] = sum
}

// round runs one round at base+at and returns what was due.
func (b *bench) round(at time.Duration, force bool) []Window {
	now := base + int64(at)
	for i, t := range b.newest {
		b.l.Newest(i, t)
	}
	from := b.l.From(now)
	var manifests []Manifest
	for i, minutes := range b.promised {
		for start, sum := range minutes {
			if start >= from && start < now && sum.Points > 0 {
				manifests = append(manifests, Manifest{i, start, sum.Points, sum.PromisedLate})
			}
		}
	}
	b.l.Promise(manifests)
	b.counted = 0
	for _, r := range b.l.Uncounted("", from, now, now, force) {
		var counts []Count
		for i, minutes := range b.promised {
			for start, sum := range minutes {
				if start >= window.Floor(r.From, minute) && start < r.To && sum.Rows > 0 {
					counts = append(counts, Count{i, start, sum.Rows, sum.Late})
				}
			}
		}
		b.counted += int((r.To - r.From + minute - 1) / minute)
		b.l.Count("", r, counts, now)
	}
	due := b.l.Due("", from, now, now, force)
	b.l.Done(due)
	b.l.Settle(now, now)
	return due
}

type brief struct {
	Name     string
	At       time.Duration
	Length   time.Duration
	Complete bool
	Missing  int64
}

func (b *bench) expect(at time.Duration, force bool, want ...brief) {
	b.t.Helper()
	var got []brief
	for _, w := range b.round(at, force) {
		got = append(got, brief{w.Name, time.Duration(w.Start - base), w.Length, w.Complete, w.Missing})
	}
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		b.t.Errorf("at %v:\n got %v\nwant %v", at, got, want)
	}
}

const m, s, h = time.Minute, time.Second, time.Hour

func TestCompleteMinuteIsDueWhenTheNextManifestIsSeen(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.expect(20*s, false)
	b.sweep(one, 50*s, 5, 5, 0)
	b.expect(65*s, false) // equal, but a sweep at 59 s might still write
	b.sweep(one, m, 5, 5, 0)
	b.expect(75*s, false, brief{"one", 0, m, true, 0})
	b.expect(80*s, false)
}

func TestLoneInstanceClosesByLateness(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.expect(m+129*s, false)
	b.expect(m+130*s, false, brief{"one", 0, m, true, 0})
}

func TestIncompleteMinuteWaitsAndIsCorrected(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 3, 5, 0)
	b.sweep(one, m, 5, 5, 0)
	b.sweep(one, 2*m, 5, 5, 0)
	b.expect(2*m+20*s, false, brief{"one", m, m, true, 0})
	b.expect(m+129*s, false)
	b.expect(m+130*s, false, brief{"one", 0, m, false, 2})
	b.sweep(one, 0, 2, -1, 0)
	b.expect(4*m, false) // counted again only after a rest
	b.expect(m+130*s+11*m, false, brief{"one", 0, m, true, 0}, brief{"one", 2 * m, m, true, 0})
}

func TestRowsWithoutManifestAreNotComplete(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.sweep(one, 10*s, 2, -1, 0) // killed
	b.sweep(two, 0, 7, -1, 0)    // never wrote a manifest at all
	b.sweep(one, m, 5, 5, 0)
	b.expect(75*s, false)
	b.expect(m+130*s, false, brief{"one", 0, m, false, 0}, brief{"two", 0, m, false, 0})
}

func TestExcessInOneMinuteDoesNotHideALossInAnother(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 4, 0)
	b.sweep(one, m, 4, 5, 0)
	due := b.round(h+130*s, false)
	if len(due) != 3 || due[1].Length != h || due[1].Complete || due[1].Missing != 1 {
		t.Errorf("got %+v", due)
	}
}

func TestLateRepliesReopenTheirWindow(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.sweep(one, m, 5, 5, 0)
	b.sweep(one, 2*m, 5, 5, 0)
	b.expect(2*m+s, false, brief{"one", 0, m, true, 0}, brief{"one", m, m, true, 0})
	b.sweep(one, m, 0, 0, 1) // a late reply, counted at the minute's lateness at the latest
	b.expect(2*m+130*s, false, brief{"one", m, m, true, 0})
	// Much later a correction arrives by the manifest.
	sum := b.promised[one][base]
	sum.Late, sum.PromisedLate = 2, 2
	b.promised[one][base] = sum
	b.expect(10*m, false, brief{"one", 0, m, true, 0}, brief{"one", 2 * m, m, true, 0})
}

func TestSweepThatArrivesLateReopensOnlyItsWindows(t *testing.T) {
	b := newBench(t)
	for k := range 120 {
		b.sweep(one, time.Duration(k)*m, 5, 5, 0)
	}
	if n := len(b.round(3*h+10*s, false)); n != 122 {
		t.Fatalf("%d windows in the backlog, want 120 minutes and 2 hours", n)
	}
	b.expect(3*h+15*s, false)
	if b.counted != 0 {
		t.Errorf("%d minutes counted again for nothing", b.counted)
	}
	b.sweep(one, 30*m+10*s, 5, 5, 0)
	b.sweep(two, 90*m, 1, 1, 0)
	b.expect(3*h+20*s, false, brief{"one", 0, h, true, 0}, brief{"one", 30 * m, m, true, 0},
		brief{"two", h, h, true, 0}, brief{"two", 90 * m, m, true, 0})
	if b.counted != 2 {
		t.Errorf("%d minutes counted, want 2", b.counted)
	}
}

func TestHourIsReadOnceWhenItsLatenessHasPassed(t *testing.T) {
	b := newBench(t)
	hours := 0
	for k := range 400 {
		at := time.Duration(k) * 10 * s
		b.sweep(one, at, 5, 5, 0)
		for _, w := range b.round(at+5*s, false) {
			if w.Length == h {
				hours++
				if !w.Complete || at+5*s < h+130*s {
					t.Errorf("hour %+v at %v", w, at)
				}
			}
		}
	}
	if hours != 1 {
		t.Errorf("the hour was due %d times", hours)
	}
}

func TestForcedRoundTakesAllAndALaterOneOverwrites(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.sweep(one, m, 5, 5, 0)
	running := []brief{{"one", 0, m, true, 0}, {"one", 0, h, false, 0}, {"one", m, m, false, 0}}
	b.expect(m+20*s, true, running...)
	b.expect(m+20*s, true, running[1:]...) // the cut ones stay open
	b.sweep(one, m+30*s, 5, 5, 0)
	b.sweep(one, 2*m, 5, 5, 0)
	b.expect(2*m+10*s, false, brief{"one", m, m, true, 0})
	b.expect(h+130*s, true, brief{"one", 0, h, true, 0}, brief{"one", 2 * m, m, true, 0})
	b.expect(m+20*s, true) // back in time: what is whole is not replaced by a part
}

func TestRetentionDoesNotShrinkARollup(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.round(h+130*s, false)
	b.promised[one][base] = Tally{Rows: 1, Points: 1}
	b.expect(h+30*m, true)
	delete(b.promised[one], base)
	b.expect(h+50*m, true)
}

func TestLongEmptyTimeDoesNotForgetTheNewestManifest(t *testing.T) {
	l := New(cfg)
	l.Begin(base)
	l.Newest(one, base+2*minute)
	l.Settle(base-hour, base) // a stretch without points, before the first
	l.Promise([]Manifest{{one, base, 5, 0}})
	l.Count("", Range{base, base + minute}, []Count{{one, base, 5, 0}}, base+2*minute)
	if due := l.Due("", base, base+2*minute, base+2*minute, false); len(due) != 1 || !due[0].Complete {
		t.Errorf("due %+v", due)
	}
}

func TestClockGapAndSilence(t *testing.T) {
	b := newBench(t)
	b.sweep(one, 0, 5, 5, 0)
	b.sweep(one, 72*h, 5, 5, 0)
	if due := b.round(72*h+200*s, false); len(due) != 3 {
		t.Errorf("due %+v", due)
	}
	if from := b.l.From(base + int64(72*h+200*s)); from != base+int64(48*h) {
		t.Errorf("looks back to %v", time.Duration(from-base))
	}
	b.expect(73*h+130*s, false, brief{"one", 72 * h, h, true, 0})
}

const d = 24 * h

var (
	all  = Config{Lengths: []time.Duration{m, 10 * m, h, d}, PerTarget: h, Lateness: 130 * s, Revisit: 26*h + 130*s}
	dawn = time.Duration(window.Floor(base, int64(d)) + int64(d) - base) // the next midnight, seen from base
)

// TestEveryLengthIsDueOnce: a sweep a minute for six hours, a look every 30 s: each window comes once, complete; those
// below an hour when a manifest behind them is seen, the longer ones when their lateness has passed.
func TestEveryLengthIsDueOnce(t *testing.T) {
	short := all
	short.Lengths = []time.Duration{m, 10 * m, h, 3 * h}
	b := benchOf(t, short)
	b.l.Begin(base + int64(dawn))
	times := map[time.Duration]int{}
	for at := dawn; at < dawn+6*h+10*m; at += m {
		b.sweep(one, at, 5, 5, 0)
		for _, now := range []time.Duration{at + 5*s, at + 35*s} {
			for _, w := range b.round(now, false) {
				times[w.Length]++
				after := base + int64(now) - w.End()
				if !w.Complete || w.Rows != 5*int64(w.Length/m) || w.Length < h && after != int64(5*s) || w.Length >= h && after != int64(155*s) {
					t.Fatalf("%+v, %v after its end", w, time.Duration(after))
				}
			}
		}
	}
	if want := (map[time.Duration]int{m: 369, 10 * m: 36, h: 6, 3 * h: 2}); !reflect.DeepEqual(times, want) {
		t.Errorf("got %v, want %v", times, want)
	}
}

func TestLateRowReopensEveryWindowThatHoldsIt(t *testing.T) {
	b := benchOf(t, all)
	b.l.Begin(base + int64(dawn))
	for k := range 144 {
		b.sweep(one, dawn+time.Duration(k)*10*m, 5, 5, 0)
	}
	now := dawn + d + 3*h
	if n := len(b.round(now, false)); n != 144+144+24+1 {
		t.Fatalf("%d windows in the backlog", n)
	}
	b.sweep(one, dawn+20*m, 1, 1, 0)
	b.expect(now+s, false, brief{"one", dawn, h, true, 0}, brief{"one", dawn, d, true, 0},
		brief{"one", dawn + 20*m, m, true, 0}, brief{"one", dawn + 20*m, 10 * m, true, 0})
}

// TestLengthAddedLater: a restart with a further length rolls it up from what is remembered, and nothing else.
func TestLengthAddedLater(t *testing.T) {
	b := newBench(t)
	for k := range 30 {
		b.sweep(one, time.Duration(k)*m, 5, 5, 0)
	}
	b.round(2*h, false)
	more := cfg
	more.Lengths = []time.Duration{m, 10 * m, h}
	b.l = Restore(more, b.l.State())
	b.expect(2*h, false, brief{"one", 0, 10 * m, true, 0}, brief{"one", 10 * m, 10 * m, true, 0}, brief{"one", 20 * m, 10 * m, true, 0})
	if b.counted != 0 {
		t.Errorf("%d minutes counted again", b.counted)
	}
}

// TestLongWindowsAlone: what was counted outlives a restart also where no window has the length of a minute.
func TestLongWindowsAlone(t *testing.T) {
	alone := Config{Lengths: []time.Duration{h}, PerTarget: h, Lateness: 130 * s, Revisit: 24 * h}
	b := benchOf(t, alone)
	for k := range 90 {
		b.sweep(one, time.Duration(k)*m, 5, 5, 0)
	}
	b.expect(h+30*m, false, brief{"one", 0, h, true, 0})
	b.l = Restore(alone, b.l.State())
	b.expect(h+30*m, false)
	b.expect(2*h+130*s, false, brief{"one", h, h, true, 0})
}

// TestMeasurementWithoutManifests: only windows with rows per target, closed by lateness, counted again every hour.
func TestMeasurementWithoutManifests(t *testing.T) {
	ping := Instance{"ping", "h", ""}
	l := New(all)
	l.Begin(base + int64(dawn))
	round := func(at time.Duration, counts ...Count) (due []Window, counted int) {
		now := base + int64(at)
		from := l.From(now)
		for _, r := range l.Uncounted("ping", from, now, now, false) {
			counted += int((r.To - r.From) / minute)
			var in []Count
			for _, c := range counts {
				if c.Start >= r.From && c.Start < r.To {
					in = append(in, c)
				}
			}
			l.Count("ping", r, in, now)
		}
		due = l.Due("ping", from, now, now, false)
		l.Done(due)
		l.Settle(now, now)
		return due, counted
	}
	first := Count{ping, base + int64(dawn), 6, 0}
	if due, _ := round(dawn+h+129*s, first); len(due) != 0 {
		t.Errorf("due too early: %+v", due)
	}
	if due, _ := round(dawn+h+130*s, first); len(due) != 1 || due[0].Length != h || due[0].Complete || due[0].Missing != 0 || due[0].Rows != 6 {
		t.Errorf("due %+v", due)
	}
	first.Rows++
	if _, counted := round(dawn+h+40*m, first); counted != 37 {
		t.Errorf("%d minutes counted, want those that the cursor passed", counted)
	}
	if due, _ := round(dawn+2*h+40*m, first); len(due) != 1 || due[0].Rows != 7 {
		t.Errorf("corrected: %+v", due)
	}
	if due := l.Due("", 0, base+int64(2*d), base+int64(2*d), true); len(due) != 0 {
		t.Errorf("the sweeps have %+v", due)
	}
}

func TestStateGoesOn(t *testing.T) {
	b := newBench(t)
	for k := range 70 {
		b.sweep(one, time.Duration(k)*m, 5, 5+int64(k%7/6), int64(k%3)) // every seventh misses a row
		b.sweep(two, time.Duration(k)*m, 0, 4, 0)                       // all rows lost
	}
	b.round(69*m+30*s, true)
	data, err := json.Marshal(b.l.State())
	if err != nil {
		t.Fatal(err)
	}
	var st State
	if err := json.Unmarshal(data, &st); err != nil {
		t.Fatal(err)
	}
	b.l = Restore(cfg, &st)
	if again, _ := json.Marshal(b.l.State()); string(again) != string(data) {
		t.Errorf("state\n%s comes back as\n%s", data, again)
	}
	b.expect(69*m+30*s, true, brief{"one", h, h, false, 2}, brief{"one", 69 * m, m, false, 1})
	b.sweep(one, 6*m, 1, -1, 0) // the missing row
	b.expect(69*m+40*s, true, brief{"one", 0, h, false, 7}, brief{"one", 6 * m, m, true, 0},
		brief{"one", h, h, false, 2}, brief{"one", 69 * m, m, false, 1})
}

func TestStateRefusesDamage(t *testing.T) {
	var st State
	if err := json.Unmarshal([]byte(`{"instances":[{"windows":[{"seconds":60,"rolled":[[1,2,3]]}]}]}`), &st); err == nil {
		t.Error("a short window was accepted")
	}
}
