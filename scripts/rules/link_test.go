package rules

import (
	"slices"
	"strings"
	"testing"
)

// maxLinked is how many packages of others echogram may link.
const maxLinked = 30

func TestWhatEchogramLinks(t *testing.T) {
	var foreign []string
	for _, p := range goList(t, "-deps", "./plugins/cmd/echogram") {
		if p.Standard || p.ours() {
			continue
		}
		foreign = append(foreign, p.ImportPath)
		if len(p.CgoFiles) > 0 {
			t.Errorf("echogram links %s, which needs cgo: one static binary must run on any Linux", p.ImportPath)
		}
		for _, word := range []string{"plot", "chart", "/draw", "image"} {
			if strings.Contains(p.ImportPath, word) {
				t.Errorf("echogram links %s: what holds CAP_NET_RAW draws no pictures", p.ImportPath)
			}
		}
	}
	slices.Sort(foreign)
	t.Logf("echogram links %d packages of others", len(foreign))
	if len(foreign) > maxLinked {
		t.Errorf("echogram links %d packages of others, at most %d: each is code in a process that holds CAP_NET_RAW\n%s",
			len(foreign), maxLinked, strings.Join(foreign, "\n"))
	}
}

func TestNoCgoOfOurs(t *testing.T) {
	for _, p := range ours(t) {
		if len(p.CgoFiles) > 0 || slices.Contains(p.Imports, "C") {
			t.Errorf("%s uses cgo: one static binary must run on any Linux", p.short())
		}
	}
}
