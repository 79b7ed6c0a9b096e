package schema

// Series names what a per-target row is about. Its tags are those of every row of that target, raw or rolled up.
type Series struct {
	Host     string
	Instance string
	Network  string
	Block    string
	Target   string
	Name     string // host name, when the target was configured by one
	Size     string // payload bytes, when sizes are cycled
	Labels   []Tag  // owner, site, ASN … from a labels file, and the tags of Telegraf
}

// Key makes one string of all tags. A zero byte cannot be part of a tag that matters here: it only separates.
func (s *Series) Key() string {
	var b []byte
	for _, v := range [...]string{s.Host, s.Instance, s.Network, s.Block, s.Target, s.Name, s.Size} {
		b = append(append(b, v...), 0)
	}
	for _, l := range s.Labels {
		b = append(append(append(append(b, l.Key...), 0), l.Value...), 0)
	}
	return string(b)
}

func (s *Series) visit(c *codec) {
	c.tag(TagBlock, &s.Block)
	c.tag(TagHost, &s.Host)
	c.tag(TagInstance, &s.Instance)
	c.tag(TagName, &s.Name)
	c.tag(TagNetwork, &s.Network)
	c.tag(TagSize, &s.Size)
	c.tag(TagTarget, &s.Target)
	c.labels(&s.Labels, TagBlock, TagHost, TagInstance, TagName, TagNetwork, TagSize, TagTarget, TagWindow)
}

// RTTSeries names what a row with an RTT is about, whatever its measurement is.
type RTTSeries struct {
	Of        string // the measurement; "" is icmp_sweep
	HasCounts bool   // its rows tell requests and replies
	Series           // of another measurement: Host and Target, and as Labels all its tags
}

// Result codes of a target in a sweep. 0 and 1 are those of Telegraf's inputs.ping.
const (
	ResultAnswered  = 0 // at least one reply within the timeout
	ResultSilent    = 1 // nothing came back within the timeout
	ResultICMPError = 2 // no reply, but an ICMP error that quotes our request
	ResultNotSent   = 3 // the prober's own kernel took no request for it
	ResultNoHost    = 4 // nobody answered for the address on the link, so no request was sent
)

// SweepRow is what one sweep found out about one target (measurement icmp_sweep).
type SweepRow struct {
	Series
	Time       int64 // scheduled start of the sweep, whole seconds, in ns
	Sent       int64 // requests that the kernel took
	Received   int64 // replies within the timeout, duplicates not counted
	RTT        Opt   // ns; mean over the answers whose two frames were stamped
	RTTMin     Opt   // ns; RTTMin, RTTMax and RTTStddev only when a target gets more than one probe
	RTTMax     Opt   // ns
	RTTStddev  Opt   // ns; population standard deviation
	TTL        Opt   // of the last reply
	ResultCode int64 // Result…
	Late       int64 // replies above the timeout, as far as known when the row was written
	LateRTT    Opt   // ns; mean over the late replies
	Duplicates int64 // further replies to a probe
	Corrupt    int64 // replies whose payload differs from what was sent, or whose checksum is wrong
	Flipped    int64 // bits by which they differ
	FirstFlip  Opt   // place in the payload of the first byte that differs, in the first corrupt reply
	ICMPType   Opt   // type and code of the first ICMP error that quotes our request, and who sent it
	ICMPCode   Opt
	ErrorFrom  string
	MTU        Opt    // bytes; of the next hop, as a "packet too big" or "fragmentation needed" says
	MAC        string // of the target on our own link
	ARPRTT     Opt    // ns; of the ARP or neighbour discovery exchange that found it
	HostName   string // reverse DNS
	// Percentiles of the sweep's RTTs, on request, when a target gets more than one probe.
	Percentiles []Percentile
}

// Percentile is one quantile of RTTs: the least RTT that at least P percent of them do not exceed.
type Percentile struct {
	P   int // 0 to 100
	RTT Opt // ns
}

// Measurement implements Row.
func (*SweepRow) Measurement() string { return ICMPSweep }

func (r *SweepRow) visit(c *codec) {
	r.Series.visit(c)
	c.time(&r.Time)
	c.int("sent", &r.Sent)
	c.int("received", &r.Received)
	c.opt("rtt_ns", &r.RTT)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_max_ns", &r.RTTMax)
	c.opt("rtt_stddev_ns", &r.RTTStddev)
	c.opt("ttl", &r.TTL)
	c.int("result_code", &r.ResultCode)
	c.intNonZero("late", &r.Late)
	c.opt("late_rtt_ns", &r.LateRTT)
	c.intNonZero("duplicates", &r.Duplicates)
	c.intNonZero("corrupt", &r.Corrupt)
	c.intNonZero("flipped_bits", &r.Flipped)
	c.opt("first_flip", &r.FirstFlip)
	c.opt("icmp_type", &r.ICMPType)
	c.opt("icmp_code", &r.ICMPCode)
	c.str("error_from", &r.ErrorFrom)
	c.opt("mtu", &r.MTU)
	c.str("mac", &r.MAC)
	c.opt("arp_rtt_ns", &r.ARPRTT)
	c.str("hostname", &r.HostName)
	c.percentiles("rtt_p", "_ns", &r.Percentiles, c.opt)
}

