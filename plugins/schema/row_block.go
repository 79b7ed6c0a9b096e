package schema

// BlockSeries names what a row of block analytics is about: one block, or all targets of a network or of a label's value.
type BlockSeries struct {
	Host, Instance string
	Group          string // GroupBlock, GroupNetwork, GroupTarget, or the key of the label whose value is among Labels
	Network        string // of a block and a target; of a network itself
	Block          string // of a block and a target
	Labels         []Tag  // what all targets of the block share; of a group by label that label alone
}

// NewBlockRow returns a zero row of block analytics; nil: the measurement is another.
func NewBlockRow(measurement string) Row {
	switch measurement {
	case BlockState:
		return new(BlockStateRow)
	case BlockOutage:
		return new(BlockOutageRow)
	case BlockChurn:
		return new(BlockChurnRow)
	case BlockDaily:
		return new(BlockDailyRow)
	}
	return nil
}

// Groups of block analytics. Others are keys of labels.
const (
	GroupBlock   = "block"
	GroupNetwork = "network"
	GroupTarget  = "target"
)

func (s *BlockSeries) visit(c *codec) {
	c.tag(TagBlock, &s.Block)
	c.tag(TagGroup, &s.Group)
	c.tag(TagHost, &s.Host)
	c.tag(TagInstance, &s.Instance)
	c.tag(TagNetwork, &s.Network)
	c.labels(&s.Labels, TagBlock, TagEvent, TagGroup, TagHost, TagInstance, TagNetwork, TagTarget)
}

// BlockStateRow is how a block or group was and is used (measurement block_state), one a window.
type BlockStateRow struct {
	BlockSeries
	Time              int64   // start of the window, ns
	Sweeps            int64   // that tell something
	Doubted           int64   // sweeps left out: not trusted, partial, or while the prober's own way was suspect
	Targets           int64   // that are probed
	Ever              int64   // of these, that have answered within memory
	PercentResponding float64 // of Targets, mean over Sweeps
	RespondingMin     int64   // targets that answered, least and most of the window's sweeps
	RespondingMax     int64
	State             string   // State…, at the end of the window; of a block
	Belief            OptFloat // that the block is up, 0.01 to 0.99, at the end of the window; of a block
	Availability      OptFloat // A: share of answers of the addresses that have ever answered, 0 to 1
	Volatility        OptFloat // V: times an address came up for each sweep
	Uptime            Opt      // U: ns; median of how long addresses stay up
	Class             string   // Use…
	Always            int64    // addresses by class
	Sometimes         int64
	Intermittent      int64
	Underused         int64
	RateLimited       bool // its loss grows with the rate of the requests
	RTTP50            Opt  // ns; median of the window's RTTs
}

// States of a block.
const (
	StateUp         = "up"
	StateDown       = "down"
	StatePart       = "part"       // a half of it is down
	StateUncertain  = "uncertain"  // the belief lies between
	StateUnmeasured = "unmeasured" // too few addresses answer for a belief
)

// Classes of use (Heidemann et al. 2008; Cai, Heidemann 2010).
const (
	UseAlways         = "always"         // always stable
	UseSometimes      = "sometimes"      // sometimes stable
	UseIntermittent   = "intermittent"   //
	UseUnderused      = "underused"      //
	UseUnclassifiable = "unclassifiable" // too few of the block's addresses answer
)

// Measurement implements Row.
func (*BlockStateRow) Measurement() string { return BlockState }

func (r *BlockStateRow) visit(c *codec) {
	r.BlockSeries.visit(c)
	c.time(&r.Time)
	c.int("sweeps", &r.Sweeps)
	c.int("doubted", &r.Doubted)
	c.int("targets", &r.Targets)
	c.int("ever", &r.Ever)
	c.float("percent_responding", &r.PercentResponding)
	c.int("responding_min", &r.RespondingMin)
	c.int("responding_max", &r.RespondingMax)
	c.str("state", &r.State)
	c.optFloat("belief", &r.Belief)
	c.optFloat("availability", &r.Availability)
	c.optFloat("volatility", &r.Volatility)
	c.opt("uptime_p50_ns", &r.Uptime)
	c.str("class", &r.Class)
	c.int("always", &r.Always)
	c.int("sometimes", &r.Sometimes)
	c.int("intermittent", &r.Intermittent)
	c.int("underused", &r.Underused)
	c.bool("rate_limited", &r.RateLimited)
	c.opt("rtt_p50_ns", &r.RTTP50)
}

// BlockOutageRow is an event of a block, or of the prober (measurement block_outage). It is written when it begins, and
// again with the same tags and time as it lasts and ends.
type BlockOutageRow struct {
	BlockSeries
	Event     string  // Event…
	Time      int64   // of the first sweep of it, ns
	Prefix    string  // what is silent: the block or a half of it; of EventVantage ""
	Open      bool    // it lasts
	Duration  int64   // ns, from the first sweep of it to the first behind it; so far while it is open
	Uncertain int64   // ns, by how much it may have begun before Time or ended before its end: the time between two sweeps
	Addresses int64   // that answered before and did not in it
	Answering int64   // that still answered in it
	Blocks    int64   // that were silent at once
	BeliefLow float64 // the least belief in it that the block is up
	To        string  // of EventRenumbering: the block that the addresses moved to
	Reason    string  // in words
}

