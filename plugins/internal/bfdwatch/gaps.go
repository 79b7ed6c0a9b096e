package bfdwatch

import (
	"fmt"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// Jitter of a sender (RFC 5880, 6.8.7): each interval is T, shortened by up to a quarter; with a multiplier of 1 by at
// least a tenth.
const (
	shortest    = 0.75
	longest     = 1.0
	longestOnce = 0.9
)

// Real senders overshoot T a little: their timers wake up late. The tolerance is the larger of the two.
const (
	toleranceShare = 0.02
	toleranceLeast = float64(time.Millisecond)
)

// intervals are the times between packets that had to keep to T.
type intervals struct {
	moments
	ratioLeast, ratioMost float64
	ratios                float64 // sum
	late, early           int64
	lateMost, earlyMost   int64
}

// add takes an interval; most is the longest allowed share of t.
func (v *intervals) add(interval, t int64, most float64) {
	ratio := float64(interval) / float64(t)
	if v.n == 0 {
		v.ratioLeast, v.ratioMost = ratio, ratio
	}
	v.ratioLeast, v.ratioMost = min(v.ratioLeast, ratio), max(v.ratioMost, ratio)
	v.ratios += ratio
	v.moments.add(interval)
	tolerance := max(toleranceShare*float64(t), toleranceLeast)
	if late := float64(interval) - most*float64(t); late > tolerance {
		v.late++
		v.lateMost = max(v.lateMost, int64(late))
	}
	if early := shortest*float64(t) - float64(interval); early > tolerance {
		v.early++
		v.earlyMost = max(v.earlyMost, int64(early))
	}
}

// meanRatio is the mean share of T; without any that of a sender which keeps to the window.
func (v *intervals) meanRatio() float64 {
	if v.n == 0 {
		return longest
	}
	return v.ratios / float64(v.n)
}

// into fills a row in.
func (v *intervals) into(r *schema.Intervals) {
	r.Count, r.Late, r.Early = v.n, v.late, v.early
	v.moments.into(&r.Min, &r.Mean, &r.Max, &r.Stddev)
	if v.n > 0 {
		r.RatioMin, r.RatioMax = schema.OptFloat{F: v.ratioLeast, Set: true}, schema.OptFloat{F: v.ratioMost, Set: true}
	}
	if v.late > 0 {
		r.LateMax = schema.Some(v.lateMost)
	}
	if v.early > 0 {
		r.EarlyMax = schema.Some(v.earlyMost)
	}
}

// missed is how many packets must have been lost in a gap: as many as are needed for no interval to be above the
// window, and no more than leave none below it.
func missed(gap, t int64, most float64) int64 {
	atLeast := int64(float64(gap)/(most*(1+toleranceShare)*float64(t))) + 1
	atMost := int64(float64(gap) / (shortest * (1 - toleranceShare) * float64(t)))
	return max(0, min(atLeast, atMost)-1)
}

func mostOf(mult uint8) float64 {
	if mult == 1 {
		return longestOnce
	}
	return longest
}

// gapEnded looks at the time since e's last packet. It tells something about the sender while both ends are Up, and
// about its pace only between packets that were not out of turn.
func (w *Watch) gapEnded(s *session, e, peer *end, p *sighting, exempt bool, interval int64) {
	gap := p.at - e.last
	if s.bothUp == 0 || e.control.State != bfdwire.Up || p.control.State != bfdwire.Up || s.quiet(peer) {
		w.conformSlow(e, p, gap, exempt)
		return
	}
	t := max(interval, e.interval)
	if t == 0 {
		return
	}
	detection := max(s.detection(e, peer), e.detection)
	e.now.maxGap = max(e.now.maxGap, gap)
	e.now.risk = max(e.now.risk, float64(gap)/float64(detection))
	most := mostOf(p.control.DetectMult)
	if !exempt && !e.exempt && interval == e.interval {
		e.now.intervals.add(gap, t, most)
		e.conformJitter(gap, t)
	}
	e.now.missing += missed(gap, t, most)
	switch {
	case e.silent:
	case gap > detection:
		w.silence(s, e, detection)
	case float64(gap) > w.config.NearMiss*float64(t):
		e.now.nearMisses++
		w.event(s, e, schema.BFDEventNearMiss, p.at, func(r *schema.BFDEventRow) {
			r.Gap, r.DetectionTime = schema.Some(gap), schema.Some(detection)
			r.Missed = schema.Some((gap+t-1)/t - 1)
			r.Text = fmt.Sprintf("nothing from %s for %s, %.0f %% of the detection time of %s", text(e.addr), duration(gap),
				100*float64(gap)/float64(detection), duration(detection))
		})
	}
}

// silence says that an end was not heard for longer than the detection time, and nobody went Down.
func (w *Watch) silence(s *session, e *end, detection int64) {
	e.silent, e.now.risk = true, max(e.now.risk, 1)
	w.event(s, e, schema.BFDEventSilent, e.last+detection, func(r *schema.BFDEventRow) {
		r.DetectionTime = schema.Some(detection)
		r.Text = fmt.Sprintf("nothing from %s for longer than the detection time of %s, and its peer did not go Down: lost at this capture point only, or both are gone",
			text(e.addr), duration(detection))
	})
}

// duration is d ns for people.
func duration(d int64) string {
	v := time.Duration(d)
	switch {
	case v >= 10*time.Second:
		return v.Round(10 * time.Millisecond).String()
	case v >= time.Millisecond:
		return v.Round(10 * time.Microsecond).String()
	}
	return v.String()
}
