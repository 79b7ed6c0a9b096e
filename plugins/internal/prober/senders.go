package prober

import (
	"context"
	"errors"
	"fmt"
	"os"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/internal/linkinfo"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/internal/privilege"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/schema"
)

// packetRate is the rate from which on frames of our own are worth what they pass by: the firewall and the address
// translation of this host.
const packetRate = 50_000

// ownFrames tells whether requests leave as frames of our own where the next hop is known.
func (c *Config) ownFrames() bool {
	switch c.Send {
	case "raw":
		return false
	case "packet":
		return true
	}
	return c.OnLink || c.Mark == 0 && (c.Plan.Rate == 0 || c.Plan.Rate >= packetRate)
}

func (c *Config) socketConfig() icmpsock.Config {
	return icmpsock.Config{
		Interface: c.Interface, Source4: c.Source4, Source6: c.Source6, V6: true,
		TTL: c.TTL, DSCP: c.DSCP, DontFragment: c.DontFragment, Mark: c.Mark,
	}
}

// openPrivileged opens rings and raw sockets, which need CAP_NET_RAW.
func (p *Prober) openPrivileged(ctx context.Context) error {
	c := &p.config
	for _, name := range c.Return {
		l, err := p.host.routes.ByName(name)
		if err != nil {
			return err
		}
		if err := p.capture(l); err != nil {
			return err
		}
	}
	if c.ownFrames() {
		hops, err := openNextHops(c.socketConfig())
		if err != nil {
			return err
		}
		p.hops = hops
		p.closers = append(p.closers, func() { hops.close() })
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	if c.OnLink {
		if err := p.openLinks(); err != nil {
			return err
		}
	}
	threads := c.threads()
	c.addProcessors(threads)
	for range threads {
		if err := p.openSender(); err != nil {
			return err
		}
	}
	return nil
}

// openSender opens the sockets of one sending thread.
func (p *Prober) openSender() error {
	raw, err := icmpsock.Open(p.config.socketConfig())
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { raw.Close() })
	var out sweep.Sender = sendSocket{raw}
	if p.hops != nil {
		frames, err := p.hops.sender(out)
		if err != nil {
			return err
		}
		p.closers = append(p.closers, frames.Close)
		out = frames
	}
	p.senders = append(p.senders, out)
	return nil
}

// beyondPing names an option that a ping socket cannot serve; "": there is none.
func (c *Config) beyondPing() string {
	for _, o := range []struct {
		set bool
		key string
	}{
		{c.Mark != 0, "mark"}, {c.OnLink, "on_link"}, {c.Send == "packet" || c.Send == "raw", "send"},
		{len(c.Return) > 0, "return_interfaces"}, {c.Save != nil, "pcap"},
	} {
		if o.set {
			return o.key
		}
	}
	return ""
}

// openUnprivileged opens a ping socket in the place of all that needs CAP_NET_RAW, if the host allows it. denied is
// what the kernel said without it.
func (p *Prober) openUnprivileged(denied error) error {
	c := &p.config
	if key := c.beyondPing(); key != "" {
		return fmt.Errorf("prober: %w CAP_NET_RAW, which %s needs (%v): %s", ErrPrivilege, key, denied, remedy())
	}
	u, err := p.host.pingSocket(c.pingConfig())
	if errors.Is(err, pingsock.ErrNotAllowed) {
		return fmt.Errorf("prober: %w CAP_NET_RAW (%v), and %w", ErrPrivilege, denied, err)
	}
	if err != nil {
		return err
	}
	c.warn("without CAP_NET_RAW requests leave by a ping socket: replies with a wrong ICMP checksum are not seen, and one thread sends; for all there is: " + remedy())
	p.serve(u)
	p.closers = append(p.closers, p.host.leavePings)
	return nil
}

func (p *Prober) serve(u *unprivileged) {
	p.pings = u
	p.sources, p.senders = []int{u.source}, []sweep.Sender{u}
}

func (c *Config) pingConfig() pingsock.Config {
	return pingsock.Config{
		V4: true, V6: true, Interface: c.Interface, Source4: c.Source4, Source6: c.Source6,
		TTL: c.TTL, DSCP: c.DSCP, DontFragment: c.DontFragment,
	}
}

// openHardware opens what takes the adapter's stamps.
func (p *Prober) openHardware() error {
	c := p.config.pingConfig()
	c.ID = p.host.id
	h, err := openHardware(c, p.host.nextSource(), p.host.engine)
	if err != nil {
		return err
	}
	p.serve(h.unprivileged)
	p.senders = []sweep.Sender{h}
	p.closers = append(p.closers, h.close, p.host.watch(h.source, h))
	return nil
}

func remedy() string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return fmt.Sprintf(privilege.Remedy, self)
}

// sendSocket is a raw socket as the engine wants it.
type sendSocket struct{ *icmpsock.Socket }

func (s sendSocket) Send(msgs []icmpecho.Datagram) (int, error) {
	n, err := s.Socket.Send(msgs)
	if errors.Is(err, icmpsock.ErrNoRoom) {
		err = sweep.ErrNoRoom
	}
	return n, err
}

// linkFacts tells of the first interface that requests leave by what may bend their RTTs.
func (p *Prober) linkFacts() schema.LinkFacts {
	facts := schema.LinkFacts{}
	for i, g := range linkinfo.Governors() {
		if i > 0 {
			facts.Governor += ","
		}
		facts.Governor += g
	}
	if len(p.paths.links) == 0 {
		return facts
	}
	s, err := linkinfo.Read(p.paths.links[0].Index) // of those that the targets are reached by, the first
	if err != nil {
		return facts // what cannot be known is absent
	}
	for _, n := range []struct {
		from *int64
		to   *schema.Opt
	}{{s.RxUsecs, &facts.RXUsecs}, {s.TxUsecs, &facts.TXUsecs}} {
		if n.from != nil {
			*n.to = schema.Some(*n.from)
		}
	}
	facts.Adaptive, facts.EEE = onOff(s.Adaptive), onOff(s.EEE)
	return facts
}

func onOff(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "on"
	}
	return "off"
}
