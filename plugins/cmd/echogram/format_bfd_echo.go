package main

import (
	"cmp"
	"fmt"

	"echogram/plugins/schema"
)

// echoFigures are the lines of a stream of echoes.
var echoFigures = []struct {
	name string
	of   func(r *schema.BFDEchoRow) string
}{
	{"sent, returned", func(r *schema.BFDEchoRow) string { return thousands(r.Sent) + ", " + thousands(r.Returned) }},
	{"unanswered", func(r *schema.BFDEchoRow) string {
		s := thousands(r.Unanswered)
		if r.Unanswered > 0 {
			s += share(r.Unanswered, r.Sent-r.InFlight)
		}
		return s + listed(part(r.InFlight, "cut off"))
	}},
	{"dup, reordered", func(r *schema.BFDEchoRow) string { return thousands(r.Duplicates) + ", " + thousands(r.Reordered) }},
	{"sends not seen", func(r *schema.BFDEchoRow) string { return optText(schema.Opt{N: r.Unmatched, Set: r.Unmatched > 0}) }},
	{"RTT least, mean", func(r *schema.BFDEchoRow) string { return both(r.RTTMin, r.RTTMean) }},
	{"  p50, p95", func(r *schema.BFDEchoRow) string { return both(r.RTTP50, r.RTTP95) }},
	{"  p99, greatest", func(r *schema.BFDEchoRow) string { return both(r.RTTP99, r.RTTMax) }},
	{"  PDV p95, greatest", func(r *schema.BFDEchoRow) string { return both(r.PDVP95, r.PDVMax) }},
	{"  IPDV mean", func(r *schema.BFDEchoRow) string { return optTime(r.IPDVMean) }},
	{"whole way, estimate", func(r *schema.BFDEchoRow) string { return optTime(r.RTTFull) }},
	{"one-way variation", func(r *schema.BFDEchoRow) string {
		if !r.DelayVarP95.Set {
			return ""
		}
		return "p95 " + micros(r.DelayVarP95.N) + ", max " + micros(r.DelayVarMax.N)
	}},
	{"intervals", func(r *schema.BFDEchoRow) string { return intervalCount(&r.Intervals) }},
	{"  least – greatest", func(r *schema.BFDEchoRow) string { return intervalRange(&r.Intervals) }},
	{"  of least allowed", func(r *schema.BFDEchoRow) string { return intervalRatio(&r.Intervals) }},
	{"  late, early", func(r *schema.BFDEchoRow) string { return lateEarly(&r.Intervals) }},
}

// echoes writes a session's streams of echoes, one of each end beside the other.
func (p *page) echoes(s *bfdSession) {
	var sides [2][]*schema.BFDEchoRow
	for _, r := range s.echoes {
		side := s.side(r.Local)
		sides[side] = append(sides[side], r)
	}
	for i := range max(len(sides[0]), len(sides[1])) {
		var pair [2]*schema.BFDEchoRow
		for side := range pair {
			if i < len(sides[side]) {
				pair[side] = sides[side][i]
			}
		}
		p.pair("Echoes", echoTitle(pair[0], "a → b → a"), echoTitle(pair[1], "b → a → b"))
		for _, f := range echoFigures {
			p.pair(f.name, ofEcho(pair[0], f.of), ofEcho(pair[1], f.of))
		}
	}
}

func echoTitle(r *schema.BFDEchoRow, way string) string {
	if r == nil {
		return ""
	}
	return way + ", " + r.Layout
}

func ofEcho(r *schema.BFDEchoRow, of func(*schema.BFDEchoRow) string) string {
	if r == nil {
		return ""
	}
	return cmp.Or(of(r), "-")
}

// both writes two times, or nothing.
func both(x, y schema.Opt) string {
	if !x.Set || !y.Set {
		return ""
	}
	return fmt.Sprintf("%s, %s", micros(x.N), micros(y.N))
}
