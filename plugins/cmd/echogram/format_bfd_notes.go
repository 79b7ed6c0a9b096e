package main

import (
	"fmt"
	"strings"

	"echogram/plugins/schema"
)

// sessionRules are the places where a sender of control packets can leave the standard.
var sessionRules = []struct {
	of   func(*schema.BFDSessionRow) int64
	text string
}{
	{func(r *schema.BFDSessionRow) int64 { return r.NoJitter }, "RFC 5880 6.8.7: the intervals do not vary, although each must be 0 to 25 % shorter, at random"},
	{func(r *schema.BFDSessionRow) int64 { return r.TooFast }, "RFC 5880 6.8.7: intervals below 75 % of the agreed one"},
	{func(r *schema.BFDSessionRow) int64 { return r.TooSlow }, "RFC 5880 6.8.7: intervals above the agreed one"},
	{func(r *schema.BFDSessionRow) int64 { return r.FastWhileDown }, "RFC 5880 6.8.3: packets faster than one a second while not Up"},
	{func(r *schema.BFDSessionRow) int64 { return r.UnansweredPoll }, "RFC 5880 6.8.7: Polls of the peer not answered by a Final"},
	{func(r *schema.BFDSessionRow) int64 { return r.BadTTL }, "RFC 5881 5: single-hop packets with another TTL than 255"},
	{func(r *schema.BFDSessionRow) int64 { return r.BadSourcePort }, "RFC 5881 4: single-hop packets from a port below 49152"},
	{func(r *schema.BFDSessionRow) int64 { return r.SlowTimerEcho }, "RFC 5880 6.8.3: Required Min RX below one second while echoes run (should not)"},
	{func(r *schema.BFDSessionRow) int64 { return r.SequenceJumps }, "RFC 5880 6.7.3: sequence numbers that go back or jump"},
}

// echoRules are those for a sender of echoes.
var echoRules = []struct {
	of   func(*schema.BFDEchoRow) int64
	text string
}{
	{func(r *schema.BFDEchoRow) int64 { return r.NotUp }, "RFC 5880 6.8.9: echoes while the session is not Up"},
	{func(r *schema.BFDEchoRow) int64 { return r.Refused }, "RFC 5880 6.8.9: echoes that the peer does not want (its Required Min Echo RX is 0)"},
	{func(r *schema.BFDEchoRow) int64 { return r.TooFast }, "RFC 5880 6.8.9: echoes faster than the peer's Required Min Echo RX"},
}

// findings are what the ends do against the standard: each rule once, with how often which end broke it.
func (s *bfdSession) findings() []string {
	var texts []string
	add := func(text string, counts [2]int64) {
		var who []string
		for side, n := range counts {
			if n > 0 {
				who = append(who, fmt.Sprintf("%s %s ×", sideName[side], thousands(n)))
			}
		}
		if len(who) > 0 {
			texts = append(texts, text+": "+strings.Join(who, ", "))
		}
	}
	for _, rule := range sessionRules {
		var counts [2]int64
		for side, r := range s.ends {
			if r != nil {
				counts[side] = rule.of(r)
			}
		}
		add(rule.text, counts)
	}
	for _, rule := range echoRules {
		var counts [2]int64
		for _, r := range s.echoes {
			counts[s.side(r.Local)] += rule.of(r)
		}
		add(rule.text, counts)
	}
	return texts
}

// notes say how figures are to be taken, and what cannot be known.
func (s *bfdSession) notes() []string {
	var texts []string
	for side := range s.ends {
		if !s.seen(side) && (s.ends[0] != nil || s.ends[1] != nil) {
			texts = append(texts, fmt.Sprintf("%s → %s is not in the capture: agreed intervals and detection times are unknown", sideName[side], sideName[1-side]))
		}
	}
	if !s.seen(0) && !s.seen(1) {
		texts = append(texts, "no control packet of this session could be read: state and timers are unknown")
	}
	for _, r := range s.ends {
		if r != nil && r.Demand {
			texts = append(texts, "demand mode: silence is not loss")
			break
		}
	}
	if text := s.noRTT(); text != "" {
		texts = append(texts, text)
	}
	return append(texts, s.echoNotes()...)
}

// seen tells whether packets of a side are in the capture.
func (s *bfdSession) seen(side int) bool {
	r := s.ends[side]
	return r != nil && r.Packets+r.Invalid+r.Truncated > 0
}

// noRTT says why there is no RTT at all.
func (s *bfdSession) noRTT() string {
	for _, r := range s.ends {
		if r != nil && r.ControlRTT.Set {
			return ""
		}
	}
	switch {
	case len(s.echoes) > 0:
		return ""
	case s.seen(0) && s.seen(1):
		return "no RTT: there are no echoes, and no Poll with its Final"
	}
	return ""
}

// echoNotes say what the RTTs of echoes are made of and made by. What is true of both ends' echoes is said once.
func (s *bfdSession) echoNotes() []string {
	var texts []string
	var unanswered int64
	said := map[string]int{} // text: which of texts
	for side := range s.ends {
		for _, r := range s.echoes {
			if s.side(r.Local) != side {
				continue
			}
			unanswered += r.Unanswered
			for _, text := range []string{roleNote(r.TapRole, sideName[side], sideName[1-side]), pairingNote(r)} {
				i, again := said[text]
				switch {
				case text == "":
				case again && !strings.HasPrefix(texts[i], "echoes of "+sideName[side]):
					texts[i] = "echoes of both: " + text
				case !again:
					said[text] = len(texts)
					texts = append(texts, "echoes of "+sideName[side]+": "+text)
				}
			}
		}
	}
	if unanswered > 0 {
		texts = append(texts, "unanswered echoes were lost beyond this capture point, on the way there or back: which cannot be told")
	}
	return texts
}

// roleNote says what an RTT measures, by where the capture point is.
func roleNote(role, sender, loop string) string {
	switch role {
	case "initiator":
		return fmt.Sprintf("the capture point is at %s: RTTs are those of the whole way to %s and back", sender, loop)
	case "reflector":
		return fmt.Sprintf("the capture point is at %s: RTTs are what %s takes to loop them back, the way is not in them", loop, loop)
	case "transit":
		return fmt.Sprintf("the capture point is between the ends: RTTs are those of the loop beyond it, to %s and back", loop)
	}
	return "RTTs are those of the loop beyond this capture point; where it is cannot be told (--local ADDRESS tells of a capture at an end)"
}

// pairingNote says how returns found their sends where it was not by what the echoes bear.
func pairingNote(r *schema.BFDEchoRow) string {
	var text string
	switch r.Pairing {
	case "aligned":
		text = "they look all the same: paired by the jitter of their sends"
	case "ambiguous":
		text = "they look all the same, and which send a return is of cannot be told"
	}
	if r.Ambiguous > 0 {
		text = strings.TrimPrefix(fmt.Sprintf("%s; %s give no RTT", text, count(r.Ambiguous, "return")), "; ")
	}
	return text
}
