// Package ledger decides which windows are to be rolled up, and whether they are complete. It is pure: counts and
// the time come in as arguments, decisions go out.
//
// The account is kept by the minute, for each instance (one configured stanza on one host). A minute's Tally sets
// what the manifests of its sweeps promise against the rows that the database holds. A longer window is the sum of
// its minutes.
//
//   - A window is over when a manifest at or behind its end has been seen (sweeps of an instance do not overlap, and
//     a manifest is written last), or when its lateness has passed.
//   - It is complete when it is over and every minute of it holds as many rows as were promised: not fewer (some are
//     missing or still under way), not more (a sweep was cut off before it could write its manifest).
//   - A complete window shorter than an hour is due at once; an incomplete one, and every longer one, when its lateness
//     has passed. A forced round takes all as they stand.
//   - A window that was rolled up is due again only when its tally or its completeness has changed. It is never
//     replaced by one with fewer rows: those are gone by retention, not by correction.
//   - Other measurements than icmp_sweep have no manifests: their windows close by lateness, and are never complete.
//
// A round goes through Promise (manifests), Uncounted and Count (rows), Due and Done (windows), Settle. Before the
// cursor, every minute has been counted after its lateness; these are counted again only when a manifest changes or
// rows are missing, for as long as Config.Revisit says. State is all that a later process needs to go on.
package ledger

import (
	"maps"
	"time"

	"echogram/pipeline/window"
)

const (
	minute = int64(time.Minute)
	second = int64(time.Second)
)

// An incomplete minute, past its lateness, rests between two counts; longer where no manifest promises more.
const (
	recount        = 10 * minute
	recountUnasked = 60 * minute
)

// Config is what a Ledger goes by.
type Config struct {
	Lengths   []time.Duration // of windows, at least one, ascending: multiples of a minute and of the one before
	PerTarget time.Duration   // the shortest window of other measurements than icmp_sweep; 0: all have it
	Lateness  time.Duration   // how long after its end an incomplete window waits for rows
	Revisit   time.Duration   // how far back changes are looked for
}

// Longest is the longest window.
func (c *Config) Longest() time.Duration { return c.Lengths[len(c.Lengths)-1] }

// Instance names one stanza of one prober, or all of one host's points of another measurement.
type Instance struct {
	Of   string // the measurement; "" is icmp_sweep
	Host string
	Name string // "" of another measurement
}

// Tally is what is known of one instance and window.
type Tally struct {
	Points       int64 // rows that manifests promise
	PromisedLate int64 // late replies that manifests know of
	Rows         int64 // rows that the database holds
	Late         int64 // late replies that these know of
}

func (t *Tally) add(o Tally) {
	t.Points += o.Points
	t.PromisedLate += o.PromisedLate
	t.Rows += o.Rows
	t.Late += o.Late
}

// Manifest is what the manifests of one instance and minute promise.
type Manifest struct {
	Instance
	Start  int64 // of the minute, ns
	Points int64
	Late   int64
}

// Count is what the database holds of one instance and minute.
type Count struct {
	Instance
	Start int64 // of the minute, ns
	Rows  int64
	Late  int64
}

// Range is a stretch of time: From <= t < To, ns.
type Range struct {
	From, To int64
}

// Window is one window that is due.
type Window struct {
	Instance
	Start    int64
	Length   time.Duration
	Complete bool
	Missing  int64 // rows promised and not there
	Rows     int64 // rows that were there when they were counted

	tally Tally
	cut   bool // the round ends inside of it
}

// End is the first instant behind the window.
func (w *Window) End() int64 { return w.Start + int64(w.Length) }

// Ledger is the account of all instances.
type Ledger struct {
	cfg    Config
	cursor int64 // every minute before it has been counted after its lateness; 0: nothing has
	floor  int64 // what lies before it is forgotten
	books  map[Instance]*book
}

// book is the account of one instance.
type book struct {
	newest  int64 // latest manifest
	minutes map[int64]*page
	rolled  map[span]rolled
}

