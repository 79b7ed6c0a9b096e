package schema

// PathEstimateRow is what the RTTs of one target tell about the way to it (measurement path_estimate). What cannot be
// told is absent, and Reason says why.
type PathEstimateRow struct {
	Host, Instance string
	Target         string
	Reference      string // the target, or the stored baseline, that it was compared with
	Labels         []Tag
	Time           int64 // of the last probe, ns
	Probes         int64 // echo requests
	Kept           int64 // RTTs that the outlier filter kept
	RTT            Opt   // ns; mean of the kept RTTs of the smallest size
	RTTStdErr      Opt   // ns; its standard error
	Floor          Opt   // ns; of the smallest size, the level that offsets are taken from (pipeline/path, Level)
	TTL            Opt   // of the replies, when all agree
	Verdict        string
	Reason         string // of what cannot be told

	Hops           Opt      // store-and-forward switches
	HopsConfidence OptFloat // 0 to 1
	HopsRunnerUp   Opt      // the next best number
	HopsBy         string   // what told: "slope", "offset"

	Slope       OptFloat // ns of RTT for each further byte of the frame
	SlopeStdErr OptFloat
	LinkRate    Opt // bit/s of the links that Hops by the slope stands for

	Offset     Opt // ns; RTT minus the reference's
	OffsetLow  Opt // ns; 95 % interval
	OffsetHigh Opt
	Cable      OptFloat // metres, one way, that the offset stands for beyond the hops; 95 % interval, velocity factor included
	CableLow   OptFloat
	CableHigh  OptFloat
}

// Verdicts on a path.
const (
	VerdictTold    = "told"
	VerdictNotTold = "cannot be told"
)

// Measurement implements Row.
func (*PathEstimateRow) Measurement() string { return PathEstimate }

func (r *PathEstimateRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagReference, &r.Reference)
	c.tag(TagTarget, &r.Target)
	c.labels(&r.Labels, TagHost, TagInstance, TagReference, TagTarget)
	c.time(&r.Time)
	c.int("probes", &r.Probes)
	c.int("kept", &r.Kept)
	c.opt("rtt_ns", &r.RTT)
	c.opt("rtt_stderr_ns", &r.RTTStdErr)
	c.opt("rtt_floor_ns", &r.Floor)
	c.opt("ttl", &r.TTL)
	c.str("verdict", &r.Verdict)
	c.str("reason", &r.Reason)
	c.opt("hops", &r.Hops)
	c.optFloat("hops_confidence", &r.HopsConfidence)
	c.opt("hops_runner_up", &r.HopsRunnerUp)
	c.str("hops_by", &r.HopsBy)
	c.optFloat("slope_ns_per_byte", &r.Slope)
	c.optFloat("slope_stderr_ns_per_byte", &r.SlopeStdErr)
	c.opt("link_rate", &r.LinkRate)
	c.opt("offset_ns", &r.Offset)
	c.opt("offset_low_ns", &r.OffsetLow)
	c.opt("offset_high_ns", &r.OffsetHigh)
	c.optFloat("cable_m", &r.Cable)
	c.optFloat("cable_low_m", &r.CableLow)
	c.optFloat("cable_high_m", &r.CableHigh)
}

// Kinds of shift.
const (
	ShiftStep  = "step"  // the floor moved at once: a switch put in, a cable changed
	ShiftDrift = "drift" // it moved slowly: temperature, load
	ShiftRoute = "route" // it moved as the replies' TTL did: another route
)

// PathShiftRow is a lasting change of one target's RTT floor (measurement path_shift), at the time when it came about.
type PathShiftRow struct {
	Series
	Window        string // the windows whose floors show it
	Time          int64  // start of the first window behind a step; middle of a drift, ns
	Kind          string // Shift…
	Step          Opt    // ns; floor after minus floor before
	StepLow       Opt    // ns; 95 % interval
	StepHigh      Opt
	Before, After Opt      // ns; floors
	Hops          OptFloat // switches that the step would stand for
	Cable         OptFloat // metres of cable, one way, that it would stand for
	TTLBefore     Opt
	TTLAfter      Opt
}

// Measurement implements Row.
func (*PathShiftRow) Measurement() string { return PathShift }

func (r *PathShiftRow) visit(c *codec) {
	r.Series.visit(c)
	c.tag(TagWindow, &r.Window)
	c.time(&r.Time)
	c.str("kind", &r.Kind)
	c.opt("step_ns", &r.Step)
	c.opt("step_low_ns", &r.StepLow)
	c.opt("step_high_ns", &r.StepHigh)
	c.opt("before_ns", &r.Before)
	c.opt("after_ns", &r.After)
	c.optFloat("hops", &r.Hops)
	c.optFloat("cable_m", &r.Cable)
	c.opt("ttl_before", &r.TTLBefore)
	c.opt("ttl_after", &r.TTLAfter)
}
