package prober

import (
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
)

// Config is what a prober needs.
type Config struct {
	Plan             *Plan // without targets, checked or not
	Targets          *TargetList
	IncludeBroadcast bool       // network and broadcast addresses of our own links are targets, too
	Interface        string     // send by this interface only, or by those of this VRF; "": as the routes say
	Source4          netip.Addr // send from these
	Source6          netip.Addr
	TTL              int // 0: the system's default
	DSCP             int
	DontFragment     bool
	Fragment         bool      // payloads that do not fit into the interface's MTU may be sent in fragments
	Mark             uint32    // for policy routing
	Return           []string  // further interfaces by which replies may come back
	Send             string    // raw, packet or "" and auto: packet where the next hop is known
	Threads          int       // that send; 0: as many as the rate calls for
	RingMiB          int       // size of each ring; 0: as the rate calls for
	Stamps           string    // software or "", hardware
	OnLink           bool      // find the hosts on our own links ourselves, before each sweep
	ARPRate          int       // requests per second of that; 0: the engine's default
	ReverseDNS       bool      // look up the names of those found
	Save             io.Writer // takes what is captured, as nanosecond pcap; nil: nobody
	Warn             func(text string)
}

// SetSources reads the addresses to send from, at most one of each family.
func (c *Config) SetSources(list []string) error {
	for _, s := range list {
		a, err := netip.ParseAddr(s)
		switch {
		case err != nil:
			return &Problem{Key: "source", Text: fmt.Sprintf("%q is no address", s)}
		case a.Unmap().Is4() && !c.Source4.IsValid():
			c.Source4 = a.Unmap()
		case a.Is6() && !c.Source6.IsValid():
			c.Source6 = a
		default:
			return &Problem{Key: "source", Text: fmt.Sprintf("%s is the second of its family: requests leave from one", s)}
		}
	}
	return nil
}

// source is the address to send to dst from, if one is configured.
func (c *Config) source(dst netip.Addr) netip.Addr {
	if dst.Is6() {
		return c.Source6
	}
	return c.Source4
}

// Limits of the options.
const (
	MaxThreads = 64
	MaxRingMiB = 4096
	MaxARPRate = 1_000_000
)

// Check refuses what cannot be with a *Problem, and checks the plan.
func (c *Config) Check() error {
	for _, o := range []struct {
		bad       bool
		key, text string
	}{
		{c.TTL < 0 || c.TTL > 255, "ttl", fmt.Sprintf("%d is not 0 (the system's default) to 255", c.TTL)},
		{c.DSCP < 0 || c.DSCP > 63, "dscp", fmt.Sprintf("%d is not 0 to 63", c.DSCP)},
		{c.DontFragment && c.Fragment, "fragment", "contradicts df"},
		{!slices.Contains([]string{"", "auto", "raw", "packet"}, c.Send), "send", fmt.Sprintf("%q is not auto, raw or packet", c.Send)},
		{c.Threads < 0 || c.Threads > MaxThreads, "threads", fmt.Sprintf("%d is not 0 (as many as the rate calls for) to %d", c.Threads, MaxThreads)},
		{c.RingMiB < 0 || c.RingMiB > MaxRingMiB, "ring_mib", fmt.Sprintf("%d is not 0 (as the rate calls for) to %d", c.RingMiB, MaxRingMiB)},
		{!slices.Contains([]string{"", "software", "hardware"}, c.Stamps), "stamps", fmt.Sprintf("%q is neither software nor hardware", c.Stamps)},
		{c.ARPRate < 0 || c.ARPRate > MaxARPRate, "arp_rate", fmt.Sprintf("%d is not 0 to %d requests per second", c.ARPRate, MaxARPRate)},
		{c.OnLink && c.Send == "raw", "send", "raw does not go with on_link, which sends frames of our own to the hosts that it finds"},
		{c.ARPRate > 0 && !c.OnLink, "arp_rate", "goes with on_link: it is the rate of its requests"},
		{c.ReverseDNS && !c.OnLink, "reverse_dns", "goes with on_link: it looks up the hosts that were found on the link"},
		{c.Stamps == "hardware" && c.Interface == "", "interface", "is required with hardware stamps: they are those of one adapter"},
		{c.Stamps == "hardware" && c.beyondPing() != "", c.beyondPing(), "does not go with hardware stamps, which come by way of a ping socket"},
	} {
		if o.bad {
			return &Problem{Key: o.key, Text: o.text}
		}
	}
	return c.Plan.Check()
}

func (c *Config) stampKind() capture.StampKind {
	if c.Stamps == "hardware" {
		return capture.StampHardware
	}
	return capture.StampSoftware
}

func (c *Config) warn(text string) {
	if c.Warn != nil {
		c.Warn(text)
	}
}

// cores is how many sending threads are of use: what the process began with.
var cores = runtime.GOMAXPROCS(0)

// tightRate is the rate from which on a sender pauses for so short a time that it must not queue for a processor then.
const tightRate = 50_000

// addProcessors gives the Go runtime a processor for each sending thread where these would take all that there are:
// they hold on to theirs while the kernel works for them, and the capture must not wait for that. At tight rates it is
// the sender that must not wait for the capture.
func (c *Config) addProcessors(threads int) {
	want := cores + threads
	if (threads >= cores || c.Plan.Rate >= tightRate) && runtime.GOMAXPROCS(0) < want {
		runtime.GOMAXPROCS(want)
	}
}

// threadRate is about what one sending thread reaches, requests per second.
const threadRate = 100_000

func (c *Config) threads() int {
	switch {
	case c.Plan.BlockWait > 0:
		return 1
	case c.Threads > 0:
		return c.Threads
	case c.Plan.Rate == 0:
		return cores
	}
	return min(cores, 1+c.Plan.Rate/(threadRate+1))
}

// ringTime is how long a ring holds what comes while nobody reads it.
const ringTime = 250 * time.Millisecond

// fullRate stands for the rate of a sweep without one.
const fullRate = 400_000

func (c *Config) ringSize() ringSize {
	rate := c.Plan.Rate
	if rate == 0 {
		rate = fullRate
	}
	block, blocks := afpacket.RingFor(rate, slices.Max(c.Plan.Sizes)+frameExtra, ringTime)
	if c.RingMiB > 0 {
		blocks = max(2, c.RingMiB<<20/block)
	}
	return ringSize{block, blocks}
}

// frameExtra is what a frame has beside the payload: headers of Ethernet, IPv6 and ICMP.
const frameExtra = 14 + 40 + 8

type ringSize struct{ block, blocks int }

func (s ringSize) bytes() int { return s.block * s.blocks }
