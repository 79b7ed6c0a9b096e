package schema

// BFDSeries names what a point about BFD is about: one end of a session, as one capture point sees it.
type BFDSeries struct {
	Host, Instance string
	Tap            string // capture point: an interface, or the name that files were given
	VLAN           string // identifiers of the tags, the outermost first: "100", "200.7"
	Tunnel         string // gre, vxlan, geneve, mpls, vccv, ipip
	VNI            string // of vxlan and geneve; key of gre
	OuterLocal     string // addresses of the tunnel, on the local end's side and on its peer's
	OuterPeer      string
	Local          string // the end that the point describes
	Peer           string // its other end; absent where no packet has told
	Hop            string // single, multi, micro, sbfd, multipoint, lsp
	Family         string // tag af: ipv4, ipv6
	Parallel       string // "2", "3" … where further sessions run between the same two ends
	Labels         []Tag
}

func (s *BFDSeries) visit(c *codec) {
	c.tag(TagFamily, &s.Family)
	c.tag(TagHop, &s.Hop)
	c.tag(TagHost, &s.Host)
	c.tag(TagInstance, &s.Instance)
	c.tag(TagLocal, &s.Local)
	c.tag(TagOuterLocal, &s.OuterLocal)
	c.tag(TagOuterPeer, &s.OuterPeer)
	c.tag(TagParallel, &s.Parallel)
	c.tag(TagPeer, &s.Peer)
	c.tag(TagTap, &s.Tap)
	c.tag(TagTunnel, &s.Tunnel)
	c.tag(TagVLAN, &s.VLAN)
	c.tag(TagVNI, &s.VNI)
	c.labels(&s.Labels, TagFamily, TagHop, TagHost, TagInstance, TagLocal, TagOuterLocal, TagOuterPeer, TagParallel, TagPeer,
		TagTap, TagTunnel, TagVLAN, TagVNI, TagInitiatorMAC, TagReflectorMAC, TagLayout, TagTapRole, TagEvent)
}

// Intervals are the statistics of the times between packets of one sender that had to keep to one agreed interval T.
// A conformant sender has a ratio between 0.75 and 1, at most 0.9 with a detect multiplier of 1 (RFC 5880, 6.8.7).
type Intervals struct {
	Count     int64
	Min, Mean Opt // ns
	Max       Opt
	Stddev    Opt      // ns; population standard deviation; of a conformant sender with even jitter 0.0722 T
	RatioMin  OptFloat // least and greatest interval / T
	RatioMax  OptFloat
	Late      int64 // intervals above T by more than the tolerance
	LateMax   Opt   // ns; by how much the worst one was
	Early     int64 // intervals below 0.75 T by more than the tolerance
	EarlyMax  Opt   // ns
}

func (r *Intervals) visit(c *codec) {
	c.int("intervals", &r.Count)
	c.opt("interval_min_ns", &r.Min)
	c.opt("interval_mean_ns", &r.Mean)
	c.opt("interval_max_ns", &r.Max)
	c.opt("interval_stddev_ns", &r.Stddev)
	c.optFloat("interval_ratio_min", &r.RatioMin)
	c.optFloat("interval_ratio_max", &r.RatioMax)
	c.int("late", &r.Late)
	c.opt("late_max_ns", &r.LateMax)
	c.int("early", &r.Early)
	c.opt("early_max_ns", &r.EarlyMax)
}

