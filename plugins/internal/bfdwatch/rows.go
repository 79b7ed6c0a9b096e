package bfdwatch

import (
	"echogram/plugins/schema"
)

// sessionRows emits both ends of a session, as far as they were seen, and begins a new period.
func (w *Watch) sessionRows(s *session, start int64, partial bool) {
	for i, e := range s.ends {
		if e.seen {
			w.emit(w.sessionRow(s, e, s.ends[1-i], start, partial))
		}
		e.now = tally{}
	}
}

func (w *Watch) sessionRow(s *session, e, peer *end, start int64, partial bool) *schema.BFDSessionRow {
	c, n := &e.control, &e.now
	r := &schema.BFDSessionRow{
		BFDSeries: e.series, Time: start, Partial: partial,
		State: c.State.String(), StateCode: int64(c.State), Diagnostic: c.Diag.String(), DiagnosticCode: int64(c.Diag),
		Discriminator: int64(c.MyDiscriminator), PeerDiscriminator: int64(c.YourDiscriminator),
		DesiredMinTX: int64(c.DesiredMinTX) * microsecond, RequiredMinRX: int64(c.RequiredMinRX) * microsecond,
		RequiredMinEchoRX: int64(c.RequiredMinEchoRX) * microsecond, DetectMult: int64(c.DetectMult),
		Demand: c.Demand, AuthType: int64(c.Auth.Type), TTL: int64(e.ttl), Padding: int64(n.padding),
		Packets: n.packets, Invalid: n.invalid, Truncated: n.truncated, Mirrored: n.mirrored, Polls: n.polls, Finals: n.finals,
		Missing: n.missing, NearMisses: n.nearMisses, ControlRTTs: n.controlRTT.n,
		Transitions: n.transitions, Flaps: n.flaps, FlapsTotal: e.flapsTotal,
		Outage: positive(n.outage), DetectionMeasured: positive(n.detection), MaxGap: positive(n.maxGap), DiscriminatorChange: n.changes,
		NoJitter: n.noJitter, TooFast: w.tooFast(e), TooSlow: w.tooSlow(e), FastWhileDown: n.fastWhileDown,
		UnansweredPoll: n.unansweredPoll, BadTTL: n.ttl, BadSourcePort: n.sourcePort, SequenceJumps: n.sequence,
		Interval: positive(s.interval(e, peer)), DetectionTime: positive(s.detection(e, peer)),
	}
	n.intervals.into(&r.Intervals)
	n.controlRTT.into(&r.ControlRTTMin, &r.ControlRTT, &r.ControlRTTMax, nil)
	if n.counted {
		r.MissingSequence = schema.Some(n.missingSequence)
	}
	if n.risk > 0 {
		r.DetectMargin = schema.OptFloat{F: max(0, 1-n.risk), Set: true}
	}
	if e.echoes(start) && r.RequiredMinRX < slowest {
		r.SlowTimerEcho = 1
	}
	return r
}

// echoes tells whether e has sent echoes since a time.
func (e *end) echoes(since int64) bool {
	for _, st := range e.streams {
		if st.lastSend >= since {
			return true
		}
	}
	return false
}

func positive(n int64) schema.Opt {
	if n <= 0 {
		return schema.Opt{}
	}
	return schema.Some(n)
}

// echoRows emits what the streams did in the period from start on, and forgets it.
func (w *Watch) echoRows(start int64, partial bool) {
	for _, st := range w.streams.list {
		t := st.of(start, w.clock.period)
		st.median = t.rtts.quantiles(50)[0]
	}
	for _, st := range w.streams.list {
		t := st.of(start, w.clock.period)
		if !t.empty() {
			w.emit(w.echoSum(st, t, start, partial))
		}
		t.rtts.reset()
		t.path.reset()
		*t = echoTally{rtts: t.rtts, path: t.path}
	}
}

// of returns the counts of the period from start on.
func (st *stream) of(start, period int64) *echoTally { return &st.tallies[(start/period)&1] }

func (w *Watch) echoSum(st *stream, t *echoTally, start int64, partial bool) *schema.BFDEchoRow {
	r := &schema.BFDEchoRow{
		BFDEchoSeries: *w.tags(st), Time: start, Partial: partial, Discriminator: st.discriminator(),
		Sent: t.sent, Returned: t.returned, Unanswered: t.unanswered, Duplicates: t.duplicates, Reordered: t.reordered,
		Unmatched: t.unmatched, Ambiguous: t.ambiguous, Mirrored: t.mirrored, InFlight: t.inFlight, Window: st.window(),
		NotUp: t.notUp, Refused: t.refused,
	}
	if t.returned > 0 {
		r.Pairing = t.weakest.String()
	}
	if v := &t.intervals; t.least > 0 && v.meanRatio() > longest {
		v.late, v.lateMost = 0, 0 // the sender has chosen a longer interval, which no packet tells
	}
	t.intervals.into(&r.Intervals)
	if t.least == 0 {
		r.RatioMin, r.RatioMax = schema.OptFloat{}, schema.OptFloat{}
	} else if st.role == roleInitiator || t.intervals.meanRatio() < shortest {
		r.TooFast = r.Early
	}
	st.rttsInto(r, t)
	if q := t.path.quantiles(50, 95, 100); q[0].Set {
		r.DelayVarP50, r.DelayVarP95, r.DelayVarMax = q[0], q[1], q[2]
	}
	if st.jittered && t.returned > 0 {
		r.Jitter = schema.Some(int64(st.jitter))
	}
	return r
}

func (st *stream) rttsInto(r *schema.BFDEchoRow, t *echoTally) {
	if t.rtt.n == 0 {
		return
	}
	t.rtt.into(&r.RTTMin, &r.RTTMean, &r.RTTMax, &r.RTTStddev)
	q := t.rtts.quantiles(50, 95, 99)
	r.RTTP50, r.RTTP95, r.RTTP99 = q[0], q[1], q[2]
	above := func(o schema.Opt) schema.Opt { return schema.Some(max(0, o.N-t.rtt.least)) }
	r.PDVP50, r.PDVP95, r.PDVP99, r.PDVMax = above(q[0]), above(q[1]), above(q[2]), above(r.RTTMax)
	if t.ipdv.sizes.n > 0 {
		r.IPDVMin, r.IPDVMean, r.IPDVMax = schema.Some(t.ipdv.least), schema.Some(t.ipdv.sizes.mean()), schema.Some(t.ipdv.most)
	}
	if p := st.peer; p != nil {
		for _, other := range p.streams {
			if other.median.Set {
				r.RTTFull = schema.Some(st.median.N + other.median.N)
				return
			}
		}
	}
}
