package ledger

import (
	"cmp"
	"slices"
	"time"

	"echogram/pipeline/window"
)

// Uncounted returns which minutes of the measurement of to count between from and to at the time now, which is where
// a forced round ends.
func (l *Ledger) Uncounted(of string, from, to, now int64, force bool) []Range {
	var all []Range
	for start := window.Floor(from, minute); start < to; start += minute {
		if !l.wanted(of, start, now, force) {
			continue
		}
		if n := len(all); n > 0 && all[n-1].To == start {
			all[n-1].To = min(start+minute, to)
		} else {
			all = append(all, Range{start, min(start+minute, to)})
		}
	}
	return all
}

// wanted tells whether the rows of one minute must be counted.
func (l *Ledger) wanted(of string, start, now int64, force bool) bool {
	expiry := start + minute + int64(l.cfg.Lateness)
	if start >= l.cursor && (force || now >= expiry) {
		return true // once, as the cursor passes it: rows may lie there that no manifest speaks of
	}
	for i, b := range l.books {
		if i.Of != of {
			continue
		}
		if p := b.minutes[start]; p != nil && (force || b.over(start+minute, expiry, now)) && p.wanted(expiry, now, force) {
			return true
		}
	}
	return false
}

func (p *page) wanted(expiry, now int64, force bool) bool {
	rest := recount
	switch {
	case p.checked == 0 || p.promised:
		return true
	case p.tally.Rows == p.tally.Points:
		return false
	case p.tally.Points == 0:
		rest = recountUnasked
	}
	return force || now < expiry || p.checked < expiry || now-p.checked >= rest
}

// over tells whether no sweep of the window that ends at end can still be under way.
func (b *book) over(end, expiry, now int64) bool { return b.newest >= end || now >= expiry }

// Due returns the windows of the measurement of that start between from and to and are to be rolled up at the time
// now, by start and then by length. A forced round takes windows that are not over, and those that now cuts.
func (l *Ledger) Due(of string, from, to, now int64, force bool) []Window {
	var all []Window
	for i, b := range l.books {
		if i.Of != of {
			continue
		}
		for _, length := range l.lengths(of) {
			for start := window.Floor(from+int64(length)-1, int64(length)); start < to; start += int64(length) {
				w := Window{Instance: i, Start: start, Length: length}
				if equal := b.sum(&w); l.due(b, &w, equal, now, force) {
					all = append(all, w)
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y Window) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.Length, y.Length),
			cmp.Compare(x.Host, y.Host), cmp.Compare(x.Name, y.Name))
	})
	return all
}

// lengths are those of the windows that the measurement of has.
func (l *Ledger) lengths(of string) []time.Duration {
	if of == "" {
		return l.cfg.Lengths
	}
	i, _ := slices.BinarySearch(l.cfg.Lengths, l.cfg.PerTarget)
	return l.cfg.Lengths[i:]
}

// sum fills a window from its minutes and tells whether each of them holds what was promised.
func (b *book) sum(w *Window) (equal bool) {
	equal = true
	for start := w.Start; start < w.End(); start += minute {
		if p := b.minutes[start]; p != nil {
			w.tally.add(p.tally)
			w.Missing += max(0, p.tally.Points-p.tally.Rows)
			equal = equal && p.tally.Rows == p.tally.Points
		}
	}
	w.Rows = w.tally.Rows
	return equal
}

// due decides on one window whose sum is filled in, and fills in the rest.
func (l *Ledger) due(b *book, w *Window, equal bool, now int64, force bool) bool {
	expiry := w.End() + int64(l.cfg.Lateness)
	w.cut = w.End() > now
	w.Complete = equal && !w.cut && b.over(w.End(), expiry, now)
	ripe := now >= expiry || w.Complete && w.Length < time.Hour
	before, done := b.rolled[span{w.Start, w.Length}]
	switch {
	case w.Rows == 0, !force && !ripe:
		return false
	case !done:
		return true
	case w.cut, w.Rows < before.tally.Rows:
		return false
	}
	return before != rolled{w.tally, w.Complete}
}

// Done records that the rows of ws have been written and acknowledged. Windows that were cut stay open.
func (l *Ledger) Done(ws []Window) {
	for i := range ws {
		w := &ws[i]
		if w.cut {
			continue
		}
		b := l.book(w.Instance)
		b.rolled[span{w.Start, w.Length}] = rolled{w.tally, w.Complete}
		for start := w.Start; start < w.End(); start += minute {
			if p := b.minutes[start]; p != nil {
				p.kept = p.tally.Rows
			}
		}
	}
}
