package schema

// BFDEchoSeries names a stream of echoes: what one end sends to have it looped back by the other.
type BFDEchoSeries struct {
	BFDSeries           // Local is the initiator, Peer the reflector
	InitiatorMAC string // as far as the link has told
	ReflectorMAC string
	Layout       string // of the payload: frr-ts, frr-zero, ios-seq, vpp, control-shaped, unknown
	TapRole      string // where the capture point is: initiator, reflector, transit, unknown
}

func (s *BFDEchoSeries) visit(c *codec) {
	s.BFDSeries.visit(c)
	c.tag(TagInitiatorMAC, &s.InitiatorMAC)
	c.tag(TagLayout, &s.Layout)
	c.tag(TagReflectorMAC, &s.ReflectorMAC)
	c.tag(TagTapRole, &s.TapRole)
}

// BFDEchoRow is one stream of echoes in one period (measurement bfd_echo). Echoes count to the period in which they
// were sent. An RTT is that of the loop beyond the capture point, not of the whole path: TapRole tells.
type BFDEchoRow struct {
	BFDEchoSeries
	Time          int64  // start of the period, ns
	Discriminator Opt    // where the layout has one
	Sent          int64  // echoes seen on their way out
	Returned      int64  // of these, seen on their way back
	Unanswered    int64  // of these, not seen within 1 s
	Duplicates    int64  // further returns of one echo
	Reordered     int64  // returns that came before the return of an earlier echo
	Unmatched     int64  // returns of which no send was seen
	Ambiguous     int64  // returned echoes whose send cannot be told; they give no RTT
	Mirrored      int64  // second copies of a frame, removed
	InFlight      int64  // sent within Window before the capture ended
	Window        int64  // ns; the initiator's echo detection time as far as it is known, at most 1 s
	Pairing       string // identity, aligned, ambiguous: the weakest by which an RTT of the period was made
	RTTMin        Opt    // ns
	RTTMean       Opt
	RTTP50        Opt // nearest rank; exact up to 512 echoes, then within 1 %
	RTTP95        Opt
	RTTP99        Opt
	RTTMax        Opt
	RTTStddev     Opt // ns; population standard deviation
	PDVP50        Opt // ns; RTT minus the period's least (RFC 5481)
	PDVP95        Opt
	PDVP99        Opt
	PDVMax        Opt
	IPDVMin       Opt // ns; RTT minus that of the echo before it (RFC 3393), with its sign
	IPDVMean      Opt // ns; of the absolute values
	IPDVMax       Opt
	RTTFull       Opt // ns; median of this loop + median of the peer's loop at the same capture point, an estimate of the whole path
	Jitter        Opt // ns; RFC 3550, where the payload has the send time, at the end of the period
	DelayVarP50   Opt // ns; capture time - payload time, minus the least of the period: one-way, from the sender's stack to the capture point
	DelayVarP95   Opt
	DelayVarMax   Opt
	Intervals           // between sends; T is the peer's Required Min Echo RX, the least that the sender may use
	NotUp         int64 // echoes sent while the session was not Up (RFC 5880, 6.8.9)
	Refused       int64 // echoes sent although the peer's Required Min Echo RX was 0 (6.8.9)
	TooFast       int64 // intervals below the peer's Required Min Echo RX less its jitter (6.8.9)
	Partial       bool  // the capture began or ended inside the period
}

// Measurement implements Row.
func (*BFDEchoRow) Measurement() string { return BFDEcho }

func (r *BFDEchoRow) visit(c *codec) {
	r.BFDEchoSeries.visit(c)
	c.time(&r.Time)
	c.opt("discriminator", &r.Discriminator)
	c.int("echo_packets_sent", &r.Sent)
	c.int("echo_packets_returned", &r.Returned)
	c.int("echo_unanswered", &r.Unanswered)
	c.int("echo_duplicates", &r.Duplicates)
	c.int("echo_reordered", &r.Reordered)
	c.int("echo_unmatched", &r.Unmatched)
	c.intNonZero("ambiguous", &r.Ambiguous)
	c.intNonZero("mirrored", &r.Mirrored)
	c.intNonZero("in_flight", &r.InFlight)
	c.int("window_ns", &r.Window)
	c.str("pairing", &r.Pairing)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_mean_ns", &r.RTTMean)
	c.opt("rtt_p50_ns", &r.RTTP50)
	c.opt("rtt_p95_ns", &r.RTTP95)
	c.opt("rtt_p99_ns", &r.RTTP99)
	c.opt("rtt_max_ns", &r.RTTMax)
	c.opt("rtt_stddev_ns", &r.RTTStddev)
	c.opt("pdv_p50_ns", &r.PDVP50)
	c.opt("pdv_p95_ns", &r.PDVP95)
	c.opt("pdv_p99_ns", &r.PDVP99)
	c.opt("pdv_max_ns", &r.PDVMax)
	c.opt("ipdv_min_ns", &r.IPDVMin)
	c.opt("ipdv_mean_abs_ns", &r.IPDVMean)
	c.opt("ipdv_max_ns", &r.IPDVMax)
	c.opt("rtt_full_ns", &r.RTTFull)
	c.opt("jitter_ns", &r.Jitter)
	c.opt("delay_variation_p50_ns", &r.DelayVarP50)
	c.opt("delay_variation_p95_ns", &r.DelayVarP95)
	c.opt("delay_variation_max_ns", &r.DelayVarMax)
	r.Intervals.visit(c)
	c.intNonZero("conformance_echo_not_up", &r.NotUp)
	c.intNonZero("conformance_echo_refused", &r.Refused)
	c.intNonZero("conformance_echo_too_fast", &r.TooFast)
	c.boolTrue("partial", &r.Partial)
}

// BFDEchoRTTRow is one echo, at its send time (measurement bfd_echo_rtt), written on request only.
type BFDEchoRTTRow struct {
	BFDEchoSeries
	Time          int64    // stamp of the echo on its way out, ns
	RTT           Opt      // ns; absent when the echo is unanswered or its return ambiguous
	Interval      Opt      // ns since the send before it
	IntervalRatio OptFloat // Interval / the peer's Required Min Echo RX
	Discriminator Opt
	Sequence      Opt    // where the layout has one
	Pairing       string // identity, aligned, ambiguous; absent when unanswered
}

// Measurement implements Row.
func (*BFDEchoRTTRow) Measurement() string { return BFDEchoRTT }

func (r *BFDEchoRTTRow) visit(c *codec) {
	r.BFDEchoSeries.visit(c)
	c.time(&r.Time)
	c.opt("rtt_ns", &r.RTT)
	c.opt("interval_ns", &r.Interval)
	c.optFloat("interval_ratio", &r.IntervalRatio)
	c.opt("discriminator", &r.Discriminator)
	c.opt("sequence", &r.Sequence)
	c.str("pairing", &r.Pairing)
	answered := r.RTT.Set
	c.bool("answered", &answered)
}
