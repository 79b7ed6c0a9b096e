package report

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"echogram/plugins/schema"
)

const (
	defaultFrames = 600
	blockBits4    = 24
	blockBits6    = 64
)

// networkKey names a network and who looked at it.
type networkKey struct{ host, instance, name string }

// NewCollection makes an empty collection.
func NewCollection(c CollectionConfig) *Collection {
	if c.Location == nil {
		c.Location = time.UTC
	}
	c.Frames = cmp.Or(c.Frames, defaultFrames)
	c.Stop = cmp.Or(c.Stop, math.MaxInt64)
	return &Collection{config: c, clock: hourClock{location: c.Location},
		nets: map[networkKey]*Network{}, known: map[*schema.RTTSeries]*Target{}, groups: map[schema.Tag]*Group{}, seen: newExtent()}
}

func (c *Collection) wants(at int64) bool { return c.config.Start <= at && at < c.config.Stop }

// Add takes what one sweep found out about one target. Rows of other measurements are passed over. A series keeps its
// pointer, or comes by another each time: both are the same series.
func (c *Collection) Add(s *schema.RTTSeries, r *schema.SweepRow) { c.sweep(s, r.Time, answerOf(r)) }

// Late takes a row of late replies, which tells of nothing else.
func (c *Collection) Late(s *schema.RTTSeries, r *schema.SweepRow) { c.sweep(s, r.Time, Late) }

func (c *Collection) sweep(s *schema.RTTSeries, at int64, a Answer) {
	if s.Of != "" {
		return
	}
	if c.seen.point(s, at); !c.wants(at) {
		return
	}
	t, ok := c.known[s]
	if !ok {
		t = c.target(&s.Series, "")
		c.known[s] = t
	}
	if t != nil {
		t.view.look(t, at, a, &c.clock, c.config.Frames)
	}
}

// target finds the target of s, or makes it; nil: it is not collected.
func (c *Collection) target(s *schema.Series, window string) *Target {
	addr, err := netip.ParseAddr(s.Target)
	if err != nil || c.config.Network.IsValid() && !c.config.Network.Contains(addr) {
		return nil
	}
	n := c.network(s.Host, s.Instance, s.Network)
	v := n.views[window]
	if v == nil {
		v = newView()
		n.views[window] = v
	}
	t := v.targets[addr]
	if t == nil {
		t = &Target{Addr: addr, view: v, place: len(v.targets)}
		v.targets[addr] = t
	}
	t.Labels, t.Name, t.Block = s.Labels, s.Name, n.block(cmp.Or(s.Block, blockOf(addr)))
	return t
}

func blockOf(a netip.Addr) string {
	bits := blockBits4
	if a.Is6() {
		bits = blockBits6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		panic(err) // the address has that many bits
	}
	return p.String()
}

func (c *Collection) network(host, instance, name string) *Network {
	if c.config.Network.IsValid() {
		name = c.config.Network.String()
	}
	key := networkKey{host, instance, name}
	n := c.nets[key]
	if n == nil {
		n = &Network{Host: host, Instance: instance, Name: name, views: map[string]*view{}, blocks: map[string]*Block{},
			use: map[int64]Use{}, daily: map[netip.Addr]*schema.BlockDailyRow{}}
		c.nets[key] = n
	}
	return n
}

func (n *Network) block(name string) *Block {
	b := n.blocks[name]
	if b == nil {
		b = &Block{Name: name}
		b.Prefix, _ = netip.ParsePrefix(name) // of what is no prefix: the zero value
		n.blocks[name] = b
	}
	return b
}

// Line takes a line of line protocol that is neither a target's row nor a manifest: rollups of targets, the blocks of a
// sweep, and the rows of block analytics. It returns false for lines of other measurements.
func (c *Collection) Line(line []byte) (ours bool, err error) {
	row := networkRow(line)
	if row == nil {
		return false, nil
	}
	if err := parse(&c.point, line, row); err != nil {
		return true, err
	}
	c.Row(row)
	return true, nil
}

// networkRow makes an empty row of the line's measurement; nil: it is none that Line takes.
func networkRow(line []byte) schema.Row {
	switch name := measurementOf(line); name {
	case schema.ICMPSweepRollup:
		return new(schema.SweepRollupRow)
	case schema.ICMPSweepBlock:
		return new(schema.SweepBlockRow)
	default:
		return schema.NewBlockRow(name)
	}
}

