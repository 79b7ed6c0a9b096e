package prober

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
)

// paths says how the targets of a set are reached.
type paths struct {
	links  []route.Interface // by which requests leave, in the order met
	pieces []path            // of the whole set, in order
}

// path is a piece of the set and its route.
type path struct {
	piece
	route.Route
	failed bool // there is none
}

// onLink tells whether a target lies on the interface's own link.
func (p *paths) onLink(target int) bool {
	i, found := slices.BinarySearchFunc(p.pieces, target, func(p path, t int) int { return p.compare(t) })
	return found && !p.pieces[i].failed && p.pieces[i].OnLink()
}

// findPaths asks for the route to each piece of the plan's targets. A piece without a route is an error if strict, else
// it is told of and goes to the kernel, which refuses it.
func (p *Prober) findPaths(specifics []route.Specific, strict bool) (*paths, error) {
	c, set := &p.config, p.plan.Targets
	oif, err := p.host.outInterface(c.Interface)
	if err != nil {
		return nil, err
	}
	found := &paths{}
	for _, pc := range runs(set, specifics) {
		dst := set.At(pc.first)
		r, err := p.host.routes.Get(route.Query{OutIndex: oif, Source: c.source(dst), Mark: c.Mark}, dst)
		switch {
		case errors.Is(err, route.ErrNoRoute) && !strict:
			c.warn(fmt.Sprintf("network %s cannot be reached: %v%s", set.Network(pc.first), err, c.from(dst)))
			found.pieces = append(found.pieces, path{piece: pc, failed: true})
			continue
		case err != nil:
			return nil, fmt.Errorf("prober: network %s cannot be reached: %w%s", set.Network(pc.first), err, c.from(dst))
		}
		found.pieces = append(found.pieces, path{piece: pc, Route: r})
		if err := found.addLink(p.host.routes, r.IfIndex); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// link returns the interface with an index.
func (p *paths) link(index int) (route.Interface, bool) {
	i := slices.IndexFunc(p.links, func(l route.Interface) bool { return l.Index == index })
	if i < 0 {
		return route.Interface{}, false
	}
	return p.links[i], true
}

func (p *paths) addLink(routes *route.Client, index int) error {
	if _, known := p.link(index); known {
		return nil
	}
	l, err := routes.ByIndex(index)
	if err == nil {
		p.links = append(p.links, l)
	}
	return err
}

// specifics lists the destinations of all routing tables of both families.
func (h *host) specifics() ([]route.Specific, error) {
	v4, err := h.routes.Specifics4(0)
	if err != nil {
		return nil, err
	}
	v6, err := h.routes.Specifics6(0)
	return append(v4, v6...), err
}

// from says what else, beside the destination, the kernel was asked for.
func (c *Config) from(dst netip.Addr) string {
	s := ""
	if source := c.source(dst); source.IsValid() {
		s = " from " + source.String()
	}
	if c.Interface != "" {
		s += " by " + c.Interface
	}
	return s
}

func (h *host) outInterface(name string) (index int, err error) {
	if name == "" {
		return 0, nil
	}
	i, err := h.routes.ByName(name)
	if err == nil && !i.Up {
		err = fmt.Errorf("prober: interface %s is down: bring it up with: ip link set %s up", i.Name, i.Name)
	}
	return i.Index, err
}

// ownBroadcast lists the broadcast addresses of our own links, where one request would be for everybody, and their
// networks' own addresses.
func (h *host) ownBroadcast(specifics []route.Specific) ([]targets.Range, error) {
	var out []targets.Range
	for _, s := range specifics {
		if a := s.Prefix.Addr(); s.Broadcast {
			out = append(out, targets.Range{Text: s.Prefix.String(), First: a, Last: a})
		}
	}
	networks, err := h.routes.Addresses(0)
	for _, n := range networks {
		if a := n.Masked().Addr(); a.Is4() && n.Bits() < 31 {
			out = append(out, targets.Range{Text: a.String() + "/32", First: a, Last: a})
		}
	}
	return out, err
}

// piece is a run of targets that one route serves, as far as the tables tell: see runs.
type piece struct {
	first, n int
}

// compare orders a piece against a target: 0 if it holds it.
func (p piece) compare(target int) int {
	switch {
	case target < p.first:
		return 1
	case target >= p.first+p.n:
		return -1
	}
	return 0
}

// entryProblem names the entry of a list that is wrong.
func entryProblem(key string, err error) error {
	var entry *targets.EntryError
	if errors.As(err, &entry) {
		key = fmt.Sprintf("%s[%d]", key, entry.Index)
	}
	return &Problem{Key: key, Text: err.Error()}
}
