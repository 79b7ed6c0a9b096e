package schema

// Counts are the sums of a rollup's window, which hold whatever the order of arrival was.
type Counts struct {
	Sweeps      int64   // sweeps that lie in the window
	Sent        int64   // requests
	Received    int64   // replies within the timeout
	Lost        int64   // Sent - Received - Late
	PercentLost float64 // 100 * Lost / Sent; 0 when nothing was sent
	Late        int64
	Duplicates  int64
	Corrupt     int64
	RTTMin      Opt // ns; absent when nothing was received
	RTTMean     Opt // ns; mean of the raw points' rtt_ns, rounded down
	RTTMax      Opt // ns
}

func (r *Counts) visit(c *codec) {
	c.int("sweeps", &r.Sweeps)
	c.int("sent", &r.Sent)
	c.int("received", &r.Received)
	c.int("lost", &r.Lost)
	c.float("percent_lost", &r.PercentLost)
	c.int("late", &r.Late)
	c.int("duplicates", &r.Duplicates)
	c.int("corrupt", &r.Corrupt)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_mean_ns", &r.RTTMean)
	c.opt("rtt_max_ns", &r.RTTMax)
}

// SweepRollupRow sums up one target over one window (measurement icmp_sweep_rollup).
type SweepRollupRow struct {
	Series
	Window string // 1m, 1h …
	Time   int64  // start of the window, ns
	Counts
	Complete bool  // every row that the manifests of the window promise was read
	Missing  int64 // rows promised and not read, over the whole window of the instance
}

// Measurement implements Row.
func (*SweepRollupRow) Measurement() string { return ICMPSweepRollup }

func (r *SweepRollupRow) visit(c *codec) {
	r.Series.visit(c)
	c.tag(TagWindow, &r.Window)
	c.time(&r.Time)
	r.Counts.visit(c)
	c.bool("complete", &r.Complete)
	c.int("missing", &r.Missing)
}

// BlockRollupRow sums up one block over one window (measurement icmp_sweep_block_rollup).
type BlockRollupRow struct {
	Host, Instance string
	Network        string
	Block          string
	Labels         []Tag
	Window         string
	Time           int64
	Targets        int64 // targets with at least one row in the window
	Responding     int64 // of these, targets that answered at least once
	Points         int64 // raw rows that went into the window
	Counts
	RTTP50, RTTP90 Opt // ns; exact (nearest rank) up to 512 values, then within 1 % by DDSketch
	RTTP99         Opt
	Complete       bool
	Missing        int64 // rows promised and not read, over the whole window of the instance
}

// Measurement implements Row.
func (*BlockRollupRow) Measurement() string { return ICMPSweepBlockRollup }

func (r *BlockRollupRow) visit(c *codec) {
	c.tag(TagBlock, &r.Block)
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagNetwork, &r.Network)
	c.tag(TagWindow, &r.Window)
	c.labels(&r.Labels, TagBlock, TagHost, TagInstance, TagNetwork, TagWindow)
	c.time(&r.Time)
	c.int("targets", &r.Targets)
	c.int("responding", &r.Responding)
	c.int("points", &r.Points)
	r.Counts.visit(c)
	c.opt("rtt_p50_ns", &r.RTTP50)
	c.opt("rtt_p90_ns", &r.RTTP90)
	c.opt("rtt_p99_ns", &r.RTTP99)
	c.bool("complete", &r.Complete)
	c.int("missing", &r.Missing)
}