// BFDSessionRow is one direction of a session in one period (measurement bfd_session): what its local end sent, and
// what follows from it together with what the peer sent. Counts are those of the period.
type BFDSessionRow struct {
	BFDSeries
	Time                int64  // start of the period, ns
	State               string // AdminDown, Down, Init, Up: as the local end said last
	StateCode           int64  // 0 to 3
	Diagnostic          string // in the words of RFC 5880
	DiagnosticCode      int64
	Discriminator       int64
	PeerDiscriminator   int64 // Your Discriminator of the last packet
	DesiredMinTX        int64 // ns, as all that follow
	RequiredMinRX       int64
	RequiredMinEchoRX   int64
	DetectMult          int64
	Interval            Opt // T, agreed for this direction; absent while the peer has not been seen
	DetectionTime       Opt // at the peer, for what the local end sends
	Demand              bool
	AuthType            int64    // 0: none
	TTL                 int64    // of the last packet
	Padding             int64    // bytes behind the packet (RFC 9764), the most
	Packets             int64    // control packets that were accepted
	Invalid             int64    // refused by RFC 5880, 6.8.6
	Truncated           int64    // cut by the capture inside BFD
	Mirrored            int64    // second copies of a packet, removed
	Polls, Finals       int64    // packets with these bits
	Intervals                    // between packets while both ends are Up
	Missing             int64    // packets that gaps tell of
	MissingSequence     Opt      // packets that meticulous sequence numbers tell of
	MaxGap              Opt      // ns; the longest time without a packet while Up
	DetectMargin        OptFloat // 1 - MaxGap / DetectionTime, 0 when that time has passed; true at the peer's tap
	NearMisses          int64
	ControlRTT          Opt // ns; from a Poll of the local end to the peer's Final, or of S-BFD from request to answer; mean
	ControlRTTMin       Opt
	ControlRTTMax       Opt
	ControlRTTs         int64 // how many
	Transitions         int64 // changes of the local end's state
	Flaps               int64 // of these, from Up, and not by an administrator
	FlapsTotal          int64 // since the capture began
	Outage              Opt   // ns; from the last packet that was Up to the first that is again, the last outage that ended
	DetectionMeasured   Opt   // ns; from the peer's last packet to the local end's Down with diagnostic 1
	DiscriminatorChange int64 // times that the local end came with another discriminator

	// Conformance: how often the local end left the standard. The README has the sections.
	NoJitter       int64 // 6.8.7: intervals do not vary
	TooFast        int64 // 6.8.7: intervals below the window
	TooSlow        int64 // 6.8.7: intervals above the window
	FastWhileDown  int64 // 6.8.3: faster than one a second while not Up
	UnansweredPoll int64 // 6.8.7: no Final within the detection time
	BadTTL         int64 // RFC 5881, 5: single-hop packets with another TTL than 255
	BadSourcePort  int64 // RFC 5881, 4: single-hop packets from below port 49152
	SlowTimerEcho  int64 // 6.8.3: Required Min RX below a second while echoes run (a SHOULD)
	SequenceJumps  int64 // 6.7.3, 6.7.4: a sequence number that goes back, or by more than 3 × the multiplier

	Partial bool // the capture began or ended inside the period
}

// Measurement implements Row.
func (*BFDSessionRow) Measurement() string { return BFDSession }

func (r *BFDSessionRow) visit(c *codec) {
	r.BFDSeries.visit(c)
	c.time(&r.Time)
	c.str("state", &r.State)
	c.int("state_code", &r.StateCode)
	c.str("diagnostic", &r.Diagnostic)
	c.int("diagnostic_code", &r.DiagnosticCode)
	c.int("discriminator", &r.Discriminator)
	c.int("peer_discriminator", &r.PeerDiscriminator)
	c.int("desired_min_tx_ns", &r.DesiredMinTX)
	c.int("required_min_rx_ns", &r.RequiredMinRX)
	c.int("required_min_echo_rx_ns", &r.RequiredMinEchoRX)
	c.int("detect_mult", &r.DetectMult)
	c.opt("interval_ns", &r.Interval)
	c.opt("detection_time_ns", &r.DetectionTime)
	c.boolTrue("demand", &r.Demand)
	c.intNonZero("auth_type", &r.AuthType)
	c.int("ttl", &r.TTL)
	c.intNonZero("padding", &r.Padding)
	c.int("control_packets", &r.Packets)
	c.intNonZero("invalid", &r.Invalid)
	c.intNonZero("truncated", &r.Truncated)
	c.intNonZero("mirrored", &r.Mirrored)
	c.int("polls", &r.Polls)
	c.int("finals", &r.Finals)
	r.Intervals.visit(c)
	c.int("control_missing", &r.Missing)
	c.opt("control_missing_sequence", &r.MissingSequence)
	c.opt("max_gap_ns", &r.MaxGap)
	c.optFloat("detect_margin", &r.DetectMargin)
	c.int("near_misses", &r.NearMisses)
	c.opt("control_rtt_ns", &r.ControlRTT)
	c.opt("control_rtt_min_ns", &r.ControlRTTMin)
	c.opt("control_rtt_max_ns", &r.ControlRTTMax)
	c.intNonZero("control_rtts", &r.ControlRTTs)
	c.int("transitions", &r.Transitions)
	c.int("flaps", &r.Flaps)
	c.int("flaps_total", &r.FlapsTotal)
	c.opt("outage_ns", &r.Outage)
	c.opt("detection_time_measured_ns", &r.DetectionMeasured)
	c.intNonZero("discriminator_changes", &r.DiscriminatorChange)
	c.intNonZero("conformance_no_jitter", &r.NoJitter)
	c.intNonZero("conformance_too_fast", &r.TooFast)
	c.intNonZero("conformance_too_slow", &r.TooSlow)
	c.intNonZero("conformance_fast_while_down", &r.FastWhileDown)
	c.intNonZero("conformance_unanswered_poll", &r.UnansweredPoll)
	c.intNonZero("conformance_ttl", &r.BadTTL)
	c.intNonZero("conformance_source_port", &r.BadSourcePort)
	c.intNonZero("conformance_echo_slow_timer", &r.SlowTimerEcho)
	c.intNonZero("conformance_sequence", &r.SequenceJumps)
	c.boolTrue("partial", &r.Partial)
}
