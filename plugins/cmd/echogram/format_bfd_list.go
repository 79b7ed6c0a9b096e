package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"echogram/plugins/schema"
)

// listColumn is a column of the list of sessions.
type listColumn struct {
	head string
	wide bool // stands only where there is room
	of   func(s *bfdSession) string
}

// listColumns are the columns that stand behind the two addresses.
var listColumns = []listColumn{
	{"STATE", false, (*bfdSession).state},
	{"INTERVAL", true, func(s *bfdSession) string {
		return s.worst(func(r *schema.BFDSessionRow) schema.Opt { return r.Interval }, timer)
	}},
	{"DETECT", true, func(s *bfdSession) string {
		return s.worst(func(r *schema.BFDSessionRow) schema.Opt { return r.DetectionTime }, timer)
	}},
	{"MARGIN", false, func(s *bfdSession) string { return cmp.Or(percent(s.margin()), "-") }},
	{"MISSING", false, func(s *bfdSession) string {
		return thousands(s.sum(func(r *schema.BFDSessionRow) int64 { return r.Missing }))
	}},
	{"NEAR", true, func(s *bfdSession) string { return thousands(s.nearMisses()) }},
	{"FLAPS", false, func(s *bfdSession) string { return thousands(s.flaps()) }},
	{"LOST", true, func(s *bfdSession) string {
		var n int64
		for _, r := range s.echoes {
			n += r.Unanswered
		}
		return thousands(n)
	}},
	{"ECHO RTT", false, func(s *bfdSession) string {
		var most schema.Opt
		for _, r := range s.echoes {
			if r.RTTP50.Set && (!most.Set || r.RTTP50.N > most.N) {
				most = r.RTTP50
			}
		}
		return cmp.Or(optTime(most), "-")
	}},
}

// wideList is the width from which on the list has all columns.
const wideList = 110

// list writes a line for each session, the worst first, and what they come to.
func (p *page) list(sessions []*bfdSession) {
	sessions = slices.Clone(sessions)
	slices.SortStableFunc(sessions, byTrouble)
	p.tally(sessions)
	var columns []listColumn
	for _, c := range listColumns {
		if !c.wide || p.width >= wideList {
			columns = append(columns, c)
		}
	}
	lines := [][]string{{"A", "B"}}
	for _, c := range columns {
		lines[0] = append(lines[0], c.head)
	}
	for _, s := range sessions {
		line := []string{s.address(0), s.address(1)}
		for _, c := range columns {
			line = append(line, c.of(s))
		}
		lines = append(lines, line)
	}
	for i, s := range sessions {
		if way := s.way(); way != "single hop" {
			lines[i+1] = append(lines[i+1], way)
		}
	}
	p.printf("\n")
	p.columns(lines, 3)
	p.paragraph(0, "", "margin, interval and times are the worse end's; --session ADDRESS or -v shows sessions in full")
}

// columns aligns cells: the first few to the left, what follows to the right, what stands behind all heads as it is.
func (p *page) columns(lines [][]string, left int) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i := range widths {
			widths[i] = max(widths[i], len([]rune(line[i])))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			switch {
			case i >= len(widths):
				b.WriteString(cell)
			case i < left:
				fmt.Fprintf(&b, "%-*s  ", widths[i], cell)
			default:
				fmt.Fprintf(&b, "%*s  ", widths[i], cell)
			}
		}
		p.dst = append(append(p.dst, strings.TrimRight(b.String(), " ")...), '\n')
	}
}

// tally says how many sessions are in which state, and how many had troubles.
func (p *page) tally(sessions []*bfdSession) {
	var up, partly, flapped, near, findings int64
	for _, s := range sessions {
		for _, c := range []struct {
			n   *int64
			has bool
		}{
			{&up, s.state() == "Up"}, {&partly, !s.seen(0) || !s.seen(1)}, {&flapped, s.flaps() > 0},
			{&near, s.nearMisses() > 0}, {&findings, len(s.findings()) > 0},
		} {
			if c.has {
				*c.n++
			}
		}
	}
	all := int64(len(sessions))
	p.paragraph(0, "", count(all, "session")+": "+thousands(up)+" Up"+listed(part(all-up, "not"), part(flapped, "with flaps"),
		part(near, "with near misses"), part(findings, "with something against the standard"), part(partly, "seen in one direction only")))
}

// byTrouble orders sessions: flaps, not Up, near misses, least margin; where there is none, by address.
func byTrouble(a, b *bfdSession) int {
	down := func(s *bfdSession) int {
		if s.state() == "Up" {
			return 0
		}
		return 1
	}
	margin := func(s *bfdSession) int {
		if m := s.margin(); m.Set {
			return int(100 * m.F)
		}
		return 100
	}
	address := func(s *bfdSession) netip.Addr {
		addr, _ := netip.ParseAddr(s.series.Local)
		return addr
	}
	return cmp.Or(cmp.Compare(b.flaps(), a.flaps()), cmp.Compare(down(b), down(a)),
		cmp.Compare(b.nearMisses(), a.nearMisses()), cmp.Compare(margin(a), margin(b)), address(a).Compare(address(b)))
}

// state is the state of both ends, or of the one that was seen.
func (s *bfdSession) state() string {
	var states []string
	for side, r := range s.ends {
		if s.seen(side) {
			states = append(states, r.State)
		}
	}
	if len(states) == 0 {
		return "-"
	}
	return strings.Join(slices.Compact(states), "/")
}

func (s *bfdSession) sum(of func(*schema.BFDSessionRow) int64) (n int64) {
	for _, r := range s.ends {
		if r != nil {
			n += of(r)
		}
	}
	return n
}

func (s *bfdSession) nearMisses() int64 {
	return s.sum(func(r *schema.BFDSessionRow) int64 { return r.NearMisses })
}

// flaps is how often the end that tells of more flaps has left Up: both tell of one.
func (s *bfdSession) flaps() (n int64) {
	for _, r := range s.ends {
		if r != nil {
			n = max(n, r.Flaps)
		}
	}
	return n
}

// margin is the lesser margin of both directions.
func (s *bfdSession) margin() (m schema.OptFloat) {
	for _, r := range s.ends {
		if r != nil && r.DetectMargin.Set && (!m.Set || r.DetectMargin.F < m.F) {
			m = r.DetectMargin
		}
	}
	return m
}

// worst writes the greater of the two ends' values.
func (s *bfdSession) worst(of func(*schema.BFDSessionRow) schema.Opt, write func(int64) string) string {
	var most schema.Opt
	for _, r := range s.ends {
		if r != nil {
			if v := of(r); v.Set && (!most.Set || v.N > most.N) {
				most = v
			}
		}
	}
	if !most.Set {
		return "-"
	}
	return write(most.N)
}
