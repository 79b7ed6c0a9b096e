package bfdwatch_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

var update = flag.Bool("update", false, "write expected.lp of golden cases whose figures agree with their truth")

const (
	goldenPeriod = 24 * time.Hour // holds any capture whole
	shortPeriod  = 10 * time.Second
)

// TestGolden holds the engine against captures of which others have told what is in them. Each capture is read in
// one period and in short ones: the figures must be the same.
func TestGolden(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			var d differences
			whole, short := c.run(t, goldenPeriod, nil, nil), c.run(t, shortPeriod, nil, nil)
			c.compare(&d, whole)
			if len(d) == 0 {
				c.compare(&d, short)
			}
			if len(d) == 0 {
				c.compareLines(t, &d, short.lines)
			}
			d.report(t)
		})
	}
}

// compare holds all figures of r against the truth.
func (c *goldenCase) compare(d *differences, r *replay) {
	if c.name == cooked {
		c = c.at("sll3")
		c.compareCopies(d, r)
	}
	c.compareStats(d, r)
	c.compareControl(d, r)
	c.compareSessions(d, r)
	c.compareEchoCounts(d, r)
	c.compareEchoes(d, r)
	c.compareFRR(d, r)
	c.compareFRRMeans(d, r)
}

// cooked is the case in which each frame comes twice, where it enters the bridge (sll3) and where it leaves it
// (sll4), and nothing tells the capture points apart.
const cooked = "s04_echo_both.any-sll1"

// compareCopies wants each packet's second copy removed and counted.
func (c *goldenCase) compareCopies(d *differences, r *replay) {
	sessions, streams := c.directions(r), c.streams(r)
	for _, key := range inOrder(sessions) {
		equal(d, key.src+" control packets mirrored", sessions[key].mirrored, sessions[key].control)
	}
	for _, key := range inOrder(streams) {
		equal(d, key.initiator+" echoes mirrored", streams[key].mirrored, streams[key].sent+streams[key].returned)
	}
}

// Of the frames that enter and leave a bridge, those that leave are a capture of their own.
func TestGoldenOneDirection(t *testing.T) {
	all := findCase(t, cooked)
	r := all.run(t, goldenPeriod, nil, func(p *capture.Packet) bool { return p.Direction == capture.Out })
	r.first -= all.Sessions[1].States[0].AtUS * 1000 // the truth counts from the first frame of all
	c := all.at("sll4")
	var d differences
	c.compareSessions(&d, r)
	c.compareEchoes(&d, r)
	d.report(t)
}

// compareStats holds the counts of all frames against the truth.
func (c *goldenCase) compareStats(d *differences, r *replay) {
	var got schema.BFDStatsRow
	for _, row := range r.stats {
		got.Packets += row.Packets
		got.Control += row.Control
		got.Echo += row.Echo
		got.Mirrored += row.Mirrored
		got.QuotedInICMP += row.QuotedInICMP
		got.Truncated += row.Truncated
		got.Disordered += row.Disordered
		got.NoRoom += row.NoRoom
	}
	equal(d, "frames", got.Packets, c.Packets)
	equal(d, "BFD packets and their copies", got.Control+got.Echo+got.Mirrored, total(c.TShark.Control)+total(c.Cut)+total(c.TShark.Echo))
	if got.Mirrored == 0 {
		equal(d, "control packets", got.Control, total(c.TShark.Control)+total(c.Cut))
		equal(d, "echo packets", got.Echo, total(c.TShark.Echo))
	}
	if got.QuotedInICMP < c.TShark.ICMP {
		d.addf("ICMP messages: got %d, of which %d quote BFD", got.QuotedInICMP, c.TShark.ICMP)
	}
	if len(c.Cut) > 0 { // then the echoes are, too
		equal(d, "packets that the capture cut", got.Truncated, total(c.Cut)+total(c.TShark.Echo))
	} else {
		equal(d, "packets that the capture cut", got.Truncated, 0)
	}
	equal(d, "packets out of order and without room", got.Disordered+got.NoRoom, 0)
}

func total(tallies []tally) (n int64) {
	for _, t := range tallies {
		n += t.Count
	}
	return n
}

// compareLines holds all rows, times included, against expected.lp.
func (c *goldenCase) compareLines(t *testing.T, d *differences, got []byte) {
	path := filepath.Join(filepath.Dir(c.capture), "expected.lp")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; the figures agree: -update writes it", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := bytes.SplitAfter(got, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			d.addf("expected.lp, line %d: %s", i+1, pointDifference(gotLines[i], wantLines[i]))
		}
	}
	equal(d, "lines", len(gotLines)-1, len(wantLines)-1)
}

// pointDifference names what differs between two lines: tags, fields and times, each as got and wanted.
func pointDifference(got, want []byte) string {
	var g, w schema.Point
	if g.Parse(got) != nil || w.Parse(want) != nil {
		return fmt.Sprintf("got %q, want %q", got, want)
	}
	var text []string
	note := func(key string, got, want any) {
		if got != want {
			text = append(text, fmt.Sprintf("%s %v, want %v", key, got, want))
		}
	}
	note("measurement", g.Measurement, w.Measurement)
	note("time", g.Time, w.Time)
	note("tags", fmt.Sprint(g.Tags), fmt.Sprint(w.Tags))
	values := func(p *schema.Point) map[string]any {
		m := map[string]any{}
		for _, f := range p.Fields {
			m[f.Key] = f.Value()
		}
		return m
	}
	gotValues, wantValues := values(&g), values(&w)
	for _, f := range slices.Concat(g.Fields, w.Fields) {
		note(f.Key, gotValues[f.Key], wantValues[f.Key])
	}
	return fmt.Sprintf("%s: %q", g.Measurement, slices.Compact(text))
}