// LateRow adds late replies to a target's row after that was written: same series, same time, only these fields.
type LateRow struct {
	Series
	Time    int64
	Late    int64 // all late replies of this target in this sweep so far
	LateRTT Opt   // ns; mean over them
}

// Measurement implements Row.
func (*LateRow) Measurement() string { return ICMPSweep }

func (r *LateRow) visit(c *codec) {
	r.Series.visit(c)
	c.time(&r.Time)
	c.int("late", &r.Late)
	c.opt("late_rtt_ns", &r.LateRTT)
}

// SweepBlockRow is what one sweep found out about one block (measurement icmp_sweep_block). Its counts are the
// denominators: they hold for all targets, whether or not each got a row of its own.
type SweepBlockRow struct {
	Host, Instance    string
	Network           string // of the block's first target
	Block             string
	Labels            []Tag
	Time              int64
	Targets           int64   // targets that were probed
	Responding        int64   // targets that answered within the timeout
	PercentResponding float64 // 100 * Responding / Targets
	Sent, Received    int64
	RTTMin, RTTMean   Opt // ns, over the answering targets' mean RTTs
	RTTMax            Opt
	RTTP50, RTTP90    Opt // ns; nearest rank
	RTTP99            Opt
	Joined, Left      Opt // targets that answer now and did not in the last complete sweep; the reverse
	Partial           bool
}

// Measurement implements Row.
func (*SweepBlockRow) Measurement() string { return ICMPSweepBlock }

func (r *SweepBlockRow) visit(c *codec) {
	c.tag(TagBlock, &r.Block)
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.tag(TagNetwork, &r.Network)
	c.labels(&r.Labels, TagBlock, TagHost, TagInstance, TagNetwork)
	c.time(&r.Time)
	c.int("targets", &r.Targets)
	c.int("responding", &r.Responding)
	c.float("percent_responding", &r.PercentResponding)
	c.int("sent", &r.Sent)
	c.int("received", &r.Received)
	c.opt("rtt_min_ns", &r.RTTMin)
	c.opt("rtt_mean_ns", &r.RTTMean)
	c.opt("rtt_max_ns", &r.RTTMax)
	c.opt("rtt_p50_ns", &r.RTTP50)
	c.opt("rtt_p90_ns", &r.RTTP90)
	c.opt("rtt_p99_ns", &r.RTTP99)
	c.opt("joined", &r.Joined)
	c.opt("left", &r.Left)
	c.boolTrue("partial", &r.Partial)
}

// TrustOK is the verdict of a sweep whose loss is the network's.
const TrustOK = "ok"

// SweepStatsRow closes a sweep (measurement icmp_sweep_stats): it is written last, and its Points is the
// manifest by which a reader knows that it has all rows.
type SweepStatsRow struct {
	Host, Instance    string
	Labels            []Tag
	Time              int64
	Points            int64   // per-target rows of this sweep: those that hold a field "sent"
	Targets           int64   // targets of the plan
	Sent              int64   // requests that the kernel took
	Received          int64   // replies within the timeout
	Late              int64   // replies above the timeout, as far as known at this time
	Duplicates        int64   // further replies to one probe
	Corrupt           int64   // replies whose payload differs from what was sent
	ICMPErrors        int64   // ICMP errors that quote a request of this sweep
	OtherSource       int64   // verified replies that came from another address than was asked; not in Received
	Foreign           int64   // frames with our id that fail the cookie; of the process, while this sweep ran
	Unverified        int64   // replies too short for the cookie; of the process, while this sweep ran
	CaptureDrops      int64   // frames that the ring had no room for
	CaptureFreezes    int64   // times that the ring was full
	SendErrors        int64   // requests that the kernel refused, other than for want of room
	Unseen            int64   // requests taken by the kernel that the capture did not see leave, by way of a gateway
	NeighbourFailures int64   // the same for targets on the link: nobody answered for the address
	ClockStep         int64   // ns; CLOCK_REALTIME against CLOCK_MONOTONIC, end of the sweep minus start
	Trust             string  // TrustOK, or what may have bent this sweep, comma-separated
	Duration          int64   // ns from the first request to the last row
	Rate              float64 // requests per second while sending
	StampKind         string  // what took the stamps: "software", "hardware", "file"; "none" when no frame was seen
	Partial           bool    // the sweep was cut short
	Skipped           int64   // sweeps of this stanza left out since its last stats row, because one still ran
	Unresolved        int64   // host names without an address
	QdiscDrops        int64   // packets dropped by the queues of the interfaces in use, whoever sent them
	NICDrops          int64   // packets that the adapters in use dropped or found in error, in both directions
	NoRoom            int64   // times that the kernel had no room for a request, which was then sent again
	Order             string  // of probing: "permuted" or "sequential"
	Seed              Opt     // of the permuted order
	Shard             string  // "2/5": the second of five parts of the targets
	Link              LinkFacts
}

