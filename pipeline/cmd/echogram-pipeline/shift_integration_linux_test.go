//go:build integration

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/influx"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// TestFloorsAndFacts: both languages read back what rollups wrote, and what sweeps say of their own side.
func TestFloorsAndFacts(t *testing.T) {
	w := newWorld(t)
	for at := noon; at.Before(noon.Add(2 * time.Hour)); at = at.Add(10 * time.Minute) {
		w.add("one", 1, 300, at, 0)
		stats := w.stats[statsKey{"one", at.UnixNano()}]
		stats.Link = schema.LinkFacts{RXUsecs: schema.Some(int64(at.Hour())), EEE: "off"}
	}
	w.store()
	sink := database(t, "sink")
	w.once(w.config(sink, "state"), noon.Add(day))
	from, to := noon.UnixNano(), noon.Add(2*time.Hour).UnixNano()
	var found []string
	for _, language := range []string{"influxql", "flux"} {
		open := func(db string) *source.Source {
			c := influx.New(influx.Config{URL: lab.influx.URL, Bucket: db + "/autogen"})
			t.Cleanup(c.Close)
			s := source.New(c, language, nil)
			if err := s.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			return s
		}
		facts, err := open(w.source).Facts(t.Context(), from, to, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, f := range facts {
			text = append(text, fmt.Sprintf("%+v\n", f))
		}
		n, target := len(text), ""
		err = open(sink).Floors(t.Context(), "10.1.1.0/24", "1h", from, to, func() { text = text[:n] },
			func(s *schema.RTTSeries, r *schema.SweepRollupRow) {
				text, target = append(text, fmt.Sprintf("%+v %+v\n", *s, *r)), s.Target
			})
		if err != nil || n != 2 || len(text) != n+88 {
			t.Errorf("%s: %d facts, %d floors, %v", language, n, len(text)-n, err)
		}
		own := 0
		err = open(sink).TargetFloors(t.Context(), []string{target, "192.0.2.1"}, "1h", from, to, func() { own = 0 },
			func(s *schema.RTTSeries, r *schema.SweepRollupRow) {
				if own++; s.Target != target || !slices.Contains(text, fmt.Sprintf("%+v %+v\n", *s, *r)) {
					t.Errorf("%s: %+v is none of %s", language, *s, target)
				}
			})
		if err != nil || own != 2 {
			t.Errorf("%s: %d floors of %s, %v", language, own, target, err)
		}
		slices.Sort(text)
		found = append(found, strings.Join(text, ""))
	}
	if found[0] != found[1] || !strings.Contains(found[0], "RXUsecs:{N:13 Set:true}") || !strings.Contains(found[0], "EEE:off") {
		t.Errorf("influxql\n%s\nflux\n%s", found[0][:min(len(found[0]), 1500)], found[1][:min(len(found[1]), 1500)])
	}
}
