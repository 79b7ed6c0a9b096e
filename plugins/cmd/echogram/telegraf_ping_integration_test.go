//go:build integration

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// pingStanzas are Telegraf's own plugin and ours, with the same tasks.
func pingStanzas(t *testing.T) string {
	const ours = `
[[inputs.icmp_sweep]]
  interval = "5s"
  networks = ["198.18.0.1", "198.18.0.130", "localhost"]
  family = "ipv4"
  fields = "ping"
  count = 3
  count_interval = "200ms"
  percentiles = [50, 95]
  [inputs.icmp_sweep.tags]
    source = "%s"
`
	execd := execdStanza(program, "telegraf", "--config", writeFile(t, "echogram.conf", fmt.Sprintf(ours, "execd")))
	return fmt.Sprintf(ours, "compiled in") + execd + `
[[inputs.ping]]
  method = "native"
  urls = ["198.18.0.1", "198.18.0.130", "localhost"]
  ipv6 = false
  count = 3
  ping_interval = 0.2
  timeout = 1.0
  deadline = 2
  percentiles = [50, 95]
  [inputs.ping.tags]
    source = "telegraf"
`
}

// TestPingFields: with fields = "ping", what we write of a target cannot be told from what inputs.ping writes of it.
func TestPingFields(t *testing.T) {
	r := newEmbeddedRig(t, fickleNetwork(t), pingStanzas(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	wantQuiet(t, finish(t, r.command(ctx, "--once")))
	data, err := os.ReadFile(r.out)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]schema.Point{} // by url and source
	for _, p := range parsePoints(t, data) {
		if p.Measurement != schema.Ping {
			continue
		}
		url, source := p.Tag(schema.TagURL), p.Tag("source")
		if all[url] == nil {
			all[url] = map[string]schema.Point{}
		}
		if _, twice := all[url][source]; twice {
			t.Errorf("two points of %s from %s", url, source)
		}
		all[url][source] = p
	}
	if urls := slices.Sorted(maps.Keys(all)); !slices.Equal(urls, []string{"198.18.0.1", "198.18.0.130", "localhost"}) {
		t.Fatalf("points of %v", urls)
	}
	for url, sources := range all {
		theirs := sources["telegraf"]
		for _, source := range []string{"compiled in", "execd"} {
			ours := sources[source]
			if a, b := shape([]schema.Point{theirs}), shape([]schema.Point{ours}); !maps.Equal(a, b) {
				t.Errorf("of %s inputs.ping writes %v, we (%s) %v", url, a, source, b)
			}
			wantSameValues(t, url+" by "+source, theirs.FieldMap(), ours.FieldMap())
		}
	}
}

// wantSameValues compares what must be equal, and the order of what was measured.
func wantSameValues(t *testing.T, what string, theirs, ours map[string]any) {
	t.Helper()
	for key, v := range theirs {
		if !strings.HasSuffix(key, "_ms") && ours[key] != v {
			t.Errorf("%s: %s is %v, inputs.ping says %v", what, key, ours[key], v)
		}
	}
	last := 0.0
	for _, key := range []string{"minimum_response_ms", "percentile50_ms", "percentile95_ms", "maximum_response_ms"} {
		v, measured := ours[key].(float64)
		if measured && (v < last || v <= 0 || v > 100) {
			t.Errorf("%s: %s is %v", what, key, v)
		}
		last = v
	}
}
