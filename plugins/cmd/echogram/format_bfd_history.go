package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// history writes what happened to a session, and when.
func (p *page) history(s *bfdSession, first int64) {
	if s.log == nil || len(s.log.head)+len(s.log.tail) == 0 {
		return
	}
	p.printf("  History, since the first BFD packet\n")
	p.events(s, s.log.head, first)
	if s.log.skipped > 0 {
		p.printf("%*s%s (-v shows them)\n", firstAt, "", count(s.log.skipped, "further event"))
	}
	p.events(s, s.log.tail, first)
}

func (p *page) events(s *bfdSession, events []*schema.BFDEventRow, first int64) {
	for _, e := range sorted(events) {
		p.paragraph(0, fmt.Sprintf("%*s  %s  ", firstAt-5, since(e.Time-first), sideName[s.side(e.Local)]), eventText(e))
	}
}

// eventText says in words what happened.
func eventText(e *schema.BFDEventRow) string {
	switch e.Event {
	case schema.BFDEventState:
		if e.From == "" || e.From == e.To {
			return e.To + why(e)
		}
		return e.From + " → " + e.To + why(e)
	case schema.BFDEventFlap:
		text := "flap: " + e.From + " → " + e.To + why(e)
		if e.PeerDiagnostic != "" || e.PeerState != "" {
			text += fmt.Sprintf("; the peer: %s%s", e.PeerState, listed(e.PeerDiagnostic))
		}
		if e.DetectionMeasured.Set {
			text += fmt.Sprintf("; %s after the peer's last packet", micros(e.DetectionMeasured.N))
			if e.DetectionTime.Set {
				text += ", detection time " + timer(e.DetectionTime.N)
			}
		}
		return text
	case schema.BFDEventUp:
		text := "both ends are Up"
		if e.To != "" {
			text = strings.TrimPrefix(e.From+" → "+e.To, " → ") + ", " + text
		}
		if e.Outage.Set {
			text += " after an outage of " + micros(e.Outage.N)
		}
		return text
	case schema.BFDEventNearMiss:
		text := "near miss: nothing for " + optTime(e.Gap)
		if e.DetectionTime.Set {
			text += " of " + timer(e.DetectionTime.N)
		}
		return text + listed(part(e.Missed.N, "missing"))
	}
	if e.Text == "" {
		return e.Event
	}
	return e.Text
}

// why is a diagnostic that says something.
func why(e *schema.BFDEventRow) string {
	if e.DiagnosticCode.N == 0 || e.Diagnostic == "" {
		return ""
	}
	return fmt.Sprintf(": diag %d, %s", e.DiagnosticCode.N, e.Diagnostic)
}

// since writes a time of a history: seconds, in front of them hours and minutes where there are any.
func since(ns int64) string {
	d := time.Duration(ns)
	if d < time.Hour {
		return fmt.Sprintf("%.6f s", d.Seconds())
	}
	return fmt.Sprintf("%d:%02d:%09.6f", int(d.Hours()), int(d.Minutes())%60, (d % time.Minute).Seconds())
}

// eventLog keeps the first and the last events of a session, or all.
type eventLog struct {
	head, tail []*schema.BFDEventRow
	skipped    int64
}

// logLen is how many of the first and of the last events are kept.
const logLen = 10

// add takes an event, which may tell more of a change of state that is there already, and then stands in its place.
func (l *eventLog) add(e *schema.BFDEventRow, all bool) {
	switch {
	case replaces(l.tail, e) || replaces(l.head, e):
	case all || len(l.head) < logLen:
		l.head = append(l.head, e)
	case len(l.tail) < logLen:
		l.tail = append(l.tail, e)
	default:
		copy(l.tail, l.tail[1:])
		l.tail[logLen-1] = e
		l.skipped++
	}
}

// replaces puts e in the place of the change of state that it is about, if that is among the last events.
func replaces(events []*schema.BFDEventRow, e *schema.BFDEventRow) bool {
	if e.Event != schema.BFDEventFlap && e.Event != schema.BFDEventAdminDown && e.Event != schema.BFDEventUp {
		return false
	}
	for i := len(events) - 1; i >= max(0, len(events)-logLen); i-- {
		if s := events[i]; s.Event == schema.BFDEventState && s.Time == e.Time && s.Local == e.Local {
			e.From, e.To, events[i] = s.From, s.To, e
			return true
		}
	}
	return false
}

// until takes the events from before a time out of the log.
func (l *eventLog) until(end int64) *eventLog {
	taken := &eventLog{skipped: l.skipped}
	split := func(events []*schema.BFDEventRow) (before, after []*schema.BFDEventRow) {
		for _, e := range sorted(events) {
			if e.Time < end {
				before = append(before, e)
			} else {
				after = append(after, e)
			}
		}
		return before, after
	}
	taken.head, l.head = split(l.head)
	taken.tail, l.tail = split(l.tail)
	l.skipped = 0
	return taken
}

// sorted orders events by time, those of one time as they came.
func sorted(events []*schema.BFDEventRow) []*schema.BFDEventRow {
	return slices.SortedStableFunc(slices.Values(events), func(a, b *schema.BFDEventRow) int { return cmp.Compare(a.Time, b.Time) })
}
