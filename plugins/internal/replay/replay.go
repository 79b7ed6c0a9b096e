// Package replay evaluates a capture that was taken elsewhere, by whomever: it finds the echo requests of any pinger
// in it, the replies to them and the errors about them, and makes of them the rows of one sweep.
//
// Its layers, from the bottom:
//
//   - payload.go: the payload of a request, kept or hashed, against that of its reply.
//   - probe.go: the requests that answers may still come for, by address pair, identifier and sequence number.
//   - match.go: a captured frame -> the probe that it belongs to.
//   - target.go, rows.go: what is known of targets -> schema rows.
//
// A cookie is not looked for, so that all pingers are alike; a reply from another address than was asked is one
// without a request. All time comes from the stamps. Memory is bounded by Config.Outstanding and by the targets.
package replay

import (
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// Config says how a capture is to be read.
type Config struct {
	Host, Instance string        // tags
	Labels         []schema.Tag  // further tags of every row
	Timeout        time.Duration // a reply with a greater RTT is late; default 1 s
	LateWindow     time.Duration // how long after a request its answers are matched; default 60 s
	Targets        *targets.Set  // limits and names what is looked at; nil: whoever was asked, a block being its network
	Outstanding    int           // requests that answers are matched to at a time; default 2^19
}

func (c *Config) defaults() {
	if c.Timeout <= 0 {
		c.Timeout = time.Second
	}
	if c.LateWindow <= 0 {
		c.LateWindow = time.Minute
	}
	c.LateWindow = max(c.LateWindow, c.Timeout)
	if c.Outstanding <= 0 {
		c.Outstanding = 1 << 19
	}
}

// Replay takes the packets of one capture. It is for one goroutine.
type Replay struct {
	config  Config
	probes  probes
	held    held
	targets map[[16]byte]*target
	counts  counts
	packets int64
	cut     bool
	dropped int64

	firstRequest, lastRequest, last int64 // stamps, ns; last: of any packet
}

// counts are sums over the capture that no target has.
type counts struct {
	icmpErrors, unmatched, repeated, forgotten int64
	requests                                   int64
	backwards                                  int64 // ns, the least RTT below zero
}

// Summary is what a capture came to.
type Summary struct {
	Stats     schema.SweepStatsRow
	Packets   int64 // of the capture, of whatever kind
	Unmatched int64 // replies and errors whose request is not in the capture
	Repeated  int64 // frames that were captured more than once
	Open      int64 // silent requests younger than the timeout when the capture ended: their replies may have come after it
	Forgotten int64 // requests that were given up before their timeout because too many were outstanding
}

// New makes an empty Replay.
func New(c Config) *Replay {
	c.defaults()
	return &Replay{config: c, probes: newProbes(), held: newHeld(), targets: map[[16]byte]*target{}}
}

// Observe takes the next packet of the capture. Nothing of it is kept.
func (r *Replay) Observe(p *capture.Packet) {
	r.packets++
	r.last = max(r.last, p.Stamp)
	ip, err := frame.Parse(p.Data, p.Link)
	if err != nil || ip.Proto != frame.ProtoICMP && ip.Proto != frame.ProtoICMPv6 {
		return
	}
	cut := ip.Cut || int(p.OrigLen) > len(p.Data)
	m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, cut)
	if err != nil || m.Kind == icmpecho.Other {
		return
	}
	r.expire(p.Stamp)
	if m.Kind == icmpecho.EchoRequest {
		r.request(p, &ip, &m, cut)
	} else {
		r.answer(p, &ip, &m, cut)
	}
}

// Cut says that the capture was cut short, by its reader or by an error: requests younger than the timeout are then
// neither sent nor lost.
func (r *Replay) Cut() { r.cut = true }

// Dropped says how many packets the capture lost.
func (r *Replay) Dropped(n uint64) { r.dropped = int64(n) }

// Finish emits the rows of all targets that were asked, block by block in the order of their addresses, and last
// the row of the sweep. The Replay is of no use after that.
func (r *Replay) Finish(emit func(schema.Row)) Summary {
	r.counts.unmatched += int64(r.held.n)
	open := r.open()
	rows := newRows(r, emit)
	rows.emitTargets()
	return Summary{
		Stats: rows.emitStats(), Packets: r.packets, Open: open,
		Unmatched: r.counts.unmatched, Repeated: r.counts.repeated, Forgotten: r.counts.forgotten,
	}
}

// open counts the silent requests that are younger than the timeout; if the capture was cut, it takes them back.
func (r *Replay) open() (n int64) {
	for p := r.probes.oldest; p != nil; p = p.next {
		if p.replies > 0 || p.failed || r.last-p.stamp > int64(r.config.Timeout) {
			continue
		}
		n++
		if r.cut {
			p.target.sent--
		}
	}
	return n
}
