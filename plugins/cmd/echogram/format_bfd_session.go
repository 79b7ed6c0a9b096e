package main

import (
	"cmp"
	"fmt"
	"strings"

	"echogram/plugins/schema"
)

// sideName is what a page calls the ends of a session.
var sideName = [2]string{"a", "b"}

// session writes the page of one session; first is the time from which its events are told.
func (p *page) session(s *bfdSession, first int64) {
	p.printf("\n%s ↔ %s  %s\n", s.address(0), s.address(1), s.way())
	if s.ends[0] != nil || s.ends[1] != nil {
		p.pair("", "a → b", "b → a")
		for _, f := range sessionFigures {
			p.pair(f.name, f.of(s, 0), f.of(s, 1))
		}
	}
	p.echoes(s)
	p.history(s, first)
	p.notes("Against the standard", s.findings())
	p.notes("To know", s.notes())
}

// way says where a session runs.
func (s *bfdSession) way() string {
	r := &s.series
	hops := map[string]string{
		"single": "single hop", "multi": "multihop", "micro": "micro-BFD", "sbfd": "S-BFD", "multipoint": "multipoint", "lsp": "MPLS LSP",
	}
	parts := []string{cmp.Or(hops[r.Hop], r.Hop)}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(name+" "+value))
		}
	}
	add("VLAN", r.VLAN)
	add("", r.Tunnel)
	add("VNI", r.VNI)
	if r.OuterLocal != "" {
		add("between", r.OuterLocal+" and "+r.OuterPeer)
	}
	add("tap", r.Tap)
	add("session", r.Parallel)
	return strings.Join(parts, ", ")
}

// figure is a line of a session's page.
type figure struct {
	name string
	row  func(r *schema.BFDSessionRow) string
}

// of is what the figure is for one direction: "-" where it has none, and nothing when the direction was not seen.
func (f figure) of(s *bfdSession, side int) string {
	r := s.ends[side]
	switch {
	case f.row == nil:
		return s.address(side)
	case r == nil || r.Packets+r.Invalid+r.Truncated == 0:
		return ""
	}
	return cmp.Or(f.row(r), "-")
}

// sessionFigures are the lines of a session's page, in their order. What one end sends and must keep to comes first,
// then how it kept to it.
var sessionFigures = []figure{
	{"from", nil},
	{"state", func(r *schema.BFDSessionRow) string {
		if r.DiagnosticCode != 0 {
			return r.State + ", diag " + fmt.Sprint(r.DiagnosticCode)
		}
		return r.State
	}},
	{"discriminator", func(r *schema.BFDSessionRow) string {
		return fmt.Sprint(r.Discriminator) + changed(r.DiscriminatorChange)
	}},
	{"desired min TX", func(r *schema.BFDSessionRow) string { return timer(r.DesiredMinTX) }},
	{"required min RX", func(r *schema.BFDSessionRow) string { return timer(r.RequiredMinRX) }},
	{"required echo RX", func(r *schema.BFDSessionRow) string {
		if r.RequiredMinEchoRX == 0 {
			return "0, wants no echoes"
		}
		return timer(r.RequiredMinEchoRX)
	}},
	{"agreed interval", func(r *schema.BFDSessionRow) string { return known(r.Interval) }},
	{"detection time", func(r *schema.BFDSessionRow) string {
		return known(r.DetectionTime) + fmt.Sprintf(" (× %d)", r.DetectMult)
	}},
	{"mode", func(r *schema.BFDSessionRow) string {
		if r.Demand {
			return "demand"
		}
		return ""
	}},
	{"authentication", func(r *schema.BFDSessionRow) string { return authText(r.AuthType) }},
	{"control packets", func(r *schema.BFDSessionRow) string {
		return thousands(r.Packets) + listed(some(r.Polls, "Poll"), some(r.Finals, "Final"))
	}},
	{"refused, cut, copies", func(r *schema.BFDSessionRow) string {
		if r.Invalid+r.Truncated+r.Mirrored == 0 {
			return ""
		}
		return fmt.Sprintf("%s, %s, %s", thousands(r.Invalid), thousands(r.Truncated), thousands(r.Mirrored))
	}},
	{"intervals", func(r *schema.BFDSessionRow) string { return intervalCount(&r.Intervals) }},
	{"  least – greatest", func(r *schema.BFDSessionRow) string { return intervalRange(&r.Intervals) }},
	{"  of the agreed", func(r *schema.BFDSessionRow) string { return intervalRatio(&r.Intervals) }},
	{"  late, early", func(r *schema.BFDSessionRow) string { return lateEarly(&r.Intervals) }},
	{"missing packets", func(r *schema.BFDSessionRow) string {
		if r.Count == 0 {
			return ""
		}
		s := thousands(r.Missing)
		if r.MissingSequence.Set {
			s += fmt.Sprintf(" (%s by sequence)", thousands(r.MissingSequence.N))
		}
		return s
	}},
	{"longest gap", func(r *schema.BFDSessionRow) string { return optTime(r.MaxGap) }},
	{"detection margin", func(r *schema.BFDSessionRow) string { return percent(r.DetectMargin) }},
	{"near misses", func(r *schema.BFDSessionRow) string {
		if r.Count == 0 {
			return ""
		}
		return thousands(r.NearMisses)
	}},
	{"control RTT", controlRTT},
	{"flaps", func(r *schema.BFDSessionRow) string {
		s := thousands(r.Flaps)
		if r.FlapsTotal > r.Flaps {
			s += fmt.Sprintf(", %s in all", thousands(r.FlapsTotal))
		}
		return s
	}},
	{"last outage", func(r *schema.BFDSessionRow) string { return optTime(r.Outage) }},
	{"went Down after", func(r *schema.BFDSessionRow) string {
		if !r.DetectionMeasured.Set {
			return ""
		}
		return micros(r.DetectionMeasured.N) + " of silence"
	}},
}

