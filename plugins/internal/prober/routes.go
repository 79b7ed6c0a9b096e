package prober

import (
	"fmt"
	"slices"

	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
)

// findRoutes takes the broadcast addresses of our own links out of the plan, asks for the route to each piece of
// its blocks, notes which pieces are on the link, and returns the interfaces in the order met.
func findRoutes(c Config) ([]route.Interface, error) {
	oif, err := outInterface(c.Interface)
	if err != nil {
		return nil, err
	}
	specifics, err := route.Specifics(targets.BlockBits4)
	if err != nil {
		return nil, err
	}
	if err := leaveOutBroadcast(c.Plan, specifics); err != nil {
		return nil, err
	}
	var links []route.Interface
	var onLink []piece
	for _, p := range pieces(c.Plan.Targets, specifics) {
		r, err := route.Get(c.Plan.Targets.At(p.first), oif, c.Source)
		if err != nil {
			return nil, fmt.Errorf("prober: network %s cannot be reached: %w%s", c.Plan.Targets.Network(p.first), err, from(c))
		}
		if r.OnLink() {
			onLink = append(onLink, p)
		}
		if slices.ContainsFunc(links, func(l route.Interface) bool { return l.Index == r.IfIndex }) {
			continue
		}
		l, err := route.ByIndex(r.IfIndex)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	c.Plan.OnLink = func(target int) bool {
		_, found := slices.BinarySearchFunc(onLink, target, piece.compare)
		return found
	}
	return links, nil
}

// from says what else, beside the destination, the kernel was asked for.
func from(c Config) string {
	s := ""
	if c.Source.IsValid() {
		s = " from " + c.Source.String()
	}
	if c.Interface != "" {
		s += " by " + c.Interface
	}
	return s
}

func outInterface(name string) (index int, err error) {
	if name == "" {
		return 0, nil
	}
	i, err := route.ByName(name)
	if err == nil && !i.Up {
		err = fmt.Errorf("prober: interface %s is down: bring it up with: ip link set %s up", i.Name, i.Name)
	}
	return i.Index, err
}

// leaveOutBroadcast removes targets that are broadcast addresses here: one request would be for everybody.
func leaveOutBroadcast(plan *Plan, specifics []route.Specific) error {
	var out []targets.Range
	for _, s := range specifics {
		if _, ok := plan.Targets.Index(s.Prefix.Addr()); s.Broadcast && ok {
			out = append(out, targets.Range{Text: s.Prefix.String(), First: s.Prefix.Addr(), Last: s.Prefix.Addr()})
		}
	}
	if out == nil {
		return nil
	}
	set, err := plan.Targets.Without(out)
	if err != nil {
		return err
	}
	plan.Targets = set
	return plan.Check()
}

// piece is a run of targets that one route serves, as far as the tables tell.
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

// pieces cuts the blocks of a set where narrower routes begin and end.
func pieces(set *targets.Set, specifics []route.Specific) []piece {
	var cuts []int
	for _, s := range specifics {
		first, last := set.Within(s.Prefix)
		if first < last {
			cuts = append(cuts, first, last)
		}
	}
	for _, b := range set.Blocks() {
		cuts = append(cuts, b.First)
	}
	cuts = append(cuts, set.Len())
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	all := make([]piece, len(cuts)-1)
	for i := range all {
		all[i] = piece{cuts[i], cuts[i+1] - cuts[i]}
	}
	return all
}