// page is one minute.
type page struct {
	tally    Tally
	kept     int64 // rows that a rolled window holds: the tally never falls below
	promised bool  // a manifest has changed since the last count
	checked  int64 // when it was counted; 0: not by this process
}

// span is one window of an instance.
type span struct {
	start  int64
	length time.Duration
}

// rolled is how a window stood when its rows were written.
type rolled struct {
	tally    Tally
	complete bool
}

// New makes an empty Ledger.
func New(cfg Config) *Ledger {
	return &Ledger{cfg: cfg, books: map[Instance]*book{}}
}

// Fresh tells whether nothing has been settled yet, so that Begin must say where the data begins.
func (l *Ledger) Fresh() bool { return l.cursor == 0 }

// Begin sets where the data begins.
func (l *Ledger) Begin(oldest int64) { l.cursor = window.Floor(oldest, minute) }

// From is where a round at the time now starts: the beginning of a longest window, so that every window that may
// still change is seen whole.
func (l *Ledger) From(now int64) int64 {
	return max(window.Floor(min(l.cursor, now-int64(l.cfg.Revisit)), int64(l.cfg.Longest())), l.floor)
}

// Newest takes the time of an instance's latest manifest.
func (l *Ledger) Newest(i Instance, t int64) { l.book(i).newest = max(l.book(i).newest, t) }

// Promise takes what manifests promise. A promise never shrinks: a vanished manifest fell to retention.
func (l *Ledger) Promise(all []Manifest) {
	for _, m := range all {
		p := l.book(m.Instance).page(m.Start)
		if m.Points >= p.tally.Points && (m.Points != p.tally.Points || m.Late != p.tally.PromisedLate) {
			p.tally.Points, p.tally.PromisedLate, p.promised = m.Points, m.Late, true
		}
	}
}

// Count takes the rows of the measurement of in all minutes in r; what counts does not name has none.
func (l *Ledger) Count(of string, r Range, counts []Count, now int64) {
	found := map[Instance]map[int64]Count{}
	for _, c := range counts {
		l.book(c.Instance).page(c.Start)
		if found[c.Instance] == nil {
			found[c.Instance] = map[int64]Count{}
		}
		found[c.Instance][c.Start] = c
	}
	for i, b := range l.books {
		if i.Of != of {
			continue
		}
		for start := window.Floor(r.From, minute); start < r.To; start += minute {
			if p := b.minutes[start]; p != nil {
				p.count(found[i][start], now)
			}
		}
	}
}

func (p *page) count(c Count, now int64) {
	p.checked, p.promised = now, false
	if c.Rows >= p.kept {
		p.tally.Rows, p.tally.Late = c.Rows, c.Late
	}
}

// Doubt says that what was counted of a window is not what was read: its minutes are to be counted again.
func (l *Ledger) Doubt(w *Window) {
	b := l.book(w.Instance)
	for start := w.Start; start < w.End(); start += minute {
		if p := b.minutes[start]; p != nil {
			p.checked, p.kept = 0, 0
		}
	}
}

// Settle says that everything before to has been dealt with at the time now, and forgets what has grown too old. It
// tells whether the state changed by that.
func (l *Ledger) Settle(to, now int64) bool {
	before := l.cursor
	l.cursor = max(l.cursor, min(to, window.Floor(now-int64(l.cfg.Lateness), minute)))
	l.floor = max(l.floor, l.From(now))
	for i, b := range l.books {
		maps.DeleteFunc(b.minutes, func(start int64, _ *page) bool { return start < l.floor })
		maps.DeleteFunc(b.rolled, func(s span, _ rolled) bool { return s.start < l.floor })
		if len(b.minutes) == 0 && len(b.rolled) == 0 && b.newest < l.floor {
			delete(l.books, i)
		}
	}
	return l.cursor != before
}

func (l *Ledger) book(i Instance) *book {
	b := l.books[i]
	if b == nil {
		b = &book{minutes: map[int64]*page{}, rolled: map[span]rolled{}}
		l.books[i] = b
	}
	return b
}

func (b *book) page(start int64) *page {
	p := b.minutes[start]
	if p == nil {
		p = &page{}
		b.minutes[start] = p
	}
	return p
}
