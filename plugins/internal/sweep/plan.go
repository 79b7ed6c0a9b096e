package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// Plan is what a stanza sweeps, again and again. Fill its exported fields, then call Check; it must not be
// changed after that. Targets that are not known yet, or change, come with With.
type Plan struct {
	Host, Instance string       // tags
	Labels         []schema.Tag // further tags of every row
	Targets        *targets.Set
	// Describe returns the host name by which a target was configured and its further tags, sorted; nil: none.
	Describe func(target int) (name string, labels []schema.Tag)
	Order    targets.Order
	Shard    string // "2/5", for the stats row

	Rate          int           // requests per second; 0 as fast as it goes
	BlockRate     float64       // requests per second to one block; 0: as Rate allows
	Burst         int           // requests sent back to back, 1 to 1024; 0: min(128, ceil(Rate * 10 ms)), 128 without a rate
	BlockWait     time.Duration // pause after each burst, which then stays in one block; 0: none
	Count         int           // requests per target, default 1, or the number of Sizes
	CountInterval time.Duration // least time between two requests to one target, default 1 s
	Retries       int           // further requests to targets from which nothing has come
	Timeout       time.Duration // a reply with a greater RTT is late; default 1 s
	LateWindow    time.Duration // how long after the sweep late replies are still matched, at most 180 s
	Sizes         []int         // payload bytes, 0 to 65,507; probe k has Sizes[k % len]; default 12. Below 12 there is no cookie
	Pattern       Pattern       // of the payload behind the cookie

	PerTarget   PerTarget
	Remember    time.Duration // for PerResponding; default 24 h
	Refresh     time.Duration // for PerChanged; default 1 h
	Percentiles []int         // of a target's RTTs, 0 to 100
	Samples     bool          // one row a probe, too
	PingFields  bool          // rows as Telegraf's inputs.ping writes them

	OnLink  func(target int) bool // whether a target lies on the interface's own link; nil: none does
	History *History              // what earlier sweeps of the stanza found; made by Check if nil

	names []string // of the blocks
	sizes []string // values of the tag size
}

// Pattern says what fills a payload behind its cookie.
type Pattern struct {
	Random bool   // drawn anew for each sweep
	Bytes  []byte // repeated; empty: each byte is its own place, as ping counts them up
}

// PerTarget says which targets get a row of their own.
type PerTarget uint8

// The choices, as configurations name them.
const (
	PerAll        PerTarget = iota // all
	PerResponding                  // responding: those that answered within Remember, in their silent sweeps too
	PerChanged                     // changed: those whose result is another than in their last row, or whose last row is Refresh old
	PerNone                        // none
)

// PerTargetNames lists the names of the PerTarget values in their order.
func PerTargetNames() []string { return []string{"all", "responding", "changed", "none"} }

// Limits of a plan.
const (
	MaxSize       = 65507
	MaxBurst      = 1024
	MaxRate       = 10_000_000
	MinBlockRate  = 0.001
	MaxProbes     = 1 << 27
	MaxRetries    = 100
	MaxLateWindow = 180 * time.Second

	MaxCountInterval = 24 * time.Hour
)

// Problem is one thing wrong with a plan: the option's name, as configurations spell it, and what would be right.
type Problem struct {
	Key, Text string
}

func (p *Problem) Error() string { return p.Key + ": " + p.Text }

// Check fills in the defaults and refuses what cannot be swept with a *Problem.
func (p *Plan) Check() error {
	p.defaults()
	for _, c := range []struct {
		bad       bool
		key, text string
	}{
		{p.Rate < 0 || p.Rate > MaxRate, "rate", "must be 0 (as fast as it goes) to 10000000 requests per second"},
		{p.BlockRate != 0 && !(p.BlockRate >= MinBlockRate && p.BlockRate <= MaxRate), "block_rate", "must be 0 (no cap) or 0.001 to 10000000 requests per second"},
		{p.Burst < 1 || p.Burst > MaxBurst, "burst", "must be 0 (chosen by rate) to 1024 requests"},
		{p.BlockWait < 0 || p.BlockWait > time.Minute, "block_wait", `must be "0s" (no pause) to "60s"`},
		{p.BlockWait > 0 && !p.Order.Sequential, "block_wait", `listens to one block after the other: order = "sequential" goes with it`},
		{p.Count < 1 || p.Count > MaxProbes, "count", "must be 1 to 134217728 (2^27) requests per target"},
		{p.Count < len(p.Sizes), "count", fmt.Sprintf("must be at least %d, so that each of the sizes is sent to each target", len(p.Sizes))},
		{p.CountInterval < 0 || p.CountInterval > MaxCountInterval, "count_interval", `must be "1ns" to "24h"`},
		{p.Retries < 0 || p.Retries > MaxRetries, "retries", "must be 0 to 100"},
		{p.Retries > 0 && len(p.Sizes) > 1, "retries", "cannot be told apart from loss of one size: leave out retries or sizes"},
		{p.Timeout < time.Millisecond || p.Timeout > time.Minute, "timeout", `must be "1ms" to "60s"`},
		{p.PingFields && len(p.Sizes) > 1, "sizes", `give one with fields = "ping": its points have no tag that tells sizes apart`},
		{p.LateWindow < 0 || p.LateWindow > MaxLateWindow, "late_window", `must be "0s" to "180s"`},
		{p.Remember < 0, "remember", "must not be negative"},
		{p.Refresh < 0, "refresh", "must not be negative"},
	} {
		if c.bad {
			return &Problem{c.key, c.text}
		}
	}
	if err := p.checkLists(); err != nil {
		return err
	}
	p.sizes = make([]string, len(p.Sizes))
	for i, size := range p.Sizes {
		p.sizes[i] = strconv.Itoa(size)
	}
	if p.History == nil {
		p.History = &History{}
	}
	if p.Targets == nil {
		return nil
	}
	return p.checkTargets()
}

