package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"echogram/plugins/schema"
)

// page is text for people, at most width characters wide where words can be wrapped.
type page struct {
	dst   []byte
	width int
}

// Places of a page's columns: a name, and what each of two directions has.
const (
	nameAt, firstAt = 2, 22
	sideWide        = 28
)

func (p *page) printf(format string, args ...any) { p.dst = fmt.Appendf(p.dst, format, args...) }

// pair writes a line of two values, or nothing when neither says anything.
func (p *page) pair(name, a, b string) {
	if strings.Trim(a+b, "-") == "" {
		return
	}
	line := fmt.Sprintf("%*s%-*s%-*s %s", nameAt, "", firstAt-nameAt, name, sideWide, a, b)
	p.dst = append(append(p.dst, strings.TrimRight(line, " ")...), '\n')
}

// paragraph writes wrapped text, its first line behind a mark.
func (p *page) paragraph(indent int, mark, text string) {
	line := strings.Repeat(" ", indent) + mark
	hang := utf8.RuneCountInString(line)
	wide, words := hang, 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if words > 0 && wide+1+n > p.width {
			p.dst = append(append(p.dst, line...), '\n')
			line, wide, words = strings.Repeat(" ", hang), hang, 0
		}
		if words > 0 {
			line, wide = line+" ", wide+1
		}
		line, wide, words = line+word, wide+n, words+1
	}
	p.dst = append(append(p.dst, line...), '\n')
}

// notes writes a part of a session's page, if it has text.
func (p *page) notes(title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	p.printf("  %s\n", title)
	for _, text := range texts {
		p.paragraph(4, "- ", text)
	}
}

// head says what was read, and what of it could not be used.
func (r *bfdReport) head(p *page) {
	s := &r.stats
	if r.name != "" {
		p.paragraph(0, "", r.name)
	}
	from := r.first.N
	if r.period < wholeCapture.Nanoseconds() {
		from = r.start.N
		p.paragraph(0, "", fmt.Sprintf("%v from %s", time.Duration(r.period), clock(from)))
	} else {
		p.paragraph(0, "", fmt.Sprintf("BFD for %s from %s", span(r.last-from), clock(from)))
	}
	p.paragraph(0, "", packetCounts(s))
	if text := packetLosses(s); text != "" {
		p.paragraph(0, "", text)
	}
	for _, rule := range refusals {
		if n := rule.of(s); n > 0 {
			p.paragraph(0, "", fmt.Sprintf("%s refused by %s", thousands(n), rule.text))
		}
	}
}

// packetCounts says what the packets of a capture were.
func packetCounts(s *schema.BFDStatsRow) string {
	return count(s.Packets, "packet") + ": " + count(s.Control, "control packet") + ", " + count(s.Echo, "echo packet") +
		listed(part(s.QuotedInICMP, "of ICMP"), part(s.OtherFrames, "others"))
}

// packetLosses says which packets were not used as they are; nothing if there are none.
func packetLosses(s *schema.BFDStatsRow) string {
	return strings.TrimPrefix(listed(part(s.Truncated, "cut by the capture inside BFD"), part(s.CaptureDrops, "lost by the capture"),
		part(s.Mirrored, "seen twice and counted once"), part(s.Fragments, "fragments, not put together"),
		part(s.Disordered, "too far out of order to be timed (reordercap sorts files)"), part(s.NoRoom, "of sessions beyond --max-sessions, left out")), ", ")
}

// refusals are the rules by which packets are refused, with their sections.
var refusals = []struct {
	of   func(*schema.BFDStatsRow) int64
	text string
}{
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidVersion }, "RFC 5880 6.8.6: version is not 1"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidLength }, "RFC 5880 6.8.6: Length is too short"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidPayloadLength }, "RFC 5880 6.8.6: Length is more than the datagram has"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidDetectMult }, "RFC 5880 6.8.6: Detect Mult is 0"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidMultipoint }, "RFC 8562 5.13: Multipoint is set, and Your Discriminator"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidMyDiscr }, "RFC 5880 6.8.6: My Discriminator is 0"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidYourDiscr }, "RFC 5880 6.8.6: Your Discriminator is 0 in a state that needs it"},
	{func(r *schema.BFDStatsRow) int64 { return r.InvalidAuth }, "RFC 5880 6.7: the authentication section does not fit"},
}

// clock writes a time for people.
func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.000000 UTC") }

// span writes how long a capture is: 12.35 s, 1h6m52s.
func span(ns int64) string {
	if d := time.Duration(ns); d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return timer(ns)
}

// timer writes a duration without digits that say nothing: 50 ms, 1.5 s, 13.7 ms.
func timer(ns int64) string {
	value, unit, _ := strings.Cut(micros(ns), " ")
	if strings.Contains(value, ".") {
		value = strings.TrimRight(strings.TrimRight(value, "0"), ".")
	}
	return value + " " + unit
}

// microTimer writes a timer as control packets have it.
func microTimer(us uint32) string {
	if us == 0 {
		return "0"
	}
	return timer(int64(us) * 1000)
}
