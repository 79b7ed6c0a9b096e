package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"echogram/plugins/schema"
)

// writeSummary tells people what a sweep found: who answered, who did not and why, how fast, and whether to believe
// it.
func writeSummary(w io.Writer, s *schema.SweepStatsRow, t *tally) {
	noun := "targets"
	if t.targets == 1 {
		noun = "target"
	}
	fmt.Fprintf(w, "%s %s, %s answered%s\n", thousands(t.targets), noun, thousands(t.answered), share(t.answered, t.targets))
	writeList(w, "silent", part(t.silent, "without a reply"), part(t.noHost, "without a host on the link"),
		part(t.notSent, "refused by our own kernel"))
	writeList(w, "errors", errorParts(t.errors)...)
	writeList(w, "replies", part(s.Late, "late"), part(s.Duplicates, "duplicate"), part(s.Corrupt, "corrupt"),
		part(s.OtherSource, "from another address than was asked"), part(s.Foreign, "foreign"), part(s.Unverified, "unverified"))
	if h := &t.rtts; h.n > 0 {
		writeList(w, "RTT", "min "+micros(h.least), "median "+micros(h.quantile(.5)), "p99 "+micros(h.quantile(.99)),
			"max "+micros(h.most))
	}
	writeList(w, "requests", fmt.Sprintf("%s at %s/s", thousands(s.Sent), thousands(int64(s.Rate+.5))),
		fmt.Sprintf("%.3f s in all", float64(s.Duration)/1e9))
	writeTrust(w, s)
}

// writeList writes one labelled line, or nothing when all parts are empty.
func writeList(w io.Writer, label string, parts ...string) {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) > 0 {
		fmt.Fprintf(w, "  %-9s %s\n", label, strings.Join(parts, ", "))
	}
}

// part is "3 late", or nothing for none.
func part(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return thousands(n) + " " + what
}

// errorParts lists the kinds of error, the most frequent first.
func errorParts(errors map[icmpError]int64) []string {
	kinds := slices.SortedFunc(maps.Keys(errors), func(a, b icmpError) int {
		return cmp.Or(cmp.Compare(errors[b], errors[a]), cmp.Compare(a.String(), b.String()))
	})
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = part(errors[k], k.String())
	}
	return parts
}

// share writes the part of a whole in percent.
func share(n, of int64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.4g %%)", 100*float64(n)/float64(of))
}
