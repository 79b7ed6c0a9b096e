package report

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// extent is what there was, collected or not: for who asked for what is not there.
type extent struct {
	networks map[string]bool
	from, to int64
	last     *schema.RTTSeries
}

func newExtent() extent { return extent{networks: map[string]bool{}, from: math.MaxInt64} }

// point takes note of a row of a target.
func (e *extent) point(s *schema.RTTSeries, at int64) {
	if s != e.last {
		e.last = s
		e.networks[s.Network] = true
	}
	e.from, e.to = min(e.from, at), max(e.to, at)
}

// row takes note of any other row.
func (e *extent) row(network string, at int64) {
	e.networks[network] = true
	e.from, e.to = min(e.from, at), max(e.to, at)
}

const extentNetworks = 8 // that are named

// Seen says of which networks and times there were rows, taken in or not; "" when there were none.
func (c *Collection) Seen() string {
	e := &c.seen
	names := slices.DeleteFunc(slices.Collect(maps.Keys(e.networks)), func(name string) bool { return name == "" })
	if len(names) == 0 {
		return ""
	}
	slices.SortFunc(names, func(a, b string) int { return comparePrefixes(prefixOf(a), prefixOf(b)) })
	more := ""
	if n := len(names) - extentNetworks; n > 0 {
		names, more = names[:extentNetworks], " and "+thousands(int64(n))+" more"
	}
	stamp := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }
	return strings.Join(names, ", ") + more + ", from " + stamp(e.from) + " to " + stamp(e.to)
}
