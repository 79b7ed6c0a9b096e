package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"echogram/plugins/schema"
)

// table writes aligned columns for people, line by line. Its widths suit IPv4 and grow when something longer comes.
type table struct {
	names                bool
	targetWide, nameWide int
}

const rttWide = 8

func newTable(names bool) format {
	t := &table{names: names, targetWide: len("255.255.255.255"), nameWide: 24}
	return format{head: string(t.line(nil, "TARGET", "NAME", "RTT", "LOST", "TTL", "NOTE")), row: t.row}
}

func (t *table) row(dst []byte, _ *schema.Point, row schema.Row) ([]byte, error) {
	switch r := row.(type) {
	case *schema.SweepRow:
		return t.line(dst, r.Target, r.Name, rttText(r.RTT), fmt.Sprintf("%d/%d", lost(r), r.Sent), numberText(r.TTL), note(r)), nil
	case *schema.LateRow:
		return t.line(dst, r.Target, r.Name, "", "", "", lateNote(r.Late, r.LateRTT)), nil
	}
	return dst, nil
}

func (t *table) line(dst []byte, target, name, rtt, lost, ttl, note string) []byte {
	dst = appendLeft(dst, target, &t.targetWide)
	if t.names {
		dst = appendLeft(dst, name, &t.nameWide)
	}
	start := len(dst)
	dst = fmt.Appendf(dst, "%*s  %7s  %3s  %s", rttWide, rtt, lost, ttl, note)
	return append(append(dst[:start], strings.TrimRight(string(dst[start:]), " ")...), '\n')
}

// appendLeft appends a column and the gap behind it, and widens the column to what it holds.
func appendLeft(dst []byte, s string, wide *int) []byte {
	*wide = max(*wide, utf8.RuneCountInString(s))
	return fmt.Appendf(dst, "%-*s  ", *wide, s)
}

// note says what is worth telling of a target beside its figures.
func note(r *schema.SweepRow) string {
	var notes []string
	add := func(s string) {
		if s != "" {
			notes = append(notes, s)
		}
	}
	switch {
	case r.ICMPType.Set:
		add(errorOf(r).String() + " from " + r.ErrorFrom)
	case r.ResultCode == schema.ResultNotSent:
		add("refused by our own kernel")
	case r.ResultCode == schema.ResultNoHost:
		add("no host on the link")
	case r.ResultCode == schema.ResultSilent && r.Late == 0:
		add("no reply")
	}
	if r.MTU.Set {
		add("MTU " + numberText(r.MTU))
	}
	add(lateNote(r.Late, r.LateRTT))
	add(part(r.Duplicates, "duplicate"))
	add(corruptNote(r))
	add(r.MAC)
	add(r.HostName)
	return strings.Join(notes, ", ")
}

func lateNote(n int64, rtt schema.Opt) string {
	switch {
	case n == 0:
		return ""
	case !rtt.Set:
		return part(n, "late")
	}
	return part(n, "late, after "+micros(rtt.N))
}

func corruptNote(r *schema.SweepRow) string {
	s := part(r.Corrupt, "corrupt")
	if r.FirstFlip.Set {
		s += fmt.Sprintf(" (bits flipped: %s, the first in byte %d)", thousands(r.Flipped), r.FirstFlip.N)
	}
	return s
}

func rttText(rtt schema.Opt) string {
	if !rtt.Set {
		return "-"
	}
	return micros(rtt.N)
}

func numberText(v schema.Opt) string {
	if !v.Set {
		return "-"
	}
	return fmt.Sprint(v.N)
}
