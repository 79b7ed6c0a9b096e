package report

import (
	"math"

	"echogram/plugins/schema"
)

// Tolerance beyond the window within which an interval is neither late nor early: the greater of the two. Senders in
// user space exceed their interval by a few percent.
const (
	tolerance   = 0.02
	toleranceNS = 1e6
)

// Bounds of a conformant interval in parts of the agreed one (RFC 5880, 6.8.7).
const (
	windowLow     = 0.75
	windowHigh    = 1.0
	windowHighOne = 0.9 // with a detect multiplier of 1
)

// echoStream is what one end sends to have it looped back.
type echoStream struct {
	about
	role string

	sent, answered, ambiguous int64
	rtts                      spread
	rtt                       series // ns
	unanswered, unclear       series // times only

	interval, late, early series // ns
	window                pace

	periods echoPeriods
}

// echoPeriods is the stream as bfd_echo has it.
type echoPeriods struct {
	sent, returned, unanswered     int64
	rttMin, rttP50, rttP95, rttMax series // ns
	lost                           series // periods with unanswered echoes

	lates, earlies                         int64
	intervalMin, intervalMean, intervalMax series // ns
	late, early                            series // ns; the worst of the period
	window                                 pace
}

func newEchoStream(row *schema.BFDEchoSeries) func(string) *echoStream {
	return func(key string) *echoStream {
		return &echoStream{about: aboutOf(key, &row.BFDSeries), role: row.TapRole}
	}
}

func (s *echoStream) addEcho(r *schema.BFDEchoRTTRow) {
	s.sent++
	switch {
	case r.RTT.Set:
		s.answered++
		s.rtts.add(r.RTT.N)
		s.rtt.add(r.Time, float64(r.RTT.N))
	case r.Pairing == "ambiguous":
		s.ambiguous++
		s.unclear.add(r.Time, 0)
	default:
		s.unanswered.add(r.Time, 0)
	}
	if !r.Interval.Set {
		return
	}
	interval := float64(r.Interval.N)
	s.interval.add(r.Time, interval)
	if t := agreed(interval, r.IntervalRatio); t > 0 {
		s.window.add(r.Time, t, interval)
		switch outside(interval, t) {
		case 1:
			s.late.add(r.Time, interval)
		case -1:
			s.early.add(r.Time, interval)
		}
	}
}

// agreed gives the interval that a ratio refers to, in ns: BFD has whole microseconds. 0: unknown.
func agreed(interval float64, ratio schema.OptFloat) float64 {
	if !ratio.Set || ratio.F <= 0 || interval <= 0 {
		return 0
	}
	return math.Round(interval/ratio.F/1000) * 1000
}

// outside tells whether an interval is later than t (1), earlier than its window (-1), or neither.
func outside(interval, t float64) int {
	slack := max(tolerance*t, toleranceNS)
	switch {
	case interval > t+slack:
		return 1
	case interval < windowLow*t-slack:
		return -1
	}
	return 0
}

// pace is what a stream of echoes has to keep to, and how it does.
type pace struct {
	series         // ns; the peer's Required Min Echo RX
	ratios float64 // sum of intervals in parts of it
}

func (p *pace) add(at int64, minimum, interval float64) {
	p.series.add(at, minimum)
	p.ratios += interval / minimum
}

// slower says whether the sender keeps to an interval of its own above the peer's minimum: then nothing is late.
func (p *pace) slower() bool { return p.n > 0 && p.ratios/float64(p.n) > 1.1 }

func (s *echoStream) addPeriod(r *schema.BFDEchoRow) {
	p := &s.periods
	p.sent += r.Sent
	p.returned += r.Returned
	p.unanswered += r.Unanswered
	addOpt(&p.rttMin, r.Time, r.RTTMin)
	addOpt(&p.rttP50, r.Time, r.RTTP50)
	addOpt(&p.rttP95, r.Time, r.RTTP95)
	addOpt(&p.rttMax, r.Time, r.RTTMax)
	if r.Unanswered > 0 {
		p.lost.add(r.Time, float64(r.Unanswered))
	}
	addOpt(&p.intervalMin, r.Time, r.Min)
	addOpt(&p.intervalMean, r.Time, r.Mean)
	addOpt(&p.intervalMax, r.Time, r.Max)
	if t := agreed(float64(r.Max.N), r.RatioMax); t > 0 {
		p.window.add(r.Time, t, float64(r.Mean.N))
	}
	p.lates += r.Late
	p.earlies += r.Early
	addOutside(&p.late, &p.early, r.Time, &r.Intervals)
}

func addOpt(s *series, at int64, v schema.Opt) {
	if v.Set {
		s.add(at, float64(v.N))
	}
}

// addOutside marks a period's longest interval if some were late, its shortest if some were early.
func addOutside(late, early *series, at int64, i *schema.Intervals) {
	if i.Late > 0 {
		addOpt(late, at, i.Max)
	}
	if i.Early > 0 {
		addOpt(early, at, i.Min)
	}
}
