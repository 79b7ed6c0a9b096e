package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// roles say where a capture point was.
var roles = map[string]string{
	"initiator": "captured at the initiator",
	"reflector": "captured at the reflector",
	"transit":   "captured in transit",
}

// loop says what an RTT is that of.
func (s *echoStream) loop() string {
	role, ok := roles[s.role]
	if !ok {
		role = "capture point unknown"
	}
	return role + ": RTT of the loop beyond the capture point"
}

// counts says how many echoes there were.
func (s *echoStream) counts() []string {
	sent, answered, unanswered := s.sent, s.answered, s.unanswered.n
	if sent == 0 {
		sent, answered, unanswered = s.periods.sent, s.periods.returned, s.periods.unanswered
	}
	facts := []string{counted(sent, "echo", "echoes"), thousands(answered) + " returned", thousands(unanswered) + " unanswered"}
	if s.ambiguous > 0 {
		facts = append(facts, thousands(s.ambiguous)+" ambiguous")
	}
	return facts
}

// rttChart shows RTT over time: each echo, or where there are no rows of single echoes, each period. It is nil if
// there is no RTT.
func rttChart(s *echoStream, e *events) *chart {
	c := &chart{name: s.file("rtt"), title: "BFD echo RTT  " + s.ends(), facts: append(s.place(), s.loop())}
	switch {
	case s.rtt.n > 0:
		c.panels = echoPanels(s, e)
		c.facts = append(c.facts, s.counts()...)
		c.facts = slices.Concat(c.facts, s.rtts.words(), s.rtt.facts())
		c.text = fmt.Sprintf("RTT over time, %s: %s", s.ends(), counted(s.answered, "echo", "echoes"))
	case s.periods.rttP50.n > 0:
		c.panels = []panel{periodsPanel(s, e)}
		c.facts = append(c.facts, s.counts()...)
		c.text = fmt.Sprintf("RTT over time, %s: %s", s.ends(), counted(s.periods.rttP50.n, "period", "periods"))
	default:
		return nil
	}
	return c
}

// squeezed is the part of its axis below which the body of the RTTs is shown once more by itself.
const squeezed = 0.25

// echoPanels shows all echoes, and below, where few great ones squeeze all others into a line, the others.
func echoPanels(s *echoStream, e *events) []panel {
	t := e.widen(span{}.cover(&s.rtt, &s.unanswered, &s.unclear))
	y, stripY := durationAxis("RTT", s.rtt.low, s.rtt.high, s.unanswered.n+s.unclear.n > 0)
	echoes := layer{mark: dots, name: "echo", color: fade(blue, 0xb0), xys: t.points(&s.rtt)}
	panels := []panel{{x: t.axis(), y: y, layers: append(e.layers(t), present(echoes,
		layer{mark: dots, name: "unanswered", color: vermillion, glyph: draw.CrossGlyph{}, size: 2.6,
			xys: level(t.points(&s.unanswered), stripY)},
		layer{mark: dots, name: "return ambiguous", color: orange, glyph: draw.RingGlyph{}, size: 2.2,
			xys: level(t.points(&s.unclear), stripY)},
	)...)}}
	if lo, hi := s.rtts.body(); hi-lo < squeezed*(s.rtt.high-s.rtt.low) {
		y, _ := durationAxis("RTT of most echoes", lo, hi, false)
		echoes.xys = slices.DeleteFunc(slices.Clone(echoes.xys), func(p plotter.XY) bool { return p.Y < lo || p.Y > hi })
		panels = append(panels, panel{x: t.axis(), y: y, layers: append(e.layers(t), echoes)})
	}
	return panels
}

func periodsPanel(s *echoStream, e *events) panel {
	p := &s.periods
	t := e.widen(span{}.cover(&p.rttP50, &p.lost).withPeriod(p.rttP50.step))
	y, stripY := durationAxis("RTT", p.rttMin.low, p.rttMax.high, p.lost.n > 0)
	band := layer{mark: areas, name: "least to greatest", color: fade(sky, 0x60), runs: t.band(&p.rttMin, &p.rttMax)}
	return panel{x: t.axis(), y: y, layers: append(append(present(band), e.layers(t)...), present(
		layer{mark: lines, name: "95th percentile", color: orange, runs: t.steps(&p.rttP95)},
		layer{mark: lines, name: "median", color: blue, size: 1.6, runs: t.steps(&p.rttP50)},
		layer{mark: dots, name: "period with unanswered echoes", color: vermillion, glyph: draw.CrossGlyph{}, size: 2.6,
			xys: level(t.middles(&p.lost, p.rttP50.step), stripY)},
	)...)}
}
