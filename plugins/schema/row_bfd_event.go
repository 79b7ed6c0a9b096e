package schema

// Kinds of event: values of the tag event.
const (
	BFDEventState         = "state"         // the local end's state or diagnostic changed
	BFDEventFlap          = "flap"          // a session left Up, and no administrator did it
	BFDEventAdminDown     = "admin_down"    // an administrator took it down
	BFDEventUp            = "up"            // both ends are Up
	BFDEventNearMiss      = "near_miss"     // a gap that came near the detection time, and no flap followed
	BFDEventSilent        = "silent"        // nothing for longer than the detection time, and nobody said Down
	BFDEventDiscriminator = "discriminator" // the local end came with another discriminator: it was restarted
	BFDEventTimers        = "timers"        // the local end announced other timers
)

// BFDEventRow is something that happened to a session, at its own time (measurement bfd_event).
type BFDEventRow struct {
	BFDSeries
	Event             string // BFDEvent…
	Time              int64  // stamp of the packet that tells of it, ns; of silence: the end of the detection time
	Text              string // in words
	From, To          string // states
	DiagnosticCode    Opt    // of the local end
	Diagnostic        string
	PeerDiagnostic    string // what the peer said of it, if it did
	PeerState         string
	Gap               Opt // ns; near_miss, silent, flap: time without a packet of the peer (flap) or of the local end
	Missed            Opt // near_miss: packets that did not come
	DetectionTime     Opt // ns
	DetectionMeasured Opt // ns; flap: from the peer's last packet to the Down
	Outage            Opt // ns; up: since the session was last Up
	Discriminator     Opt
}

// Measurement implements Row.
func (*BFDEventRow) Measurement() string { return BFDEvent }

func (r *BFDEventRow) visit(c *codec) {
	r.BFDSeries.visit(c)
	c.tag(TagEvent, &r.Event)
	c.time(&r.Time)
	c.str("text", &r.Text)
	c.str("from", &r.From)
	c.str("to", &r.To)
	c.opt("diagnostic_code", &r.DiagnosticCode)
	c.str("diagnostic", &r.Diagnostic)
	c.str("peer_diagnostic", &r.PeerDiagnostic)
	c.str("peer_state", &r.PeerState)
	c.opt("gap_ns", &r.Gap)
	c.opt("missed", &r.Missed)
	c.opt("detection_time_ns", &r.DetectionTime)
	c.opt("detection_time_measured_ns", &r.DetectionMeasured)
	c.opt("outage_ns", &r.Outage)
	c.opt("discriminator", &r.Discriminator)
}

// BFDStatsRow is what one stanza read in one period, and what it could not use (measurement bfd_stats).
type BFDStatsRow struct {
	Host, Instance string
	Tap            string // of files the name that they were given; absent where several interfaces are watched
	Labels         []Tag
	Time           int64 // start of the period, ns
	Packets        int64 // frames that were looked at
	Control        int64 // control packets, refused ones included, copies not
	Echo           int64
	Mirrored       int64 // second copies, removed
	OtherFrames    int64 // frames that carry no BFD
	QuotedInICMP   int64 // ICMP messages, in which BFD may be quoted; never taken for BFD
	Truncated      int64 // BFD that the capture cut
	Fragments      int64 // of BFD's ports; not put together
	Disordered     int64 // packets older than the sorting window; counted, and left out of all times
	CaptureDrops   int64 // frames that the capture lost
	Sessions       int64 // that are known at the end of the period
	EchoStreams    int64
	NoRoom         int64 // packets of sessions and streams beyond the configured limit
	EventsLeftOut  int64 // beyond what one end of a session may have in a period
	Forgotten      int64 // sessions and streams that were silent for long, or made room

	// Refused packets, by the rules of RFC 5880, 6.8.6 in its order.
	InvalidVersion       int64
	InvalidLength        int64
	InvalidPayloadLength int64
	InvalidDetectMult    int64
	InvalidMultipoint    int64
	InvalidMyDiscr       int64
	InvalidYourDiscr     int64
	InvalidAuth          int64 // authentication section that does not fit
	Partial              bool  // the capture began or ended inside the period
}

// Measurement implements Row.
func (*BFDStatsRow) Measurement() string { return BFDStats }

func (r *BFDStatsRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagTap, &r.Tap)
	c.labels(&r.Labels, TagHost, TagInstance, TagTap)
	c.time(&r.Time)
	c.int("packets", &r.Packets)
	c.int("control_packets", &r.Control)
	c.int("echo_packets", &r.Echo)
	c.int("mirrored", &r.Mirrored)
	c.int("other_frames", &r.OtherFrames)
	c.int("icmp", &r.QuotedInICMP)
	c.int("truncated", &r.Truncated)
	c.int("fragments", &r.Fragments)
	c.int("disordered", &r.Disordered)
	c.int("capture_drops", &r.CaptureDrops)
	c.int("sessions", &r.Sessions)
	c.int("echo_streams", &r.EchoStreams)
	c.int("no_room", &r.NoRoom)
	c.int("forgotten", &r.Forgotten)
	c.intNonZero("events_left_out", &r.EventsLeftOut)
	c.intNonZero("invalid_version", &r.InvalidVersion)
	c.intNonZero("invalid_length", &r.InvalidLength)
	c.intNonZero("invalid_payload_length", &r.InvalidPayloadLength)
	c.intNonZero("invalid_detect_mult", &r.InvalidDetectMult)
	c.intNonZero("invalid_multipoint", &r.InvalidMultipoint)
	c.intNonZero("invalid_my_discriminator", &r.InvalidMyDiscr)
	c.intNonZero("invalid_your_discriminator", &r.InvalidYourDiscr)
	c.intNonZero("invalid_authentication", &r.InvalidAuth)
	c.boolTrue("partial", &r.Partial)
}
