package schema

// Counts are the sums of a rollup's window, which hold whatever the order of arrival was.
type Counts struct {
	Sweeps      int64   // sweeps that lie in the window
	Sent        int64   // requests
	Received    int64   // replies within the timeout
	Lost        int64   // Sent - Received - Late - Doubted
	Doubted     int64   // what of Sent - Received - Late belongs to sweeps whose trust is not ok: it may not be the network's
	PercentLost float64 // 100 * Lost / (Sent - Doubted); 0 when that is
	Late        int64
	Duplicates  int64
	Corrupt     int64
	RTTMin      Opt // ns; absent when nothing was received
	RTTMean     Opt // ns; mean of the raw points' rtt_ns, rounded down
	RTTMax      Opt // ns
	RTTStddev   Opt // ns; of the raw points' rtt_ns, population standard deviation, rounded down
}

func (r *Counts) visit(c *codec) {
	c.int("sweeps", &r.Sweeps)
	c.int("sent", &r.Sent)
	c.int("received", &r.Received)
	c.int("lost", &r.Lost)
	c.int("doubted", &r.Doubted)
	c.float("percent_lost", &r.PercentLost)
	c.int("late", &r.Late)
	c.int("duplicates", &r.Duplicates)
	c.int("corrupt", &r.Corrupt)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_mean_ns", &r.RTTMean)
	c.opt("rtt_max_ns", &r.RTTMax)
	c.opt("rtt_stddev_ns", &r.RTTStddev)
}

// RTTQuantiles are of the raw points' rtt_ns, by nearest rank: exact up to 512 values, then within 1 % by DDSketch.
type RTTQuantiles struct {
	P50, P90, P99 Opt // ns
}

func (q *RTTQuantiles) visit(c *codec) {
	c.opt("rtt_p50_ns", &q.P50)
	c.opt("rtt_p90_ns", &q.P90)
	c.opt("rtt_p99_ns", &q.P99)
}

// ErrorOK says of a mean that its standard error holds.
const ErrorOK = "ok"

// Filtered is what the outlier filter made of one target's RTTs in one window (pipeline/outlier).
type Filtered struct {
	N, Cut int64  // RTTs that the filter saw, and those of them that it cut
	Mean   Opt    // ns; of what it kept, as are those below; absent when there was no RTT
	Stddev Opt    // ns; sample standard deviation; absent below two values
	StdErr Opt    // ns; standard error of Mean, widened where values that follow each other are alike
	Floor  Opt    // ns; half-sample mode
	Error  string // ErrorOK, or why StdErr does not hold, comma-separated
}

func (f *Filtered) visit(c *codec) {
	c.int("rtt_n", &f.N)
	c.int("rtt_cut", &f.Cut)
	c.opt("rtt_kept_mean_ns", &f.Mean)
	c.opt("rtt_kept_stddev_ns", &f.Stddev)
	c.opt("rtt_stderr_ns", &f.StdErr)
	c.opt("rtt_floor_ns", &f.Floor)
	c.str("rtt_error", &f.Error)
}

// SweepRollupRow sums up one target over one window (measurement icmp_sweep_rollup).
type SweepRollupRow struct {
	Series
	Window string // 1m, 1h …
	Time   int64  // start of the window, ns
	Counts
	RTTQuantiles
	Filtered
	TTLMin, TTLMax Opt   // of the replies; different when routes changed within the window
	Complete       bool  // every row that the manifests of the window promise was read
	Missing        int64 // rows promised and not read, over the whole window of the instance
}

// Measurement implements Row.
func (*SweepRollupRow) Measurement() string { return ICMPSweepRollup }

func (r *SweepRollupRow) visit(c *codec) {
	r.Series.visit(c)
	c.tag(TagWindow, &r.Window)
	c.time(&r.Time)
	r.Counts.visit(c)
	r.RTTQuantiles.visit(c)
	r.Filtered.visit(c)
	c.opt("ttl_min", &r.TTLMin)
	c.opt("ttl_max", &r.TTLMax)
	c.bool("complete", &r.Complete)
	c.int("missing", &r.Missing)
}

