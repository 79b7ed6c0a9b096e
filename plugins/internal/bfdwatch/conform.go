package bfdwatch

import (
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
)

// Limits of RFC 5880 and RFC 5881.
const (
	singleHopTTL    = 255                // RFC 5881, 5
	firstSourcePort = 49152              // RFC 5881, 4
	slowest         = int64(time.Second) // RFC 5880, 6.8.3: the least Desired Min TX while not Up
)

// conformPacket counts what a packet alone tells.
func (w *Watch) conformPacket(e *end, p *sighting) {
	if p.hop != single {
		return
	}
	if p.ttl != singleHopTTL {
		e.now.ttl++
	}
	if p.srcPort < firstSourcePort {
		e.now.sourcePort++
	}
}

// conformSequence counts what sequence numbers tell: with meticulous authentication each packet has the next one
// (RFC 5880, 6.7.3, 6.7.4), so that what is missing was lost before this capture point.
func (w *Watch) conformSequence(e *end, c *bfdwire.Control) {
	before := e.control.Auth
	restarted := e.control.MyDiscriminator != c.MyDiscriminator
	if restarted || !c.Auth.HasSequence || !before.HasSequence || before.Type != c.Auth.Type {
		return
	}
	ahead := int64(int32(c.Auth.Sequence - before.Sequence))
	meticulous := c.Auth.Meticulous()
	if ahead < 0 || ahead == 0 && meticulous || ahead > 3*int64(c.DetectMult) {
		e.now.sequence++
	}
	if meticulous {
		e.now.counted = true
		if ahead > 0 && ahead < 1<<16 {
			e.now.missingSequence += ahead - 1
		}
	}
}

// Intervals without any jitter (RFC 5880, 6.8.7) are told by their spread: a conformant sender's is 0.07 T.
const (
	jitterRun   = 20
	jitterShare = 0.01
)

func (e *end) conformJitter(interval, t int64) {
	e.jitter.add(interval)
	if e.jitter.n == jitterRun {
		if e.jitter.stddev() < jitterShare*float64(t) {
			e.now.noJitter++
		}
		e.jitter = moments{}
	}
}

// conformSlow counts packets that came faster than an end that is not Up may send.
func (w *Watch) conformSlow(e *end, p *sighting, gap int64, exempt bool) {
	if e.control.State == bfdwire.Up || p.control.State == bfdwire.Up || exempt || e.exempt {
		return
	}
	if float64(gap) < shortest*(1-toleranceShare)*float64(slowest) {
		e.now.fastWhileDown++
	}
}

// tooFast and tooSlow blame a sender for intervals outside the window where it can be told from the path: at its own
// capture point, or by the mean, which delays do not move.
func (w *Watch) tooFast(e *end) int64 {
	v := &e.now.intervals
	if w.atSender(e) || v.meanRatio() < shortest {
		return v.early
	}
	return 0
}

func (w *Watch) tooSlow(e *end) int64 {
	v := &e.now.intervals
	if w.atSender(e) || v.meanRatio() > longest {
		return v.late
	}
	return 0
}

func (w *Watch) atSender(e *end) bool {
	return e.direction == capture.Out || w.local[text(e.addr)]
}