// Row is Line for a row. Rows of kinds that Line does not take are passed over.
func (c *Collection) Row(row schema.Row) {
	switch r := row.(type) {
	case *schema.SweepRollupRow:
		if c.seen.row(r.Network, r.Time); !c.wants(r.Time) {
			return
		}
		if t := c.target(&r.Series, r.Window); t != nil {
			t.view.look(t, r.Time, rollupAnswer(r), &c.clock, c.config.Frames)
		}
	case *schema.SweepBlockRow:
		c.sweepBlock(r)
	case *schema.BlockStateRow:
		if a := c.analytics(&r.BlockSeries, r.Time); a != nil {
			a.States = append(a.States, *r)
		}
	case *schema.BlockOutageRow:
		if r.Event == schema.EventVantage && c.wants(r.Time) {
			c.vantage = append(c.vantage, *r)
		} else if a := c.analytics(&r.BlockSeries, r.Time); a != nil {
			a.Outages = append(a.Outages, *r)
		}
	case *schema.BlockChurnRow:
		if a := c.analytics(&r.BlockSeries, r.Time); a != nil {
			a.Churn = append(a.Churn, *r)
		}
	case *schema.BlockDailyRow:
		if r.Group == schema.GroupTarget {
			c.targetDaily(r)
		} else if a := c.analytics(&r.BlockSeries, r.Time); a != nil {
			a.Daily = append(a.Daily, *r)
		}
	}
}

func (c *Collection) sweepBlock(r *schema.SweepBlockRow) {
	if c.seen.row(r.Network, r.Time); !c.wants(r.Time) || r.Partial || !c.holds(r.Block) {
		return
	}
	n := c.network(r.Host, r.Instance, r.Network)
	b := n.block(r.Block)
	b.Probed = max(b.Probed, r.Targets)
	start, _ := c.clock.hour(r.Time)
	u := n.use[start]
	u.Probed += float64(r.Targets)
	u.Responding += float64(r.Responding)
	n.use[start] = u
}

// holds tells whether a block lies in what is collected.
func (c *Collection) holds(block string) bool {
	p, err := netip.ParsePrefix(block)
	return !c.config.Network.IsValid() || err == nil && c.config.Network.Bits() <= p.Bits() && c.config.Network.Overlaps(p)
}

// analytics finds where rows about s go; nil: nowhere.
func (c *Collection) analytics(s *schema.BlockSeries, at int64) *Analytics {
	c.seen.row(s.Network, at)
	switch {
	case !c.wants(at):
		return nil
	case s.Group == schema.GroupBlock && c.holds(s.Block):
		b := c.network(s.Host, s.Instance, s.Network).block(s.Block)
		b.Labels = s.Labels
		return &b.Analytics
	case s.Group == schema.GroupNetwork && (!c.config.Network.IsValid() || c.config.Network.String() == s.Network):
		return &c.network(s.Host, s.Instance, s.Network).Analytics
	case s.Group == schema.GroupBlock || s.Group == schema.GroupNetwork || c.config.Network.IsValid():
		return nil
	}
	i := slices.IndexFunc(s.Labels, func(t schema.Tag) bool { return t.Key == s.Group })
	if i < 0 {
		return nil
	}
	g := c.groups[s.Labels[i]]
	if g == nil {
		g = &Group{Label: s.Labels[i]}
		c.groups[g.Label] = g
	}
	return &g.Analytics
}

// targetDaily keeps the latest daily pattern of a single target, until Finish knows the target.
func (c *Collection) targetDaily(r *schema.BlockDailyRow) {
	addr, err := netip.ParseAddr(r.Target)
	if err != nil || !c.wants(r.Time) || c.config.Network.IsValid() && !c.config.Network.Contains(addr) {
		return
	}
	n := c.network(r.Host, r.Instance, r.Network)
	if old := n.daily[addr]; old == nil || old.Time <= r.Time {
		n.daily[addr] = r
	}
}

// Finish puts everything in order. Nothing is added behind it.
func (c *Collection) Finish() {
	c.Networks = slices.SortedFunc(maps.Values(c.nets), func(a, b *Network) int {
		return cmp.Or(comparePrefixes(prefixOf(a.Name), prefixOf(b.Name)), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.Instance, b.Instance))
	})
	c.Groups = slices.SortedFunc(maps.Values(c.groups), func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Label.Key, b.Label.Key), cmp.Compare(a.Label.Value, b.Label.Value))
	})
	for _, g := range c.Groups {
		g.Analytics.finish()
	}
	for _, n := range c.Networks {
		for i := range c.vantage {
			if v := &c.vantage[i]; v.Host == n.Host && v.Instance == n.Instance {
				n.Vantage = append(n.Vantage, *v)
			}
		}
		n.finish(&c.clock)
	}
}

func prefixOf(name string) netip.Prefix {
	p, _ := netip.ParsePrefix(name) // of what is no prefix: the zero value
	return p
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