// Events of blocks.
const (
	EventOutage      = "outage"
	EventRenumbering = "renumbering" // the same population answers from another block
	EventVantage     = "vantage"     // the prober's own way is suspect: nothing is said of blocks meanwhile
	EventRateLimit   = "rate_limit"  // loss grows with the rate of requests
)

// Measurement implements Row.
func (*BlockOutageRow) Measurement() string { return BlockOutage }

func (r *BlockOutageRow) visit(c *codec) {
	c.tag(TagEvent, &r.Event)
	r.BlockSeries.visit(c)
	c.time(&r.Time)
	c.str("prefix", &r.Prefix)
	c.bool("open", &r.Open)
	c.int("duration_ns", &r.Duration)
	c.int("uncertain_ns", &r.Uncertain)
	c.int("addresses", &r.Addresses)
	c.int("answering", &r.Answering)
	c.int("blocks", &r.Blocks)
	c.float("belief_low", &r.BeliefLow)
	c.str("to", &r.To)
	c.str("reason", &r.Reason)
}

// BlockChurnRow is how the addresses of a block or group came and went in a day (measurement block_churn). A session is
// the time from a sweep in which an address begins to answer to that in which it no longer does: of an address, not of
// a client, whom an echo cannot tell.
type BlockChurnRow struct {
	BlockSeries
	Time            int64    // start of the local day, ns
	Days            int64    // days of data behind what needs several, this one included
	Addresses       int64    // that answered in the day
	Peak            int64    // most that answered at once in the day
	Joined, Left    int64    // sums over the day's sweeps
	Sessions        int64    // that ended in the day
	SessionP50      Opt      // ns; length of those
	SessionP90      Opt      // ns
	Static, Dynamic int64    // addresses of the last days, by how their sessions look
	Class           string   // Churn…
	Renumbered      int64    // addresses that changed at the renumbering
	RenumberingHour OptFloat // hour of the local day, 0 to 24; absent where there is none
	Period          Opt      // ns between renumberings: k · 24 h; absent until two were seen
}

// Classes of churn.
const (
	ChurnStatic = "static"
	ChurnDHCP   = "dhcp" // addresses are handed out to changing clients
	ChurnMixed  = "mixed"
	ChurnUnused = "unused"
)

// Measurement implements Row.
func (*BlockChurnRow) Measurement() string { return BlockChurn }

func (r *BlockChurnRow) visit(c *codec) {
	r.BlockSeries.visit(c)
	c.time(&r.Time)
	c.int("days", &r.Days)
	c.int("addresses", &r.Addresses)
	c.int("peak", &r.Peak)
	c.int("joined", &r.Joined)
	c.int("left", &r.Left)
	c.int("sessions", &r.Sessions)
	c.opt("session_p50_ns", &r.SessionP50)
	c.opt("session_p90_ns", &r.SessionP90)
	c.int("static", &r.Static)
	c.int("dynamic", &r.Dynamic)
	c.str("class", &r.Class)
	c.int("renumbered", &r.Renumbered)
	c.optFloat("renumbering_hour", &r.RenumberingHour)
	c.opt("renumbering_period_ns", &r.Period)
}

// BlockDailyRow is the daily pattern of a block, group or single target over the last days (measurement block_daily), one
// a day.
type BlockDailyRow struct {
	BlockSeries
	Target            string   // of a single target
	Time              int64    // start of the local day that ended the span, ns
	Days              int64    // of the span
	Targets           int64    // with enough RTTs
	Slots             int64    // half hours with data, of 48 · Days
	RTTFloor          Opt      // ns; median of the targets' own least medians
	Amplitude         Opt      // ns; of the daily swing of RTTs, peak to peak; absent when it cannot be told
	LatencyClass      string   // Daily…; "" when it cannot be told
	LatencyHour       OptFloat // hour of the local day at which RTTs are highest
	AvailabilityClass string   // Diurnal…; "" when it cannot be told
	AvailabilityHour  OptFloat // hour of the local day at which most answer
	AvailabilitySwing OptFloat // peak to peak of the daily swing of the share that answers, percent
	Timezone          string   // of the hours
}

// Classes of daily latency (Fontugne et al. 2020).
const (
	DailyNone   = "none"
	DailyLow    = "low"    // amplitude above 0.5 ms
	DailyMild   = "mild"   // above 1 ms
	DailySevere = "severe" // above 3 ms
)

// Classes of daily availability (Quan et al. 2014).
const (
	DiurnalStrict  = "strict"
	DiurnalRelaxed = "relaxed"
	DiurnalNone    = "none"
)

// Measurement implements Row.
func (*BlockDailyRow) Measurement() string { return BlockDaily }

func (r *BlockDailyRow) visit(c *codec) {
	r.BlockSeries.visit(c)
	c.tag(TagTarget, &r.Target)
	c.time(&r.Time)
	c.int("days", &r.Days)
	c.int("targets", &r.Targets)
	c.int("slots", &r.Slots)
	c.opt("rtt_floor_ns", &r.RTTFloor)
	c.opt("amplitude_ns", &r.Amplitude)
	c.str("latency_class", &r.LatencyClass)
	c.optFloat("latency_hour", &r.LatencyHour)
	c.str("availability_class", &r.AvailabilityClass)
	c.optFloat("availability_hour", &r.AvailabilityHour)
	c.optFloat("availability_swing", &r.AvailabilitySwing)
	c.str("timezone", &r.Timezone)
}
