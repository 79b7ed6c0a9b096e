package source

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

// tagsOf parses tags as SHOW SERIES writes them.
func tagsOf(t *testing.T, keys ...string) (all [][]schema.Tag) {
	t.Helper()
	for _, key := range keys {
		var p schema.Point
		if err := p.Parse([]byte("m," + key + " f=0i")); err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Tags)
	}
	return all
}

func TestGroupedByWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		keys []string
		by   string
	}{
		{nil, ""},
		{[]string{"host=h,target=1"}, ""},
		{[]string{"host=h,target=1", "host=h,target=2"}, "target"},
		{[]string{"host=h,target=1", "host=g,target=1"}, "host"},
		{[]string{"host=h,target=1", "host=g,target=2", "host=g,target=1"}, "host target"},
		{[]string{"host=h,site=s,target=1", "host=h,target=2"}, "site target"}, // one has no site
		{[]string{`host=h,site=a\ b\,c,target=1`, `host=h,site=a\ b\,c,target=2`}, "target"},
	} {
		if g := groupingOf(nil, tagsOf(t, c.keys...)); strings.Join(g.by, " ") != c.by {
			t.Errorf("%q are told apart by %q, want %q", c.keys, g.by, c.by)
		}
	}
}

// TestReadGrouped: rows that are grouped by some tags come with all of them.
func TestReadGrouped(t *testing.T) {
	keys := []string{`block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,site=abc,target=10.0.0.1`,
		"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.2"}
	g := groupingOf(sweeps.fields(), tagsOf(t, keys...))
	if want := ` GROUP BY "site", "target"`; g.ql() != want {
		t.Fatalf("got %s, want %s", g.ql(), want)
	}
	read := func(g *grouping, first, second string) (all []schema.RTTSeries, err error) {
		answer := packed(t, stretch{first, "time sent rtt_ns", [][]any{{1, 1, 250}}}, stretch{second, "time sent rtt_ns", [][]any{{1, 1, nil}}})
		err = readAnswer(answer, sweeps, g, func(s *schema.RTTSeries, _ *schema.SweepRow) { all = append(all, *s) })
		return all, err
	}
	grouped, err := read(g, `site=abc,target=10.0.0.1`, "site=,target=10.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	if want, err := read(plain(sweeps), keys[0], keys[1]); err != nil || !reflect.DeepEqual(grouped, want) {
		t.Errorf("got %+v, want %+v, %v", grouped, want, err)
	}
	if _, err := read(g, `site=abc,target=10.0.0.1`, "site=,target=10.0.0.3"); !errors.Is(err, errRegroup) {
		t.Errorf("of a new series it says %v", err)
	}
}

func TestSameSeries(t *testing.T) {
	of := func(keys ...string) *grouping { return groupingOf([]string{"sent"}, tagsOf(t, keys...)) }
	g := of("host=h,target=1", "host=h,target=2")
	for _, c := range []struct {
		h    *grouping
		same bool
	}{
		{of("host=h,target=2", "host=h,target=1"), true},
		{of("host=h,target=1", "host=h,target=2", "host=h,target=3"), false},
		{of("host=h,target=1", "host=g,target=2"), false},
		{of("host=g,target=1", "host=g,target=2"), false}, // each other one
		{of("host=h,target=1"), false},
	} {
		if g.same(c.h) != c.same {
			t.Errorf("%v and %v: want %v", g, c.h, c.same)
		}
	}
	h := of("host=h,target=1", "host=h,target=2")
	h.fields = slices.Concat(h.fields, []string{"late"})
	if g.same(h) {
		t.Error("a new field was not seen")
	}
}

// TestStatements: series with many points are asked for one by one, or a few at a time where there are too many.
func TestStatements(t *testing.T) {
	g := groupingOf([]string{"sent"}, tagsOf(t, "host=h,target=1", "host=h,site=a'b,target=2"))
	if want, got := ` X GROUP BY "site", "target"`, g.statements(" X"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	g.divided = true
	want := `X AND (("site" = '') AND ("target" = '1')) GROUP BY "site", "target"; ` +
		`X AND (("site" = 'a\'b') AND ("target" = '2')) GROUP BY "site", "target"`
	if got := g.statements("X"); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	if first, ok := g.first(); first != `("site" = '') AND ("target" = '1')` || !ok {
		t.Errorf("the first is %s", first)
	}
	var keys []string
	for i := range 2*mostStatements + 1 {
		keys = append(keys, fmt.Sprintf("target=%d", i))
	}
	g = groupingOf([]string{"sent"}, tagsOf(t, keys...))
	g.divided = true
	text := g.statements("X")
	if n := strings.Count(text, ";") + 1; n > mostStatements || strings.Count(text, `"target" = `) != len(keys) {
		t.Errorf("%d statements for %d series", n, len(keys))
	}
}
