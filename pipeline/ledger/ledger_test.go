package ledger

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

const base = 1_700_000_000 * second / hour * hour // the start of an hour

var (
	cfg = Config{Lateness: 130 * time.Second, Revisit: 24 * time.Hour}
	one = Instance{"h", "one"}
	two = Instance{"h", "two"}
)

// bench is a database of manifests and rows by instance and minute, and a Ledger that reads it.
type bench struct {
	t        *testing.T
	l        *Ledger
	promised map[Instance]map[int64]Tally
	newest   map[Instance]int64
	counted  int // minutes counted in the last round
}

func newBench(t *testing.T) *bench {
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
	m := floorTo(t, minute)
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
	for _, r := range b.l.Uncounted(from, now, now, force) {
		var counts []Count
		for i, minutes := range b.promised {
			for start, sum := range minutes {
				if start >= floorTo(r.From, minute) && start < r.To && sum.Rows > 0 {
					counts = append(counts, Count{i, start, sum.Rows, sum.Late})
				}
			}
		}
		b.counted += int((r.To - r.From + minute - 1) / minute)
		b.l.Count(r, counts, now)
	}
	due := b.l.Due(from, now, now, force)
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
	l.Count(Range{base, base + minute}, []Count{{one, base, 5, 0}}, base+2*minute)
	if due := l.Due(base, base+2*minute, base+2*minute, false); len(due) != 1 || !due[0].Complete {
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
	if err := json.Unmarshal([]byte(`{"instances":[{"minutes":[[1,2,3]]}]}`), &st); err == nil {
		t.Error("a short window was accepted")
	}
}