// controlRTT is the time from a Poll to the Final that answers it.
func controlRTT(r *schema.BFDSessionRow) string {
	switch {
	case !r.ControlRTT.Set:
		return ""
	case r.ControlRTTs > 1 && r.ControlRTTMin.Set && r.ControlRTTMax.Set:
		return micros(r.ControlRTTMin.N) + " – " + micros(r.ControlRTTMax.N)
	}
	return micros(r.ControlRTT.N)
}

// changed says how often a discriminator has changed.
func changed(n int64) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", changed once"
	}
	return fmt.Sprintf(", changed %d ×", n)
}

func known(v schema.Opt) string {
	if !v.Set {
		return "unknown"
	}
	return timer(v.N)
}

func optTime(v schema.Opt) string {
	if !v.Set {
		return ""
	}
	return micros(v.N)
}

func optText(v schema.Opt) string {
	if !v.Set {
		return ""
	}
	return fmt.Sprint(v.N)
}

func percent(v schema.OptFloat) string {
	if !v.Set {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*v.F)
}

func intervalCount(i *schema.Intervals) string {
	if i.Count == 0 {
		return ""
	}
	return thousands(i.Count) + ", mean " + micros(i.Mean.N)
}

func intervalRange(i *schema.Intervals) string {
	if i.Count == 0 {
		return ""
	}
	return micros(i.Min.N) + " – " + micros(i.Max.N)
}

func intervalRatio(i *schema.Intervals) string {
	if !i.RatioMin.Set || !i.RatioMax.Set {
		return ""
	}
	return fmt.Sprintf("%.3f – %.3f", i.RatioMin.F, i.RatioMax.F)
}

// lateEarly is about intervals of which it is known how long they may be.
func lateEarly(i *schema.Intervals) string {
	if !i.RatioMax.Set {
		return ""
	}
	text := func(n int64, by schema.Opt) string {
		if n == 0 || !by.Set {
			return thousands(n)
		}
		return fmt.Sprintf("%s by ≤ %s", thousands(n), timer(by.N))
	}
	return text(i.Late, i.LateMax) + ", " + text(i.Early, i.EarlyMax)
}

// authText names a type of authentication as RFC 5880, 4.1, RFC 9978 and RFC 9985 do.
func authText(kind int64) string {
	names := [...]string{"", "simple password", "keyed MD5", "meticulous keyed MD5", "keyed SHA1", "meticulous keyed SHA1",
		"NULL", "meticulous MD5 ISAAC", "meticulous SHA1 ISAAC"}
	if kind < 0 || kind >= int64(len(names)) {
		return fmt.Sprintf("type %d", kind)
	}
	return names[kind]
}