// LinkFacts is what is known to bend RTTs on the sending interface and host. What a driver does not tell is absent.
type LinkFacts struct {
	RXUsecs, TXUsecs Opt    // interrupt coalescing, µs
	Adaptive         string // adaptive coalescing: "on", "off"
	EEE              string // Energy-Efficient Ethernet: "on" when the link goes to sleep between frames, "off"
	Governor         string // CPU frequency governors, comma-separated
}

func (l *LinkFacts) visit(c *codec) {
	c.opt("rx_usecs", &l.RXUsecs)
	c.opt("tx_usecs", &l.TXUsecs)
	c.str("adaptive_coalescing", &l.Adaptive)
	c.str("eee", &l.EEE)
	c.str("governor", &l.Governor)
}

// Measurement implements Row.
func (*SweepStatsRow) Measurement() string { return ICMPSweepStats }

func (r *SweepStatsRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.labels(&r.Labels, TagHost, TagInstance)
	c.time(&r.Time)
	c.int("points", &r.Points)
	c.int("targets", &r.Targets)
	c.int("sent", &r.Sent)
	c.int("received", &r.Received)
	c.int("late", &r.Late)
	c.int("duplicates", &r.Duplicates)
	c.int("corrupt", &r.Corrupt)
	c.int("icmp_errors", &r.ICMPErrors)
	c.int("other_source", &r.OtherSource)
	c.int("foreign", &r.Foreign)
	c.int("unverified", &r.Unverified)
	c.int("capture_drops", &r.CaptureDrops)
	c.int("capture_freezes", &r.CaptureFreezes)
	c.int("send_errors", &r.SendErrors)
	c.int("unseen", &r.Unseen)
	c.int("neighbour_failures", &r.NeighbourFailures)
	c.int("clock_step_ns", &r.ClockStep)
	c.str("trust", &r.Trust)
	c.int("duration_ns", &r.Duration)
	c.float("rate", &r.Rate)
	c.str("stamp_kind", &r.StampKind)
	c.boolTrue("partial", &r.Partial)
	c.intNonZero("skipped", &r.Skipped)
	c.intNonZero("unresolved", &r.Unresolved)
	c.intNonZero("qdisc_drops", &r.QdiscDrops)
	c.intNonZero("nic_drops", &r.NICDrops)
	c.intNonZero("no_room", &r.NoRoom)
	c.str("order", &r.Order)
	c.opt("seed", &r.Seed)
	c.str("shard", &r.Shard)
	r.Link.visit(c)
}

// StatsLateRow corrects the late count of a sweep when its late window has passed: same series and time as its
// stats row, only this field.
type StatsLateRow struct {
	Host, Instance string
	Labels         []Tag
	Time           int64
	Late           int64
}

// Measurement implements Row.
func (*StatsLateRow) Measurement() string { return ICMPSweepStats }

func (r *StatsLateRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagInstance, &r.Instance)
	c.labels(&r.Labels, TagHost, TagInstance)
	c.time(&r.Time)
	c.int("late", &r.Late)
}

// SampleRow is one probe at its send time (measurement icmp_sample), written on request only.
type SampleRow struct {
	Series
	Time       int64 // kernel stamp of the request, ns
	Sweep      int64 // scheduled start of its sweep, ns
	Probe      int64 // number of the probe at its target, from 0
	RTT        Opt   // ns; absent when no reply came
	TTL        Opt
	Late       bool // the RTT lies above the timeout
	ResultCode int64
}

// Measurement implements Row.
func (*SampleRow) Measurement() string { return ICMPSample }

func (r *SampleRow) visit(c *codec) {
	r.Series.visit(c)
	c.time(&r.Time)
	c.int("sweep", &r.Sweep)
	c.int("probe", &r.Probe)
	c.opt("rtt_ns", &r.RTT)
	c.opt("ttl", &r.TTL)
	c.boolTrue("late", &r.Late)
	c.int("result_code", &r.ResultCode)
}