// BlockRollupRow sums up one block over one window (measurement icmp_sweep_block_rollup).
type BlockRollupRow struct {
	Host, Instance string
	Network        string
	Block          string
	Size           string // payload bytes, when sizes are cycled
	Labels         []Tag
	Window         string
	Time           int64
	Targets        int64 // targets with at least one row in the window
	Responding     int64 // of these, targets that answered at least once
	Points         int64 // raw rows that went into the window
	Counts
	RTTQuantiles
	Complete bool
	Missing  int64 // rows promised and not read, over the whole window of the instance
}

// Measurement implements Row.
func (*BlockRollupRow) Measurement() string { return ICMPSweepBlockRollup }

func (r *BlockRollupRow) visit(c *codec) {
	c.tag(TagBlock, &r.Block)
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagNetwork, &r.Network)
	c.tag(TagSize, &r.Size)
	c.tag(TagWindow, &r.Window)
	c.labels(&r.Labels, TagBlock, TagHost, TagInstance, TagNetwork, TagSize, TagWindow)
	c.time(&r.Time)
	c.int("targets", &r.Targets)
	c.int("responding", &r.Responding)
	c.int("points", &r.Points)
	r.Counts.visit(c)
	r.RTTQuantiles.visit(c)
	c.bool("complete", &r.Complete)
	c.int("missing", &r.Missing)
}

// NetworkRollupRow sums up one network over one window (measurement icmp_sweep_network_rollup).
type NetworkRollupRow struct {
	Host, Instance string
	Network        string
	Size           string // payload bytes, when sizes are cycled
	Labels         []Tag
	Window         string
	Time           int64
	Blocks         int64 // blocks with at least one row in the window
	Targets        int64 // targets with at least one row in the window
	Responding     int64 // of these, targets that answered at least once
	Points         int64 // raw rows that went into the window
	Counts
	RTTQuantiles
	Complete bool
	Missing  int64 // rows promised and not read, over the whole window of the instance
}

// Measurement implements Row.
func (*NetworkRollupRow) Measurement() string { return ICMPSweepNetworkRollup }

func (r *NetworkRollupRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagNetwork, &r.Network)
	c.tag(TagSize, &r.Size)
	c.tag(TagWindow, &r.Window)
	c.labels(&r.Labels, TagHost, TagInstance, TagNetwork, TagSize, TagWindow)
	c.time(&r.Time)
	c.int("blocks", &r.Blocks)
	c.int("targets", &r.Targets)
	c.int("responding", &r.Responding)
	c.int("points", &r.Points)
	r.Counts.visit(c)
	r.RTTQuantiles.visit(c)
	c.bool("complete", &r.Complete)
	c.int("missing", &r.Missing)
}

// RTTRollupRow sums up one series of any measurement that has an RTT over one window. The measurement is the raw
// one's name and "_rollup"; tags are all of the raw point's, and window.
type RTTRollupRow struct {
	Of          string // the raw measurement
	Tags        []Tag  // of the raw point
	Window      string
	Time        int64
	Points      int64    // raw points that went into the window
	Sent        Opt      // sums of the fields that were configured for them; absent where none was
	Received    Opt      // as Sent
	Lost        Opt      // Sent - Received
	PercentLost OptFloat // 100 * Lost / Sent
	RTTMin      Opt      // ns
	RTTMean     Opt      // ns; rounded down
	RTTMax      Opt      // ns
	RTTStddev   Opt      // ns; population standard deviation, rounded down
	RTTQuantiles
	Filtered
}

// Measurement implements Row.
func (r *RTTRollupRow) Measurement() string { return r.Of + RollupSuffix }

func (r *RTTRollupRow) visit(c *codec) {
	c.tag(TagWindow, &r.Window)
	c.labels(&r.Tags, TagWindow)
	c.time(&r.Time)
	c.int("points", &r.Points)
	c.opt("sent", &r.Sent)
	c.opt("received", &r.Received)
	c.opt("lost", &r.Lost)
	c.optFloat("percent_lost", &r.PercentLost)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_mean_ns", &r.RTTMean)
	c.opt("rtt_max_ns", &r.RTTMax)
	c.opt("rtt_stddev_ns", &r.RTTStddev)
	r.RTTQuantiles.visit(c)
	r.Filtered.visit(c)
}
