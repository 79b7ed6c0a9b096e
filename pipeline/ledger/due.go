package ledger

import (
	"cmp"
	"slices"
	"time"
)

// Uncounted returns what to count between from and to at the time now, which is where a forced round ends.
func (l *Ledger) Uncounted(from, to, now int64, force bool) []Range {
	var all []Range
	for start := floorTo(from, minute); start < to; start += minute {
		if !l.wanted(start, now, force) {
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
func (l *Ledger) wanted(start, now int64, force bool) bool {
	expiry := start + minute + int64(l.cfg.Lateness)
	if start >= l.cursor && (force || now >= expiry) {
		return true // once, as the cursor passes it: rows may lie there that no manifest speaks of
	}
	for _, b := range l.books {
		if p := b.minutes[start]; p != nil && (force || b.over(start+minute, expiry, now)) && p.wanted(expiry, now, force) {
			return true
		}
	}
	return false
}

func (p *page) wanted(expiry, now int64, force bool) bool {
	switch {
	case p.checked == 0 || p.promised:
		return true
	case p.tally.Rows == p.tally.Points:
		return false
	}
	return force || now < expiry || p.checked < expiry || now-p.checked >= recount
}

// over tells whether no sweep of the window that ends at end can still be under way.
func (b *book) over(end, expiry, now int64) bool { return b.newest >= end || now >= expiry }

// Due returns the windows that start between from and to and are to be rolled up at the time now, by start and then
// by length. A forced round takes windows that are not over, and those that now cuts.
func (l *Ledger) Due(from, to, now int64, force bool) []Window {
	var all []Window
	for i, b := range l.books {
		for start, p := range b.minutes {
			if start >= from && start < to {
				w := Window{Instance: i, Start: start, Length: time.Minute, tally: p.tally, Missing: missing(p.tally)}
				if l.due(b, &w, p.rolled, p.tally.Rows == p.tally.Points, now, force) {
					all = append(all, w)
				}
			}
		}
		for start := floorTo(from, hour); start < to; start += hour {
			if start < from {
				continue
			}
			w := Window{Instance: i, Start: start, Length: time.Hour}
			equal := b.sum(&w)
			if l.due(b, &w, b.hours[start], equal, now, force) {
				all = append(all, w)
			}
		}
	}
	slices.SortFunc(all, func(x, y Window) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.Length, y.Length),
			cmp.Compare(x.Host, y.Host), cmp.Compare(x.Name, y.Name))
	})
	return all
}

// sum fills an hour from its minutes and tells whether each of them holds what was promised.
func (b *book) sum(w *Window) (equal bool) {
	equal = true
	for start := w.Start; start < w.End(); start += minute {
		if p := b.minutes[start]; p != nil {
			w.tally.add(p.tally)
			w.Missing += missing(p.tally)
			equal = equal && p.tally.Rows == p.tally.Points
		}
	}
	return equal
}

func missing(t Tally) int64 { return max(0, t.Points-t.Rows) }

// due decides on one window whose tally is filled in, and fills in the rest.
func (l *Ledger) due(b *book, w *Window, before *rolled, equal bool, now int64, force bool) bool {
	expiry := w.End() + int64(l.cfg.Lateness)
	w.cut = w.End() > now
	w.Complete = equal && !w.cut && b.over(w.End(), expiry, now)
	w.Rows = w.tally.Rows
	ripe := now >= expiry || w.Complete && w.Length < time.Hour
	switch {
	case w.Rows == 0, !force && !ripe:
		return false
	case before == nil:
		return true
	case w.cut, w.Rows < before.tally.Rows:
		return false
	}
	return before.tally != w.tally || before.complete != w.Complete
}

// Done records that the rows of ws have been written and acknowledged. Windows that were cut stay open.
func (l *Ledger) Done(ws []Window) {
	for i := range ws {
		w := &ws[i]
		if w.cut {
			continue
		}
		r := &rolled{tally: w.tally, complete: w.Complete}
		if b := l.book(w.Instance); w.Length == time.Hour {
			b.hours[w.Start] = r
		} else {
			b.page(w.Start).rolled = r
		}
	}
}
