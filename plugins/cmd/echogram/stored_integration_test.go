//go:build integration

package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

func newWild(t *testing.T, cfg netlab.WildConfig) *netlab.Wild {
	t.Helper()
	lab, err := netlab.WildLab(cfg)
	return netlab.Lasting(t, lab, err)
}

// in runs the command in a namespace, for a minute at most.
func in(t *testing.T, n *netlab.Namespace, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return finish(t, n.Command(ctx, program, args...))
}

// stored is one sweep as a database keeps it: a later point with the same series and time adds to the fields of the
// first, or replaces them.
type stored struct {
	rows  map[string]fields // icmp_sweep, by target
	tags  map[string]map[string]string
	block map[string]fields
	stats fields
}

// fields are int64, float64, string or bool.
type fields map[string]any

// swept sweeps in a namespace with --format influx and reads what came of it.
func swept(t *testing.T, n *netlab.Namespace, args ...string) *stored {
	t.Helper()
	o := in(t, n, append([]string{"sweep", "--format", "influx"}, args...)...)
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	return store(t, o.stdout)
}

func store(t *testing.T, lines string) *stored {
	t.Helper()
	s := &stored{rows: map[string]fields{}, tags: map[string]map[string]string{}, block: map[string]fields{}, stats: fields{}}
	for line := range strings.Lines(lines) {
		var p schema.Point
		if err := p.Parse([]byte(strings.TrimSpace(line))); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch p.Measurement {
		case schema.ICMPSweep:
			merge(s.rows, p.Tag(schema.TagTarget), p.FieldMap())
			s.tags[p.Tag(schema.TagTarget)] = p.TagMap()
		case schema.ICMPSweepBlock:
			merge(s.block, p.Tag(schema.TagBlock), p.FieldMap())
		case schema.ICMPSweepStats:
			maps.Copy(s.stats, p.FieldMap())
		}
	}
	return s
}

func merge(in map[string]fields, key string, f fields) {
	if in[key] == nil {
		in[key] = fields{}
	}
	maps.Copy(in[key], f)
}

// n is an integer field; 0 if there is none.
func (f fields) n(key string) int64 {
	n, _ := f[key].(int64)
	return n
}

// slack is by how much a reply may come later than planned on a machine that has other things to do.
const slack = 400 * time.Millisecond

// differ says how fields differ from what is wanted. A wanted time.Duration is the least that the field may be; it
// may be more by slack.
func (f fields) differ(want fields) string {
	var why []string
	for key, w := range want {
		got, ok := f[key]
		if d, timed := w.(time.Duration); timed {
			ns, _ := got.(int64)
			ok, w = ok && ns >= int64(d) && ns <= int64(d+slack), fmt.Sprintf("%d to %d", d, d+slack)
		} else {
			ok = got == w
		}
		if !ok {
			why = append(why, fmt.Sprintf("%s is %v, want %v", key, got, w))
		}
	}
	for key, got := range f {
		if _, ok := want[key]; !ok {
			why = append(why, fmt.Sprintf("%s is %v, want none", key, got))
		}
	}
	return strings.Join(why, "; ")
}

// wantSums holds the integers of the stats row that say what became of requests against want; all others of them must
// be zero, and the sweep one to trust.
func (s *stored) wantSums(t *testing.T, want map[string]int64) {
	t.Helper()
	for _, key := range []string{
		"sent", "received", "late", "duplicates", "corrupt", "icmp_errors", "other_source", "foreign", "unverified",
		"capture_drops", "capture_freezes", "send_errors", "unseen", "neighbour_failures", "unresolved", "qdisc_drops", "nic_drops",
	} {
		if s.stats.n(key) != want[key] {
			t.Errorf("stats: %s is %d, want %d", key, s.stats.n(key), want[key])
		}
	}
	if s.stats["trust"] != schema.TrustOK || s.stats["partial"] != nil || s.stats.n("points") != int64(len(s.rows)) {
		t.Errorf("stats: %v; %d rows", s.stats, len(s.rows))
	}
}