func (p *Plan) checkTargets() error {
	if p.Targets.Len() == 0 {
		return &Problem{"networks", "no targets are left: give at least one network, range or address that exclude does not take away"}
	}
	if total := p.Targets.Len() * p.passes(); total > MaxProbes {
		return &Problem{"count", fmt.Sprintf("%d targets, each asked up to %d times, are more than the %d (2^27) requests of a sweep", p.Targets.Len(), p.passes(), MaxProbes)}
	}
	p.nameBlocks()
	return nil
}

func (p *Plan) checkLists() error {
	for i, size := range p.Sizes {
		switch {
		case size < 0 || size > MaxSize:
			return &Problem{"size", fmt.Sprintf("%d is not 0 to 65507 payload bytes", size)}
		case slices.Contains(p.Sizes[:i], size):
			return &Problem{"sizes", fmt.Sprintf("%d stands there twice: the points of one would overwrite the other's", size)}
		}
	}
	for i, q := range p.Percentiles {
		switch {
		case q < 0 || q > 100:
			return &Problem{"percentiles", fmt.Sprintf("%d is not 0 to 100", q)}
		case slices.Contains(p.Percentiles[:i], q):
			return &Problem{"percentiles", fmt.Sprintf("%d stands there twice", q)}
		}
	}
	return nil
}

func (p *Plan) defaults() {
	if p.Burst == 0 {
		p.Burst = 128
		if p.Rate > 0 {
			p.Burst = min(128, (p.Rate+99)/100)
		}
	}
	if len(p.Sizes) == 0 {
		p.Sizes = []int{icmpecho.CookieLen}
	}
	if p.Count == 0 {
		p.Count = len(p.Sizes)
	}
	for d, def := range map[*time.Duration]time.Duration{
		&p.CountInterval: time.Second, &p.Timeout: time.Second, &p.Remember: 24 * time.Hour, &p.Refresh: time.Hour,
	} {
		if *d == 0 {
			*d = def
		}
	}
}

func (p *Plan) nameBlocks() {
	blocks := p.Targets.Blocks()
	p.names = make([]string, len(blocks))
	for i := range blocks {
		p.names[i] = p.Targets.BlockName(i)
	}
}

// With returns the checked plan for another set of targets; what is remembered of those in both goes over.
func (p *Plan) With(set *targets.Set, describe func(int) (string, []schema.Tag)) (*Plan, error) {
	q := *p
	q.Targets, q.Describe = set, describe
	if p.Targets != nil && p.Targets != set {
		q.History = p.History.moved(p.Targets, set)
	}
	return &q, q.checkTargets()
}

// passes is how many requests a target gets at most.
func (p *Plan) passes() int { return p.Count + p.Retries }

// size is the payload length of a target's probe number k.
func (p *Plan) size(k int) int { return p.Sizes[k%len(p.Sizes)] }

// sizeName is the tag size of a target's probe number k: "" where all have the same.
func (p *Plan) sizeName(k int) string {
	if len(p.Sizes) == 1 {
		return ""
	}
	return p.sizes[k%len(p.sizes)]
}

// Length is the least that a sweep takes at the plan's rate, from the first request to the last row, without
// retries; 0 where the rate is not known.
func (p *Plan) Length() time.Duration {
	var sending float64
	requests := float64(p.Targets.Len() * p.Count)
	if p.Rate > 0 {
		sending = requests / float64(p.Rate)
	}
	if p.BlockRate > 0 {
		sending = max(sending, float64(p.capped()*p.Count)/p.BlockRate)
	}
	if p.BlockWait > 0 {
		sending = max(sending, requests/float64(p.Burst)*p.BlockWait.Seconds())
	}
	if sending == 0 {
		return 0
	}
	length := max(sending, float64(p.Count-1)*p.CountInterval.Seconds()) + p.Timeout.Seconds()
	return time.Duration(min(length, longest.Seconds()) * float64(time.Second))
}

// longest is what stands for the length of a sweep that takes longer.
const longest = 100 * 365 * 24 * time.Hour

// capped is the most targets that share a cap of blocks: those of a block; in order of their addresses, of a group.
func (p *Plan) capped() (most int) {
	if p.Order.Sequential {
		for _, g := range p.groups() {
			most = max(most, g.N)
		}
		return most
	}
	for _, b := range p.Targets.Blocks() {
		most = max(most, b.N)
	}
	return most
}

// pattern makes the bytes of one sweep's payloads, as many as the largest needs.
func (p *Plan) pattern(seed uint64) icmpecho.Pattern {
	size := slices.Max(p.Sizes)
	switch {
	case p.Pattern.Random:
		return icmpecho.RandomPattern(seed, size)
	case len(p.Pattern.Bytes) > 0:
		return icmpecho.RepeatedPattern(p.Pattern.Bytes, size)
	}
	return icmpecho.CountingPattern(size)
}
